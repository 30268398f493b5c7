// SPDX-License-Identifier: LGPL-2.1-or-later
// Byte streams: TCP and Unix sockets in daemons, a simulated network in the simulator. A stream is
// used by at most one reading and one writing task at a time. close() may be called at any time, by
// the owner's executor, and makes both return an error.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/rt/task.h"
#include "common/wire/types.h"

namespace plimsoll {

class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte; 0 at the end of the stream.
  virtual Task<Result<size_t>> read_some(std::span<uint8_t> into) = 0;
  /// All of it, or an error after any part of it.
  virtual Task<Result<>> write(std::vector<Bytes> data) = 0;
  virtual void close() = 0;
  /// Ip and port; blank for Unix sockets with a path, port 0 for one who came by connect_here().
  virtual EntityAddr local() const = 0;
  virtual EntityAddr remote() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  /// With the port that the kernel chose where 0 was asked for.
  virtual EntityAddr local() const = 0;
  virtual void close() = 0;
};

class Net {
 public:
  virtual ~Net() = default;
  /// Bounded in time by the implementation (10 s). ECONNREFUSED, ETIMEDOUT, ...
  virtual Task<Result<std::unique_ptr<Stream>>> connect(EntityAddr to) = 0;
  /// EADDRINUSE names the address.
  virtual Result<std::unique_ptr<Listener>> listen(EntityAddr at) = 0;
  /// A second way to `at`, where somebody listens already: for processes of this host alone, which
  /// find it by connect_here(). It passes by the host's TCP, which costs more than what it carries.
  virtual Result<std::unique_ptr<Listener>> listen_here(EntityAddr at) {
    return fail(EOPNOTSUPP, "no second way to " + at.ip_port_nonce());
  }
  /// At once; an error where there is no such way, or it is crowded.
  virtual Task<Result<std::unique_ptr<Stream>>> connect_here(EntityAddr to) {
    co_return fail(EOPNOTSUPP, "no second way to " + to.ip_port_nonce());
  }
  /// A Unix socket; replaces a stale file, refuses (EADDRINUSE) one that answers.
  virtual Result<std::unique_ptr<Listener>> listen_unix(const std::string& path) = 0;
};

}  // namespace plimsoll
