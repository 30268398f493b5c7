// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/metrics/counters.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace plimsoll::metrics {

namespace json = boost::json;

namespace {

enum class Unit : uint8_t { none, bytes };

struct Group {
  const char* token;
  const char* name;
  const char* services;
};
struct Row {
  const char* group;
  const char* name;
  Kind kind;
  Unit unit;
  const char* help;
};

constexpr Group kGroups[] = {
#define GROUP(token, name, services) {#token, name, services},
#define COUNTER(...)
#include "common/metrics/counters.inc"
#undef GROUP
#undef COUNTER
};
constexpr Row kRows[] = {
#define GROUP(...)
#define COUNTER(group, name, kind, unit, help) {#group, #name, Kind::kind, Unit::unit, help},
#include "common/metrics/counters.inc"
#undef GROUP
#undef COUNTER
};
static_assert(std::size(kRows) == kCounterCount);

bool serves(const Group& g, std::string_view service) {
  for (std::string_view rest = g.services; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (rest.substr(0, comma) == service) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

/// Calls fn(row, index) for the rows of a group.
template <class Fn>
void each_row(const Group& g, Fn fn) {
  for (size_t i = 0; i < kCounterCount; i++)
    if (std::string_view(kRows[i].group) == g.token) fn(kRows[i], i);
}

double seconds(uint64_t nanos) {
  return static_cast<double>(nanos) * 1e-9;
}

/// perf schema's type bits: 1 time, 2 integer, 4 average, 8 counter.
int type_bits(Kind k) {
  switch (k) {
    case Kind::counter:
      return 8 | 2;
    case Kind::gauge:
      return 2;
    case Kind::time_avg:
      return 4 | 1;
    case Kind::avg:
      return 4 | 2;
    case Kind::time:
      return 1;
  }
  return 0;
}

const char* value_type(Kind k) {
  switch (k) {
    case Kind::time_avg:
      return "real-integer-pair";
    case Kind::avg:
      return "integer-integer-pair";
    case Kind::time:
      return "real";
    default:
      return "integer";
  }
}

json::value value_of(Kind kind, uint64_t value, uint64_t count) {
  switch (kind) {
    case Kind::time:
      return seconds(value);
    case Kind::avg:
      return json::object{{"avgcount", count}, {"sum", value}};
    case Kind::time_avg:
      return json::object{{"avgcount", count},
                          {"sum", seconds(value)},
                          {"avgtime", count ? seconds(value / count) : 0.0}};
    default:
      return value;
  }
}

/// Walks the groups and counters that are asked for and collects what fn(row, index) makes of each.
template <class Fn>
json::object collect(std::string_view service, std::string_view group, std::string_view counter,
                     Fn fn) {
  json::object out;
  for (const auto& g : kGroups) {
    if (!serves(g, service) || (!group.empty() && group != g.name)) continue;
    json::object one;
    each_row(g, [&](const Row& r, size_t i) {
      if (counter.empty() || counter == r.name) one[r.name] = fn(r, i);
    });
    if (!one.empty()) out[g.name] = std::move(one);
  }
  return out;
}

std::string metric_name(const Group& g, const Row& r) {
  std::string out = fmt::format("ceph_{}_{}", g.name, r.name);
  for (char& c : out)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

}  // namespace

json::object Counters::dump(std::string_view group, std::string_view counter) const {
  return collect(service_, group, counter, [this](const Row& r, size_t i) {
    const auto c = static_cast<Counter>(i);
    return value_of(r.kind, get(c), count(c));
  });
}

json::object Counters::schema(std::string_view group, std::string_view counter) const {
  return collect(service_, group, counter, [](const Row& r, size_t) {
    json::object out;
    out["type"] = type_bits(r.kind);
    out["metric_type"] = r.kind == Kind::counter ? "counter" : "gauge";
    out["value_type"] = value_type(r.kind);
    out["description"] = r.help;
    out["nick"] = "";
    out["priority"] = 5;
    out["units"] = r.unit == Unit::bytes ? "bytes" : "none";
    return out;
  });
}

std::string Counters::prometheus(std::string_view daemon) const {
  std::string out;
  const std::string label = fmt::format("{{ceph_daemon=\"{}\"}}", escaped(daemon));
  auto sample = [&](const std::string& name, const char* type, const char* help,
                    const std::string& value) {
    out +=
        fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0}{3} {4}\n", name, help, type, label, value);
  };
  for (const auto& g : kGroups) {
    if (!serves(g, service_)) continue;
    each_row(g, [&](const Row& r, size_t i) {
      const auto c = static_cast<Counter>(i);
      const std::string name = metric_name(g, r);
      const bool time = r.kind == Kind::time || r.kind == Kind::time_avg;
      const std::string value =
          time ? fmt::format("{:.9f}", seconds(get(c))) : fmt::to_string(get(c));
      if (r.kind == Kind::avg || r.kind == Kind::time_avg) {
        sample(name + "_sum", "counter", r.help, value);
        sample(name + "_count", "counter", r.help, fmt::to_string(count(c)));
      } else {
        sample(name, r.kind == Kind::gauge ? "gauge" : "counter", r.help, value);
      }
    });
  }
  return out;
}

bool Counters::reset(std::string_view group) {
  bool found = group == "all";
  for (const auto& g : kGroups) {
    if (!serves(g, service_) || (group != "all" && group != g.name)) continue;
    found = true;
    each_row(g, [&](const Row& r, size_t i) {
      if (r.kind == Kind::gauge) return;
      cells_[i].value.store(0, std::memory_order_relaxed);
      cells_[i].count.store(0, std::memory_order_relaxed);
    });
  }
  return found;
}

std::string counters_markdown() {
  std::string out =
      "# Counters\n\n"
      "Generated from `src/common/metrics/counters.inc`; do not edit. `ceph daemon <socket> perf "
      "dump` prints "
      "them, `perf schema` describes them.\n";
  for (const auto& g : kGroups) {
    out += fmt::format(
        "\n## {}\n\nOf: {}.\n\n| counter | kind | unit | what it counts |\n| --- | --- | --- | --- "
        "|\n",
        g.name, g.services);
    each_row(g, [&](const Row& r, size_t) {
      static constexpr const char* kKinds[] = {"counter", "gauge", "time, average", "average",
                                               "time"};
      out += fmt::format("| `{}` | {} | {} | {} |\n", r.name, kKinds[static_cast<size_t>(r.kind)],
                         r.unit == Unit::bytes ? "bytes" : "", r.help);
    });
  }
  return out;
}

}  // namespace plimsoll::metrics
