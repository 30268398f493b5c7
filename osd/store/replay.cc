// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/replay.h"

#include "osd/store/commit_record.h"

namespace plimsoll::osd {

namespace {

/// The newest content of each block and the record that it is from.
class Contents {
 public:
  void add(const CommitRecord& record, uint64_t sequence) {
    if (record.in_place > in_place_) {
      in_place_ = record.in_place;
      std::erase_if(newest_, [this](const auto& b) { return b.second.first <= in_place_; });
    }
    for (const auto& b : record.blocks) newest_[b.block] = {sequence, b.content};
  }
  BlockContents take() {
    BlockContents out;
    for (auto& [block, content] : newest_) out.emplace(block, std::move(content.second));
    return out;
  }

 private:
  uint64_t in_place_ = 0;
  std::map<uint64_t, std::pair<uint64_t, Bytes>> newest_;
};

/// A record that was too large for the journal. Nothing follows it there before this is done.
Task<Result<>> replay_large(StoreFiles& files) {
  CO_TRY(value, co_await files.kv->get(std::string(key::kLarge)));
  if (!value) co_return Result<>();
  CO_TRY(record, decode_commit_record(Bytes::take(std::move(*value))));
  Contents contents;
  contents.add(record, 0);
  CO_TRY_VOID(co_await write_in_place(*files.block, contents.take()));
  KvBatch done;
  done.erase(std::string(key::kLarge));
  co_return co_await files.kv->commit(std::move(done));
}

}  // namespace

Task<Result<uint64_t>> replay(StoreFiles& files) {
  CO_TRY_VOID(co_await replay_large(files));
  Contents contents;
  uint64_t records = 0;
  for (;; records++) {
    CO_TRY(payload, co_await files.journal->next());
    if (!payload) break;
    CO_TRY(record, decode_commit_record(std::move(*payload)));
    contents.add(record, files.journal->last());
    CO_TRY_VOID(co_await files.kv->apply(std::move(record.batch)));
  }
  CO_TRY_VOID(co_await write_in_place(*files.block, contents.take()));
  CO_TRY_VOID(co_await files.kv->sync());
  if (!files.overlaid) CO_TRY_VOID(co_await files.journal->restart());
  co_return records;
}

}  // namespace plimsoll::osd
