// SPDX-License-Identifier: LGPL-2.1-or-later
// RawMessage: what a messenger carries, a header and undecoded segments. A typed message is a plain
// struct with kType, kVersion, kCompat (as in wire.md: the header's version and compat), fields()
// for the front segment, and, where it has payload, a member `Bytes data` for the data segment (or
// join_data() and split_data(), where it is made of parts). Every type has a row in messages.inc.
//
//   RawMessage m = to_raw(reply);            auto op = parse<MOsdOp>(m);   // Result, EINVAL names
//   it
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::msg {

struct RawMessage {
  uint16_t type = 0;
  uint16_t version = 1;
  uint16_t compat = 1;
  uint16_t priority = 127;
  uint64_t tid = 0;  ///< replies carry the request's
  uint64_t seq = 0;  ///< set by the messenger
  Bytes front;
  Bytes middle;
  Bytes data;
  /// Held by a received message: gives its bytes back to the receive throttle when the last copy
  /// goes.
  std::shared_ptr<void> throttle;

  size_t bytes() const { return front.size() + middle.size() + data.size(); }
};

/// "osd_op" for 42; "type 4242" for an unknown one.
std::string message_name(uint16_t type);

/// The rows of messages.inc.
struct MessageRow {
  uint16_t id;
  const char* type;
  const char* from;
  const char* to;
  const char* help;
};
std::vector<MessageRow> message_table();

template <class M>
concept HasData = requires(M& m) {
  { m.data } -> std::same_as<Bytes&>;
};

/// A message whose data segment is made of parts.
template <class M>
concept HasParts = requires(M& m, const Bytes& data) {
  { m.join_data() } -> std::same_as<Bytes>;
  { m.split_data(data) } -> std::same_as<Result<>>;
};

template <class M>
RawMessage to_raw(const M& m, uint64_t tid = 0) {
  RawMessage raw;
  raw.type = M::kType;
  raw.version = M::kVersion;
  raw.compat = M::kCompat;
  raw.tid = tid;
  if constexpr (requires { M::kPriority; }) raw.priority = M::kPriority;
  ByteWriter w;
  wire::Encoder e(w, static_cast<uint8_t>(M::kVersion));
  const_cast<M&>(m).fields(e);
  raw.front = w.take();
  if constexpr (HasData<M>) raw.data = m.data;
  if constexpr (HasParts<M>) raw.data = m.join_data();
  return raw;
}

template <class M>
Result<M> parse(const RawMessage& raw) {
  if (raw.type != M::kType) return fail(EINVAL, "not a " + message_name(M::kType));
  if (raw.compat > M::kVersion) return fail(EINVAL, message_name(raw.type) + " is too new");
  if constexpr (requires { M::kMinVersion; })
    if (raw.version < M::kMinVersion)
      return fail(EINVAL, message_name(raw.type) + " version " + std::to_string(raw.version) +
                              " is too old");
  ByteReader r(raw.front);
  wire::Decoder d(r, static_cast<uint8_t>(raw.version));
  M m{};
  m.fields(d);
  if (!r.ok()) return fail(EINVAL, "malformed " + message_name(raw.type) + ": " + r.error());
  if constexpr (HasData<M>) m.data = raw.data;
  if constexpr (HasParts<M>) {
    if (auto split = m.split_data(raw.data); !split)
      return fail(EINVAL, "malformed " + message_name(raw.type) + ": " + split.error().text());
  }
  return m;
}

}  // namespace plimsoll::msg
