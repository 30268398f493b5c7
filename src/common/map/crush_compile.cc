// SPDX-License-Identifier: LGPL-2.1-or-later
// From text to CrushMap. Words in order; names are resolved when they appear, except what rules and
// weight sets say of shadow trees, which are made between the buckets and the rules.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/map/crush_text.h"

namespace plimsoll::map {

namespace {

struct Word {
  std::string_view text;
  int line;
};

/// Words and braces; '#' begins a comment.
std::vector<Word> split(std::string_view text) {
  std::vector<Word> out;
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n') line++;
    if (c == '#') {
      while (i < text.size() && text[i] != '\n') i++;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      i++;
    } else {
      size_t end = i + 1;
      if (std::string_view("{}[]").find(c) == std::string_view::npos)
        end = std::min(text.find_first_of(" \t\r\n{}[]#", i), text.size());
      out.push_back({text.substr(i, end - i), line});
      i = end;
    }
  }
  return out;
}

class Compiler {
 public:
  explicit Compiler(std::string_view text) : words_(split(text)) {}

  Result<CrushMap> run() {
    m_.tunables = *CrushTunables::profile("legacy");
    while (at_ < words_.size()) TRY_VOID(top_level());
    TRY_VOID(make_shadows());
    TRY_VOID(m_.validate());
    return std::move(m_);
  }

 private:
  Error bad(const std::string& why) const {
    const int line = words_.empty() ? 0 : words_[std::min(at_, words_.size()) - (at_ > 0)].line;
    return fail(EINVAL, fmt::format("line {}: {}", line, why));
  }
  bool next_is(std::string_view text) const {
    return at_ < words_.size() && words_[at_].text == text;
  }
  bool skip(std::string_view text) {
    if (!next_is(text)) return false;
    at_++;
    return true;
  }
  Result<std::string> word(const char* what) {
    if (at_ == words_.size()) return bad(fmt::format("the text ends where {} should be", what));
    return std::string(words_[at_++].text);
  }
  Result<> expect(std::string_view text) {
    if (!skip(text)) {
      const std::string found = at_ < words_.size() ? std::string(words_[at_].text) : "the end";
      return bad(fmt::format("expected '{}', found '{}'", text, found));
    }
    return {};
  }
  template <class T>
  Result<T> number(const char* what) {
    TRY(text, word(what));
    T v{};
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc() || end != text.data() + text.size())
      return bad(fmt::format("'{}' is not {}", text, what));
    return v;
  }
  Result<std::string> name(const char* what) {
    TRY(text, word(what));
    if (!is_valid_crush_name(text)) return bad(fmt::format("'{}' is not {}", text, what));
    return text;
  }
  Result<CrushWeight> weight() {
    TRY(v, number<double>("a weight"));
    auto w = crush_weight_from(v);
    if (!w) return bad(w.error().text());
    return *w;
  }

  Result<> top_level();
  Result<> tunable();
  Result<> device();
  Result<> bucket(int type);
  Result<> bucket_line(CrushBucket& b, std::map<std::string, CrushItem>& shadows);
  Result<> item(CrushBucket& b);
  Result<> rule();
  Result<CrushStep> step();
  Result<> choose_args();
  Result<> choose_args_bucket(CrushChooseArgs& args);
  Result<> make_shadows();
  int class_id(const std::string& name);
  Result<CrushItem> known_item(const std::string& name);

  std::vector<Word> words_;
  size_t at_ = 0;
  bool shadows_made_ = false;
  CrushMap m_;
};

Result<> Compiler::top_level() {
  TRY(kind, word("a statement"));
  if (kind == "tunable") return tunable();
  if (kind == "device") return device();
  if (kind == "rule") return rule();
  if (kind == "choose_args") return choose_args();
  if (kind == "type") {
    TRY(id, number<uint16_t>("a type number"));
    TRY(text, name("a type name"));
    m_.type_names[id] = text;
    return {};
  }
  auto type = m_.find_type(kind);
  if (!type || *type == 0) return bad(fmt::format("unknown statement '{}'", kind));
  return bucket(*type);
}

