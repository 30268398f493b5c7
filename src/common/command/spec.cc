// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "common/base/assert.h"

namespace plimsoll::command {

namespace json = boost::json;

namespace {

struct TypeRow {
  ParamType type;
  const char* name;
  const char* usage;  ///< what stands for the value in usage, "" for the parameter's name
};
constexpr TypeRow kTypes[] = {
    {ParamType::kString, "CephString", ""},
    {ParamType::kInt, "CephInt", ":int"},
    {ParamType::kFloat, "CephFloat", ":float"},
    {ParamType::kBool, "CephBool", ""},
    {ParamType::kChoices, "CephChoices", ""},
    {ParamType::kPoolname, "CephPoolname", ""},
    {ParamType::kOsdName, "CephOsdName", "id|osd.id"},
    {ParamType::kPgid, "CephPgid", ""},
    {ParamType::kObjectname, "CephObjectname", ""},
    {ParamType::kName, "CephName", ""},
    {ParamType::kEntityAddr, "CephEntityAddr", ""},
    {ParamType::kIPAddr, "CephIPAddr", ""},
    {ParamType::kUUID, "CephUUID", ""},
    {ParamType::kFragment, "CephFragment", ""},
    {ParamType::kPrefix, "CephPrefix", ""},
    {ParamType::kFilepath, "CephFilepath", ""},
    {ParamType::kSocketpath, "CephSocketpath", ""},
};

constexpr bool in_order() {
  for (size_t i = 0; i < std::size(kTypes); i++)
    if (static_cast<size_t>(kTypes[i].type) != i) return false;
  return true;
}
static_assert(in_order(), "row_of() takes the row by number");

const TypeRow& row_of(ParamType type) {
  return kTypes[static_cast<size_t>(type)];
}

ParamType type_named(std::string_view name) {
  const auto row =
      std::ranges::find(kTypes, name, [](const TypeRow& r) { return std::string_view(r.name); });
  CHECK_NOTE(row != std::end(kTypes), std::string(name).c_str());
  return row->type;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find(at, from), text.size());
    out.emplace_back(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

Param parse_param(std::string_view text) {
  Param p;
  for (const auto& piece : split(text, ',')) {
    const size_t equals = piece.find('=');
    CHECK_NOTE(equals != piece.npos, std::string(text).c_str());
    p.attributes[piece.substr(0, equals)] = piece.substr(equals + 1);
  }
  auto get = [&p](const char* key) {
    const auto it = p.attributes.find(key);
    return it == p.attributes.end() ? std::string() : it->second;
  };
  p.attributes.emplace("type", "CephString");
  p.name = get("name");
  p.type = type_named(get("type"));
  p.required = get("req").empty() || get("req") == "true";
  p.many = get("n") == "N";
  p.range = get("range");
  p.goodchars = get("goodchars");
  if (p.type == ParamType::kChoices) p.strings = split(get("strings"), '|');
  CHECK_NOTE(!p.name.empty(), std::string(text).c_str());
  return p;
}

std::string usage_of(const Param& p) {
  std::string out;
  if (p.type == ParamType::kBool) {
    out = "--" + p.name;
    std::ranges::replace(out, '_', '-');
  } else if (p.type == ParamType::kChoices) {
    out = p.attributes.at("strings");
  } else {
    const std::string hint = row_of(p.type).usage;
    out = "<" + (hint.empty() || hint[0] == ':' ? p.name + hint : hint) + ">";
  }
  if (p.many) out += "...";
  return p.required ? out : "[" + out + "]";
}

}  // namespace

const char* type_name(ParamType type) {
  return row_of(type).name;
}

const Param* Spec::find(std::string_view name) const {
  const auto it = std::ranges::find(params, name, &Param::name);
  return it == params.end() ? nullptr : &*it;
}

std::string Spec::usage() const {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ' ';
    out += item.word.empty() ? usage_of(params[item.param]) : item.word;
  }
  return out;
}

Spec parse_spec(std::string_view signature, std::string help, std::string module, std::string perm,
                uint32_t flags) {
  Spec spec;
  for (const auto& piece : split(signature, ' ')) {
    if (piece.empty()) continue;
    Spec::Item item;
    if (piece.find('=') == piece.npos) {
      item.word = piece;
      spec.prefix += (spec.prefix.empty() ? "" : " ") + piece;
    } else {
      item.param = spec.params.size();
      spec.params.push_back(parse_param(piece));
    }
    spec.items.push_back(std::move(item));
  }
  CHECK_NOTE(!spec.prefix.empty(), std::string(signature).c_str());
  spec.help = std::move(help);
  spec.module = std::move(module);
  spec.perm = std::move(perm);
  spec.flags = flags;
  return spec;
}

json::object descriptions(const std::vector<const Spec*>& specs, bool full) {
  json::object out;
  size_t number = 0;
  for (const Spec* spec : specs) {
    json::array sig;
    for (const auto& item : spec->items) {
      if (!item.word.empty()) {
        sig.emplace_back(item.word);
        continue;
      }
      json::object param;
      for (const auto& [key, value] : spec->params[item.param].attributes) param[key] = value;
      sig.emplace_back(std::move(param));
    }
    json::object one;
    one["sig"] = std::move(sig);
    one["help"] = spec->help;
    if (full) {
      one["module"] = spec->module;
      one["perm"] = spec->perm;
      one["flags"] = spec->flags;
    }
    out[fmt::format("cmd{:03}", number++)] = std::move(one);
  }
  return out;
}

std::string markdown(std::string_view title, const std::vector<const Spec*>& specs) {
  std::vector<const Spec*> sorted = specs;
  std::ranges::sort(sorted, {}, [](const Spec* s) { return s->usage(); });
  std::string out = fmt::format("\n## {}\n\n| command | what it does |\n| --- | --- |\n", title);
  for (const Spec* spec : sorted) {
    if (spec->help.empty() || (spec->flags & kFlagHidden)) continue;
    std::string cells[] = {spec->usage(), spec->help};
    for (auto& cell : cells)
      for (size_t at = 0; (at = cell.find('|', at)) != cell.npos; at += 2) cell.insert(at, 1, '\\');
    out += fmt::format("| `{}` | {} |\n", cells[0], cells[1]);
  }
  return out;
}

}  // namespace plimsoll::command
