// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/table.h"

namespace plimsoll::command {

size_t Specs::add_spec(Spec spec) {
  owned_.push_back(std::make_unique<Spec>(std::move(spec)));
  list_.push_back(owned_.back().get());
  return list_.size() - 1;
}

Result<size_t> Specs::match(const Request& request) const {
  Error why(EINVAL, "command not known");
  for (size_t i = 0; i < list_.size(); i++) {
    if (list_[i]->prefix != request.prefix) continue;
    const auto fits = validate(*list_[i], request.json);
    if (fits) return i;
    why = fits.error();
  }
  return why;
}

boost::json::object Specs::help() const {
  std::map<std::string, std::string> sorted;
  for (const Spec* spec : list_)
    if (!spec->help.empty() && !(spec->flags & kFlagHidden))
      sorted.emplace(spec->prefix, spec->help);
  boost::json::object out;
  for (const auto& [prefix, help] : sorted) out[prefix] = help;
  return out;
}

}  // namespace plimsoll::command
