// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/crush_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

namespace plimsoll::mover {

using map::CrushMap;
using map::CrushOp;

namespace {

constexpr struct {
  const char* name;
  CrushOp op;
  bool chooses;  ///< "num" and "type"; else "num" alone
} kSteps[] = {
    {"noop", CrushOp::kNoop, false},
    {"take", CrushOp::kTake, false},
    {"emit", CrushOp::kEmit, false},
    {"choose_firstn", CrushOp::kChooseFirstn, true},
    {"choose_indep", CrushOp::kChooseIndep, true},
    {"chooseleaf_firstn", CrushOp::kChooseleafFirstn, true},
    {"chooseleaf_indep", CrushOp::kChooseleafIndep, true},
    {"set_choose_tries", CrushOp::kSetChooseTries, false},
    {"set_chooseleaf_tries", CrushOp::kSetChooseleafTries, false},
    {"set_choose_local_tries", CrushOp::kSetChooseLocalTries, false},
    {"set_choose_local_fallback_tries", CrushOp::kSetChooseLocalFallbackTries, false},
    {"set_chooseleaf_vary_r", CrushOp::kSetChooseleafVaryR, false},
    {"set_chooseleaf_stable", CrushOp::kSetChooseleafStable, false},
};

constexpr size_t kFirstSlots = 8;

/// What refers to names that may follow later in the document.
struct Input {
  CrushMap crush;
  std::vector<std::pair<int32_t, std::string>> classes;  ///< device -> class
  struct RuleType {
    size_t rule, step;
    std::string type;
  };
  std::vector<RuleType> rule_types;
};

void read_device(JsonReader& in, Input& out) {
  int32_t id = -1;
  std::string name, device_class;
  in.members("id", id, "name", name, "class", device_class);
  if (!in.ok()) return;
  if (id < 0 || id >= map::kMaxCrushDevices) return in.fail(fmt::format("{} is no device", id));
  out.crush.max_devices = std::max(out.crush.max_devices, id + 1);
  // What the dump prints for an id without a device.
  if (name != fmt::format("device{}", id)) out.crush.item_names[id] = std::move(name);
  if (!device_class.empty()) out.classes.emplace_back(id, std::move(device_class));
}

void read_type(JsonReader& in, Input& out) {
  int32_t id = -1;
  std::string name;
  in.members("type_id", id, "name", name);
  if (in.ok()) out.crush.type_names[id] = std::move(name);
}

void read_items(JsonReader& in, map::CrushBucket& b) {
  in.array([&] {
    b.items.push_back(0);
    b.weights.push_back(0);
    in.members("id", b.items.back(), "weight", b.weights.back());
  });
}

void read_bucket(JsonReader& in, Input& out) {
  map::CrushBucket b;
  std::string name, alg;
  uint32_t weight = 0;
  in.members("id", b.id, "name", name, "type_id", b.type, "weight", weight, "alg", alg, "items",
             [&] { read_items(in, b); });
  if (!in.ok()) return;
  if (b.id >= 0 || b.id < -map::kMaxCrushBuckets)
    return in.fail(fmt::format("bucket '{}' has the bad id {}", name, b.id));
  const auto known = map::bucket_alg_from(alg);
  if (!known) return in.fail(fmt::format("bucket '{}' has the unknown alg '{}'", name, alg));
  if (*known == map::BucketAlg::kStraw)
    return in.fail(
        fmt::format("bucket '{}' has alg straw, whose lengths a dump does not have; "
                    "`ceph osd crush set-all-straw-buckets-to-straw2` turns it into "
                    "straw2",
                    name));
  b.alg = *known;
  if (b.alg == map::BucketAlg::kUniform && !b.weights.empty()) b.uniform_weight = b.weights[0];
  map::recompute(b);
  b.weight = weight;
  auto& buckets = out.crush.buckets;
  const size_t slot = static_cast<size_t>(-1 - b.id);
  // As many slots as Ceph has for the same buckets: it doubles them.
  size_t slots = std::max<size_t>(buckets.size(), kFirstSlots);
  while (slot >= slots) slots *= 2;
  buckets.resize(slots);
  if (buckets[slot]) return in.fail(fmt::format("bucket {} is there twice", b.id));
  out.crush.item_names[b.id] = std::move(name);
  buckets[slot] = std::move(b);
}

// ---- rules --------------------------------------------------------------------------------------

/// The rule's id may not be known yet: read_rule() fills it in.
void read_step(JsonReader& in, Input& out, map::CrushRule& r) {
  std::string op, type;
  int32_t num = 0;
  std::optional<int32_t> item;
  in.members("op", op, "num", num, "type", type, "item", [&] { in.read(item.emplace()); });
  if (!in.ok()) return;
  for (const auto& known : kSteps) {
    if (op != known.name) continue;
    const bool takes = known.op == CrushOp::kTake;
    if (takes && !item) return in.fail("a take step has no item");
    if (known.chooses) out.rule_types.push_back({0, r.steps.size(), type});
    r.steps.push_back({known.op, takes ? *item : num, 0});
    return;
  }
  in.fail(fmt::format("the step '{}' is not understood", op));
}

void read_rule(JsonReader& in, Input& out) {
  map::CrushRule r;
  r.max_size = 100;
  int32_t id = -1, ruleset = -1;
  std::string name;
  const size_t first_type = out.rule_types.size();
  auto step = [&] {
    read_step(in, out, r);
    if (r.steps.size() > map::kMaxCrushSteps) in.fail("has too many steps");
  };
  in.members("rule_id", id, "rule_name", name, "ruleset", ruleset, "type", r.type, "min_size",
             r.min_size, "max_size", r.max_size, "steps", [&] { in.array(step); });
  if (!in.ok()) return;
  if (id < 0 || id >= static_cast<int32_t>(map::kMaxCrushRules))
    return in.fail(fmt::format("rule '{}' has the bad id {}", name, id));
  if (ruleset < 0) ruleset = id;
  if (ruleset > 255) return in.fail(fmt::format("rule '{}' has the bad ruleset {}", name, ruleset));
  r.ruleset = static_cast<uint8_t>(ruleset);
  for (size_t i = first_type; i < out.rule_types.size(); i++)
    out.rule_types[i].rule = static_cast<size_t>(id);
  auto& rules = out.crush.rules;
  if (static_cast<size_t>(id) >= rules.size()) rules.resize(id + 1);
  if (rules[id]) return in.fail(fmt::format("rule {} is there twice", id));
  rules[id] = std::move(r);
  out.crush.rule_names[id] = std::move(name);
}

void read_tunables(JsonReader& in, map::CrushTunables& t) {
  in.members("choose_local_tries", t.choose_local_tries, "choose_local_fallback_tries",
             t.choose_local_fallback_tries, "choose_total_tries", t.choose_total_tries,
             "chooseleaf_descend_once", t.chooseleaf_descend_once, "chooseleaf_vary_r",
             t.chooseleaf_vary_r, "chooseleaf_stable", t.chooseleaf_stable, "straw_calc_version",
             t.straw_calc_version, "allowed_bucket_algs", t.allowed_bucket_algs);
}

// ---- weight sets --------------------------------------------------------------------------------

void read_weight_set(JsonReader& in, map::CrushChooseArgs& args) {
  int32_t id = 0;
  map::CrushWeightSet set;
  auto weight = [&] {
    double v = 0;
    in.read(v);
    if (v < 0 || v > 0xffff) in.fail(fmt::format("is {}, no CRUSH weight", v));
    return in.ok() ? static_cast<map::CrushWeight>(std::llround(v * map::kCrushOne)) : 0;
  };
  auto position = [&] {
    auto& weights = set.positions.emplace_back();
    in.array([&] { weights.push_back(weight()); });
  };
  in.members("bucket_id", id, "ids", set.ids, "weight_set", [&] { in.array(position); });
  if (in.ok()) args[id] = std::move(set);
}

void read_choose_args(JsonReader& in, CrushMap& crush) {
  in.object([&](std::string_view key) {
    int64_t pool = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), pool);
    if (error != std::errc() || end != key.data() + key.size())
      return in.fail("the key is no pool id");
    in.array([&] { read_weight_set(in, crush.choose_args[pool]); });
  });
}

