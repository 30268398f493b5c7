// SPDX-License-Identifier: LGPL-2.1-or-later
// The CRUSH map: a forest of weighted buckets over devices, rules that walk it, names, tunables,
// device classes with their shadow trees ("host1~ssd"), and weight sets (choose_args).
// Items are one integer: >= 0 a device, < 0 a bucket that lives in slot -1-id. Weights are 16.16.
// The data is plain and public so that the mapper and the dumps read it; every change goes through
// the editing functions (crush_edit.cc), which keep the invariants: a bucket's weight is the sum of
// its items', weights agree along every path to a root, shadow trees mirror the real ones, and
// max_devices is one above the largest device. A failed edit leaves the map unchanged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/wire/codec.h"

namespace plimsoll::map {

/// A device (>= 0, an OSD id) or a bucket (< 0).
using CrushItem = int32_t;
/// Fixed point, 0x10000 = 1.0.
using CrushWeight = uint32_t;
inline constexpr CrushWeight kCrushOne = 0x10000;
inline constexpr CrushItem kCrushNone = 0x7fffffff;
/// The choose_args key that applies to pools without one of their own.
inline constexpr int64_t kDefaultChooseArgs = -1;
/// Bounds that decoding and editing enforce: ids beyond are damage, not clusters.
inline constexpr int32_t kMaxCrushBuckets = 1 << 20;
inline constexpr int32_t kMaxCrushDevices = 1 << 20;
inline constexpr uint32_t kMaxCrushRules = 256;
inline constexpr size_t kMaxCrushSteps = 100;
/// Tries and replica counts in tunables and steps: beyond, one mapping could take minutes.
inline constexpr int32_t kMaxCrushTries = 10000;

/// 16.16 from a user's number, truncated as Ceph does; EINVAL when negative or too large.
Result<CrushWeight> crush_weight_from(double weight);
inline double crush_weight_to_double(CrushWeight w) {
  return static_cast<double>(w) / kCrushOne;
}

enum class BucketAlg : uint8_t { kUniform = 1, kList = 2, kTree = 3, kStraw = 4, kStraw2 = 5 };
const char* bucket_alg_name(BucketAlg alg);
std::optional<BucketAlg> bucket_alg_from(std::string_view name);

struct CrushBucket {
  CrushItem id = 0;
  uint16_t type = 0;
  BucketAlg alg = BucketAlg::kStraw2;
  uint8_t hash = 0;
  CrushWeight weight = 0;
  std::vector<CrushItem> items;
  /// One per item (in a uniform bucket all are equal).
  std::vector<CrushWeight> weights;
  /// Uniform: the weight of every item. Kept apart since an empty bucket has it as well.
  CrushWeight uniform_weight = 0;
  /// List: running sums, straw: straw lengths (one per item), tree: node weights.
  std::vector<uint32_t> aux;

