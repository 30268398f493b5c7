// SPDX-License-Identifier: LGPL-2.1-or-later
// Payloads of the frames before the first message, and of keepalives (wire.md 2.4, 2.7).
#pragma once

#include <array>
#include <vector>

#include "common/messenger/frame.h"

namespace plimsoll::messenger {

/// What we advertise: a client's own set. With less it would choose older encodings.
inline constexpr uint64_t kFeatures = 0x3f01cfbdfffdffff;
/// What a peer must have, as monitors and OSDs of Ceph 16 ask it.
inline constexpr uint64_t kFeaturesRequired = 0x0c01020042040000;

/// Both sides open with it; revision 1 frames are the only ones we speak.
struct Banner {
  static constexpr std::string_view kText = "ceph v2\n";
  static constexpr uint64_t kRevision1 = 1;
  static constexpr uint16_t kPayloadBytes = 16;
};

struct HelloFrame {
  static constexpr Tag kTag = Tag::kHello;
  EntityType type{};
  EntityAddr peer;  ///< as the sender sees the receiver
  template <class F>
  void fields(F& f) {
    f("entity_type", type);
    f("peer_addr", peer);
  }
  bool operator==(const HelloFrame&) const = default;
};

struct AuthRequestFrame {
  static constexpr Tag kTag = Tag::kAuthRequest;
  uint32_t method = 0;
  std::vector<uint32_t> modes;
  Bytes payload;
  template <class F>
  void fields(F& f) {
    f("method", method);
    f("preferred_modes", modes);
    f("auth_payload", payload);
  }
  bool operator==(const AuthRequestFrame&) const = default;
};

struct AuthBadMethodFrame {
  static constexpr Tag kTag = Tag::kAuthBadMethod;
  uint32_t method = 0;
  int32_t result = 0;
  std::vector<uint32_t> methods;
  std::vector<uint32_t> modes;
  template <class F>
  void fields(F& f) {
    f("method", method);
    f("result", result);
    f("allowed_methods", methods);
    f("allowed_modes", modes);
  }
  bool operator==(const AuthBadMethodFrame&) const = default;
};

struct AuthDoneFrame {
  static constexpr Tag kTag = Tag::kAuthDone;
  uint64_t global_id = 0;
  uint32_t mode = 0;
  Bytes payload;
  template <class F>
  void fields(F& f) {
    f("global_id", global_id);
    f("con_mode", mode);
    f("auth_payload", payload);
  }
  bool operator==(const AuthDoneFrame&) const = default;
};

struct AuthSignatureFrame {
  static constexpr Tag kTag = Tag::kAuthSignature;
  std::array<uint8_t, 32> signature{};  ///< zero without a session key
  template <class F>
  void fields(F& f) {
    f("signature", signature);
  }
  bool operator==(const AuthSignatureFrame&) const = default;
};

/// Flags of both idents.
inline constexpr uint64_t kIdentLossy = 1;

struct ClientIdentFrame {
  static constexpr Tag kTag = Tag::kClientIdent;
  EntityAddrVec addrs;
  EntityAddr target;
  int64_t gid = 0;
  uint64_t global_seq = 0;
  uint64_t features = 0;
  uint64_t required = 0;
  uint64_t flags = 0;
  uint64_t cookie = 0;
  template <class F>
  void fields(F& f) {
    f("addrs", addrs);
    f("target_addr", target);
    f("gid", gid);
    f("global_seq", global_seq);
    f("features_supported", features);
    f("features_required", required);
    f("flags", flags);
    f("cookie", cookie);
  }
  bool operator==(const ClientIdentFrame&) const = default;
};

struct ServerIdentFrame {
  static constexpr Tag kTag = Tag::kServerIdent;
  EntityAddrVec addrs;
  int64_t gid = 0;
  uint64_t global_seq = 0;
  uint64_t features = 0;
  uint64_t required = 0;
  uint64_t flags = 0;
  uint64_t cookie = 0;
  template <class F>
  void fields(F& f) {
    f("addrs", addrs);
    f("gid", gid);
    f("global_seq", global_seq);
    f("features_supported", features);
    f("features_required", required);
    f("flags", flags);
    f("cookie", cookie);
  }
  bool operator==(const ServerIdentFrame&) const = default;
};

struct IdentMissingFeaturesFrame {
  static constexpr Tag kTag = Tag::kIdentMissingFeatures;
  uint64_t missing = 0;
  template <class F>
  void fields(F& f) {
    f("missing", missing);
  }
  bool operator==(const IdentMissingFeaturesFrame&) const = default;
};

struct SessionResetFrame {
  static constexpr Tag kTag = Tag::kSessionReset;
  bool full = true;
  template <class F>
  void fields(F& f) {
    f("full", full);
  }
  bool operator==(const SessionResetFrame&) const = default;
};

struct Keepalive2Frame {
  static constexpr Tag kTag = Tag::kKeepalive2;
  Utime stamp;
  template <class F>
  void fields(F& f) {
    f("timestamp", stamp);
  }
  bool operator==(const Keepalive2Frame&) const = default;
};

struct Keepalive2AckFrame {
  static constexpr Tag kTag = Tag::kKeepalive2Ack;
  Utime stamp;
  template <class F>
  void fields(F& f) {
    f("timestamp", stamp);
  }
  bool operator==(const Keepalive2AckFrame&) const = default;
};

template <class Frame>
void add_frame(FrameWriter& w, const Frame& frame) {
  w.add(Frame::kTag, wire::to_bytes(frame).view());
}

}  // namespace plimsoll::messenger
