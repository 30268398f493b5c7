// SPDX-License-Identifier: LGPL-2.1-or-later
// Config: the options of one daemon or client, with one typed accessor per row of options.inc:
// cfg.osd_heartbeat_grace(). Each option may have a value from several sources; the highest source
// wins, in Ceph's order: default < mon config database < conf file < command line < `config set`.
// Numbers may be read from every shard; all else belongs to the main executor.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/conf_file.h"
#include "common/config/option.h"
#include "common/wire/types.h"

namespace plimsoll::config {

/// Whose options: chooses conf sections and fills $type, $id, $name, $cluster and $host.
struct Identity {
  std::string type = "client";
  std::string id = "admin";
  std::string cluster = "ceph";
  std::string host = "localhost";
  std::string name() const { return type + "." + id; }
};

enum class Source : uint8_t { kDefault, kMon, kFile, kCommandLine, kOverride, kCount };

/// What the accessor of an option of that type returns.
template <Type T>
using Accessed = std::conditional_t<
    T == Type::kStr || T == Type::kUuid, std::string,
    std::conditional_t<T == Type::kBool, bool,
                       std::conditional_t<T == Type::kFloat || T == Type::kSecs, double,
                                          std::conditional_t<T == Type::kUint || T == Type::kSize,
                                                             uint64_t, int64_t>>>>;

class Config {
 public:
  explicit Config(Identity who = {});
  Config(const Config&) = delete;

  // One accessor per option: `uint64_t osd_max_write_size() const`, ... Texts come with $name and
  // its kin expanded.
#define PLIMSOLL_TYPE_str ::plimsoll::config::Type::kStr
#define PLIMSOLL_TYPE_uuid ::plimsoll::config::Type::kUuid
#define PLIMSOLL_TYPE_bool ::plimsoll::config::Type::kBool
#define PLIMSOLL_TYPE_int ::plimsoll::config::Type::kInt
#define PLIMSOLL_TYPE_uint ::plimsoll::config::Type::kUint
#define PLIMSOLL_TYPE_size ::plimsoll::config::Type::kSize
#define PLIMSOLL_TYPE_float ::plimsoll::config::Type::kFloat
#define PLIMSOLL_TYPE_secs ::plimsoll::config::Type::kSecs
#define PLIMSOLL_TYPE_debug ::plimsoll::config::Type::kDebug
#define OPT(name, t, ...) \
  Accessed<PLIMSOLL_TYPE_##t> name() const { return read<PLIMSOLL_TYPE_##t>(Opt::name); }
#include "common/config/options.inc"
#undef OPT

  const Identity& who() const { return who_; }
  /// The cluster's id; zero where the conf says none.
  Uuid fsid_value() const;

  // ---- sources

  /// Takes the sections that concern this daemon ([global], [osd], [osd.0], later ones stronger). A
  /// bad value is EINVAL naming file, line and input. Unknown keys are remembered as warnings.
  Result<> apply_file(const ConfFile& file);
  /// Replaces all values of the mon config database; what is not valid here is skipped (and
  /// logged).
  void apply_mon(const std::map<std::string, std::string>& values);
  /// ENOENT: no such option. EINVAL: bad value. ENOSYS: only at start (for kOverride).
  Result<> set(std::string_view name, std::string_view value, Source source = Source::kOverride);
  Result<> unset(std::string_view name, Source source = Source::kOverride);
  const std::vector<std::string>& warnings() const { return warnings_; }

  // ---- in Ceph's forms

  /// The value in force as text, metavariables expanded. ENOENT where no option has that name.
  Result<std::string> get(std::string_view name) const;
  /// {"name": "osd.0", "cluster": "ceph", option: "value", ...} in order of name.
  boost::json::object show() const;
  /// {"diff": {option: {"default": v, "file": v, ..., "final": v}}}: what is not at its default.
  boost::json::object diff() const;
  Result<boost::json::object> diff_get(std::string_view name) const;
  /// {"option": {...}} of one, or {"options": [...]} of all for an empty name.
  Result<boost::json::object> help(std::string_view name) const;

  // ---- observers

  /// Keeps an observer registered; must not outlive the Config.
  class Observer {
   public:
    Observer() = default;
    Observer(Config* config, uint64_t id) : config_(config), id_(id) {}
    Observer(Observer&& o) noexcept : config_(std::exchange(o.config_, nullptr)), id_(o.id_) {}
    Observer& operator=(Observer&& o) noexcept;
    ~Observer();

   private:
    Config* config_ = nullptr;
    uint64_t id_ = 0;
  };
  /// Calls `changed` inline, on the main executor, after any of `options` got another value.
  [[nodiscard]] Observer observe(std::vector<Opt> options, std::function<void()> changed);

  /// `text` with $name, $type, $id, $cluster, $host, $pid and $<option> replaced.
  std::string expand(std::string text) const;
  /// For $pid in texts.
  void set_pid(uint32_t pid) { pid_ = pid; }

 private:
  /// One option's value from each source.
  using Slot = std::array<std::optional<Value>, static_cast<size_t>(Source::kCount)>;
  struct Watch {
    std::vector<Opt> options;
    std::function<void()> changed;
  };
  template <Type T>
  Accessed<T> read(Opt id) const {
    if constexpr (T == Type::kStr || T == Type::kUuid) {
      return text(id);
    } else {
      const uint64_t raw = numbers_[static_cast<size_t>(id)].load(std::memory_order_relaxed);
      if constexpr (T == Type::kFloat || T == Type::kSecs)
        return std::bit_cast<double>(raw);
      else
        return static_cast<Accessed<T>>(raw);
    }
  }
  std::string text(Opt id) const;
  const Value& final_value(Opt id) const;
  /// Replaces or removes one source's value and tells the observers where the final value changed.
  void put(const Option& option, Source source, std::optional<Value> value);
  std::string final_text(const Option& option) const;
  boost::json::object diff_of(const Option& option) const;
  bool differs(const Option& option) const;

  Identity who_;
  uint32_t pid_ = 0;
  std::array<Slot, kOptionCount> slots_;
  std::array<std::atomic<uint64_t>, kOptionCount> numbers_{};
  std::vector<std::string> warnings_;
  std::map<uint64_t, Watch> observers_;
  uint64_t next_observer_ = 1;
};

}  // namespace plimsoll::config
