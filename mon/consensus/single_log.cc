// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/consensus/single_log.h"

#include "common/wire/codec.h"

namespace plimsoll {

// A batch as it lies in a log entry.
static void encode(const KvBatch::Op& op, ByteWriter& w) {
  w.u8(static_cast<uint8_t>(op.kind));
  w.blob(op.key);
  w.blob(op.value);
}

namespace mon {
namespace {

constexpr char kApplied[] = "A";

std::string entry_key(Version index) {
  std::string key = "L";
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(index >> shift));
  return key;
}

std::string encode_entry(const KvBatch& changes) {
  ByteWriter w;
  wire::enclose(w, {1, 1}, [&] {
    w.u32(static_cast<uint32_t>(changes.ops().size()));
    for (const auto& op : changes.ops()) encode(op, w);
  });
  return w.take_string();
}

Result<KvBatch> decode_entry(std::string entry) {
  ByteReader r(Bytes::take(std::move(entry)));
  KvBatch changes;
  wire::disclose(r, {1, 1}, [&](uint8_t) {
    for (uint32_t n = r.count(9); n && r.ok(); n--) {
      const auto kind = static_cast<KvBatch::Kind>(r.u8());
      std::string key = r.str();
      std::string value = r.str();
      if (kind == KvBatch::Kind::kPut)
        changes.put(std::move(key), std::move(value));
      else if (kind == KvBatch::Kind::kErase)
        changes.erase(std::move(key));
      else if (kind == KvBatch::Kind::kEraseRange)
        changes.erase_range(std::move(key), std::move(value));
      else
        r.fail("unknown kind of change");
    }
  });
  if (!r.ok()) return fail(EIO, std::string("damaged log entry: ") + r.error());
  return changes;
}

/// The changes with keys in the state space.
KvBatch in_state(KvBatch changes) {
  for (auto& op : changes.mutable_ops()) {
    op.key.insert(0, 1, 'S');
    if (op.kind == KvBatch::Kind::kEraseRange) op.value.insert(0, 1, 'S');
  }
  return changes;
}

}  // namespace

SingleLog::SingleLog(Executor executor, Kv& kv) : kv_(kv), tasks_(executor) {}

Task<Result<>> SingleLog::start() {
  CO_TRY(mark, co_await kv_.get(kApplied));
  if (mark) {
    ByteReader r(Bytes::take(std::move(*mark)));
    applied_ = r.u64();
    if (!r.ok()) co_return fail(EIO, "damaged mark of the applied entry");
  }
  committed_ = applied_;
  CO_TRY(oldest, co_await kv_.scan("L", "M", 1));
  first_kept_ = committed_ + 1;
  if (!oldest.empty() && oldest[0].first.size() == 9) {
    first_kept_ = 0;
    for (char c : oldest[0].first.substr(1))
      first_kept_ = first_kept_ << 8 | static_cast<uint8_t>(c);
  }
  CO_TRY_VOID(co_await replay());
  tasks_.spawn(write_entries());
  co_return Result<>();
}

Task<Result<>> SingleLog::replay() {
  while (true) {
    CO_TRY(entries, co_await kv_.scan(entry_key(committed_ + 1), "M", 64));
    if (entries.empty()) co_return co_await apply();
    for (auto& [key, value] : entries) {
      if (key != entry_key(committed_ + 1)) co_return fail(EIO, "the log has a hole");
      CO_TRY(changes, decode_entry(std::move(value)));
      unapplied_.append(in_state(std::move(changes)));
      committed_++;
    }
  }
}

Task<Result<Version>> SingleLog::propose(KvBatch changes) {
  if (stopping_) co_return fail(ESHUTDOWN, "the monitor is stopping");
  if (waiting_bytes_ + changes.bytes() > kMaxWaitingBytes)
    co_return fail(EAGAIN, "too many changes wait to be committed");
  auto done = std::make_shared<OneShot<Result<Version>>>();
  waiting_bytes_ += changes.bytes();
  waiting_.push_back({std::move(changes), done});
  work_.notify_one();
  co_return co_await done->wait();
}

Task<void> SingleLog::write_entries() {
  while (true) {
    while (waiting_.empty()) co_await work_.wait();
    std::deque<Waiting> group;
    group.swap(waiting_);
    waiting_bytes_ = 0;
    const Result<> written = co_await write_group(group);
    Version version = committed_ - (written ? group.size() : 0);
    for (auto& w : group) {
      if (written)
        w.done->set(++version);
      else
        w.done->set(written.error());
    }
  }
}

Task<Result<>> SingleLog::write_group(std::deque<Waiting>& group) {
  const AsyncMutex::Guard guard = co_await order_.lock();
  KvBatch batch;
  // The state catches up here, in the same batch; if it fails, nothing of it counts.
  const Version applied_before = applied_;
  const KvBatch unapplied_before = unapplied_;
  take_unapplied(batch);
  Version index = committed_;
  for (const auto& w : group) batch.put(entry_key(++index), encode_entry(w.changes));
  const Version keep_from = applied_ > kKeepEntries ? applied_ - kKeepEntries : 1;
  if (keep_from > first_kept_) batch.erase_range(entry_key(first_kept_), entry_key(keep_from));
  const Result<> written = co_await kv_.commit(std::move(batch));
  if (!written) {
    applied_ = applied_before;
    unapplied_ = unapplied_before;
    co_return written;
  }
  first_kept_ = std::max(first_kept_, keep_from);
  committed_ = index;
  for (auto& w : group) unapplied_.append(in_state(std::move(w.changes)));
  co_return Result<>();
}

void SingleLog::take_unapplied(KvBatch& batch) {
  if (applied_ == committed_) return;
  batch.append(std::exchange(unapplied_, {}));
  applied_ = committed_;
  ByteWriter w;
  w.u64(applied_);
  batch.put(kApplied, w.take_string());
}

Task<Result<>> SingleLog::apply() {
  const AsyncMutex::Guard guard = co_await order_.lock();
  if (applied_ == committed_) co_return Result<>();
  const Version applied_before = applied_;
  const KvBatch unapplied_before = unapplied_;
  KvBatch batch;
  take_unapplied(batch);
  const Result<> written = co_await kv_.commit(std::move(batch));
  if (!written) {
    applied_ = applied_before;
    unapplied_ = unapplied_before;
  }
  co_return written;
}

Task<Result<std::optional<std::string>>> SingleLog::get(std::string key) {
  CO_TRY_VOID(co_await apply());
  key.insert(0, 1, 'S');
  co_return co_await kv_.get(std::move(key));
}

Task<Result<std::vector<Kv::Pair>>> SingleLog::list(std::string prefix) {
  CO_TRY_VOID(co_await apply());
  std::string from = "S" + prefix;
  std::string end = from;
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  end.back()++;
  std::vector<Kv::Pair> all;
  while (true) {
    CO_TRY(part, co_await kv_.scan(from, end, 1024));
    if (part.empty()) co_return all;
    from = part.back().first + '\0';
    for (auto& [key, value] : part) all.emplace_back(key.substr(1), std::move(value));
  }
}

Task<void> SingleLog::stop() {
  stopping_ = true;
  co_await tasks_.stop();
  for (auto& w : waiting_) w.done->set(fail(ESHUTDOWN, "the monitor is stopping"));
  waiting_.clear();
  const Result<> written = co_await apply();
  static_cast<void>(written);  // The log has it all; the next start replays.
}

}  // namespace mon
}  // namespace plimsoll
