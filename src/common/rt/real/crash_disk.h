// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests: power cuts under the real implementations. The shims (CrashBlock, rocks_crash_env) do
// their work on real files and tell CrashDisk of every change first; it remembers what was synced.
// A cut can come before any change; from then on all changes fail. come_back() makes the files what
// a disk would hold: what was synced, and of the rest some: of a file that only grows the front, of
// others blocks in no order, some torn. Of new, renamed and removed files in a directory that was
// not synced since, it keeps the first few. Any thread.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/rng.h"

namespace plimsoll::real {

class CrashDisk {
 public:
  struct Write {
    uint64_t offset;
    std::string data;
    bool returned = false;  ///< a sync makes it durable only then
  };
  struct File {
    std::string durable;
    std::list<Write> unsynced;
    bool grows = false;  ///< and is written nowhere else
  };
  using FileRef = std::shared_ptr<File>;
  using WriteRef = std::list<Write>::iterator;

  // ---- for tests ----
  /// Power is cut before the n-th change from now; 0: not any more.
  void cut_after(uint64_t changes);
  bool has_power() const;
  /// When nothing is open any more.
  void come_back(Rng& rng);
  /// Planted: syncs return at once and make nothing durable.
  bool fault_no_sync = false;
  uint64_t changes() const { return changes_; }

  // ---- for the shims; false: there is no power ----
  /// A file that is there.
  FileRef open(const std::string& path);
  bool create(const std::string& path, FileRef& out);
  bool rename(const std::string& from, const std::string& to);
  bool remove(const std::string& path);
  bool sync_dir(const std::string& dir);
  bool begin_write(File& file, uint64_t offset, std::string data, WriteRef& out);
  void end_write(WriteRef write);
  bool sync(File& file);
  /// Makes one write durable.
  bool sync(File& file, WriteRef write);

 private:
  /// A change of a directory, and what it takes to undo it.
  struct Change {
    enum class Kind { kCreate, kRename, kRemove } kind;
    std::string path;
    std::string to;
    FileRef replaced;  ///< what was at `path` (kCreate, kRemove) or at `to`
  };
  /// Counts a change.
  bool powered();
  FileRef find(const std::string& path);
  FileRef take(const std::string& path);
  void undo(const Change& change);
  static void apply(File& file, const Write& write);
  static void keep_some(File& file, Rng& rng);
  static void keep_front(File& file, Rng& rng);
  static void keep_blocks(File& file, Rng& rng);

  mutable std::mutex mutex_;
  std::map<std::string, FileRef> files_;
  std::vector<Change> unsynced_;
  uint64_t changes_ = 0;
  uint64_t countdown_ = 0;
  bool power_ = true;
};

}  // namespace plimsoll::real
