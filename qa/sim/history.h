// SPDX-License-Identifier: LGPL-2.1-or-later
// History: what clients asked of a few objects, and what they were answered. A question is written
// down when it is asked: where its client is killed it stays without an answer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qa/sim/register_check.h"

namespace plimsoll::sim {

class History {
 public:
  /// Never the same twice.
  char32_t new_piece() { return next_piece_++; }
  /// Names one life of a client.
  uint32_t new_client() { return next_client_++; }
  /// Returns what end() wants.
  size_t begin(const std::string& object, RegisterOp op);
  void end(const std::string& object, size_t number, RegisterOp answered);
  void complain(std::string what) { wrong_.push_back(std::move(what)); }

  size_t operations() const;
  /// Changes that were acknowledged.
  size_t acknowledged() const { return acknowledged_; }
  /// Changes without an answer.
  size_t unanswered() const;
  std::vector<std::string> objects() const;
  /// What went wrong; empty where every answer can be explained.
  std::vector<std::string> check() const;

 private:
  char32_t next_piece_ = 1;
  uint32_t next_client_ = 1;
  size_t acknowledged_ = 0;
  std::map<std::string, std::vector<RegisterOp>> objects_;
  std::vector<std::string> wrong_;
};

}  // namespace plimsoll::sim