  bool operator==(const CrushBucket&) const = default;
  std::optional<size_t> index_of(CrushItem item) const;
};

/// Operations of a rule step; the numbers are the wire's.
enum class CrushOp : uint32_t {
  kNoop = 0,
  kTake = 1,
  kChooseFirstn = 2,
  kChooseIndep = 3,
  kEmit = 4,
  kChooseleafFirstn = 6,
  kChooseleafIndep = 7,
  kSetChooseTries = 8,
  kSetChooseleafTries = 9,
  kSetChooseLocalTries = 10,
  kSetChooseLocalFallbackTries = 11,
  kSetChooseleafVaryR = 12,
  kSetChooseleafStable = 13,
};

struct CrushStep {
  CrushOp op = CrushOp::kNoop;
  int32_t arg1 = 0;
  int32_t arg2 = 0;
  template <class F>
  void fields(F& f) {
    f("op", op);
    f("arg1", arg1);
    f("arg2", arg2);
  }
  bool operator==(const CrushStep&) const = default;
};

inline constexpr uint8_t kRuleReplicated = 1;
inline constexpr uint8_t kRuleErasure = 3;

struct CrushRule {
  uint8_t ruleset = 0;
  uint8_t type = kRuleReplicated;
  uint8_t min_size = 1;
  uint8_t max_size = 10;
  std::vector<CrushStep> steps;
  bool operator==(const CrushRule&) const = default;
};

/// Defaults are the optimal ("jewel" and later) profile.
struct CrushTunables {
  uint32_t choose_local_tries = 0;
  uint32_t choose_local_fallback_tries = 0;
  uint32_t choose_total_tries = 50;
  uint32_t chooseleaf_descend_once = 1;
  uint8_t chooseleaf_vary_r = 1;
  uint8_t straw_calc_version = 1;
  uint32_t allowed_bucket_algs = 54;
  uint8_t chooseleaf_stable = 1;
  template <class F>
  void fields(F& f) {
    f("choose_local_tries", choose_local_tries);
    f("choose_local_fallback_tries", choose_local_fallback_tries);
    f("choose_total_tries", choose_total_tries);
    f("chooseleaf_descend_once", chooseleaf_descend_once);
    f("chooseleaf_vary_r", chooseleaf_vary_r);
    f("straw_calc_version", straw_calc_version);
    f("allowed_bucket_algs", allowed_bucket_algs);
    f("chooseleaf_stable", chooseleaf_stable);
  }
  bool operator==(const CrushTunables&) const = default;
  /// Profile by name ("jewel", "hammer", "legacy", "optimal", "default", ...), as `osd crush
  /// tunables`; EINVAL for others.
  static Result<CrushTunables> profile(std::string_view name);
};

/// Replacement weights and ids of one bucket: one weight set per output position (or one for all).
struct CrushWeightSet {
  std::vector<std::vector<CrushWeight>> positions;
  std::vector<CrushItem> ids;
  bool operator==(const CrushWeightSet&) const = default;
};
/// Bucket id -> what replaces its weights.
using CrushChooseArgs = std::map<CrushItem, CrushWeightSet>;

/// Where an item hangs: type name -> bucket name ("root" -> "default", "host" -> "vm").
using CrushLocation = std::map<std::string, std::string>;
/// Parses {"root=default", "host=vm"}; EINVAL names the bad word.
Result<CrushLocation> parse_crush_location(const std::vector<std::string>& words);

/// [A-Za-z0-9_.-]+, Ceph's rule for bucket, rule, type and class names; "~" marks shadow buckets.
bool is_valid_crush_name(std::string_view name);

struct CrushMap {
  /// By slot: buckets[-1 - id]. Empty slots stay, since ids are stable.
  std::vector<std::optional<CrushBucket>> buckets;
  std::vector<std::optional<CrushRule>> rules;
  int32_t max_devices = 0;
  std::map<int32_t, std::string> type_names;
  std::map<int32_t, std::string> item_names;
  std::map<int32_t, std::string> rule_names;
  CrushTunables tunables;
  std::map<int32_t, int32_t> device_classes;                    ///< device -> class id
  std::map<int32_t, std::string> class_names;                   ///< class id -> name
  std::map<int32_t, std::map<int32_t, int32_t>> class_buckets;  ///< bucket -> class -> shadow
  std::map<int64_t, CrushChooseArgs> choose_args;

  bool operator==(const CrushMap&) const = default;

  /// A map with Ceph's twelve types and nothing else.
  static CrushMap empty();
  /// What a new cluster has: empty() with root "default" and rule 0 "replicated_rule" that spreads
  /// over `failure_domain` ("osd", "host").
  static CrushMap initial(std::string_view failure_domain);

  // ---- lookups ----------------------------------------------------------------------------------

  const CrushBucket* bucket(CrushItem id) const;
  CrushBucket* bucket(CrushItem id);
  const CrushRule* rule(int rule_id) const;
  /// Device or bucket by name; ENOENT "item 'x' does not exist".
  Result<CrushItem> item_id(std::string_view name) const;
  std::optional<CrushItem> find_item(std::string_view name) const;
  /// Empty where the item has no name.
  std::string item_name(CrushItem id) const;
  std::optional<int> find_type(std::string_view name) const;
  std::string type_name(int type) const;
  int item_type(CrushItem id) const;
  std::optional<int> find_rule(std::string_view name) const;
  std::string rule_name(int rule_id) const;
  std::optional<int> find_class(std::string_view name) const;
  /// Class name of a device (or of a shadow bucket); empty for none.
  std::string class_of(CrushItem id) const;
  bool is_shadow(CrushItem id) const;
  /// The first real (not shadow) bucket that holds `id`.
  std::optional<CrushItem> parent_of(CrushItem id) const;
  /// Every bucket, shadow ones too, that holds `id`.
  std::vector<CrushItem> all_parents_of(CrushItem id) const;
  /// Buckets that no other bucket holds, ascending by id.
  std::set<CrushItem> roots(bool with_shadow = false) const;
  /// `id` and everything below it.
  std::set<CrushItem> subtree(CrushItem id) const;
  /// All devices below `id` (itself when it is a device), ascending.
  std::set<CrushItem> devices_under(CrushItem id) const;
  /// Is `id` somewhere below (or equal to) `ancestor`?
  bool subtree_contains(CrushItem ancestor, CrushItem id) const;
  /// The item's weight in its first real parent; 0 when it hangs nowhere.
  CrushWeight item_weight(CrushItem id) const;
  /// The path to the root, without `id` itself: type name -> bucket name.
  CrushLocation location_of(CrushItem id) const;
  /// Name of the bucket of this type that holds `id`; the item's own name where there is none.
  std::string subtree_of(CrushItem id, const std::string& type) const;
  /// Is `id` directly in the bucket that the location's lowest type names?
  bool is_at(CrushItem id, const CrushLocation& location) const;
  /// The buckets that a rule takes.
  std::set<CrushItem> roots_of_rule(int rule_id) const;
  /// Devices that a rule can choose from, with their share of the weight (sums to 1).
  std::map<CrushItem, double> device_shares_of_rule(int rule_id) const;
  /// Class ids and names that a device or rule uses.
  bool class_in_use(int class_id) const;
  /// Weight sets for a pool: its own, else the default ones, else null.
  const CrushChooseArgs* choose_args_for(int64_t pool) const;
  /// Whole-map check after a decode or setcrushmap: loops, dangling items, duplicate names, bad
  /// names, rules that take nothing. EINVAL says what and where.
  Result<> validate() const;

