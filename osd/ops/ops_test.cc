// SPDX-License-Identifier: LGPL-2.1-or-later
// Every operation against the in-memory store: results, errnos and limits as Ceph's, all or
// nothing.
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "common/base/crc32c.h"
#include "common/rt/task.h"
#include "osd/ops/checksum.h"
#include "osd/ops/ops.h"
#include "osd/store/mem_store.h"

namespace plimsoll::osd {
namespace {

using msg::OpCode;
using msg::OsdOp;
using ByteExtent = msg::Extent;

Bytes bytes(std::string_view s) {
  return Bytes::copy(s);
}

OsdOp data_op(OpCode code, uint64_t offset, std::string_view data) {
  return OsdOp(code, ByteExtent{offset, data.size()}, bytes(data));
}
OsdOp range_op(OpCode code, uint64_t offset, uint64_t length) {
  return OsdOp(code, ByteExtent{offset, length});
}
OsdOp xattr_op(OpCode code, std::string_view name, std::string_view value = {}, uint8_t cmp = 0,
               uint8_t mode = 0) {
  msg::XattrArgs a;
  a.name_len = static_cast<uint32_t>(name.size());
  a.value_len = static_cast<uint32_t>(value.size());
  a.cmp_op = cmp;
  a.cmp_mode = mode;
  return OsdOp(code, a, bytes(std::string(name) + std::string(value)));
}
template <class T>
OsdOp input_op(OpCode code, const T& v) {
  return OsdOp(code, wire::to_bytes(v));
}
OsdOp page_op(OpCode code, const std::string& after, uint64_t max, const std::string& prefix = {}) {
  ByteWriter w;
  w.blob(after);
  w.u64(max);
  if (code == OpCode::kOmapGetVals) w.blob(prefix);
  return OsdOp(code, w.take());
}

class Ops : public ::testing::Test {
 protected:
  void SetUp() override {
    Transaction txn;
    txn.create_collection(pg);
    commit(std::move(txn));
    object.oid = "o";
    object.pool = pg.pool;
    object.snap = kSnapHead;
  }

  template <class T>
  T wait(Task<T> task) {
    std::optional<T> out;
    auto run = [](Task<T> t, std::optional<T>& into) -> Task<void> {
      into.emplace(co_await std::move(t));
    };
    spawn_detached(io.get_executor(), run(std::move(task), out));
    io.restart();
    io.run();
    return std::move(*out);
  }
  void commit(Transaction txn) { ASSERT_TRUE(wait(store.commit(std::move(txn)))); }

  /// Runs the vector; on success a write takes effect, as a PG would make it.
  int32_t run(std::vector<OsdOp> vector) {
    ops = std::move(vector);
    OpContext c{store, limits, pg, 8, object, ops, {7, 0}, state, state, {}, false};
    const int32_t r = wait(run_ops(c));
    if (r >= 0 && c.modified) {
      commit(std::move(c.txn));
      state = c.now;
    }
    return r;
  }
  std::string content() {
    EXPECT_EQ(run({range_op(OpCode::kRead, 0, 0)}), 0);
    return ops[0].outdata.to_string();
  }
  bool exists() { return wait(store.stat(pg, object)).has_value(); }

