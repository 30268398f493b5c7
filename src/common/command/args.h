// SPDX-License-Identifier: LGPL-2.1-or-later
// A request for a command and its arguments. Requests are JSON objects with "prefix" and one member
// per parameter; what clients send is not trusted: validate() checks every argument against the
// signature and says what is wrong in Ceph's words, so that handlers read typed values that fit.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/command/format.h"
#include "common/command/spec.h"
#include "common/wire/types.h"

namespace plimsoll::command {

/// Parsed, not yet matched. `json` holds at most kMaxMembers members and no nesting but arrays.
struct Request {
  static constexpr size_t kMaxBytes = 1 << 20;
  static constexpr size_t kMaxMembers = 256;
  std::string prefix;
  boost::json::object json;
  Format format = Format::kPlain;
  /// From the pieces of a command message (joined). EINVAL in Ceph's words.
  static Result<Request> parse(const std::vector<std::string>& pieces);
  static Result<Request> parse(std::string_view text);
};

/// Validated arguments. The accessors take names of the signature (CHECK): a required parameter is
/// there and of its type, so only the optional ones have an opt_ form.
class Args {
 public:
  Args(const Spec& spec, Request request, Bytes input = {})
      : spec_(&spec), request_(std::move(request)), input_(std::move(input)) {}

  const Spec& spec() const { return *spec_; }
  const std::string& prefix() const { return request_.prefix; }
  Format format() const { return request_.format; }
  void set_format(Format f) { request_.format = f; }
  /// Data that came with the request (`ceph ... -i file`).
  const Bytes& input() const { return input_; }
  const boost::json::object& json() const { return request_.json; }

  bool has(std::string_view name) const;
  std::string str(std::string_view name) const;
  std::optional<std::string> opt_str(std::string_view name) const;
  std::string str_or(std::string_view name, std::string fallback) const;
  int64_t integer(std::string_view name) const;
  std::optional<int64_t> opt_int(std::string_view name) const;
  int64_t int_or(std::string_view name, int64_t fallback) const;
  double real(std::string_view name) const;
  std::optional<double> opt_real(std::string_view name) const;
  double real_or(std::string_view name, double fallback) const;
  /// CephBool, and flags like --yes-i-really-mean-it that old clients send as their text.
  bool flag(std::string_view name, bool fallback = false) const;
  /// n=N; a single value counts as a list of one.
  std::vector<std::string> strings(std::string_view name) const;
  std::vector<int64_t> ints(std::string_view name) const;
  /// CephOsdName: "osd.3", "3" or 3. -1 for "all", "any" and "*".
  OsdId osd(std::string_view name) const;
  PgId pgid(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name) const;
  const Spec* spec_;
  Request request_;
  Bytes input_;
};

/// Whether the request's arguments fit the signature; EINVAL says which does not and why.
Result<> validate(const Spec& spec, const boost::json::object& request);

/// A request from plain words ("config", "get", "x"), for the old form of the admin socket's
/// protocol: longest prefix first, the rest by position. EINVAL where none fits.
Result<Request> request_from_words(const std::vector<const Spec*>& specs,
                                   const std::vector<std::string>& words);

/// As Ceph reads integers and numbers in texts: "Expected option value to be integer, got 'x'".
Result<int64_t> parse_int(std::string_view text);
Result<double> parse_real(std::string_view text);
/// "osd.3" or "3"; -1 for "all", "any", "*".
Result<OsdId> parse_osd_name(std::string_view text);

}  // namespace plimsoll::command
