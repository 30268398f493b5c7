// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/crash_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace plimsoll::real {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kBlock = 4096, kSector = 512;

std::string content_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace

// ---- for tests ----------------------------------------------------------------------------------

void CrashDisk::cut_after(uint64_t changes) {
  std::lock_guard lock(mutex_);
  countdown_ = changes;
}

bool CrashDisk::has_power() const {
  std::lock_guard lock(mutex_);
  return power_;
}

void CrashDisk::come_back(Rng& rng) {
  std::lock_guard lock(mutex_);
  const size_t kept = rng.below(unsynced_.size() + 1);
  for (; unsynced_.size() > kept; unsynced_.pop_back()) undo(unsynced_.back());
  unsynced_.clear();
  for (auto& [path, file] : files_) {
    keep_some(*file, rng);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(file->durable.data(), static_cast<std::streamsize>(file->durable.size()));
  }
  files_.clear();
  countdown_ = 0;
  power_ = true;
}

void CrashDisk::undo(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kCreate:
      files_.erase(change.path);
      fs::remove(change.path);
      break;
    case Change::Kind::kRename:
      files_[change.path] = take(change.to);
      fs::remove(change.to);
      if (change.replaced) files_[change.to] = change.replaced;
      return;
    case Change::Kind::kRemove: break;
  }
  if (change.replaced) files_[change.path] = change.replaced;
}

void CrashDisk::keep_some(File& file, Rng& rng) {
  if (file.grows) keep_front(file, rng);
  else keep_blocks(file, rng);
  file.unsynced.clear();
}

void CrashDisk::keep_front(File& file, Rng& rng) {
  uint64_t whole = rng.below(file.unsynced.size() + 1);
  for (auto& w : file.unsynced) {
    if (whole == 0) w.data.resize(rng.below(w.data.size() + 1));
    apply(file, w);
    if (whole-- == 0) return;
  }
}

void CrashDisk::keep_blocks(File& file, Rng& rng) {
  for (const auto& w : file.unsynced) {
    for (uint64_t at = 0; at < w.data.size();) {
      const uint64_t room = kBlock - (w.offset + at) % kBlock;
      const uint64_t n = std::min<uint64_t>(w.data.size() - at, room);
      uint64_t kept = rng.chance(0.5) ? n : 0;
      if (rng.chance(0.2)) kept = std::min(n, rng.below(kBlock / kSector) * kSector);
      if (kept) apply(file, {w.offset + at, w.data.substr(at, kept)});
      at += n;
    }
  }
}

// ---- for the shims ------------------------------------------------------------------------------

bool CrashDisk::powered() {
  if (!power_) return false;
  changes_++;
  if (countdown_ && --countdown_ == 0) power_ = false;
  return power_;
}

CrashDisk::FileRef CrashDisk::find(const std::string& path) {
  auto& file = files_[path];
  if (!file) file = std::make_shared<File>(File{content_of(path), {}});
  return file;
}

CrashDisk::FileRef CrashDisk::take(const std::string& path) {
  FileRef out = find(path);
  files_.erase(path);
  return out;
}

CrashDisk::FileRef CrashDisk::open(const std::string& path) {
  std::lock_guard lock(mutex_);
  return find(path);
}

bool CrashDisk::create(const std::string& path, FileRef& out) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  FileRef replaced = fs::exists(path) ? take(path) : nullptr;
  unsynced_.push_back({Change::Kind::kCreate, path, {}, std::move(replaced)});
  out = files_[path] = std::make_shared<File>();
  out->grows = true;
  return true;
}

bool CrashDisk::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  if (!fs::exists(from)) return true;
  FileRef replaced = fs::exists(to) ? take(to) : nullptr;
  files_[to] = take(from);
  unsynced_.push_back({Change::Kind::kRename, from, to, std::move(replaced)});
  return true;
}

bool CrashDisk::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  if (!fs::exists(path)) return true;
  unsynced_.push_back({Change::Kind::kRemove, path, {}, take(path)});
  return true;
}

bool CrashDisk::sync_dir(const std::string& dir) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  if (fault_no_sync) return true;
  std::erase_if(unsynced_, [&](const Change& c) { return fs::path(c.path).parent_path() == dir; });
  return true;
}

bool CrashDisk::begin_write(File& file, uint64_t offset, std::string data, WriteRef& out) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  out = file.unsynced.insert(file.unsynced.end(), Write{offset, std::move(data)});
  return true;
}

void CrashDisk::end_write(WriteRef write) {
  std::lock_guard lock(mutex_);
  write->returned = true;
}

void CrashDisk::apply(File& file, const Write& write) {
  const uint64_t end = write.offset + write.data.size();
  if (file.durable.size() < end) file.durable.resize(end);
  file.durable.replace(write.offset, write.data.size(), write.data);
}

bool CrashDisk::sync(File& file) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  if (fault_no_sync) return true;
  for (auto w = file.unsynced.begin(); w != file.unsynced.end();) {
    if (w->returned) apply(file, *w);
    w = w->returned ? file.unsynced.erase(w) : std::next(w);
  }
  return true;
}

bool CrashDisk::sync(File& file, WriteRef write) {
  std::lock_guard lock(mutex_);
  if (!powered()) return false;
  if (fault_no_sync) return true;
  apply(file, *write);
  file.unsynced.erase(write);
  return true;
}

}  // namespace plimsoll::real
