// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/format.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstring>

namespace plimsoll::command {

namespace json = boost::json;

namespace {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
          out += c;
    }
  }
  out += '"';
}

class Printer {
 public:
  Printer(bool pretty, Floats floats) : pretty_(pretty), floats_(floats) {}

  void value(const json::value& v) {
    switch (v.kind()) {
      case json::kind::null:
        out_ += "null";
        break;
      case json::kind::bool_:
        out_ += v.get_bool() ? "true" : "false";
        break;
      case json::kind::int64:
        out_ += fmt::to_string(v.get_int64());
        break;
      case json::kind::uint64:
        out_ += fmt::to_string(v.get_uint64());
        break;
      case json::kind::double_:
        number(v.get_double());
        break;
      case json::kind::string:
        append_string(out_, v.get_string());
        break;
      case json::kind::array:
        list('[', ']', v.get_array(), [this](const json::value& item) { value(item); });
        break;
      case json::kind::object:
        list('{', '}', v.get_object(), [this](const json::key_value_pair& item) {
          append_string(out_, item.key());
          out_ += pretty_ ? ": " : ":";
          value(item.value());
        });
        break;
    }
  }
  std::string take() { return std::move(out_); }

 private:
  template <class C, class Fn>
  void list(char open, char close, const C& items, Fn print_item) {
    out_ += open;
    depth_++;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      print_item(item);
    }
    depth_--;
    if (!first) new_line();
    out_ += close;
  }
  void new_line() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(4 * depth_, ' ');
  }
  void number(double v) {
    // JSON knows no infinity; Ceph prints the word all the same, which breaks parsers.
    if (!std::isfinite(v))
      out_ += '0';
    else if (floats_ == Floats::kNineDecimals)
      out_ += fixed(v, 9);
    else
      out_ += general(v, 17);
  }

  const bool pretty_;
  const Floats floats_;
  size_t depth_ = 0;
  std::string out_;
};

}  // namespace

Result<Format> parse_format(std::string_view name) {
  if (name.empty() || name == "plain") return Format::kPlain;
  if (name == "json") return Format::kJson;
  if (name == "json-pretty") return Format::kJsonPretty;
  return fail(EINVAL,
              fmt::format("format '{}' is not supported: want json, json-pretty or plain", name));
}

std::string print(const json::value& v, Format format, Floats floats) {
  const bool pretty = format != Format::kJson;
  Printer printer(pretty, floats);
  printer.value(v);
  return printer.take() + (pretty ? "\n" : "");
}

std::string fixed(double v, int decimals) {
  return fmt::format("{:.{}f}", v, decimals);
}

std::string general(double v, int precision) {
  return fmt::format("{:.{}g}", v, precision);
}

std::string errno_text(int code) {
  const int positive = code < 0 ? -code : code;
  const char* text = strerrordesc_np(positive);
  return fmt::format("({}) {}", positive, text ? text : "Unknown error");
}

}  // namespace plimsoll::command
