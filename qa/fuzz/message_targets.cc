// SPDX-License-Identifier: LGPL-2.1-or-later
// Every message of messages.inc. An input is { u16 row, u16 version, u32 front length, front, data
// }.
#include "common/msg/generate.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

using namespace msg;

template <class M>
void run_one(RawMessage& raw) {
  raw.type = M::kType;
  raw.compat = M::kCompat;
  auto parsed = parse<M>(raw);
  if (!parsed) return CHECK(parsed.error().code() == EINVAL);
  const RawMessage first = to_raw(*parsed);
  auto again = parse<M>(first);
  CHECK_NOTE(again, "what we encode can be parsed");
  const RawMessage second = to_raw(*again);
  CHECK(second.front == first.front && second.data == first.data);
}

template <class M>
std::string seed_of(uint16_t row, Rng& rng) {
  const RawMessage raw = to_raw(wire::generated<M>(rng));
  ByteWriter w;
  w.u16(row);
  w.u16(M::kVersion);
  w.blob(raw.front.view());
  w.raw(raw.data.view());
  return w.take_string();
}

constexpr void (*kParsers[])(RawMessage&) = {
#define MSG(id, Type, from, to, help) &run_one<Type>,
#include "common/msg/messages.inc"
#undef MSG
};
constexpr std::string (*kSeeds[])(uint16_t, Rng&) = {
#define MSG(id, Type, from, to, help) &seed_of<Type>,
#include "common/msg/messages.inc"
#undef MSG
};

}  // namespace

void run_messages(Bytes input) {
  ByteReader r(input);
  const size_t row = r.u16() % std::size(kParsers);
  RawMessage raw;
  raw.version = r.u16();
  raw.front = r.raw(std::min<size_t>(r.u32(), r.remaining()));
  raw.data = r.raw(r.remaining());
  kParsers[row](raw);
}

std::vector<std::string> message_seeds(Rng& rng) {
  std::vector<std::string> out;
  for (size_t row = 0; row < std::size(kSeeds); row++)
    for (int i = 0; i < 3; i++) out.push_back(kSeeds[row](static_cast<uint16_t>(row), rng));
  return out;
}

}  // namespace plimsoll::fuzz
