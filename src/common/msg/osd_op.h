// SPDX-License-Identifier: LGPL-2.1-or-later
// OsdOp: one operation of a MOsdOp, with its 28 bytes of arguments and its payloads. What the bytes
// mean depends on the code; the structs below are the meanings, read by `op.as<Extent>()` and
// written by `op.set(Extent{...})`. A request carries indata, a reply outdata and rval.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::msg {

/// Bits of an operation's code.
inline constexpr uint16_t kOpModeRead = 0x1000;
inline constexpr uint16_t kOpModeWrite = 0x2000;

enum class OpCode : uint16_t {
#define OSD_OP(name, code, text) name = code,
#include "common/msg/osd_ops.inc"
#undef OSD_OP
};
/// "writefull", as in op dumps; "op 0x1234" for unknown ones.
std::string op_name(OpCode code);

/// OsdOp::flags.
enum OpFlag : uint32_t {
  kOpExclusive = 1,
  kOpFailOk = 2,
  kOpRandom = 4,
  kOpSequential = 8,
  kOpWillNeed = 0x10,
  kOpDontNeed = 0x20,
  kOpNoCache = 0x40,
};

// ---- arguments
// ------------------------------------------------------------------------------------

struct Extent {
  uint64_t offset = 0, length = 0, truncate_size = 0;
  uint32_t truncate_seq = 0;
  template <class F>
  void fields(F& f) {
    f("offset", offset);
    f("length", length);
    f("truncate_size", truncate_size);
    f("truncate_seq", truncate_seq);
  }
};

struct XattrArgs {
  enum Cmp : uint8_t { kEq = 1, kNe = 2, kGt = 3, kGte = 4, kLt = 5, kLte = 6 };
  enum Mode : uint8_t { kString = 1, kU64 = 2 };
  uint32_t name_len = 0, value_len = 0;
  uint8_t cmp_op = 0, cmp_mode = 0;
  template <class F>
  void fields(F& f) {
    f("name_len", name_len);
    f("value_len", value_len);
    f("cmp_op", cmp_op);
    f("cmp_mode", cmp_mode);
  }
};

struct ClsArgs {
  uint8_t class_len = 0, method_len = 0, argc = 0;
  uint32_t indata_len = 0;
  template <class F>
  void fields(F& f) {
    f("class_len", class_len);
    f("method_len", method_len);
    f("argc", argc);
    f("indata_len", indata_len);
  }
};

struct PgLsArgs {
  uint64_t count = 0;
  Epoch start_epoch = 0;
  template <class F>
  void fields(F& f) {
    f("count", count);
    f("start_epoch", start_epoch);
  }
};

struct SnapArgs {
  uint64_t snapid = 0;
  template <class F>
  void fields(F& f) {
    f("snapid", snapid);
  }
};

struct WatchArgs {
  enum Op : uint8_t { kUnwatch = 0, kLegacyWatch = 1, kWatch = 3, kReconnect = 5, kPing = 7 };
  uint64_t cookie = 0, ver = 0;
  uint8_t op = 0;
  uint32_t gen = 0, timeout = 0;
  template <class F>
  void fields(F& f) {
    f("cookie", cookie);
    f("ver", ver);
    f("op", op);
    f("gen", gen);
    f("timeout", timeout);
  }
};

struct NotifyArgs {
  uint64_t cookie = 0;
  template <class F>
  void fields(F& f) {
    f("cookie", cookie);
  }
};

struct AssertVerArgs {
  uint64_t unused = 0, ver = 0;
  template <class F>
  void fields(F& f) {
    f("unused", unused);
    f("ver", ver);
  }
};

struct AllocHintArgs {
  uint64_t object_size = 0, write_size = 0;
  uint32_t flags = 0;
  template <class F>
  void fields(F& f) {
    f("expected_object_size", object_size);
    f("expected_write_size", write_size);
    f("flags", flags);
  }
};

struct WriteSameArgs {
  uint64_t offset = 0, length = 0, data_length = 0;
  template <class F>
  void fields(F& f) {
    f("offset", offset);
    f("length", length);
    f("data_length", data_length);
  }
};

struct ChecksumArgs {
  uint64_t offset = 0, length = 0;
  uint32_t chunk_size = 0;
  uint8_t type = 0;
  template <class F>
  void fields(F& f) {
    f("offset", offset);
    f("length", length);
    f("chunk_size", chunk_size);
    f("type", type);
  }
};

struct CopyFromArgs {
  uint64_t snapid = 0, src_version = 0;
  uint8_t flags = 0;
  uint32_t src_fadvise_flags = 0;
  template <class F>
  void fields(F& f) {
    f("snapid", snapid);
    f("src_version", src_version);
    f("flags", flags);
    f("src_fadvise_flags", src_fadvise_flags);
  }
};

// ---- the operation
// --------------------------------------------------------------------------------

struct OsdOp {
  OpCode code{};
  uint32_t flags = 0;
  std::array<uint8_t, 28> args{};
  Bytes indata;
  Bytes outdata;
  int32_t rval = 0;
  /// The payload's length on the wire, between decoding the front and split_payloads(); else 0.
  uint32_t payload_len = 0;

  OsdOp() = default;
  explicit OsdOp(OpCode c, Bytes in = {}) : code(c), indata(std::move(in)) {}
  template <class A>
  OsdOp(OpCode c, const A& a, Bytes in = {}) : code(c), indata(std::move(in)) {
    set(a);
  }

  template <class A>
  A as() const {
    A a;
    Unpack u{args.data()};
    a.fields(u);
    return a;
  }
  template <class A>
  void set(A a) {
    args = {};
    Pack p{args.data()};
    a.fields(p);
  }

  bool is_read() const { return static_cast<uint16_t>(code) & kOpModeRead; }
  bool is_write() const { return static_cast<uint16_t>(code) & kOpModeWrite; }
  bool operator==(const OsdOp&) const = default;

 private:
  struct Unpack {
    const uint8_t* at;
    template <class T>
    void operator()(const char*, T& v) {
      std::memcpy(&v, at, sizeof v);
      at += sizeof v;
    }
  };
  struct Pack {
    uint8_t* at;
    template <class T>
    void operator()(const char*, const T& v) {
      std::memcpy(at, &v, sizeof v);
      at += sizeof v;
    }
  };
};

/// A message's operations: 38 bytes each in the front segment, payloads one after the other in the
/// data segment. A request counts them in 16 bits; a reply in 32, and its results follow later.
struct RequestOps {
  std::vector<OsdOp>& ops;
};
struct ReplyOps {
  std::vector<OsdOp>& ops;
};
struct ReplyResults {
  std::vector<OsdOp>& ops;
};
void encode(const RequestOps& v, ByteWriter& w);
void decode(RequestOps& v, ByteReader& r);
void encode(const ReplyOps& v, ByteWriter& w);
void decode(ReplyOps& v, ByteReader& r);
void encode(const ReplyResults& v, ByteWriter& w);
void decode(ReplyResults& v, ByteReader& r);

/// The payloads in one piece; no copy where at most one is not empty.
Bytes join_payloads(const std::vector<OsdOp>& ops, Bytes OsdOp::* payload);
/// Cuts `data` into payloads; EINVAL where the lengths and the data do not fit.
Result<> split_payloads(std::vector<OsdOp>& ops, Bytes OsdOp::* payload, const Bytes& data);

}  // namespace plimsoll::msg
