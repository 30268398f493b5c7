// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/crush_text.h"

#include <fmt/format.h>

namespace plimsoll::map {

namespace {

constexpr const char* kKeep = "\t\t# do not change unnecessarily\n";

std::string weight_text(CrushWeight w) {
  return fmt::format("{:.3f}", crush_weight_to_double(w));
}

class Decompiler {
 public:
  explicit Decompiler(const CrushMap& map) : m_(map) {}

  std::string run() {
    out_ = "# begin crush map\n";
    tunables();
    out_ += "\n# devices\n";
    for (const auto& [id, name] : m_.item_names)
      if (id >= 0) device(id, name);
    out_ += "\n# types\n";
    for (const auto& [id, name] : m_.type_names) out_ += fmt::format("type {} {}\n", id, name);
    out_ += "\n# buckets\n";
    for (const auto& b : m_.buckets)
      if (b) bucket(*b);
    out_ += "\n# rules\n";
    for (size_t id = 0; id < m_.rules.size(); id++)
      if (m_.rules[id]) rule(static_cast<int>(id), *m_.rules[id]);
    if (!m_.choose_args.empty()) out_ += "\n# choose_args\n";
    for (const auto& [key, args] : m_.choose_args) choose_args(key, args);
    out_ += "\n# end crush map\n";
    return std::move(out_);
  }

 private:
  void tunables() {
    const CrushTunables legacy = *CrushTunables::profile("legacy");
    auto line = [&](const char* name, uint32_t value, uint32_t old) {
      if (value != old) out_ += fmt::format("tunable {} {}\n", name, value);
    };
    const auto& t = m_.tunables;
    line("choose_local_tries", t.choose_local_tries, legacy.choose_local_tries);
    line("choose_local_fallback_tries", t.choose_local_fallback_tries,
         legacy.choose_local_fallback_tries);
    line("choose_total_tries", t.choose_total_tries, legacy.choose_total_tries);
    line("chooseleaf_descend_once", t.chooseleaf_descend_once, legacy.chooseleaf_descend_once);
    line("chooseleaf_vary_r", t.chooseleaf_vary_r, legacy.chooseleaf_vary_r);
    line("chooseleaf_stable", t.chooseleaf_stable, legacy.chooseleaf_stable);
    line("straw_calc_version", t.straw_calc_version, legacy.straw_calc_version);
    line("allowed_bucket_algs", t.allowed_bucket_algs, legacy.allowed_bucket_algs);
  }

  void device(CrushItem id, const std::string& name) {
    out_ += fmt::format("device {} {}", id, name);
    const std::string device_class = m_.class_of(id);
    if (!device_class.empty()) out_ += " class " + device_class;
    out_ += "\n";
  }

  /// Children first, so that the compiler knows them.
  void bucket(const CrushBucket& b) {
    if (m_.is_shadow(b.id) || !done_.insert(b.id).second) return;
    for (CrushItem item : b.items)
      if (const CrushBucket* child = m_.bucket(item)) bucket(*child);
    out_ +=
        fmt::format("{} {} {{\n\tid {}{}", m_.type_name(b.type), m_.item_name(b.id), b.id, kKeep);
    if (auto shadows = m_.class_buckets.find(b.id); shadows != m_.class_buckets.end())
      for (const auto& [class_id, shadow] : shadows->second)
        out_ += fmt::format("\tid {} class {}{}", shadow, m_.class_of(shadow), kKeep);
    out_ += fmt::format("\t# weight {}\n\talg {}{}\n\thash 0\t# rjenkins1\n", weight_text(b.weight),
                        bucket_alg_name(b.alg), alg_note(b));
    const bool positions = b.alg == BucketAlg::kUniform || b.alg == BucketAlg::kTree;
    for (size_t i = 0; i < b.items.size(); i++) {
      out_ += fmt::format("\titem {} weight {}", name_of(b.items[i]), weight_text(b.weights[i]));
      out_ += positions ? fmt::format(" pos {}\n", i) : "\n";
    }
    out_ += "}\n";
  }

