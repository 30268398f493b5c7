// SPDX-License-Identifier: LGPL-2.1-or-later
// dump: any struct with fields() as JSON, with the declared names. For debugging and tests; what
// commands print in Ceph's shapes is made by hand where those differ.
#pragma once

#include <boost/json/value.hpp>

#include "common/wire/types.h"

namespace plimsoll::wire {

template <class T>
boost::json::value dump(const T& v);

class Dumper {
 public:
  template <class T>
  void operator()(const char* name, const T& v, uint8_t = 0) {
    out[name] = dump(v);
  }
  template <class T>
  void constant(const char*, T, uint8_t = 0) {}
  template <class Fn>
  void section(const char*, Envelope, Fn&& body) {
    body();
  }
  uint8_t version() const { return 0xff; }
  boost::json::object out;
};

template <class T>
concept HasText = requires(const T& v) {
  { v.to_string() } -> std::convertible_to<std::string>;
};

template <class T>
inline constexpr bool kIsPair = false;
template <class A, class B>
inline constexpr bool kIsPair<std::pair<A, B>> = true;

template <class T>
boost::json::value dump(const T& v) {
  namespace json = boost::json;
  if constexpr (std::is_enum_v<T>) {
    return json::value(static_cast<int64_t>(v));
  } else if constexpr (std::is_same_v<T, bool>) {
    return json::value(v);
  } else if constexpr (std::is_floating_point_v<T>) {
    return json::value(static_cast<double>(v));
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>) return json::value(static_cast<int64_t>(v));
    else return json::value(static_cast<uint64_t>(v));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return json::value(v);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return json::value("(" + std::to_string(v.size()) + " bytes)");
  } else if constexpr (HasText<T>) {
    return json::value(v.to_string());
  } else if constexpr (HasFields<T>) {
    Dumper d;
    const_cast<T&>(v).fields(d);
    return json::value(std::move(d.out));
  } else if constexpr (kIsPair<T>) {
    return json::array{dump(v.first), dump(v.second)};
  } else {
    json::array out;
    for (const auto& x : v) out.push_back(dump(x));
    return json::value(std::move(out));
  }
}

}  // namespace plimsoll::wire