Result<> Compiler::tunable() {
  TRY(text, word("a tunable"));
  TRY(value, number<uint32_t>("a number"));
  auto& t = m_.tunables;
  if (text == "choose_local_tries")
    t.choose_local_tries = value;
  else if (text == "choose_local_fallback_tries")
    t.choose_local_fallback_tries = value;
  else if (text == "choose_total_tries")
    t.choose_total_tries = value;
  else if (text == "chooseleaf_descend_once")
    t.chooseleaf_descend_once = value;
  else if (text == "chooseleaf_vary_r")
    t.chooseleaf_vary_r = static_cast<uint8_t>(value);
  else if (text == "chooseleaf_stable")
    t.chooseleaf_stable = static_cast<uint8_t>(value);
  else if (text == "straw_calc_version")
    t.straw_calc_version = static_cast<uint8_t>(value);
  else if (text == "allowed_bucket_algs")
    t.allowed_bucket_algs = value;
  else
    return bad(fmt::format("unknown tunable '{}'", text));
  if (value > static_cast<uint32_t>(kMaxCrushTries)) return bad("the tunable is out of range");
  return {};
}

int Compiler::class_id(const std::string& text) {
  if (auto id = m_.find_class(text)) return *id;
  const int id = m_.class_names.empty() ? 0 : m_.class_names.rbegin()->first + 1;
  m_.class_names[id] = text;
  return id;
}

Result<> Compiler::device() {
  TRY(id, number<int32_t>("a device number"));
  TRY(text, name("a device name"));
  if (id < 0 || id >= kMaxCrushDevices) return bad(fmt::format("device {} is out of range", id));
  if (m_.find_item(text) || m_.item_names.count(id))
    return bad(fmt::format("device {} or its name is there twice", id));
  m_.item_names[id] = text;
  m_.max_devices = std::max(m_.max_devices, id + 1);
  if (skip("class")) {
    TRY(device_class, name("a class name"));
    m_.device_classes[id] = class_id(device_class);
  }
  return {};
}

Result<CrushItem> Compiler::known_item(const std::string& text) {
  if (auto id = m_.find_item(text)) return *id;
  return bad(fmt::format("item '{}' does not exist", text));
}

Result<> Compiler::bucket(int type) {
  TRY(text, name("a bucket name"));
  if (m_.find_item(text)) return bad(fmt::format("the name '{}' is there twice", text));
  TRY_VOID(expect("{"));
  CrushBucket b;
  b.type = static_cast<uint16_t>(type);
  std::map<std::string, CrushItem> shadows;
  while (!skip("}")) TRY_VOID(bucket_line(b, shadows));
  if (b.alg == BucketAlg::kUniform && !b.weights.empty()) {
    b.uniform_weight = b.weights[0];
    if (std::count(b.weights.begin(), b.weights.end(), b.weights[0]) !=
        static_cast<ptrdiff_t>(b.weights.size()))
      return bad("the items of a uniform bucket must have one weight");
  }
  recompute(b);
  while (b.id == 0 || m_.bucket(b.id)) {
    if (b.id) return bad(fmt::format("bucket id {} is there twice", b.id));
    b.id = -1;
    while (m_.bucket(b.id)) b.id--;
  }
  const size_t slot = static_cast<size_t>(-1 - b.id);
  if (slot >= static_cast<size_t>(kMaxCrushBuckets)) return bad("the bucket id is out of range");
  size_t slots = std::max<size_t>(m_.buckets.size(), 8);
  while (slots <= slot) slots *= 2;
  m_.buckets.resize(slots);
  for (const auto& [device_class, id] : shadows)
    m_.class_buckets[b.id][class_id(device_class)] = id;
  m_.item_names[b.id] = text;
  m_.buckets[slot] = std::move(b);
  return {};
}

