// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/handshake.h"

#include <fmt/core.h>

#include <algorithm>

namespace plimsoll::messenger {

namespace {

constexpr int kMaxAuthAttempts = 8;

/// Both directions of a stream during the handshake.
struct Channel {
  Stream& stream;
  FrameReader& reader;

  Task<Result<>> flush(FrameWriter& out) {
    std::vector<Bytes> pieces = out.take();
    co_return co_await stream.write(std::move(pieces));
  }
  template <class F>
  Task<Result<>> write(const F& frame) {
    FrameWriter out;
    add_frame(out, frame);
    co_return co_await flush(out);
  }
  Task<Result<Frame>> read() { co_return co_await reader.next(nullptr, kMaxControlBytes); }
  template <class F>
  Task<Result<F>> expect() {
    CO_TRY(frame, co_await read());
    if (frame.tag != F::kTag)
      co_return fail(EPROTO, "expected " + tag_name(F::kTag) + ", got " + tag_name(frame.tag));
    const std::string name = tag_name(F::kTag);
    co_return wire::from_bytes<F>(frame.payload, name.c_str());
  }
};

Task<Result<>> exchange_banners(Channel& c) {
  ByteWriter w;
  w.raw(Banner::kText);
  w.u16(Banner::kPayloadBytes);
  w.u64(Banner::kRevision1);
  w.u64(0);
  std::vector<Bytes> ours{w.take()};
  CO_TRY_VOID(co_await c.stream.write(std::move(ours)));

  const size_t head = Banner::kText.size() + 2;
  CO_TRY(text, co_await c.reader.raw(head));
  if (!std::equal(Banner::kText.begin(), Banner::kText.end(), text.begin()))
    co_return fail(EPROTO, "the peer does not speak msgr2");
  const size_t length = text[head - 2] | text[head - 1] << 8;
  if (length < Banner::kPayloadBytes || length > 4096)
    co_return fail(EPROTO, fmt::format("banner payload of {} bytes", length));
  CO_TRY(payload, co_await c.reader.raw(length));
  uint64_t supported = 0, required = 0;
  std::memcpy(&supported, &payload[0], 8);
  std::memcpy(&required, &payload[8], 8);
  if (!(supported & Banner::kRevision1)) co_return fail(EPROTO, "the peer does not speak msgr2.1");
  if (required & ~Banner::kRevision1)
    co_return fail(EPROTO, fmt::format("the peer requires msgr2 features {:#x}", required));
  co_return Result<>();
}

/// What we are in the idents: the address we listen on, or one that nobody can dial.
EntityAddr own_addr(const HandshakeSelf& self, const EntityAddr& seen_by_peer) {
  if (!self.addr.is_blank()) return self.addr;
  EntityAddr a = seen_by_peer;
  a.type = EntityAddr::kAny;
  a.port = 0;
  a.nonce = self.nonce;
  return a;
}

Result<> check_features(uint64_t supported) {
  if (const uint64_t missing = kFeaturesRequired & ~supported)
    return fail(EPROTO, fmt::format("the peer lacks features {:#x}", missing));
  return {};
}

// ---- server
// ---------------------------------------------------------------------------------------

/// Judges requests until one is accepted.
Task<Result<AuthResult>> accept_auth(Channel& c, Auth& auth) {
  for (int attempt = 0; attempt < kMaxAuthAttempts; attempt++) {
    CO_TRY(request, co_await c.expect<AuthRequestFrame>());
    Result<AuthResult> result = auth.accept(request.method, request.payload);
    const auto& modes = request.modes;
    if (result && std::find(modes.begin(), modes.end(), kConModeCrc) == modes.end())
      result = fail(EOPNOTSUPP, "the peer does not offer crc mode");
    if (result) {
      FrameWriter out;
      add_frame(out, AuthDoneFrame{result->global_id, kConModeCrc, {}});
      add_frame(out, AuthSignatureFrame{});
      CO_TRY_VOID(co_await c.flush(out));
      co_return result;
    }
    const AuthBadMethodFrame refusal{
        request.method, result.error().wire(), auth.methods(), {kConModeCrc}};
    CO_TRY_VOID(co_await c.write(refusal));
  }
  co_return fail(EACCES, "too many refused auth requests");
}

/// CLIENT_IDENT, also when the client first tries to resume a session that we never keep.
Task<Result<ClientIdentFrame>> read_client_ident(Channel& c) {
  CO_TRY(frame, co_await c.read());
  if (frame.tag == Tag::kSessionReconnect) {
    const SessionResetFrame reset;
    CO_TRY_VOID(co_await c.write(reset));
    co_return co_await c.expect<ClientIdentFrame>();
  }
  if (frame.tag != Tag::kClientIdent)
    co_return fail(EPROTO, "expected client_ident, got " + tag_name(frame.tag));
  co_return wire::from_bytes<ClientIdentFrame>(frame.payload, "client_ident");
}

Result<> check_ident(const ClientIdentFrame& ident, const EntityAddr& own) {
  if (ident.target.port != own.port || ident.target.nonce != own.nonce)
    return fail(EADDRNOTAVAIL,
                "the peer looks for " + ident.target.to_string() + ", this is " + own.to_string());
  if (const uint64_t missing = ident.required & ~kFeatures)
    return fail(EPROTO, fmt::format("the peer requires features {:#x}", missing));
  return check_features(ident.features);
}

EntityAddr addr_of(const EntityAddrVec& addrs, const EntityAddr& socket) {
  EntityAddr a = addrs.msgr2();
  if (a.is_blank() && !addrs.empty()) a = addrs.addrs.front();
  if (a.is_blank()) {
    // It did not learn its ip yet: what we see is true.
    const uint32_t nonce = a.nonce;
    a = socket;
    a.type = EntityAddr::kAny;
    a.port = 0;
    a.nonce = nonce;
  }
  return a;
}

// ---- client
// ---------------------------------------------------------------------------------------

bool contains(const std::vector<uint32_t>& v, uint32_t x) {
  return std::find(v.begin(), v.end(), x) != v.end();
}

/// Offers our methods, best first, until one is taken.
Task<Result<uint64_t>> request_auth(Channel& c, const HandshakeSelf& self, EntityType peer_type) {
  const bool client = self.name.type == EntityType::kClient;
  const uint64_t global_id = client && self.name.num > 0 ? static_cast<uint64_t>(self.name.num) : 0;
  std::vector<uint32_t> allowed = self.auth.methods();
  for (const uint32_t method : self.auth.methods()) {
    if (!contains(allowed, method)) continue;
    const AuthRequestFrame request{method, {kConModeCrc}, self.auth.request(peer_type, global_id)};
    CO_TRY_VOID(co_await c.write(request));
    CO_TRY(frame, co_await c.read());
    if (frame.tag == Tag::kAuthDone) {
      CO_TRY(done, wire::from_bytes<AuthDoneFrame>(frame.payload, "auth_done"));
      if (done.mode != kConModeCrc)
        co_return fail(EPROTO, fmt::format("connection mode {} was not offered", done.mode));
      co_return done.global_id;
    }
    if (frame.tag != Tag::kAuthBadMethod)
      co_return fail(EPROTO, "expected auth_done, got " + tag_name(frame.tag));
    CO_TRY(bad, wire::from_bytes<AuthBadMethodFrame>(frame.payload, "auth_bad_method"));
    allowed = bad.methods;
  }
  co_return fail(EACCES, "the peer accepts none of our auth methods");
}

Task<Result<ServerIdentFrame>> read_server_ident(Channel& c) {
  CO_TRY(frame, co_await c.read());
  if (frame.tag == Tag::kIdentMissingFeatures) {
    CO_TRY(missing, wire::from_bytes<IdentMissingFeaturesFrame>(frame.payload, "missing features"));
    co_return fail(EPROTO, fmt::format("the peer requires features {:#x}", missing.missing));
  }
  if (frame.tag != Tag::kServerIdent)
    co_return fail(EPROTO, "expected server_ident, got " + tag_name(frame.tag));
  co_return wire::from_bytes<ServerIdentFrame>(frame.payload, "server_ident");
}

Result<> check_ident(const ServerIdentFrame& ident, const EntityAddr& to) {
  const auto& addrs = ident.addrs.addrs;
  if (std::find(addrs.begin(), addrs.end(), to) == addrs.end())
    return fail(EADDRNOTAVAIL, "the peer identifies as " + ident.addrs.to_string() +
                                   ", which does not include " + to.to_string());
  if (const uint64_t missing = ident.required & ~kFeatures)
    return fail(EPROTO, fmt::format("the peer requires features {:#x}", missing));
  return {};
}

}  // namespace

Task<Result<Established>> accept_handshake(Stream& stream, FrameReader& reader,
                                           const HandshakeSelf& self) {
  Channel c{stream, reader};
  CO_TRY_VOID(co_await exchange_banners(c));
  const HelloFrame hello{self.name.type, stream.remote()};
  CO_TRY_VOID(co_await c.write(hello));
  CO_TRY(peer_hello, co_await c.expect<HelloFrame>());
  CO_TRY(auth, co_await accept_auth(c, self.auth));
  if (auth.type != peer_hello.type)
    co_return fail(EACCES, "the peer's hello and its auth request name different types");
  CO_TRY_VOID(co_await c.expect<AuthSignatureFrame>());

  CO_TRY(ident, co_await read_client_ident(c));
  if (auto checked = check_ident(ident, self.addr); !checked) {
    if (const uint64_t missing = kFeaturesRequired & ~ident.features) {
      const IdentMissingFeaturesFrame refusal{missing};
      CO_TRY_VOID(co_await c.write(refusal));
    }
    co_return checked.error();
  }
  ServerIdentFrame reply;
  reply.addrs = EntityAddrVec(self.addr);
  reply.gid = self.name.num;
  reply.global_seq = self.global_seq;
  reply.features = kFeatures;
  reply.required = kFeaturesRequired;
  reply.flags = kIdentLossy;
  CO_TRY_VOID(co_await c.write(reply));

  Established out;
  out.peer = {auth.type,
              auth.type == EntityType::kClient ? static_cast<int64_t>(auth.global_id) : ident.gid};
  out.peer_addr = addr_of(ident.addrs, stream.remote());
  out.auth = std::move(auth);
  out.features = ident.features & kFeatures;
  co_return out;
}

Task<Result<Established>> connect_handshake(Stream& stream, FrameReader& reader,
                                            const HandshakeSelf& self, EntityType peer_type,
                                            const EntityAddr& to) {
  Channel c{stream, reader};
  CO_TRY_VOID(co_await exchange_banners(c));
  const HelloFrame hello{self.name.type, stream.remote()};
  CO_TRY_VOID(co_await c.write(hello));
  CO_TRY(peer_hello, co_await c.expect<HelloFrame>());
  if (peer_hello.type != peer_type)
    co_return fail(EPROTO,
                   fmt::format("the peer is a {}, not a {}", entity_type_name(peer_hello.type),
                               entity_type_name(peer_type)));
  CO_TRY(global_id, co_await request_auth(c, self, peer_type));

  ClientIdentFrame ident;
  ident.addrs = EntityAddrVec(own_addr(self, peer_hello.peer));
  ident.target = to;
  ident.gid = self.name.num;
  ident.global_seq = self.global_seq;
  ident.features = kFeatures;
  ident.required = kFeaturesRequired & kFeatures;
  ident.flags = kIdentLossy;
  FrameWriter out;
  add_frame(out, AuthSignatureFrame{});
  add_frame(out, ident);
  CO_TRY_VOID(co_await c.flush(out));
  CO_TRY_VOID(co_await c.expect<AuthSignatureFrame>());
  CO_TRY(reply, co_await read_server_ident(c));
  CO_TRY_VOID(check_ident(reply, to));

  Established done;
  done.peer = {peer_type, reply.gid};
  done.peer_addr = to;
  done.auth.type = self.name.type;
  done.auth.global_id = global_id;
  done.features = reply.features & kFeatures;
  co_return done;
}

}  // namespace plimsoll::messenger
