// SPDX-License-Identifier: LGPL-2.1-or-later
// AdminSocket: Ceph's protocol on a Unix socket. A client sends one request, JSON ended by NUL (or
// plain words ended by a newline), and gets a big-endian u32 length and that many bytes. Requests
// are bounded in size, number and time; whatever comes in, an answer goes out and the daemon goes
// on. The table also answers `ceph tell` (see run_tell).
#pragma once

#include <memory>
#include <string>

#include "common/command/table.h"
#include "common/log/log.h"
#include "common/rt/runtime.h"
#include "common/rt/task_group.h"

namespace plimsoll::command {

/// Who asks: "asok", or the name of a client that tells.
struct Caller {
  std::string name = "asok";
};

/// The commands of a daemon itself (not of the cluster). Handlers hold what they need.
using DaemonTable = Table<Caller>;

/// Adds a static array of rows over `owner`, which must outlive the table. Static, so that the
/// documentation lists them without a daemon (see plimsoll_documents_commands in Plimsoll.cmake).
template <class Owner>
void add_rows(DaemonTable& table, std::span<const Row<Owner>> rows, Owner& owner) {
  for (const auto& row : rows)
    table.add({row.signature, row.help, row.module, row.perm, row.flags,
               [&owner, &row](Caller&, const Args& args) { return row.handler(owner, args); }});
}

/// help, version, git_version, get_command_descriptions: in every daemon's table.
void add_builtin_commands(DaemonTable& table);

class AdminSocket {
 public:
  static constexpr size_t kMaxRequests = 64;
  static constexpr size_t kMaxRequestBytes = 64 << 10;
  static constexpr Duration kRequestTimeout = 10s;

  AdminSocket(Runtime& runtime, Logger log);
  ~AdminSocket();

  DaemonTable& table() { return table_; }
  /// EADDRINUSE: another daemon answers there.
  Result<> listen(const std::string& path);
  /// Ends the requests that run, removes the socket file.
  Task<void> stop();

  /// `ceph tell`: as over the socket; replies carry the code and the text apart.
  Task<CommandReply> run_tell(std::string caller, std::vector<std::string> pieces, Bytes input);

 private:
  Task<void> accept_loop();
  Task<void> serve(std::unique_ptr<Stream> stream);
  Task<Result<std::string>> read_request(Stream& stream);
  Task<std::string> answer(std::string request);

  Runtime& runtime_;
  Logger log_;
  DaemonTable table_;
  std::string path_;
  std::unique_ptr<Listener> listener_;
  TaskGroup tasks_;
  Semaphore slots_{kMaxRequests};
};

}  // namespace plimsoll::command