Result<> Compiler::bucket_line(CrushBucket& b, std::map<std::string, CrushItem>& shadows) {
  TRY(key, word("a bucket's line"));
  if (key == "item") return item(b);
  if (key == "id") {
    TRY(id, number<int32_t>("a bucket id"));
    if (id >= 0 || id < -kMaxCrushBuckets) return bad("bucket ids are negative");
    if (!skip("class")) {
      b.id = id;
      return {};
    }
    TRY(device_class, name("a class name"));
    shadows[device_class] = id;
    return {};
  }
  if (key == "alg") {
    TRY(text, word("an algorithm"));
    auto alg = bucket_alg_from(text);
    if (!alg) return bad(fmt::format("unknown algorithm '{}'", text));
    if (*alg == BucketAlg::kStraw) return bad("alg straw is not supported; use straw2");
    if (!b.items.empty()) return bad("alg must come before the items");
    b.alg = *alg;
    return {};
  }
  if (key == "hash") {
    TRY(text, word("a hash"));
    if (text != "0" && text != "rjenkins1") return bad(fmt::format("unknown hash '{}'", text));
    return {};
  }
  return bad(fmt::format("unknown word '{}' in a bucket", key));
}

Result<> Compiler::item(CrushBucket& b) {
  TRY(text, word("an item's name"));
  TRY(id, known_item(text));
  if (b.index_of(id)) return bad(fmt::format("item '{}' is there twice", text));
  CrushWeight w = id < 0 ? m_.bucket(id)->weight : kCrushOne;
  for (;;) {
    if (skip("weight")) {
      TRY(given, weight());
      w = given;
    } else if (skip("pos")) {
      TRY(pos, number<size_t>("a position"));
      if (pos != b.items.size()) return bad("items must be in the order of their positions");
    } else {
      break;
    }
  }
  b.items.push_back(id);
  b.weights.push_back(w);
  return {};
}

Result<> Compiler::make_shadows() {
  if (std::exchange(shadows_made_, true)) return {};
  if (m_.class_names.empty()) return {};
  std::set<CrushItem> ids;
  for (const auto& [bucket, shadows] : m_.class_buckets)
    for (const auto& [device_class, id] : shadows)
      if (m_.bucket(id) || !ids.insert(id).second)
        return bad(fmt::format("bucket id {} is there twice", id));
  // No rule exists yet; a class of no device is kept until all are read.
  return m_.rebuild_shadow_trees();
}

Result<> Compiler::rule() {
  TRY_VOID(make_shadows());
  TRY(text, name("a rule name"));
  if (m_.find_rule(text)) return bad(fmt::format("rule '{}' is there twice", text));
  TRY_VOID(expect("{"));
  CrushRule r;
  int id = static_cast<int>(m_.rules.size());
  while (!skip("}")) {
    TRY(key, word("a rule's line"));
    if (key == "id" || key == "ruleset") {
      TRY(given, number<uint8_t>("a rule id"));
      id = given;
    } else if (key == "type") {
      TRY(type, word("a rule type"));
      if (type != "replicated" && type != "erasure")
        return bad(fmt::format("unknown rule type '{}'", type));
      r.type = type == "erasure" ? kRuleErasure : kRuleReplicated;
    } else if (key == "min_size" || key == "max_size") {
      TRY(size, number<uint8_t>("a size"));
      (key == "min_size" ? r.min_size : r.max_size) = size;
    } else if (key == "step") {
      TRY(s, step());
      if (r.steps.size() == kMaxCrushSteps) return bad("the rule has too many steps");
      r.steps.push_back(s);
    } else {
      return bad(fmt::format("unknown word '{}' in a rule", key));
    }
  }
  r.ruleset = static_cast<uint8_t>(id);
  if (id >= static_cast<int>(m_.rules.size())) m_.rules.resize(id + 1);
  if (m_.rules[id]) return bad(fmt::format("rule id {} is there twice", id));
  m_.rules[id] = std::move(r);
  m_.rule_names[id] = text;
  return {};
}

