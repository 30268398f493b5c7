// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes to CRUSH maps: the classes of devices.
#include <fmt/format.h>

#include <algorithm>

#include "common/map/crush_editor.h"

namespace plimsoll::map {

Result<bool> CrushMap::set_device_class(CrushItem device, std::string_view class_name) {
  if (!is_valid_crush_name(class_name))
    return fail(EINVAL, fmt::format("bad class name '{}'", class_name));
  if (device < 0 || device >= kMaxCrushDevices)
    return fail(EINVAL, fmt::format("bad device id {}", device));
  const std::string now = class_of(device);
  if (now == class_name) return false;
  if (!now.empty())
    return fail(EBUSY,
                fmt::format("{} has already bound to class '{}', can not reset class to '{}'; "
                            "use 'ceph osd crush rm-device-class <id>' to remove old class first",
                            item_name(device), now, class_name));
  CrushEditor e(*this);
  auto& m = e.map();
  auto id = m.find_class(class_name);
  if (!id) {
    id = m.class_names.empty() ? 0 : m.class_names.rbegin()->first + 1;
    m.class_names[*id] = class_name;
  }
  m.device_classes[device] = *id;
  // A new OSD gets its class before it gets a place.
  m.item_names.try_emplace(device, fmt::format("osd.{}", device));
  m.max_devices = std::max(m.max_devices, device + 1);
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<bool> CrushMap::remove_device_class(CrushItem device) {
  if (device < 0 || !item_names.count(device))
    return fail(ENOENT, fmt::format("device {} is not in the crush map", device));
  if (!device_classes.count(device)) return false;
  CrushEditor e(*this);
  e.map().device_classes.erase(device);
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<> CrushMap::rename_class(std::string_view from, std::string_view to) {
  const auto id = find_class(from);
  if (!id) {
    if (find_class(to)) return fail(EALREADY, fmt::format("class '{}' is already renamed", to));
    return fail(ENOENT, fmt::format("class '{}' does not exist", from));
  }
  if (find_class(to)) return fail(EEXIST, fmt::format("class '{}' already exists", to));
  if (!is_valid_crush_name(to)) return fail(EINVAL, fmt::format("bad class name '{}'", to));
  CrushEditor e(*this);
  e.map().class_names[*id] = to;
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::create_class(std::string_view name) {
  if (find_class(name)) return fail(EEXIST, fmt::format("class '{}' already exists", name));
  if (!is_valid_crush_name(name)) return fail(EINVAL, fmt::format("bad class name '{}'", name));
  class_names[class_names.empty() ? 0 : class_names.rbegin()->first + 1] = name;
  return {};
}

Result<> CrushMap::remove_class(std::string_view name) {
  const auto id = find_class(name);
  if (!id) return fail(ENOENT, fmt::format("class '{}' does not exist", name));
  CrushEditor e(*this);
  std::erase_if(e.map().device_classes, [&](const auto& entry) { return entry.second == *id; });
  if (e.map().class_in_use(*id))
    return fail(EBUSY, fmt::format("class '{}' is in use by a rule", name));
  e.map().class_names.erase(*id);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::rebuild_shadow_trees() {
  CrushEditor e(*this);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

}  // namespace plimsoll::map