  static std::string alg_note(const CrushBucket& b) {
    switch (b.alg) {
      case BucketAlg::kUniform:
        return fmt::format("\t# do not change bucket size ({}) unnecessarily", b.items.size());
      case BucketAlg::kList:
        return "\t# add new items at the end; do not change order unnecessarily";
      case BucketAlg::kTree:
        return "\t# do not change pos for existing items unnecessarily";
      default:
        return "";
    }
  }

  std::string name_of(CrushItem id) const {
    const std::string name = m_.item_name(id);
    return !name.empty() ? name
           : id >= 0     ? fmt::format("device{}", id)
                         : fmt::format("bucket{}", -1 - id);
  }

  void rule(int id, const CrushRule& r) {
    out_ += fmt::format("rule {} {{\n\tid {}\n\ttype {}\n\tmin_size {}\n\tmax_size {}\n",
                        m_.rule_name(id), id,
                        r.type == kRuleReplicated ? "replicated"
                        : r.type == kRuleErasure  ? "erasure"
                                                  : std::to_string(r.type),
                        r.min_size, r.max_size);
    for (const auto& step : r.steps) out_ += "\tstep " + step_text(step) + "\n";
    out_ += "}\n";
  }

  std::string step_text(const CrushStep& step) const {
    auto choose = [&](const char* what) {
      return fmt::format("{} {} type {}", what, step.arg1, m_.type_name(step.arg2));
    };
    switch (step.op) {
      case CrushOp::kNoop:
        return "noop";
      case CrushOp::kEmit:
        return "emit";
      case CrushOp::kTake:
        return "take " + take_text(step.arg1);
      case CrushOp::kChooseFirstn:
        return choose("choose firstn");
      case CrushOp::kChooseIndep:
        return choose("choose indep");
      case CrushOp::kChooseleafFirstn:
        return choose("chooseleaf firstn");
      case CrushOp::kChooseleafIndep:
        return choose("chooseleaf indep");
      case CrushOp::kSetChooseTries:
        return fmt::format("set_choose_tries {}", step.arg1);
      case CrushOp::kSetChooseleafTries:
        return fmt::format("set_chooseleaf_tries {}", step.arg1);
      case CrushOp::kSetChooseLocalTries:
        return fmt::format("set_choose_local_tries {}", step.arg1);
      case CrushOp::kSetChooseLocalFallbackTries:
        return fmt::format("set_choose_local_fallback_tries {}", step.arg1);
      case CrushOp::kSetChooseleafVaryR:
        return fmt::format("set_chooseleaf_vary_r {}", step.arg1);
      case CrushOp::kSetChooseleafStable:
        return fmt::format("set_chooseleaf_stable {}", step.arg1);
    }
    return fmt::format("noop # {}", static_cast<uint32_t>(step.op));
  }

  std::string take_text(CrushItem id) const {
    const std::string name = name_of(id), device_class = id < 0 ? m_.class_of(id) : "";
    return device_class.empty() ? name : name.substr(0, name.find('~')) + " class " + device_class;
  }

  void choose_args(int64_t key, const CrushChooseArgs& args) {
    out_ += fmt::format("choose_args {} {{\n", static_cast<uint64_t>(key));
    for (auto it = args.rbegin(); it != args.rend(); ++it) {
      out_ += fmt::format("  {{\n    bucket_id {}\n", it->first);
      if (!it->second.positions.empty()) {
        out_ += "    weight_set [\n";
        for (const auto& position : it->second.positions) {
          out_ += "      [ ";
          for (CrushWeight w : position) out_ += weight_text(w) + " ";
          out_ += "]\n";
        }
        out_ += "    ]\n";
      }
      if (!it->second.ids.empty())
        out_ += fmt::format("    ids [ {} ]\n", fmt::join(it->second.ids, " "));
      out_ += "  }\n";
    }
    out_ += "}\n";
  }

  const CrushMap& m_;
  std::set<CrushItem> done_;
  std::string out_;
};

}  // namespace

std::string crush_to_text(const CrushMap& map) {
  return Decompiler(map).run();
}

}  // namespace plimsoll::map