Result<CrushStep> Compiler::step() {
  TRY(op, word("a step"));
  if (op == "noop") return CrushStep{};
  if (op == "emit") return CrushStep{CrushOp::kEmit, 0, 0};
  if (op == "take") {
    TRY(text, word("an item's name"));
    if (skip("class")) {
      TRY(device_class, name("a class name"));
      text += "~" + device_class;
    }
    TRY(id, known_item(text));
    return CrushStep{CrushOp::kTake, id, 0};
  }
  if (op == "choose" || op == "chooseleaf") {
    TRY(mode, word("firstn or indep"));
    if (mode != "firstn" && mode != "indep") return bad(fmt::format("unknown mode '{}'", mode));
    TRY(n, number<int32_t>("a count"));
    TRY_VOID(expect("type"));
    TRY(text, word("a type name"));
    const auto type = m_.find_type(text);
    if (!type) return bad(fmt::format("unknown type '{}'", text));
    if (n > kMaxCrushTries || n < -kMaxCrushTries) return bad("the count is out of range");
    const bool leaf = op == "chooseleaf", firstn = mode == "firstn";
    return CrushStep{leaf ? (firstn ? CrushOp::kChooseleafFirstn : CrushOp::kChooseleafIndep)
                          : (firstn ? CrushOp::kChooseFirstn : CrushOp::kChooseIndep),
                     n, *type};
  }
  static const std::map<std::string, CrushOp> kSets = {
      {"set_choose_tries", CrushOp::kSetChooseTries},
      {"set_chooseleaf_tries", CrushOp::kSetChooseleafTries},
      {"set_choose_local_tries", CrushOp::kSetChooseLocalTries},
      {"set_choose_local_fallback_tries", CrushOp::kSetChooseLocalFallbackTries},
      {"set_chooseleaf_vary_r", CrushOp::kSetChooseleafVaryR},
      {"set_chooseleaf_stable", CrushOp::kSetChooseleafStable}};
  auto set = kSets.find(op);
  if (set == kSets.end()) return bad(fmt::format("unknown step '{}'", op));
  TRY(n, number<int32_t>("a number"));
  if (n > kMaxCrushTries || n < 0) return bad("the number is out of range");
  return CrushStep{set->second, n, 0};
}

Result<> Compiler::choose_args() {
  TRY_VOID(make_shadows());
  TRY(key, number<uint64_t>("a pool id"));
  TRY_VOID(expect("{"));
  auto& args = m_.choose_args[static_cast<int64_t>(key)];
  while (!skip("}")) TRY_VOID(choose_args_bucket(args));
  return {};
}

Result<> Compiler::choose_args_bucket(CrushChooseArgs& args) {
  TRY_VOID(expect("{"));
  TRY_VOID(expect("bucket_id"));
  TRY(id, number<int32_t>("a bucket id"));
  const CrushBucket* b = m_.bucket(id);
  if (!b) return bad(fmt::format("bucket {} does not exist", id));
  CrushWeightSet& set = args[id];
  while (!skip("}")) {
    if (skip("weight_set")) {
      TRY_VOID(expect("["));
      while (!skip("]")) {
        TRY_VOID(expect("["));
        auto& position = set.positions.emplace_back();
        while (!skip("]")) {
          TRY(w, weight());
          position.push_back(w);
        }
        if (position.size() != b->items.size())
          return bad(fmt::format("bucket {} has {} items", id, b->items.size()));
      }
    } else {
      TRY_VOID(expect("ids"));
      TRY_VOID(expect("["));
      while (!skip("]")) {
        TRY(item, number<int32_t>("an item id"));
        set.ids.push_back(item);
      }
      if (set.ids.size() != b->items.size())
        return bad(fmt::format("bucket {} has {} items", id, b->items.size()));
    }
  }
  return {};
}

}  // namespace

Result<CrushMap> crush_from_text(std::string_view text) {
  return Compiler(text).run();
}

}  // namespace plimsoll::map
