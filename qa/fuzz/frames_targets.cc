// SPDX-License-Identifier: LGPL-2.1-or-later
// The byte stream of a peer: what it may send before and after the handshake. Crcs are put right
// before reading, else nearly every mutation would end at the first of them.
#include "common/base/crc32c.h"
#include "common/messenger/auth_none.h"
#include "common/messenger/handshake.h"
#include "common/rt/real/real_runtime.h"
#include "common/wire/generate.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

using namespace messenger;

/// The peer's bytes, in pieces whose sizes vary; what we write is dropped.
class ScriptedStream : public Stream {
 public:
  explicit ScriptedStream(std::string bytes) : bytes_(std::move(bytes)) {}
  Task<Result<size_t>> read_some(std::span<uint8_t> into) override {
    size_t n = std::min({into.size(), bytes_.size() - at_, 1 + (at_ * 7919) % 5000});
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    co_return n;
  }
  Task<Result<>> write(std::vector<Bytes>) override { co_return Result<>(); }
  void close() override {}
  EntityAddr local() const override { return {}; }
  EntityAddr remote() const override { return {}; }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

real::RealRuntime& runtime() {
  static real::RealRuntime rt(real::RealOptions{.shards = 1, .pool_threads = 1});
  return rt;
}

uint32_t load(const std::string& s, size_t at) {
  uint32_t v;
  std::memcpy(&v, &s[at], sizeof v);
  return v;
}
void store(std::string& s, size_t at, uint32_t v) {
  std::memcpy(&s[at], &v, sizeof v);
}

/// Puts the crcs of the frame at `at` right; returns where the next begins, npos where it does not
/// fit.
size_t mend_frame(std::string& s, size_t at) {
  if (s.size() - at < kPreambleBytes) return std::string::npos;
  store(s, at + 28, crc32c(0, std::string_view(s).substr(at, 28)));
  const auto segments = static_cast<uint8_t>(s[at + 1]);
  if (segments < 1 || segments > kMaxSegments) return std::string::npos;
  size_t next = at + kPreambleBytes;
  std::array<uint32_t, kMaxSegments> crcs{};
  for (size_t i = 0; i < segments; i++) {
    const size_t length = load(s, at + 2 + 6 * i);
    if (length > s.size() - next) return std::string::npos;
    crcs[i] = crc32c(0xffffffff, std::string_view(s).substr(next, length));
    next += length;
    if (i > 0 || length == 0) continue;
    if (s.size() - next < 4) return std::string::npos;
    store(s, next, crcs[0]);
    next += 4;
  }
  if (segments == 1) return next;
  if (s.size() - next < kEpilogueBytes) return std::string::npos;
  for (size_t i = 1; i < kMaxSegments; i++) store(s, next + 1 + 4 * (i - 1), crcs[i]);
  return next + kEpilogueBytes;
}

std::string mended(Bytes input, size_t at) {
  std::string s = input.to_string();
  while (at < s.size()) at = mend_frame(s, at);
  return s;
}

Task<void> read_all(Stream& stream) {
  FrameReader reader(stream);
  auto throttle = std::make_shared<Throttle>(runtime().executor(), 1 << 20, 16);
  for (;;) {
    auto frame = co_await reader.next(throttle.get(), 1 << 20);
    if (!frame) {
      CHECK(!frame.error().text().empty());
      break;
    }
    CHECK(frame->message.bytes() <= 1 << 20);
  }
  CHECK_NOTE(throttle->used_bytes() == 0 && throttle->used_messages() == 0,
             "all that was taken from the throttle came back");
}

Task<void> shake_hands(Stream& stream) {
  FrameReader reader(stream);
  AuthNone auth(EntityType::kMon, "a", [] { return uint64_t{7}; });
  const HandshakeSelf self{{EntityType::kMon, 0}, {}, 0, 1, auth};
  auto done = co_await accept_handshake(stream, reader, self);
  if (!done) CHECK(!done.error().text().empty());
}

void append(std::string& out, FrameWriter& w) {
  for (const Bytes& b : w.take()) out += b.view();
}

}  // namespace

void run_frames(Bytes input) {
  ScriptedStream stream(mended(input, 0));
  runtime().run(read_all(stream));
}

void run_handshake(Bytes input) {
  ScriptedStream stream(mended(input, 26));
  runtime().run(shake_hands(stream));
}

std::vector<std::string> frame_seeds(Rng& rng) {
  std::vector<std::string> out;
  for (int i = 0; i < 6; i++) {
    FrameWriter w;
    add_frame(w, wire::generated<Keepalive2Frame>(rng));
    for (size_t n = 1 + rng.below(3); n; n--) {
      msg::RawMessage m;
      m.front = Bytes::take(std::string(rng.below(100), 'f'));
      m.data = Bytes::take(std::string(rng.chance(0.3) ? 5000 : rng.below(100), 'd'));
      if (rng.chance(0.1)) m.middle = Bytes::copy("middle");
      w.add(wire::generated<MessageHeader>(rng), m);
    }
    append(out.emplace_back(), w);
  }
  return out;
}

std::vector<std::string> handshake_seeds(Rng& rng) {
  ByteWriter banner;
  banner.raw(Banner::kText);
  banner.u16(Banner::kPayloadBytes);
  banner.u64(Banner::kRevision1);
  banner.u64(0);
  std::string plain = banner.take_string(), resumed = plain;
  AuthNone auth(EntityType::kClient, "admin");
  ClientIdentFrame ident = wire::generated<ClientIdentFrame>(rng);
  ident.target = {};
  ident.features = kFeatures;
  ident.required = 0;
  FrameWriter w;
  add_frame(w, HelloFrame{EntityType::kClient, {}});
  add_frame(w, AuthRequestFrame{kAuthMethodNone, {kConModeCrc}, auth.request(EntityType::kMon, 0)});
  add_frame(w, AuthSignatureFrame{});
  add_frame(w, ident);
  append(plain, w);
  add_frame(w, HelloFrame{EntityType::kClient, {}});
  add_frame(w, AuthRequestFrame{kAuthMethodCephx, {2, 1}, Bytes::copy("x")});
  add_frame(w, AuthRequestFrame{kAuthMethodNone, {kConModeCrc}, auth.request(EntityType::kMon, 5)});
  add_frame(w, AuthSignatureFrame{});
  w.add(Tag::kSessionReconnect, "whatever");
  add_frame(w, ident);
  append(resumed, w);
  return {plain, resumed};
}

}  // namespace plimsoll::fuzz
