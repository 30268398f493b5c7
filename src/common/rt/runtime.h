// SPDX-License-Identifier: LGPL-2.1-or-later
// Runtime: everything nondeterministic that a daemon may touch, in one place: executors, time,
// randomness, network, disks, small files. rt/real implements it for processes, qa/sim for
// simulations. Passed by reference to constructors; outlives everything built on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/rng.h"
#include "common/rt/ballast.h"
#include "common/rt/block_file.h"
#include "common/rt/clock.h"
#include "common/rt/kv.h"
#include "common/rt/net.h"
#include "common/rt/task.h"

namespace plimsoll {

struct KvOptions {
  bool create = false;
  bool read_only = false;  ///< writes nothing to the host, and no call may change anything
  size_t memtable_bytes = 16 << 20;  ///< per memtable; two at most
  size_t cache_bytes = 8 << 20;
  std::string counter_spaces;  ///< first letters of keys that end with a big-endian 8-byte counter
  Ballast* ballast = nullptr;  ///< spent before ENOSPC is answered; outlives the store
};

struct BlockFileOptions {
  bool create = false;        ///< EEXIST where it exists
  bool read_only = false;     ///< no call may change anything
  uint64_t size = 0;          ///< for create
  bool preallocate = true;  ///< for what is new: reserve the host's blocks; may be ENOSPC
  bool zeroed = false;      ///< for create: write them too, so that a durable write is one write
  uint64_t grow_to = 0;     ///< for one that exists: made that large first, durably, if it is not
};

/// Held while a daemon uses a directory.
struct DirLock {
  virtual ~DirLock() = default;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  /// Executor of everything but PGs; also shard 0.
  virtual Executor executor() = 0;
  /// Executors that PGs are pinned to: shard 0 .. shards()-1.
  virtual Executor shard(size_t index) = 0;
  virtual size_t shards() const = 0;
  /// From the shard itself: up to `until` it looks for work instead of sleeping, and gives its CPU
  /// away between looks; a time that is past: it sleeps. A hint, which a runtime may ignore.
  virtual void busy_poll(size_t index, TimePoint until) {}
  /// Lets other threads that wait for this one's CPU run first. A hint, likewise.
  virtual void give_way() {}

  virtual Clock& clock() = 0;
  /// For executor() only; other shards fork their own at start.
  virtual Rng& rng() = 0;
  virtual Net& net() = 0;

  virtual Task<Result<std::unique_ptr<BlockFile>>> open_block_file(std::string path,
                                                                   BlockFileOptions options) = 0;
  virtual Task<Result<std::unique_ptr<Kv>>> open_kv(std::string path, KvOptions options) = 0;
  /// What is there of it now, maybe nothing: restore() makes it whole. Without `whole`, what is
  /// there is the whole.
  virtual Task<Result<std::unique_ptr<Ballast>>> open_ballast(std::string path,
                                                              std::optional<uint64_t> whole) = 0;

  /// Small files: conf, superblocks, keyrings. ENOENT and so on name the path. At most 64 MiB.
  virtual Result<std::string> read_file(const std::string& path) = 0;
  /// Atomic and durable: a reader sees the old content or the new.
  virtual Result<> write_file(const std::string& path, std::string_view content) = 0;
  virtual Result<> remove_file(const std::string& path) = 0;
  virtual Result<> make_dirs(const std::string& path) = 0;
  /// EBUSY says that another process uses `dir`.
  virtual Result<std::unique_ptr<DirLock>> lock_dir(const std::string& dir) = 0;
  /// Bytes free for us on the file system of `path`.
  virtual Result<uint64_t> host_free(const std::string& path) = 0;
  /// Resident bytes of this process; 0 in the simulator.
  virtual uint64_t resident_bytes() = 0;
  /// This host's short name and this process's id (a nonce in addresses).
  virtual std::string host_name() = 0;
  virtual uint32_t process_id() = 0;
};

}  // namespace plimsoll