  // ---- editing: buckets and devices
  // ---------------------------------------------------------------

  /// `osd crush add-bucket`: an unlinked straw2 bucket; EEXIST when the name is taken.
  Result<CrushItem> add_bucket(std::string_view name, std::string_view type);
  /// `osd crush set` / `add`: the device gets the weight and sits at `location` (created as needed)
  /// and nowhere else. True when something changed.
  Result<bool> set_device(CrushItem id, std::string_view name, double weight,
                          const CrushLocation& location);
  /// `osd crush create-or-move`: keeps the weight that an existing device has.
  Result<bool> create_or_move(CrushItem id, std::string_view name, double weight,
                              const CrushLocation& location);
  /// `osd crush move`: a bucket or a device with everything below it.
  Result<bool> move(std::string_view name, const CrushLocation& location);
  /// `osd crush link`: one more parent for a bucket.
  Result<bool> link(std::string_view name, const CrushLocation& location);
  /// `osd crush unlink` / `rm`: out of `ancestor` (or of everywhere); the item itself is dropped
  /// when `unlink_only` is false. ENOTEMPTY for a bucket with items, EBUSY when a rule takes it.
  Result<> remove(std::string_view name, std::optional<std::string> ancestor = {},
                  bool unlink_only = false);
  /// `osd crush rename-bucket`.
  Result<> rename_bucket(std::string_view from, std::string_view to);
  /// `osd crush swap-bucket`: exchanges contents and names of two buckets.
  Result<> swap_buckets(std::string_view a, std::string_view b);
  /// `osd crush reweight`: the device's weight everywhere it hangs, and up the tree.
  Result<> reweight(std::string_view name, double weight);
  /// `osd crush reweight-subtree`: every device below. Returns how many.
  Result<int> reweight_subtree(std::string_view name, double weight);
  /// `osd crush reweight-all`: sums all bucket weights again from the devices.
  void reweight_all();

  // ---- editing: classes
  // ---------------------------------------------------------------------------

  /// `osd crush set-device-class`; EBUSY when the device has another class. True when changed.
  Result<bool> set_device_class(CrushItem device, std::string_view class_name);
  /// `osd crush rm-device-class`; true when it had one.
  Result<bool> remove_device_class(CrushItem device);
  /// `osd crush class rename`.
  Result<> rename_class(std::string_view from, std::string_view to);
  /// `osd crush class create` / `class rm`.
  Result<> create_class(std::string_view name);
  Result<> remove_class(std::string_view name);
  /// Makes every shadow tree anew, keeping the ids that old ones had (rules refer to them).
  Result<> rebuild_shadow_trees();

  // ---- editing: rules
  // -----------------------------------------------------------------------------

  /// `osd crush rule create-simple|create-replicated|create-erasure`: take root (of a class),
  /// choose leaves over `failure_domain`, emit. `mode` "firstn" or "indep"; EEXIST when the name is
  /// taken.
  Result<int> add_simple_rule(std::string_view name, std::string_view root,
                              std::string_view failure_domain, std::string_view device_class,
                              std::string_view mode, uint8_t rule_type);
  /// ENOENT when there is no such rule. The caller checks that no pool uses it.
  Result<> remove_rule(std::string_view name);
  Result<> rename_rule(std::string_view from, std::string_view to);

  // ---- editing: weight sets
  // -----------------------------------------------------------------------

  /// `osd crush weight-set create-compat|create`: weights as in the buckets, `positions` of them.
  Result<> create_choose_args(int64_t key, int positions);
  void remove_choose_args(int64_t key) { choose_args.erase(key); }
  /// `osd crush weight-set reweight-compat|reweight`: one item's weights, one per position.
  Result<> set_choose_args_weight(int64_t key, std::string_view item,
                                  const std::vector<double>& weights);
};

/// Sums the items' weights and makes anew what list and tree buckets derive from them.
void recompute(CrushBucket& b);

void encode(const CrushBucket& v, ByteWriter& w);
void decode(CrushBucket& v, ByteReader& r);
void encode(const CrushMap& v, ByteWriter& w);
/// Refuses maps older than luminous (without classes and choose_args) and whatever validate()
/// would crash the mapper with: item ids out of range, mismatched sizes.
void decode(CrushMap& v, ByteReader& r);

}  // namespace plimsoll::map
