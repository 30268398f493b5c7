// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/findings.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace plimsoll::mover {

namespace json = boost::json;

namespace {

std::string print_list(const char* word, const std::vector<Finding>& list, uint64_t more) {
  std::string out;
  for (const Finding& f : list) {
    out += fmt::format("{} {}", word, fault_name(f.fault));
    if (f.pg.pool >= 0) out += fmt::format(" PG {}", f.pg.to_string());
    if (f.osd != kNoOsd) out += fmt::format(" osd.{}", f.osd);
    out += fmt::format(": {}\n", f.text);
  }
  if (more) out += fmt::format("{} and {} more\n", word, more);
  return out;
}

json::array dump_list(const std::vector<Finding>& list) {
  json::array out;
  for (const Finding& f : list) {
    json::object finding{{"fault", fault_name(f.fault)}};
    if (f.pg.pool >= 0) finding["pg"] = f.pg.to_string();
    if (f.osd != kNoOsd) finding["osd"] = f.osd;
    finding["text"] = f.text;
    out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace

std::string print_findings(const Report& r) {
  const uint64_t refusals = r.refusals.size() + r.more_refusals;
  const uint64_t warnings = r.warnings.size() + r.more_warnings;
  return print_list("REFUSE", r.refusals, r.more_refusals) +
         print_list("WARN", r.warnings, r.more_warnings) +
         (refusals   ? fmt::format("refused: {} refusals, {} warnings\n", refusals, warnings)
          : warnings ? fmt::format("possible, with {} warnings\n", warnings)
                     : "safe\n");
}

json::object dump_findings(const Report& r) {
  return {{"refusals", dump_list(r.refusals)},
          {"warnings", dump_list(r.warnings)},
          {"more_refusals", r.more_refusals},
          {"more_warnings", r.more_warnings}};
}

}  // namespace plimsoll::mover
