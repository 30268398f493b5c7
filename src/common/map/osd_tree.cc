// SPDX-License-Identifier: LGPL-2.1-or-later
// `osd tree` and `osd crush tree`.
#include <fmt/format.h>

#include "common/map/osd_map_dump.h"
#include "common/base/text_table.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

double fixed_to_double(uint32_t v) {
  return static_cast<float>(v) / static_cast<float>(0x10000);
}

const char* status_text(const OSDMap& m, OsdId osd) {
  if (!m.exists(osd)) return "DNE";
  if (m.is_up(osd)) return "up";
  return m.has_state(osd, kOsdDestroyed) ? "destroyed" : "down";
}

void dump_osd_status(const OSDMap& m, OsdId osd, json::object& out) {
  const char* status = status_text(m, osd);
  out["exists"] = m.exists(osd) ? 1 : 0;
  out["status"] = m.exists(osd) ? status : "down";
  out["reweight"] = fixed_to_double(m.weight(osd));
  out["primary_affinity"] = fixed_to_double(m.primary_affinity(osd));
}

TreeOptions tree_options(const OSDMap& m, const TreeFilter& filter, std::optional<CrushItem> root) {
  TreeOptions options;
  options.root = root;
  if (!filter.selects_all())
    options.selects = [&](CrushItem osd) { return filter.selects(m, osd); };
  return options;
}

/// Strays are shown behind a whole tree, not behind a part of it.
std::vector<OsdId> shown_strays(const OSDMap& m, const TreeFilter& filter,
                                std::optional<CrushItem> root) {
  if (root) return {};
  std::vector<OsdId> out = stray_osds(m);
  std::erase_if(out, [&](OsdId osd) { return !filter.selects(m, osd); });
  return out;
}

std::set<CrushItem> placed_items(const CrushMap& crush) {
  std::set<CrushItem> out;
  for (const auto& b : crush.buckets)
    if (b) out.insert(b->items.begin(), b->items.end());
  return out;
}

TreeNode stray_node(OsdId osd) {
  return {osd, 0, 0, 0, {}};
}

TextTable tree_table() {
  TextTable table;
  table.column("ID", Align::kLeft, Align::kRight);
  table.column("CLASS", Align::kLeft, Align::kRight);
  table.column("WEIGHT", Align::kLeft, Align::kRight);
  return table;
}

std::vector<std::string> tree_cells(const CrushMap& crush, const TreeNode& node) {
  return {std::to_string(node.id), crush.class_of(node.id), tree_weight_text(node.weight)};
}

}  // namespace

bool TreeFilter::selects(const OSDMap& m, OsdId osd) const {
  return selects_all() || (up && m.is_up(osd)) || (down && m.is_down(osd)) ||
         (in && m.is_in(osd)) || (out && m.is_out(osd)) ||
         (destroyed && m.has_state(osd, kOsdDestroyed));
}

std::vector<OsdId> stray_osds(const OSDMap& m) {
  const std::set<CrushItem> placed = placed_items(*m.crush);
  std::vector<OsdId> out = m.osds();
  std::erase_if(out, [&](OsdId osd) { return placed.count(osd) != 0; });
  return out;
}

json::object dump_osd_tree(const OSDMap& m, const TreeFilter& filter,
                           std::optional<CrushItem> root) {
  json::array nodes, stray;
  for (const auto& node : crush_tree(*m.crush, tree_options(m, filter, root))) {
    json::object entry = dump_tree_node(*m.crush, node, m.pool_names);
    if (node.id >= 0) dump_osd_status(m, node.id, entry);
    dump_tree_children(node, entry);
    nodes.push_back(std::move(entry));
  }
  for (OsdId osd : shown_strays(m, filter, root)) {
    json::object entry = dump_tree_node(*m.crush, stray_node(osd));
    dump_osd_status(m, osd, entry);
    stray.push_back(std::move(entry));
  }
  return {{"nodes", std::move(nodes)}, {"stray", std::move(stray)}};
}

std::string print_osd_tree(const OSDMap& m, const TreeFilter& filter,
                           std::optional<CrushItem> root) {
  TextTable table = tree_table();
  table.column("TYPE NAME", Align::kLeft, Align::kLeft);
  table.column("STATUS", Align::kLeft, Align::kRight);
  table.column("REWEIGHT", Align::kLeft, Align::kRight);
  table.column("PRI-AFF", Align::kLeft, Align::kRight);
  auto nodes = crush_tree(*m.crush, tree_options(m, filter, root));
  for (OsdId osd : shown_strays(m, filter, root)) nodes.push_back(stray_node(osd));
  for (const auto& node : nodes) {
    auto cells = tree_cells(*m.crush, node);
    cells.push_back(tree_name_text(*m.crush, node));
    if (node.id >= 0) {
      cells.push_back(status_text(m, node.id));
      cells.push_back(m.exists(node.id) ? tree_weight_text(fixed_to_double(m.weight(node.id)))
                                        : "0");
      if (m.exists(node.id))
        cells.push_back(tree_weight_text(fixed_to_double(m.primary_affinity(node.id))));
    }
    table.row(std::move(cells));
  }
  return table.to_string();
}

json::object dump_crush_tree(const OSDMap& m, bool with_shadow) {
  json::array nodes;
  TreeOptions options;
  options.with_shadow = with_shadow;
  for (const auto& node : crush_tree(*m.crush, options)) {
    json::object entry = dump_tree_node(*m.crush, node, m.pool_names);
    dump_tree_children(node, entry);
    nodes.push_back(std::move(entry));
  }
  // Here a stray is a device that has a name and no place; whether the OSD exists does not count.
  json::array stray;
  const std::set<CrushItem> placed = placed_items(*m.crush);
  for (const auto& [id, name] : m.crush->item_names)
    if (id >= 0 && !placed.count(id)) stray.push_back(dump_tree_node(*m.crush, stray_node(id)));
  return {{"nodes", std::move(nodes)}, {"stray", std::move(stray)}};
}

std::string print_crush_tree(const OSDMap& m, bool with_shadow) {
  const CrushMap& crush = *m.crush;
  TextTable table = tree_table();
  for (const auto& [key, args] : crush.choose_args)
    table.column(key == kDefaultChooseArgs ? "(compat)"
                 : m.pool(key)             ? m.pool_name(key)
                                           : std::to_string(key),
                 Align::kLeft, Align::kRight);
  table.column("TYPE NAME", Align::kLeft, Align::kLeft);
  TreeOptions options;
  options.with_shadow = with_shadow;
  for (const auto& node : crush_tree(crush, options)) {
    auto cells = tree_cells(crush, node);
    for (const auto& [key, args] : crush.choose_args) {
      const auto weight = choose_args_weight(crush, key, node);
      cells.push_back(weight ? tree_weight_text(*weight) : "");
    }
    cells.push_back(tree_name_text(crush, node));
    table.row(std::move(cells));
  }
  return table.to_string();
}

}  // namespace plimsoll::map
