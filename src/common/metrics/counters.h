// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters: what a daemon counts, as counters.inc declares it; printed as `perf dump`, `perf
// schema` and Prometheus text, with Ceph's names where Ceph counts the same. One object per daemon.
// Any shard may count: values are relaxed atomics.
//
//   counters.inc(Counter::osd_op_w);
//   counters.add_time(Counter::osd_op_latency, clock.now() - started);
#pragma once

#include <array>
#include <atomic>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/rt/task.h"

namespace plimsoll::metrics {

/// counter: grows. gauge: goes both ways. time_avg: how many, how long in all. avg: how many, sum.
/// time: seconds in all.
enum class Kind : uint8_t { counter, gauge, time_avg, avg, time };

enum class Counter : uint16_t {
#define GROUP(...)
#define COUNTER(group, name, ...) group##_##name,
#include "common/metrics/counters.inc"
#undef GROUP
#undef COUNTER
  kCount
};
inline constexpr size_t kCounterCount = static_cast<size_t>(Counter::kCount);

class Counters {
 public:
  /// `service`: "osd", "mon", ...: whose groups are printed.
  explicit Counters(std::string service) : service_(std::move(service)) {}

  void inc(Counter c, uint64_t by = 1) { cell(c).value.fetch_add(by, std::memory_order_relaxed); }
  void dec(Counter c, uint64_t by = 1) { cell(c).value.fetch_sub(by, std::memory_order_relaxed); }
  void set(Counter c, uint64_t to) { cell(c).value.store(to, std::memory_order_relaxed); }
  /// One more event of `value`: a time_avg or an avg.
  void add_time(Counter c, Duration value) { add(c, static_cast<uint64_t>(value.count())); }
  void add(Counter c, uint64_t value) {
    inc(c, value);
    cell(c).count.fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t get(Counter c) const {
    return cells_[static_cast<size_t>(c)].value.load(std::memory_order_relaxed);
  }
  uint64_t count(Counter c) const {
    return cells_[static_cast<size_t>(c)].count.load(std::memory_order_relaxed);
  }

  /// {group: {counter: value}}, of one group and counter where named. Print with
  /// Floats::kNineDecimals.
  boost::json::object dump(std::string_view group = {}, std::string_view counter = {}) const;
  boost::json::object schema(std::string_view group = {}, std::string_view counter = {}) const;
  /// Prometheus text, labelled with the daemon's name ("osd.0").
  std::string prometheus(std::string_view daemon) const;
  /// Zeroes counters of a group, or "all"; gauges stay. False where no group has that name.
  bool reset(std::string_view group);

 private:
  struct Cell {
    std::atomic<uint64_t> value{0};
    std::atomic<uint64_t> count{0};
  };
  Cell& cell(Counter c) { return cells_[static_cast<size_t>(c)]; }

  std::string service_;
  std::array<Cell, kCounterCount> cells_{};
};

/// doc/generated/metrics.md.
std::string counters_markdown();

}  // namespace plimsoll::metrics
