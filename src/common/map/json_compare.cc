// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/json_compare.h"

#include <boost/json/serialize.hpp>
#include <cmath>

namespace plimsoll::map {

namespace json = boost::json;

namespace {

std::string differ(const std::string& path, const json::value& a, const json::value& b) {
  return path + ": ours " + json::serialize(a).substr(0, 300) + " theirs " +
         json::serialize(b).substr(0, 300);
}

std::string object_difference(const json::object& a, const json::object& b,
                              const std::string& path) {
  auto ia = a.begin();
  auto ib = b.begin();
  for (; ia != a.end() && ib != b.end(); ++ia, ++ib) {
    const std::string here = path + "." + std::string(ib->key());
    if (ia->key() != ib->key()) return here + ": our key is " + std::string(ia->key());
    std::string found = json_difference(ia->value(), ib->value(), here);
    if (!found.empty()) return found;
  }
  if (ia != a.end()) return path + ": we have more, " + std::string(ia->key());
  if (ib != b.end()) return path + ": we lack " + std::string(ib->key());
  return "";
}

}  // namespace

std::string json_difference(const json::value& a, const json::value& b, const std::string& path) {
  if (a.is_object() && b.is_object())
    return object_difference(a.get_object(), b.get_object(), path);
  if (a.is_array() && b.is_array()) {
    const auto& x = a.get_array();
    const auto& y = b.get_array();
    for (size_t i = 0; i < x.size() && i < y.size(); i++) {
      std::string found = json_difference(x[i], y[i], path + "[" + std::to_string(i) + "]");
      if (!found.empty()) return found;
    }
    return x.size() == y.size() ? "" : differ(path, a, b);
  }
  if (a.is_number() && b.is_number()) {
    // Parsing may be off by one in the last digit.
    const double x = a.to_number<double>(), y = b.to_number<double>();
    return std::abs(x - y) <= 1e-15 * std::abs(x) ? "" : differ(path, a, b);
  }
  return a == b ? "" : differ(path, a, b);
}

}  // namespace plimsoll::map
