// SPDX-License-Identifier: LGPL-2.1-or-later
// A simulated disk under BlockFile. DiskImage is what survives a crash: the durable pages, and
// every version of every page that was written since the last sync. A crash picks one of these for
// each page, or tears the page between them at sectors; no order between pages is kept.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "common/rt/runtime.h"
#include "qa/sim/sim_clock.h"
#include "qa/sim/storage_faults.h"

namespace plimsoll::sim {

class DiskImage {
 public:
  explicit DiskImage(uint64_t size) : size_(size) {}
  uint64_t size() const { return size_; }
  void grow(uint64_t size) { size_ = std::max(size_, size); }
  void read(uint64_t offset, std::span<uint8_t> into) const;
  void write(uint64_t offset, std::string_view data);
  /// Names the writes so far; sync_to() makes exactly these durable, in the pages of a range.
  uint64_t written() const { return next_version_; }
  void sync_to(uint64_t mark, uint64_t offset = 0, uint64_t length = UINT64_MAX);
  void crash(Rng& rng);
  /// A bit of a page behind `from` turns over; false where nothing is stored there.
  bool rot(uint64_t from, Rng& rng);

  bool open = false;

 private:
  static constexpr uint64_t kPage = BlockFile::kBlock;
  static constexpr uint64_t kSector = 512;
  using Page = std::shared_ptr<const std::array<uint8_t, kPage>>;
  struct Version {
    uint64_t number;
    Page page;
  };

  /// The page as reads see it; null where it was never written.
  Page current(uint64_t index) const;
  Page torn(const Page& old, const std::vector<Version>& versions, Rng& rng) const;

  uint64_t size_;
  uint64_t next_version_ = 0;
  std::map<uint64_t, Page> durable_;
  std::map<uint64_t, std::vector<Version>> unsynced_;
};

class SimBlockFile : public BlockFile {
 public:
  SimBlockFile(DiskImage& image, const StorageFaults& faults, Clock& clock, Rng& rng,
               EventHash& hash)
      : image_(image), faults_(faults), clock_(clock), rng_(rng), hash_(hash) {
    image_.open = true;
  }
  ~SimBlockFile() override { image_.open = false; }
  uint64_t size() const override { return image_.size(); }
  Task<Result<Bytes>> read(uint64_t offset, size_t length) override;
  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override;
  Task<Result<>> write_durable(uint64_t offset, Bytes data) override;
  Task<Result<>> sync() override;

 private:
  bool in_range(uint64_t offset, uint64_t length) const {
    return length <= size() && offset <= size() - length;
  }
  DiskImage& image_;
  const StorageFaults& faults_;
  Clock& clock_;
  Rng& rng_;
  EventHash& hash_;
};

}  // namespace plimsoll::sim