// ---- the whole ----------------------------------------------------------------------------------

int32_t class_id(CrushMap& crush, const std::string& name) {
  if (auto id = crush.find_class(name)) return *id;
  const auto id = static_cast<int32_t>(crush.class_names.size());
  crush.class_names[id] = name;
  return id;
}

/// Shadow trees say by their names ("host1~ssd") whose shadow they are.
Result<> link_shadows(CrushMap& crush) {
  std::unordered_map<std::string_view, int32_t> ids;
  for (const auto& [id, name] : crush.item_names) ids[name] = id;
  for (const auto& [id, name] : crush.item_names) {
    const size_t tilde = name.find('~');
    if (tilde == std::string::npos) continue;
    const auto original = ids.find(std::string_view(name).substr(0, tilde));
    if (original == ids.end())
      return fail(EINVAL, fmt::format("bucket '{}' is a shadow of nothing", name));
    crush.class_buckets[original->second][class_id(crush, name.substr(tilde + 1))] = id;
  }
  return {};
}

Result<map::SharedCrush> assemble(Input& input) {
  CrushMap& crush = input.crush;
  for (const auto& [device, name] : input.classes)
    crush.device_classes[device] = class_id(crush, name);
  TRY_VOID(link_shadows(crush));
  for (const auto& [rule, step, name] : input.rule_types) {
    const auto type = crush.find_type(name);
    if (!type)
      return fail(EINVAL, fmt::format("rule '{}' chooses the unknown type '{}'",
                                      crush.rule_name(static_cast<int>(rule)), name));
    crush.rules[rule]->steps[step].arg2 = *type;
  }
  TRY_VOID(crush.validate());
  // Through the decoder, which refuses what would send the mapper astray.
  return map::SharedCrush::from_blob(map::SharedCrush(std::move(crush)).blob());
}

}  // namespace

void read_crush(JsonReader& in, map::SharedCrush& out) {
  Input input;
  bool has_buckets = false;
  auto each = [&](auto read) {
    return [&in, &input, read] { in.array([&] { read(in, input); }); };
  };
  in.members(
      "devices", each(read_device), "types", each(read_type), "buckets",
      [&] {
        has_buckets = true;
        in.array([&] { read_bucket(in, input); });
      },
      "rules", each(read_rule), "tunables", [&] { read_tunables(in, input.crush.tunables); },
      "choose_args", [&] { read_choose_args(in, input.crush); });
  if (!in.ok()) return;
  if (!has_buckets)
    return in.fail("has no 'buckets': is this the output of `ceph osd crush dump -f json`?");
  auto crush = assemble(input);
  if (!crush) return in.fail(crush.error().text());
  out = std::move(*crush);
}

}  // namespace plimsoll::mover
