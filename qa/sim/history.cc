// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/history.h"

#include <algorithm>

namespace plimsoll::sim {

size_t History::begin(const std::string& object, RegisterOp op) {
  auto& operations = objects_[object];
  operations.push_back(std::move(op));
  return operations.size() - 1;
}

void History::end(const std::string& object, size_t number, RegisterOp answered) {
  if (answered.changes()) acknowledged_++;
  objects_.at(object).at(number) = std::move(answered);
}

size_t History::operations() const {
  size_t sum = 0;
  for (const auto& [object, operations] : objects_) sum += operations.size();
  return sum;
}

size_t History::unanswered() const {
  size_t sum = 0;
  for (const auto& [object, operations] : objects_)
    sum += std::count_if(operations.begin(), operations.end(),
                         [](const RegisterOp& op) { return op.changes() && !op.answered(); });
  return sum;
}

std::vector<std::string> History::objects() const {
  std::vector<std::string> out;
  for (const auto& [object, operations] : objects_) out.push_back(object);
  return out;
}

std::vector<std::string> History::check() const {
  std::vector<std::string> out = wrong_;
  for (const auto& [object, operations] : objects_)
    if (auto trouble = check_register(operations)) out.push_back(object + ": " + *trouble);
  return out;
}

}  // namespace plimsoll::sim
