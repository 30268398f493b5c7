// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/osd_spec.h"

#include <fmt/format.h>

#include <charconv>

namespace plimsoll::mover {

namespace {

std::optional<OsdId> number_of(std::string_view spec) {
  if (spec.starts_with("osd.")) spec.remove_prefix(4);
  OsdId osd = kNoOsd;
  const auto [end, error] = std::from_chars(spec.data(), spec.data() + spec.size(), osd);
  if (error != std::errc() || end != spec.data() + spec.size() || osd < 0) return {};
  return osd;
}

Result<std::set<OsdId>> of_class(const std::string& name, const map::OSDMap& m) {
  const auto id = m.crush->find_class(name);
  if (!id) return fail(ENOENT, fmt::format("there is no device class '{}'", name));
  std::set<OsdId> out;
  for (const auto& [device, device_class] : m.crush->device_classes)
    if (device_class == *id) out.insert(device);
  return out;
}

Result<std::set<OsdId>> of_bucket(const std::string& type, const std::string& name,
                                  const map::OSDMap& m) {
  if (!type.empty() && !m.crush->find_type(type))
    return fail(EINVAL, fmt::format("'{}:{}': there is no CRUSH type '{}'", type, name, type));
  const auto id = m.crush->find_item(name);
  if (!id) return fail(ENOENT, fmt::format("there is no '{}' in the CRUSH map", name));
  if (!type.empty() && m.crush->item_type(*id) != *m.crush->find_type(type))
    return fail(EINVAL, fmt::format("'{}' is no {}, it is a {}", name, type,
                                    m.crush->type_name(m.crush->item_type(*id))));
  return m.crush->devices_under(*id);
}

Result<std::set<OsdId>> of_spec(const std::string& spec, const map::OSDMap& m) {
  if (number_of(spec)) {
    TRY(osd, osd_of(spec, m));
    return std::set<OsdId>{osd};
  }
  const size_t colon = spec.find(':');
  if (colon == std::string::npos) return of_bucket("", spec, m);
  const std::string type = spec.substr(0, colon), name = spec.substr(colon + 1);
  if (type == "class") return of_class(name, m);
  return of_bucket(type == "bucket" ? "" : type, name, m);
}

}  // namespace

Result<OsdId> osd_of(const std::string& spec, const map::OSDMap& m) {
  const auto osd = number_of(spec);
  if (!osd) return fail(EINVAL, fmt::format("'{}' is no OSD", spec));
  if (!m.exists(*osd)) return fail(ENOENT, fmt::format("osd.{} does not exist", *osd));
  return *osd;
}

Result<std::set<OsdId>> osds_of(const std::vector<std::string>& specs, const map::OSDMap& m) {
  std::set<OsdId> out;
  for (const std::string& spec : specs) {
    TRY(some, of_spec(spec, m));
    std::erase_if(some, [&](OsdId osd) { return !m.exists(osd); });
    if (some.empty()) return fail(ENOENT, fmt::format("'{}' has no OSDs", spec));
    out.merge(some);
  }
  return out;
}

}  // namespace plimsoll::mover
