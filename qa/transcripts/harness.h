// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame of transcript tests. A transcript is a text of requests and what came back; a test
// replays its requests and must get the same text. With --rewrite the files get the outputs of
// today; review them in the diff.
#pragma once

#include <istream>
#include <string>

namespace plimsoll::transcripts {

/// The transcript as it comes out today: requests and comments as they stand, outputs anew.
using Replay = std::string (*)(std::istream& in);

/// Replays all *.txt of a folder under the source tree; the exit code of the test.
int run_all(const char* folder, Replay replay, int argc, char** argv);

}  // namespace plimsoll::transcripts
