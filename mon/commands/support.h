// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command families share: handlers made of plain functions (a query answers from memory,
// an edit changes a draft of the OSD map), and answers in the format that was asked for.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "mon/commands/commands.h"
#include "mon/sessions.h"

namespace plimsoll::mon {

namespace json = boost::json;
using command::Args;
using command::CommandReply;

// ---- handlers
// -------------------------------------------------------------------------------------

/// Answers from memory.
using Query = CommandReply (*)(CommandContext&, const Args&);
command::Handler<CommandContext> query(Query fn);

/// Changes the OSD map; returns what is said when the change is committed.
using OsdEdit = Result<std::string> (*)(CommandContext&, const Args&, OsdDraft&);
command::Handler<CommandContext> edits(OsdEdit fn);

/// Changes the CRUSH map in the draft.
using CrushEdit = Result<std::string> (*)(CommandContext&, const Args&, OsdDraft&, map::CrushMap&);
command::Handler<CommandContext> crush_edits(CrushEdit fn);

// ---- answers
// --------------------------------------------------------------------------------------

bool wants_json(const Args& a);
/// JSON where it was asked for, else the text.
CommandReply answer(const Args& a, const json::value& v, std::string plain);
/// JSON in any case; plain is pretty.
CommandReply answer_json(const Args& a, const json::value& v);
/// Success with a text for people and no data.
CommandReply said(std::string text);

// ---- parts of outputs
// -----------------------------------------------------------------------------

/// [2,1,0]
std::string osds_text(const std::vector<OsdId>& osds);
json::array osds_json(const std::vector<OsdId>& osds);
/// "25s", "3m", "2h": how long ago, as status prints it.
std::string since_text(double seconds);
std::string join(const std::vector<std::string>& words, const char* separator);

/// `seconds` after `now`, at most what a Utime can hold.
Utime later(const Utime& now, double seconds);
/// A list argument as texts, also where clients send its members as numbers.
std::vector<std::string> texts(const Args& a, std::string_view name);

/// An id out of "osd.3", "3", "all"; ids that the arguments name, "all" and its kin expanded.
Result<std::vector<OsdId>> parse_osds(const map::OSDMap& map,
                                      const std::vector<std::string>& words);
/// ENOENT: "osd.99 does not exist".
Result<> check_osd(const map::OSDMap& map, OsdId osd);
/// ENOENT: "unrecognized pool 'x'".
Result<PoolId> find_pool(const map::OSDMap& map, const std::string& name);

}  // namespace plimsoll::mon
