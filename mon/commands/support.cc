// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/support.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::mon {

namespace {

Task<CommandReply> run_edit(OsdEdit fn, CommandContext& c, const Args& a) {
  std::string text;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    TRY(done, fn(c, a, d));
    text = std::move(done);
    return {};
  };
  const Result<Epoch> committed = co_await c.services.osd.change(edit);
  if (!committed) co_return CommandReply(committed.error());
  co_return said(std::move(text));
}

Task<CommandReply> run_crush_edit(CrushEdit fn, CommandContext& c, const Args& a) {
  std::string text;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    map::CrushMap crush = *d.now.crush;
    TRY(done, fn(c, a, d, crush));
    if (!(crush == *d.now.crush)) d.inc.set_crush(crush);
    text = std::move(done);
    return {};
  };
  const Result<Epoch> committed = co_await c.services.osd.change(edit);
  if (!committed) co_return CommandReply(committed.error());
  co_return said(std::move(text));
}

}  // namespace

command::Handler<CommandContext> query(Query fn) {
  return command::sync<CommandContext>(fn);
}

command::Handler<CommandContext> edits(OsdEdit fn) {
  return [fn](CommandContext& c, const Args& a) { return run_edit(fn, c, a); };
}

command::Handler<CommandContext> crush_edits(CrushEdit fn) {
  return [fn](CommandContext& c, const Args& a) { return run_crush_edit(fn, c, a); };
}

bool wants_json(const Args& a) {
  return a.format() != command::Format::kPlain;
}

CommandReply answer(const Args& a, const json::value& v, std::string plain) {
  return wants_json(a) ? CommandReply::json(v, a.format()) : CommandReply::text(std::move(plain));
}

CommandReply answer_json(const Args& a, const json::value& v) {
  return CommandReply::json(v, a.format());
}

CommandReply said(std::string text) {
  return {0, std::move(text)};
}

std::string osds_text(const std::vector<OsdId>& osds) {
  std::string text;
  for (OsdId o : osds)
    text += (text.empty() ? "" : ",") + (o == kOsdNone ? "NONE" : std::to_string(o));
  return "[" + text + "]";
}

json::array osds_json(const std::vector<OsdId>& osds) {
  json::array out;
  for (OsdId o : osds) out.push_back(o);
  return out;
}

std::string since_text(double seconds) {
  const auto s = static_cast<int64_t>(std::max(0.0, seconds));
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kWeek = 7 * kDay,
                    kMonth = 30 * kDay, kYear = 365 * kDay;
  if (s < 2 * kMinute) return fmt::format("{}s", s);
  if (s < 2 * kHour) return fmt::format("{}m", s / kMinute);
  if (s < 2 * kDay) return fmt::format("{}h", s / kHour);
  if (s < 2 * kWeek) return fmt::format("{}d", s / kDay);
  if (s < 2 * kMonth) return fmt::format("{}w", s / kWeek);
  if (s < 2 * kYear) return fmt::format("{}M", s / kMonth);
  return fmt::format("{}y", s / kYear);
}

std::string join(const std::vector<std::string>& words, const char* separator) {
  std::string text;
  for (size_t i = 0; i < words.size(); i++) text += (i ? separator : "") + words[i];
  return text;
}

Utime later(const Utime& now, double seconds) {
  const double most = static_cast<double>(UINT32_MAX) - now.sec - 1;
  const double ns = std::clamp(seconds, 0.0, std::max(0.0, most)) * 1e9;
  return Utime::from_nanos(now.nanos() + static_cast<int64_t>(ns));
}

std::vector<std::string> texts(const Args& a, std::string_view name) {
  std::vector<std::string> out;
  const auto text = [](const json::value& v) {
    return v.is_string() ? std::string(v.get_string()) : command::print(v, command::Format::kJson);
  };
  const json::value* v = a.json().if_contains(name);
  if (!v) return out;
  if (!v->is_array()) return {text(*v)};
  for (const json::value& item : v->get_array()) out.push_back(text(item));
  return out;
}

Result<std::vector<OsdId>> parse_osds(const map::OSDMap& map,
                                      const std::vector<std::string>& words) {
  std::vector<OsdId> out;
  for (const std::string& word : words) {
    const Result<OsdId> id = command::parse_osd_name(word);
    if (!id) return fail(EINVAL, id.error().text() + "invalid osd id-1");
    if (*id >= 0) {
      out.push_back(*id);
    } else {
      for (OsdId osd : map.osds()) out.push_back(osd);
    }
  }
  return out;
}

Result<> check_osd(const map::OSDMap& map, OsdId osd) {
  if (map.exists(osd)) return {};
  return fail(ENOENT, fmt::format("osd.{} does not exist", osd));
}

Result<PoolId> find_pool(const map::OSDMap& map, const std::string& name) {
  const auto id = map.find_pool(name);
  if (id) return *id;
  return fail(ENOENT, "unrecognized pool '" + name + "'");
}

}  // namespace plimsoll::mon
