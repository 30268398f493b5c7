// SPDX-License-Identifier: LGPL-2.1-or-later
// Expected failures. An Error is an errno value, as it goes onto the wire (negated), and a text for
// people that names the input. Codes are errno's own; the few that Ceph numbers by itself are here.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace plimsoll {

inline constexpr int kEBlocklisted = ESHUTDOWN;  ///< 108: this client instance is blocklisted.

class Error {
 public:
  /// `code` is a positive errno value. Two arguments, so that no integer turns into an Error.
  /// No error; boost::system::result wants it.
  Error() = default;
  Error(int code, std::string text) : code_(code), text_(std::move(text)) {}

  int code() const { return code_; }
  /// The value as a reply carries it: -code.
  int wire() const { return -code_; }
  const std::string& text() const { return text_; }
  /// "ENOENT" for 2; "E<n>" where the table has no name.
  std::string name() const;
  /// "ENOENT: text", or the system's description where there is no text.
  std::string to_string() const;

 private:
  int code_ = 0;
  std::string text_;
};

/// Symbolic name of a positive errno value.
std::string errno_name(int code);

}  // namespace plimsoll