  boost::asio::io_context io;
  MemStore store;
  OpLimits limits;
  PgId pg{1, 0};
  HObject object;
  ObjectState state;
  std::vector<OsdOp> ops;
};

TEST_F(Ops, ReadsOfNothingAreENOENT) {
  for (OpCode code :
       {OpCode::kRead, OpCode::kStat, OpCode::kSparseRead, OpCode::kGetXattrs,
        OpCode::kOmapGetHeader, OpCode::kListWatchers, OpCode::kListSnaps, OpCode::kIsDirty})
    EXPECT_EQ(run({OsdOp(code)}), -ENOENT) << msg::op_name(code);
  EXPECT_EQ(run({xattr_op(OpCode::kGetXattr, "a")}), -ENOENT);
  EXPECT_EQ(run({page_op(OpCode::kOmapGetKeys, "", 10)}), -ENOENT);
  EXPECT_EQ(run({input_op(OpCode::kOmapGetValsByKeys, std::set<std::string>{"a"})}), -ENOENT);
  for (OpCode code : {OpCode::kDelete, OpCode::kOmapClear}) EXPECT_EQ(run({OsdOp(code)}), -ENOENT);
  EXPECT_EQ(run({xattr_op(OpCode::kRmXattr, "a")}), -ENOENT);
  EXPECT_EQ(run({input_op(OpCode::kOmapRmKeys, std::set<std::string>{"a"})}), -ENOENT);
}

TEST_F(Ops, UnknownAndUnsupportedCodes) {
  for (OpCode code :
       {OpCode::kCall, OpCode::kWatch, OpCode::kNotify, OpCode::kRollback, OpCode::kCopyFrom,
        OpCode::kCopyGet, static_cast<OpCode>(0x1fff), static_cast<OpCode>(0x2fff)})
    EXPECT_EQ(run({OsdOp(code)}), -EOPNOTSUPP) << msg::op_name(code);
}

TEST_F(Ops, Data) {
  EXPECT_EQ(run({data_op(OpCode::kWrite, 3, "abc")}), 0);
  EXPECT_EQ(content(), std::string("\0\0\0abc", 6));
  EXPECT_EQ(run({data_op(OpCode::kAppend, 0, "de")}), 0);
  EXPECT_EQ(run({data_op(OpCode::kWrite, 0, "xyz")}), 0);
  EXPECT_EQ(content(), "xyzabcde");
  EXPECT_EQ(run({range_op(OpCode::kTruncate, 4, 0)}), 0);
  EXPECT_EQ(content(), "xyza");
  EXPECT_EQ(run({range_op(OpCode::kTruncate, 6, 0)}), 0);
  EXPECT_EQ(content(), std::string("xyza\0\0", 6)) << "longer: zeros";
  EXPECT_EQ(run({range_op(OpCode::kZero, 1, 2)}), 0);
  EXPECT_EQ(content(), std::string("x\0\0a\0\0", 6)) << "inside: the size stays";
  EXPECT_EQ(run({range_op(OpCode::kZero, 1, 100)}), 0);
  EXPECT_EQ(content(), "x") << "to the end: cut";
  EXPECT_EQ(run({range_op(OpCode::kZero, 7, 100)}), 0);
  EXPECT_EQ(content(), "x") << "behind the end: nothing";
  EXPECT_EQ(run({data_op(OpCode::kWrite, 3, "")}), 0);
  EXPECT_EQ(content(), std::string("x\0\0", 3)) << "writing nothing behind the end extends";
  EXPECT_EQ(run({data_op(OpCode::kWriteFull, 0, "hi")}), 0);
  EXPECT_EQ(content(), "hi");
  EXPECT_EQ(run({range_op(OpCode::kRead, 1, 100)}), 0);
  EXPECT_EQ(ops[0].outdata.view(), "i");
  EXPECT_EQ(ops[0].as<ByteExtent>().length, 1u);
  EXPECT_EQ(run({range_op(OpCode::kRead, 2, 1)}), 0);
  EXPECT_TRUE(ops[0].outdata.empty());
  EXPECT_EQ(run({OsdOp(OpCode::kDelete)}), 0);
  EXPECT_FALSE(exists());
  EXPECT_EQ(run({range_op(OpCode::kTruncate, 4, 0)}), 0) << "of nothing is nothing";
  EXPECT_EQ(run({range_op(OpCode::kZero, 0, 4)}), 0);
  EXPECT_FALSE(exists());
  EXPECT_EQ(run({data_op(OpCode::kWrite, 0, "")}), 0) << "of no bytes creates";
  EXPECT_TRUE(exists());
}

TEST_F(Ops, StatAndSparseRead) {
  state.info.mtime = {5, 6};
  ASSERT_EQ(run({data_op(OpCode::kWrite, 1 << 20, "tail")}), 0);
  ASSERT_EQ(run({OsdOp(OpCode::kStat)}), 0);
  ByteReader stat(ops[0].outdata);
  EXPECT_EQ(stat.u64(), (1u << 20) + 4);
  ASSERT_EQ(run({range_op(OpCode::kSparseRead, 0, 2 << 20)}), 0);
  ByteReader r(ops[0].outdata);
  std::map<uint64_t, uint64_t> extents;
  wire::decode(extents, r);
  const Bytes data = r.blob();
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(extents, (std::map<uint64_t, uint64_t>{{1 << 20, 4}}));
  EXPECT_EQ(data.view(), "tail");
}

TEST_F(Ops, SizeLimits) {
  limits.max_object_size = 100;
  EXPECT_EQ(run({data_op(OpCode::kWrite, 98, "ab")}), 0);
  EXPECT_EQ(run({data_op(OpCode::kWrite, 99, "ab")}), -EFBIG);
  EXPECT_EQ(run({data_op(OpCode::kAppend, 0, "a")}), -EFBIG);
  EXPECT_EQ(run({data_op(OpCode::kWriteFull, 0, std::string(101, 'x'))}), -EFBIG);
  EXPECT_EQ(run({range_op(OpCode::kTruncate, 101, 0)}), -EFBIG);
  EXPECT_EQ(run({range_op(OpCode::kZero, UINT64_MAX, 2)}), -EFBIG);
  OsdOp lies = data_op(OpCode::kWrite, 0, "abc");
  lies.set(ByteExtent{0, 4});
  EXPECT_EQ(run({lies}), -EINVAL);
}

TEST_F(Ops, WriteSame) {
  EXPECT_EQ(run({OsdOp(OpCode::kWriteSame, msg::WriteSameArgs{2, 6, 3}, bytes("abc"))}), 0);
  EXPECT_EQ(content(), std::string("\0\0abcabc", 8));
  EXPECT_EQ(run({OsdOp(OpCode::kWriteSame, msg::WriteSameArgs{0, 7, 3}, bytes("abc"))}), -EINVAL);
  EXPECT_EQ(run({OsdOp(OpCode::kWriteSame, msg::WriteSameArgs{0, 8, 4}, bytes("abc"))}), -EINVAL);
  EXPECT_EQ(run({OsdOp(OpCode::kWriteSame, msg::WriteSameArgs{0, 8, 0}, bytes(""))}), -EINVAL);
}

TEST_F(Ops, CompareExtent) {
  ASSERT_EQ(run({data_op(OpCode::kWriteFull, 0, "abcdef")}), 0);
  EXPECT_EQ(run({data_op(OpCode::kCmpExt, 2, "cd")}), 0);
  EXPECT_EQ(run({data_op(OpCode::kCmpExt, 2, "cX")}), -4095 - 1);
  EXPECT_EQ(run({data_op(OpCode::kCmpExt, 4, std::string_view("ef\0\0", 4))}), 0) << "zeros follow";
  EXPECT_EQ(run({data_op(OpCode::kCmpExt, 4, "efg")}), -4095 - 2);
}

TEST_F(Ops, ChecksumKnowsXxhash) {
  EXPECT_EQ(xxhash32(0, ""), 0x02cc5d05u);
  EXPECT_EQ(xxhash32(0, "abc"), 0x32d153ffu);
  EXPECT_EQ(xxhash64(0, ""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxhash64(0, "abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(xxhash64(0, "Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
  EXPECT_EQ(xxhash32(0, "Nobody inspects the spammish repetition"), 0xe2293b2fu);
}

TEST_F(Ops, Checksum) {
  ASSERT_EQ(run({data_op(OpCode::kWriteFull, 0, "abcdefgh")}), 0);
  const auto ask = [&](uint64_t length, uint32_t chunk, uint8_t type, Bytes seed) {
    return run(
        {OsdOp(OpCode::kChecksum, msg::ChecksumArgs{0, length, chunk, type}, std::move(seed))});
  };
  ASSERT_EQ(ask(8, 4, 2, wire::to_bytes(uint32_t{0xffffffff})), 0);
  ByteReader r(ops[0].outdata);
  EXPECT_EQ(r.u32(), 2u);
  EXPECT_EQ(r.u32(), crc32c(0xffffffff, "abcd"));
  EXPECT_EQ(r.u32(), crc32c(0xffffffff, "efgh"));
  EXPECT_EQ(r.remaining(), 0u);
  EXPECT_EQ(ask(8, 3, 2, wire::to_bytes(uint32_t{0})), -EINVAL);
  EXPECT_EQ(ask(8, 4, 3, wire::to_bytes(uint32_t{0})), -EINVAL);
  EXPECT_EQ(ask(8, 4, 1, wire::to_bytes(uint32_t{0})), -EINVAL) << "the seed is too short";
  ASSERT_EQ(ask(0, 0, 1, wire::to_bytes(uint64_t{5})), 0);
  ByteReader whole(ops[0].outdata);
  EXPECT_EQ(whole.u32(), 1u);
  EXPECT_EQ(whole.u64(), xxhash64(5, "abcdefgh"));
}

TEST_F(Ops, FileSystemTruncation) {
  ASSERT_EQ(run({data_op(OpCode::kWriteFull, 0, "0123456789")}), 0);
  OsdOp read(OpCode::kRead, ByteExtent{0, 10, 4, 2});
  ASSERT_EQ(run({read}), 0);
  EXPECT_EQ(ops[0].outdata.view(), "0123") << "the object has not heard of truncation 2 yet";
  ASSERT_EQ(run({OsdOp(OpCode::kTruncate, ByteExtent{4, 0, 4, 2})}), 0);
  ASSERT_EQ(run({OsdOp(OpCode::kTruncate, ByteExtent{8, 0, 8, 1})}), 0);
  EXPECT_EQ(content(), "0123") << "an older truncation comes too late";
  ASSERT_EQ(run({OsdOp(OpCode::kWrite, ByteExtent{2, 4, 10, 1}, bytes("abcd"))}), 0);
  EXPECT_EQ(content(), "01ab") << "of an older write only what lies before the cut";
  ASSERT_EQ(run({OsdOp(OpCode::kWrite, ByteExtent{5, 1, 3, 3}, bytes("Z"))}), 0);
  EXPECT_EQ(content(), std::string("01a\0\0Z", 6)) << "a newer write brings the truncation along";
}

TEST_F(Ops, CreateAndVersions) {
  OsdOp exclusive(OpCode::kCreate);
  exclusive.flags = msg::kOpExclusive;
  EXPECT_EQ(run({exclusive}), 0);
  EXPECT_EQ(run({exclusive}), -EEXIST);
  EXPECT_EQ(run({OsdOp(OpCode::kCreate)}), 0);
  state.info.user_version = 7;
  const auto version = [&](uint64_t v) {
    return run({OsdOp(OpCode::kAssertVer, msg::AssertVerArgs{0, v})});
  };
  EXPECT_EQ(version(7), 0);
  EXPECT_EQ(version(6), -ERANGE);
  EXPECT_EQ(version(8), -EOVERFLOW);
  EXPECT_EQ(version(0), -EINVAL);
}

TEST_F(Ops, AllOrNothing) {
  ASSERT_EQ(run({data_op(OpCode::kWriteFull, 0, "old")}), 0);
  OsdOp exclusive(OpCode::kCreate);
  exclusive.flags = msg::kOpExclusive;
  EXPECT_EQ(run({data_op(OpCode::kWriteFull, 0, "new"), exclusive, OsdOp(OpCode::kDelete)}),
            -EEXIST);
  EXPECT_EQ(content(), "old");
  exclusive.flags |= msg::kOpFailOk;
  EXPECT_EQ(run({exclusive, data_op(OpCode::kWriteFull, 0, "new")}), 0);
  EXPECT_EQ(ops[0].rval, -EEXIST);
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(run({OsdOp(OpCode::kDelete), data_op(OpCode::kAppend, 0, "again")}), 0);
  EXPECT_EQ(content(), "again");
}

TEST_F(Ops, Xattrs) {
  EXPECT_EQ(run({xattr_op(OpCode::kSetXattr, "a", "1"), xattr_op(OpCode::kSetXattr, "b", "22")}),
            0);
  EXPECT_EQ(run({xattr_op(OpCode::kGetXattr, "b")}), 0);
  EXPECT_EQ(ops[0].outdata.view(), "22");
  EXPECT_EQ(ops[0].as<msg::XattrArgs>().value_len, 2u);
  EXPECT_EQ(run({xattr_op(OpCode::kGetXattr, "c")}), -ENODATA);
  EXPECT_EQ(run({OsdOp(OpCode::kGetXattrs)}), 0);
  const auto all = wire::from_bytes<std::map<std::string, std::string>>(ops[0].outdata, "attrs");
  EXPECT_EQ(*all, (std::map<std::string, std::string>{{"a", "1"}, {"b", "22"}}));
  EXPECT_EQ(run({xattr_op(OpCode::kRmXattr, "a")}), 0);
  EXPECT_EQ(run({xattr_op(OpCode::kGetXattr, "a")}), -ENODATA);
  EXPECT_EQ(run({xattr_op(OpCode::kSetXattr, std::string(101, 'n'), "")}), -ENAMETOOLONG);
  const std::string huge(limits.max_attr_size + 1, 'v');
  EXPECT_EQ(run({xattr_op(OpCode::kSetXattr, "n", huge)}), -EFBIG);
  OsdOp lies = xattr_op(OpCode::kSetXattr, "n", "v");
  lies.indata = bytes("n");
  EXPECT_EQ(run({lies}), -EINVAL);
}

TEST_F(Ops, CompareXattrs) {
  using A = msg::XattrArgs;
  ASSERT_EQ(run({xattr_op(OpCode::kSetXattr, "s", "mm"), xattr_op(OpCode::kSetXattr, "n", "10")}),
            0);
  const struct {
    uint8_t op;
    int32_t less, equal, more;  ///< than what is stored
  } rows[] = {{A::kEq, 0, 1, 0},  {A::kNe, 1, 0, 1}, {A::kGt, 0, 0, 1},
              {A::kGte, 0, 1, 1}, {A::kLt, 1, 0, 0}, {A::kLte, 1, 1, 0}};
  const auto number = [](uint64_t v) { return wire::to_bytes(v).to_string(); };
  for (const auto& row : rows) {
    const auto want = [](int32_t holds) { return holds ? 1 : -ECANCELED; };
    const auto text = [&](const char* v) {
      return run({xattr_op(OpCode::kCmpXattr, "s", v, row.op, A::kString)});
    };
    EXPECT_EQ(text("ma"), want(row.less));
    EXPECT_EQ(text("mm"), want(row.equal));
    EXPECT_EQ(text("mz"), want(row.more));
    const auto value = [&](uint64_t v) {
      return run({xattr_op(OpCode::kCmpXattr, "n", number(v), row.op, A::kU64)});
    };
    EXPECT_EQ(value(9), want(row.less));
    EXPECT_EQ(value(10), want(row.equal));
    EXPECT_EQ(value(100), want(row.more));
  }
  EXPECT_EQ(run({xattr_op(OpCode::kCmpXattr, "absent", "", A::kEq, A::kString)}), 1);
  EXPECT_EQ(run({xattr_op(OpCode::kCmpXattr, "s", "", 9, A::kString)}), -EINVAL);
  EXPECT_EQ(run({xattr_op(OpCode::kCmpXattr, "s", "", A::kEq, 7)}), -EINVAL);
}

TEST_F(Ops, Omap) {
  using Map = std::map<std::string, std::string>;
  Map pairs;
  for (int i = 0; i < 30; i++)
    pairs[(i < 10 ? "a" : "b") + std::to_string(100 + i)] = std::to_string(i);
  ASSERT_EQ(
      run({input_op(OpCode::kOmapSetVals, pairs), OsdOp(OpCode::kOmapSetHeader, bytes("head"))}),
      0);
  ASSERT_EQ(run({OsdOp(OpCode::kOmapGetHeader)}), 0);
  EXPECT_EQ(ops[0].outdata.view(), "head");

  limits.max_omap_entries = 7;
  const auto page = [&](const std::string& after, uint64_t max, const std::string& prefix) {
    EXPECT_EQ(run({page_op(OpCode::kOmapGetVals, after, max, prefix)}), 0);
    ByteReader r(ops[0].outdata);
    std::pair<Map, bool> out;
    wire::decode(out.first, r);
    out.second = r.u8() != 0;
    EXPECT_TRUE(r.ok());
    return out;
  };
  EXPECT_EQ(page("", 100, "").first.size(), 7u) << "the limit counts";
  EXPECT_TRUE(page("", 100, "").second);
  EXPECT_EQ(page("", 3, "b").first.begin()->first, "b110");
  EXPECT_EQ(page("b127", 100, ""), (std::pair<Map, bool>({{"b128", "28"}, {"b129", "29"}}, false)));
  EXPECT_EQ(page("a108", 100, "a"), (std::pair<Map, bool>({{"a109", "9"}}, false)));
  EXPECT_EQ(run({page_op(OpCode::kOmapGetKeys, "b128", 5)}), 0);
  EXPECT_EQ(ops[0].outdata.size(), 4u + 4 + 4 + 1);

  ASSERT_EQ(run({input_op(OpCode::kOmapGetValsByKeys, std::set<std::string>{"a100", "zz"})}), 0);
  EXPECT_EQ(*wire::from_bytes<Map>(ops[0].outdata, "map"), (Map{{"a100", "0"}}));
  ASSERT_EQ(run({input_op(OpCode::kOmapRmKeys, std::set<std::string>{"a100", "zz"})}), 0);
  EXPECT_EQ(page("", 1, "").first.begin()->first, "a101");
  ByteWriter range;
  range.blob("a");
  range.blob("b105");
  ASSERT_EQ(run({OsdOp(OpCode::kOmapRmKeyRange, range.take())}), 0);
  EXPECT_EQ(page("", 1, "").first.begin()->first, "b110");
  ASSERT_EQ(run({OsdOp(OpCode::kOmapClear)}), 0);
  EXPECT_EQ(page("", 1, ""), (std::pair<Map, bool>({}, false)));
  EXPECT_EQ(run({OsdOp(OpCode::kOmapGetHeader)}), 0);
  EXPECT_TRUE(ops[0].outdata.empty());
  EXPECT_EQ(run({OsdOp(OpCode::kOmapSetVals, bytes("garbage"))}), -EINVAL);
}

TEST_F(Ops, OmapCompare) {
  using Wanted = std::map<std::string, std::pair<std::string, int32_t>>;
  ASSERT_EQ(run({input_op(OpCode::kOmapSetVals, std::map<std::string, std::string>{{"k", "m"}})}),
            0);
  const auto compare = [&](const Wanted& w) { return run({input_op(OpCode::kOmapCmp, w)}); };
  EXPECT_EQ(compare({{"k", {"m", 1}}}), 0);
  EXPECT_EQ(compare({{"k", {"n", 1}}}), -ECANCELED);
  EXPECT_EQ(compare({{"k", {"z", 5}}}), 0) << "less than what is given";
  EXPECT_EQ(compare({{"k", {"a", 3}}}), 0);
  EXPECT_EQ(compare({{"absent", {"", 1}}}), 0);
  EXPECT_EQ(compare({{"k", {"m", 2}}}), -EINVAL);
}

TEST_F(Ops, AllocHintCreates) {
  EXPECT_EQ(run({OsdOp(OpCode::kSetAllocHint, msg::AllocHintArgs{4 << 20, 4096, 0})}), 0);
  EXPECT_EQ(wait(store.stat(pg, object))->expected_object_size, 4u << 20);
}

TEST_F(Ops, ListingPagesOverAPg) {
  const uint32_t pg_num = 8;
  std::set<std::string> names;
  for (int i = 0; i < 20; i++) {
    HObject o = object;
    o.oid = "n" + std::to_string(i);
    o.nspace = i % 4 ? "" : "space";
    o.hash = static_cast<uint32_t>(i) << 16;
    if (o.nspace.empty()) names.insert(o.oid);
    Transaction txn;
    txn.touch(pg, o);
    commit(std::move(txn));
  }
  HObject cursor;
  std::set<std::string> seen;
  int32_t r = 0;
  for (int pages = 0; r == 0 && pages < 20; pages++) {
    ops = {OsdOp(OpCode::kPgLs, msg::PgLsArgs{3, 0}, wire::to_bytes(cursor))};
    object.oid.clear();
    OpContext c{store, limits, pg, pg_num, object, ops, {}, {}, {}, {}, false};
    r = wait(run_ops(c));
    ASSERT_GE(r, 0);
    ByteReader in(ops[0].outdata);
    wire::disclose(in, {1, 1}, [&](uint8_t) {
      wire::decode(cursor, in);
      for (uint32_t n = in.count(); n && in.ok(); n--) {
        EXPECT_EQ(in.str(), "");
        EXPECT_TRUE(seen.insert(in.str()).second);
        EXPECT_EQ(in.str(), "");
      }
    });
    ASSERT_TRUE(in.ok());
  }
  EXPECT_EQ(r, 1);
  EXPECT_EQ(seen, names);
  EXPECT_EQ(cursor.hash, 4u) << "behind pg 0 of 8 comes pg 4";
}

TEST(HashAfterPg, WalksEveryPgOnce) {
  for (uint32_t pg_num : {1u, 2u, 3u, 5u, 8u, 12u, 32u, 100u}) {
    std::set<uint32_t> seen;
    uint32_t mask = 1;
    while (mask < pg_num) mask <<= 1;
    mask--;
    uint32_t hash = 0;
    for (;;) {
      const uint32_t seed = (hash & mask) < pg_num ? hash & mask : hash & (mask >> 1);
      EXPECT_TRUE(seen.insert(seed).second) << pg_num << ": twice " << seed;
      const auto next = hash_after_pg(seed, pg_num);
      if (!next || seen.size() > pg_num) break;
      hash = *next;
    }
    EXPECT_EQ(seen.size(), pg_num);
  }
}

}  // namespace
}  // namespace plimsoll::osd
