// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/rates.h"

#include <fmt/format.h>

#include "common/base/size_text.h"
#include "common/command/format.h"
#include "mon/health_checks.h"

namespace plimsoll::mon {

namespace json = boost::json;
using map::ObjectStats;

namespace {

uint64_t positive(int64_t n) {
  return n > 0 ? static_cast<uint64_t>(n) : 0;
}

void add(std::string& text, const std::string& part) {
  text += (text.empty() ? "" : ", ") + part;
}

}  // namespace

std::string client_rate_text(const ObjectStats& r) {
  std::string text;
  if (r.num_read <= 0 && r.num_write <= 0) return text;
  if (r.num_read_kb > 0) add(text, bytes_text(positive(r.num_read_kb) << 10) + "/s rd");
  if (r.num_write_kb > 0) add(text, bytes_text(positive(r.num_write_kb) << 10) + "/s wr");
  add(text, si_text(positive(r.num_read)) + " op/s rd");
  add(text, si_text(positive(r.num_write)) + " op/s wr");
  return text;
}

json::object dump_client_rate(const ObjectStats& r) {
  json::object o;
  if (r.num_read <= 0 && r.num_write <= 0) return o;
  if (r.num_read_kb > 0) o["read_bytes_sec"] = r.num_read_kb << 10;
  if (r.num_write_kb > 0) o["write_bytes_sec"] = r.num_write_kb << 10;
  o["read_op_per_sec"] = r.num_read;
  o["write_op_per_sec"] = r.num_write;
  return o;
}

std::string recovery_rate_text(const ObjectStats& r) {
  std::string text;
  if (r.num_bytes_recovered > 0)
    add(text, bytes_text(positive(r.num_bytes_recovered)) + "/s");
  if (r.num_keys_recovered > 0)
    add(text, si_text(positive(r.num_keys_recovered)) + " keys/s");
  if (r.num_objects_recovered > 0)
    add(text, si_text(positive(r.num_objects_recovered)) + " objects/s");
  return text;
}

json::object dump_recovery_rate(const ObjectStats& r) {
  json::object o;
  if (r.num_objects_recovered <= 0 && r.num_bytes_recovered <= 0 && r.num_keys_recovered <= 0)
    return o;
  o["recovering_objects_per_sec"] = r.num_objects_recovered;
  o["recovering_bytes_per_sec"] = r.num_bytes_recovered;
  o["recovering_keys_per_sec"] = r.num_keys_recovered;
  return o;
}

std::vector<std::string> recovery_lines(const ObjectStats& sum) {
  const RecoveryCounts n = recovery_counts(sum);
  std::vector<std::string> lines;
  if (n.degraded) lines.push_back(ratio_text(n.degraded, n.copies, "degraded"));
  if (n.misplaced) lines.push_back(ratio_text(n.misplaced, n.copies, "misplaced"));
  if (n.unfound) lines.push_back(ratio_text(n.unfound, n.objects, "unfound"));
  return lines;
}

json::object dump_recovery_state(const ObjectStats& sum) {
  const RecoveryCounts n = recovery_counts(sum);
  const auto ratio = [](int64_t part, int64_t whole) {
    return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
  };
  json::object o;
  if (n.degraded) {
    o["degraded_objects"] = n.degraded;
    o["degraded_total"] = n.copies;
    o["degraded_ratio"] = ratio(n.degraded, n.copies);
  }
  if (n.misplaced) {
    o["misplaced_objects"] = n.misplaced;
    o["misplaced_total"] = n.copies;
    o["misplaced_ratio"] = ratio(n.misplaced, n.copies);
  }
  if (n.unfound) {
    o["unfound_objects"] = n.unfound;
    o["unfound_total"] = n.objects;
    o["unfound_ratio"] = ratio(n.unfound, n.objects);
  }
  return o;
}

}  // namespace plimsoll::mon
