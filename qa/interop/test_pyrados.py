#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3-rados, and librados' C interface where that offers more: every object operation, what
it does, what it leaves alone, and the errno when it refuses."""

import errno
import json
import os
import threading
import time
import unittest

import harness

if harness.has_python_rados():
    import librados_c as c
    import rados


def crc32c(data, crc):
    """Castagnoli CRC as Ceph computes it: without inversion at either end."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc


class PyRadosCase(harness.ClusterCase):
    """Connection, one ioctx, and an object name of its own for every test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = rados.Rados(conffile=cls.cluster.conf, conf={
            "rados_osd_op_timeout": "30", "rados_mon_op_timeout": "30",
            "client_mount_timeout": "30"})
        cls.client.connect(timeout=30)
        cls.io = cls.client.open_ioctx("data")
        cls.raw = c.Cluster(cls.cluster.conf, "data")

    @classmethod
    def tearDownClass(cls):
        cls.raw.close()
        cls.io.close()
        cls.client.shutdown()
        super().tearDownClass()

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]

    def write(self, steps, name=None):
        """steps(op) fills a WriteOp, which is then run."""
        with rados.WriteOpCtx() as op:
            steps(op)
            self.io.operate_write_op(op, name or self.name)

    def zero(self, offset, length):
        """The binding's WriteOp.zero() passes its arguments in the wrong order."""
        self.assertEqual(c.WriteOp().zero(offset, length).run(self.raw, self.name), 0)

    def assert_errno(self, number, call, *args, **kw):
        try:
            call(*args, **kw)
        except rados.Error as failure:
            got = abs(failure.errno)
            self.assertEqual(got, number, "%s, want %s" % (failure, errno.errorcode[number]))
        else:
            self.fail("no error, want " + errno.errorcode[number])

    def assert_gone(self, name=None):
        self.assert_errno(errno.ENOENT, self.io.stat, name or self.name)


class Data(PyRadosCase):
    def test_write_at_offsets(self):
        self.io.write(self.name, b"aaaa", 0)
        self.io.write(self.name, b"bb", 10)
        self.assertEqual(self.io.read(self.name), b"aaaa" + b"\0" * 6 + b"bb")
        self.io.write(self.name, b"CC", 1)
        self.assertEqual(self.io.read(self.name), b"aCCa" + b"\0" * 6 + b"bb")

    def test_read_ranges(self):
        content = os.urandom(20000)
        self.io.write_full(self.name, content)
        for offset, length in ((0, 1), (4095, 2), (5000, 10000), (19999, 100), (20000, 10),
                               (30000, 10)):
            self.assertEqual(self.io.read(self.name, length, offset),
                             content[offset:offset + length])
        self.assertEqual(self.io.read(self.name, 100000, 0), content)

    def test_unaligned_overwrites_match_a_model(self):
        import random
        rng = random.Random(7)
        model = bytearray()
        for _ in range(60):
            offset, length = rng.randrange(0, 70000), rng.randrange(1, 20000)
            piece = os.urandom(length)
            if len(model) < offset + length:
                model.extend(b"\0" * (offset + length - len(model)))
            model[offset:offset + length] = piece
            self.io.write(self.name, piece, offset)
        self.assertEqual(self.io.read(self.name, 1 << 20), bytes(model))
        self.assertEqual(self.io.stat(self.name)[0], len(model))

    def test_mixed_operations_match_a_model(self):
        import random
        rng = random.Random(11)
        model = bytearray()
        self.io.write_full(self.name, b"")
        for _ in range(120):
            kind = rng.choice(("write", "append", "zero", "truncate", "full"))
            offset, length = rng.randrange(0, 40000), rng.randrange(1, 9000)
            piece = os.urandom(length)
            if kind == "write":
                model.extend(b"\0" * (offset - len(model)))
                model[offset:offset + length] = piece
                self.io.write(self.name, piece, offset)
            elif kind == "append":
                model.extend(piece)
                self.io.append(self.name, piece)
            elif kind == "zero":
                if offset + length >= len(model):
                    model = model[:offset]
                else:
                    model[offset:offset + length] = b"\0" * length
                self.zero(offset, length)
            elif kind == "truncate":
                model = model[:offset].ljust(offset, b"\0")
                self.io.trunc(self.name, offset)
            else:
                model = bytearray(piece)
                self.io.write_full(self.name, piece)
            self.assertEqual(self.io.stat(self.name)[0], len(model), kind)
        self.assertEqual(self.io.read(self.name, 1 << 20), bytes(model))

    def test_write_full_keeps_attributes(self):
        self.io.set_xattr(self.name, "a", b"1")
        self.write(lambda op: self.io.set_omap(op, ("k",), (b"v",)))
        self.io.write_full(self.name, b"x" * 9000)
        self.io.write_full(self.name, b"short")
        self.assertEqual(self.io.read(self.name), b"short")
        self.assertEqual(self.io.get_xattr(self.name, "a"), b"1")
        self.assertEqual(self.omap(), {"k": b"v"})

    def omap(self):
        with rados.ReadOpCtx() as op:
            pairs, _ = self.io.get_omap_vals(op, "", "", 1000)
            self.io.operate_read_op(op, self.name)
            return dict(pairs)

    def test_zero(self):
        """Zeroing up to the end or beyond it shortens the object, as 16.2 does it."""
        self.io.write_full(self.name, b"z" * 100)
        self.zero(20, 30)
        self.assertEqual(self.io.read(self.name), b"z" * 20 + b"\0" * 30 + b"z" * 50)
        self.zero(1000, 50)
        self.assertEqual(self.io.stat(self.name)[0], 100)
        self.zero(60, 1000)
        self.assertEqual(self.io.read(self.name), b"z" * 20 + b"\0" * 30 + b"z" * 10)

    def test_truncate(self):
        self.io.write_full(self.name, b"t" * 5000)
        self.io.trunc(self.name, 4097)
        self.assertEqual(self.io.stat(self.name)[0], 4097)
        self.io.trunc(self.name, 8192)
        self.assertEqual(self.io.read(self.name), b"t" * 4097 + b"\0" * 4095)

    def test_truncate_of_an_absent_object(self):
        self.io.trunc(self.name, 100)
        self.assert_gone()

    def test_writesame(self):
        self.io.writesame(self.name, b"abcd", 4096, 8)
        self.assertEqual(self.io.read(self.name, 8192), b"\0" * 8 + b"abcd" * 1024)
        self.assert_errno(errno.EINVAL, self.io.writesame, self.name, b"abc", 100, 0)

    def test_remove(self):
        self.io.write_full(self.name, b"x")
        self.io.set_xattr(self.name, "a", b"1")
        self.io.remove_object(self.name)
        self.assert_gone()
        self.assert_errno(errno.ENOENT, self.io.remove_object, self.name)
        self.io.write_full(self.name, b"again")
        self.assert_errno(errno.ENODATA, self.io.get_xattr, self.name, "a")

    def test_exclusive_create(self):
        self.write(lambda op: op.new(rados.LIBRADOS_CREATE_EXCLUSIVE))
        self.assertEqual(self.io.stat(self.name)[0], 0)

        def again(op):
            op.new(rados.LIBRADOS_CREATE_EXCLUSIVE)
            op.write_full(b"must not land")
        self.assert_errno(errno.EEXIST, self.write, again)
        self.assertEqual(self.io.read(self.name), b"")
        self.write(lambda op: op.new(rados.LIBRADOS_CREATE_IDEMPOTENT))

    def test_stat_and_mtime(self):
        before = time.time()
        self.io.write_full(self.name, b"12345")
        size, mtime = self.io.stat(self.name)
        self.assertEqual(size, 5)
        self.assertLess(abs(time.mktime(mtime) - before), 5)
        with rados.WriteOpCtx() as op:
            op.write_full(b"1")
            self.io.operate_write_op(op, self.name, 1000000000)
        self.assertEqual(time.mktime(self.io.stat(self.name)[1]), 1000000000)

    def test_absent_object(self):
        for call in (lambda: self.io.read(self.name), lambda: self.io.stat(self.name),
                     lambda: self.io.get_xattr(self.name, "a"),
                     lambda: list(self.io.get_xattrs(self.name)),
                     lambda: self.io.rm_xattr(self.name, "a")):
            self.assert_errno(errno.ENOENT, call)

    def test_zero_of_an_absent_object_makes_nothing(self):
        self.zero(0, 100)
        self.assert_gone()

    def test_large_object_limit(self):
        """osd_max_object_size is 128 MiB; truncating to exactly that is already too much."""
        self.assert_errno(errno.EFBIG, self.io.write, self.name, b"x", 128 << 20)
        self.assert_gone()
        self.io.write(self.name, b"x", (128 << 20) - 1)
        self.assertEqual(self.io.stat(self.name)[0], 128 << 20)
        self.assertEqual(self.io.read(self.name, 3, (128 << 20) - 3), b"\0\0x")
        self.assert_errno(errno.EFBIG, self.io.append, self.name, b"y")
        self.assert_errno(errno.EFBIG, self.io.trunc, self.name, 128 << 20)
        self.io.remove_object(self.name)

    def test_name_limits(self):
        longest = "n" * 2048
        self.io.write_full(longest, b"1")
        self.assertEqual(self.io.read(longest), b"1")
        self.io.remove_object(longest)
        self.assert_errno(errno.ENAMETOOLONG, self.io.write_full, "n" * 2049, b"1")


class Attributes(PyRadosCase):
    def test_set_get_list_remove(self):
        self.io.set_xattr(self.name, "one", b"1")
        self.io.set_xattr(self.name, "bin", bytes(range(256)))
        self.io.set_xattr(self.name, "empty", b"")
        self.assertEqual(dict(self.io.get_xattrs(self.name)),
                         {"one": b"1", "bin": bytes(range(256)), "empty": b""})
        self.io.set_xattr(self.name, "one", b"replaced")
        self.assertEqual(self.io.get_xattr(self.name, "one"), b"replaced")
        self.io.rm_xattr(self.name, "one")
        self.assert_errno(errno.ENODATA, self.io.get_xattr, self.name, "one")
        self.assertEqual(len(list(self.io.get_xattrs(self.name))), 2)

    def test_many(self):
        for n in range(50):
            self.io.set_xattr(self.name, "attr%02d" % n, b"v%d" % n * 100)
        got = dict(self.io.get_xattrs(self.name))
        self.assertEqual(got, {"attr%02d" % n: b"v%d" % n * 100 for n in range(50)})

    def test_limits(self):
        """osd_max_attr_name_len is 100 and osd_max_attr_size is 0: no limit."""
        self.io.set_xattr(self.name, "big", b"b" * 100000)
        self.assertEqual(dict(self.io.get_xattrs(self.name))["big"], b"b" * 100000)
        self.io.set_xattr(self.name, "n" * 100, b"1")
        self.assert_errno(errno.ENAMETOOLONG, self.io.set_xattr, self.name, "n" * 101, b"1")

    def test_cmpxattr_string(self):
        self.io.set_xattr(self.name, "v", b"mm")
        cases = [(c.EQ, b"mm", 0), (c.EQ, b"mn", 1), (c.NE, b"mn", 0), (c.NE, b"mm", 1),
                 (c.GT, b"mn", 0), (c.GT, b"ml", 1), (c.GTE, b"mm", 0), (c.LT, b"ml", 0),
                 (c.LT, b"mn", 1), (c.LTE, b"mm", 0)]
        for op, value, fails in cases:
            with self.subTest(op=op, value=value):
                rc, _ = c.ReadOp().cmpxattr("v", op, value).read(0, 1).run(self.raw, self.name)
                self.assertEqual(rc, -errno.ECANCELED if fails else 0)

    def test_cmpxattr_guards_a_write(self):
        self.io.set_xattr(self.name, "v", b"1")
        rc = (c.WriteOp().cmpxattr("v", c.EQ, b"2", 1).write_full(b"no", 2)
              .run(self.raw, self.name))
        self.assertEqual(rc, -errno.ECANCELED)
        self.assertEqual(self.io.read(self.name), b"")
        rc = (c.WriteOp().cmpxattr("v", c.EQ, b"1", 1).write_full(b"yes", 3)
              .run(self.raw, self.name))
        self.assertEqual((rc, self.io.read(self.name)), (0, b"yes"))


class Omap(PyRadosCase):
    def fill(self, count, fmt="k%04d"):
        keys = tuple(fmt % n for n in range(count))
        self.write(lambda op: self.io.set_omap(op, keys, tuple(b"v%d" % n for n in range(count))))
        return keys

    def page(self, after="", prefix="", limit=1000):
        with rados.ReadOpCtx() as op:
            pairs, rc = self.io.get_omap_vals(op, after, prefix, limit)
            self.io.operate_read_op(op, self.name)
            self.assertEqual(rc, 0)
            return [(k, v or b"") for k, v in pairs]    # the binding gives None for an empty value

    def keys(self, after="", limit=1000):
        with rados.ReadOpCtx() as op:
            pairs, _ = self.io.get_omap_keys(op, after, limit)
            self.io.operate_read_op(op, self.name)
            return [k for k, _ in pairs]

    def test_paging(self):
        keys = self.fill(250)
        got, after = [], ""
        while True:
            part = self.keys(after, 37)
            if not part:
                break
            got += part
            after = part[-1]
        self.assertEqual(tuple(got), keys)

    def test_more_flag(self):
        self.fill(10)
        rc, [(_, (pairs, more))] = c.ReadOp().omap_vals("", "", 10).run(self.raw, self.name)
        self.assertEqual((rc, len(pairs), more), (0, 10, False))
        rc, [(_, (pairs, more))] = c.ReadOp().omap_vals("", "", 9).run(self.raw, self.name)
        self.assertEqual((len(pairs), more), (9, True))
        rc, [(_, (keys, more))] = c.ReadOp().omap_keys("k0003", 2).run(self.raw, self.name)
        self.assertEqual((keys, more), (["k0004", "k0005"], True))

    def test_prefix(self):
        self.fill(20, "a%02d")
        self.fill(20, "b%02d")
        self.assertEqual([k for k, _ in self.page(prefix="b")], ["b%02d" % n for n in range(20)])
        self.assertEqual([k for k, _ in self.page(prefix="b1")],
                         ["b1%d" % n for n in range(10)])
        self.assertEqual([k for k, _ in self.page(after="b07", prefix="b0")], ["b08", "b09"])
        self.assertEqual(self.page(prefix="c"), [])
        rc, [(_, (pairs, more))] = c.ReadOp().omap_vals("", "a", 5).run(self.raw, self.name)
        self.assertEqual((len(pairs), more), (5, True))

    def test_by_keys(self):
        self.fill(10)
        with rados.ReadOpCtx() as op:
            pairs, _ = self.io.get_omap_vals_by_keys(op, ("k0001", "k0009", "absent"))
            self.io.operate_read_op(op, self.name)
            self.assertEqual(dict(pairs), {"k0001": b"v1", "k0009": b"v9"})

    def test_remove_keys_and_range_and_clear(self):
        keys = list(self.fill(30))
        self.write(lambda op: self.io.remove_omap_keys(op, ("k0000", "k0029", "absent")))
        self.assertEqual(self.keys(), keys[1:29])
        self.write(lambda op: self.io.remove_omap_range2(op, "k0005", "k0010"))
        self.assertEqual(self.keys(), keys[1:5] + keys[10:29])
        self.io.write(self.name, b"data stays")
        self.write(self.io.clear_omap)
        self.assertEqual(self.keys(), [])
        self.assertEqual(self.io.read(self.name), b"data stays")

    def test_order_is_bytewise(self):
        names = ("a", "A", "b", "aa", "a.", "_", "~", "0", "10", "9", "é")
        self.write(lambda op: self.io.set_omap(op, names, (b"x",) * len(names)))
        self.assertEqual(self.keys(), sorted(names, key=lambda k: k.encode()))

    def test_values(self):
        big = os.urandom(200000)
        self.write(lambda op: self.io.set_omap(op, ("big", "empty", "bin"),
                                               (big, b"", bytes(range(256)))))
        self.assertEqual(dict(self.page()), {"big": big, "empty": b"", "bin": bytes(range(256))})
        self.write(lambda op: self.io.set_omap(op, ("big",), (b"small",)))
        self.assertEqual(dict(self.page())["big"], b"small")

    def test_omap_of_an_absent_object(self):
        self.assert_errno(errno.ENOENT, self.page)
        self.assert_errno(errno.ENOENT, self.write,
                          lambda op: self.io.remove_omap_keys(op, ("k",)))
        self.assert_gone()

    def test_empty_object_has_empty_omap(self):
        self.io.write_full(self.name, b"")
        self.assertEqual(self.page(), [])

    def test_omap_cmp(self):
        self.fill(3)
        def guarded(key, value, op, data):
            def steps(w):
                w.omap_cmp(key, value, op)
                w.write_full(data)
            return steps
        self.write(guarded("k0001", "v1", rados.LIBRADOS_CMPXATTR_OP_EQ, b"eq"))
        self.assertEqual(self.io.read(self.name), b"eq")
        self.assert_errno(errno.ECANCELED, self.write,
                          guarded("k0001", "v2", rados.LIBRADOS_CMPXATTR_OP_EQ, b"no"))
        self.assert_errno(errno.ECANCELED, self.write,
                          guarded("absent", "v2", rados.LIBRADOS_CMPXATTR_OP_EQ, b"no"))
        self.assertEqual(self.io.read(self.name), b"eq")

    def test_many_keys_in_one_object(self):
        for base in range(0, 5000, 500):
            keys = tuple("m%05d" % n for n in range(base, base + 500))
            self.write(lambda op: self.io.set_omap(op, keys, (b"x" * 50,) * 500))
        got, after = 0, ""
        while True:
            part = self.keys(after, 100000)
            if not part:
                break
            got, after = got + len(part), part[-1]
        self.assertEqual(got, 5000)


class Compound(PyRadosCase):
    def test_all_parts_land(self):
        def steps(op):
            op.new(rados.LIBRADOS_CREATE_IDEMPOTENT)
            op.write_full(b"0123456789")
            op.append(b"ab")
            op.truncate(11)
            op.zero(2, 2)     # offset 2, length 2: the same in either order
            op.write(b"W", 5)
            op.set_xattr("x", b"1")
            self.io.set_omap(op, ("k",), (b"v",))
        self.write(steps)
        self.assertEqual(self.io.read(self.name), b"01\0\x004W6789a")
        self.assertEqual(self.io.get_xattr(self.name, "x"), b"1")

    def test_nothing_lands_if_one_part_fails(self):
        self.io.write_full(self.name, b"before")
        self.io.set_xattr(self.name, "x", b"before")

        def steps(op):
            op.write_full(b"after")
            op.set_xattr("x", b"after")
            self.io.set_omap(op, ("k",), (b"v",))
            op.cmpext(b"nothing like it", 0)
        self.assertRaises(rados.Error, self.write, steps)
        self.assertEqual(self.io.read(self.name), b"before")
        self.assertEqual(self.io.get_xattr(self.name, "x"), b"before")

    def test_no_object_if_the_creating_operation_fails(self):
        def steps(op):
            op.write_full(b"data")
            op.omap_cmp("absent", "x")
        self.assert_errno(errno.ECANCELED, self.write, steps)
        self.assert_gone()

    def test_failok(self):
        self.io.write_full(self.name, b"x")

        def steps(op):
            op.rm_xattr("absent")
            op.set_flags(rados.LIBRADOS_OP_FLAG_FAILOK)
            op.append(b"y")
        self.write(steps)
        self.assertEqual(self.io.read(self.name), b"xy")

    def test_remove_in_a_compound(self):
        self.io.write_full(self.name, b"x")
        self.io.set_xattr(self.name, "x", b"1")
        def steps(op):
            op.remove()
            op.new(rados.LIBRADOS_CREATE_IDEMPOTENT)
            op.write(b"new life")
        self.write(steps)
        self.assertEqual(self.io.read(self.name), b"new life")

    def test_assert_version(self):
        self.io.write_full(self.name, b"0")
        self.io.write_full(self.name, b"1")
        version = self.io.get_last_version()

        def guarded(v, data):
            def steps(op):
                op.assert_version(v)
                op.write_full(data)
            return steps
        self.assert_errno(errno.EINVAL, self.write, guarded(0, b"no"))
        self.assert_errno(errno.ERANGE, self.write, guarded(version - 1, b"no"))
        self.assert_errno(errno.EOVERFLOW, self.write, guarded(version + 1, b"no"))
        self.write(guarded(version, b"yes"))
        self.assertEqual(self.io.read(self.name), b"yes")
        self.assertGreater(self.io.get_last_version(), version)

    def test_version_rises_with_each_write_only(self):
        self.io.write_full(self.name, b"1")
        first = self.io.get_last_version()
        self.io.read(self.name)
        self.assertEqual(self.io.get_last_version(), first)
        self.io.set_xattr(self.name, "a", b"1")
        self.assertGreater(self.io.get_last_version(), first)

    def test_cmpext(self):
        self.io.write_full(self.name, b"0123456789")
        self.assertEqual(self.io.cmpext(self.name, b"345", 3), 0)
        self.assertEqual(self.io.cmpext(self.name, b"34X", 3), -rados.MAX_ERRNO - 2)
        self.assertEqual(self.io.cmpext(self.name, b"9\0\0", 9), 0)

        def guarded(expected, data):
            def steps(op):
                op.cmpext(expected, 0)
                op.write(data, 0)
            return steps
        self.write(guarded(b"0123", b"abcd"))
        self.assertEqual(self.io.read(self.name), b"abcd456789")
        self.assertRaises(rados.Error, self.write, guarded(b"0123", b"no"))
        self.assertEqual(self.io.read(self.name), b"abcd456789")

    def test_read_of_several_parts(self):
        self.io.write_full(self.name, b"0123456789")
        self.write(lambda op: self.io.set_omap(op, ("k",), (b"v",)))
        rc, results = (c.ReadOp().stat().read(2, 3).read(8, 100).omap_vals()
                       .run(self.raw, self.name))
        self.assertEqual(rc, 0)
        self.assertEqual([r for r, _ in results], [0, 0, 0, 0])
        self.assertEqual(results[0][1][0], 10)
        self.assertEqual([results[1][1], results[2][1]], [b"234", b"89"])
        self.assertEqual(results[3][1], ([("k", b"v")], False))

    def test_read_asserts(self):
        rc, _ = c.ReadOp().assert_exists().run(self.raw, self.name)
        self.assertEqual(rc, -errno.ENOENT)
        self.io.write_full(self.name, b"1")
        version = self.io.get_last_version()
        self.assertEqual(c.ReadOp().assert_exists().run(self.raw, self.name)[0], 0)
        self.assertEqual(c.ReadOp().assert_version(version).read(0, 1).run(self.raw, self.name)[0],
                         0)
        self.assertEqual(c.ReadOp().assert_version(version + 1).read(0, 1)
                         .run(self.raw, self.name)[0], -errno.EOVERFLOW)

    def test_checksum(self):
        content = bytes(range(256)) * 32
        self.io.write_full(self.name, content)
        rc, sums = self.raw.checksum(self.name, c.CHECKSUM_CRC32C, 0xffffffff, 8192, 0, 4096)
        self.assertEqual(rc, 0)
        self.assertEqual(sums, [crc32c(content[:4096], 0xffffffff),
                                crc32c(content[4096:], 0xffffffff)])
        rc, sums = self.raw.checksum(self.name, c.CHECKSUM_CRC32C, 0xffffffff, 0, 0, 0)
        self.assertEqual(sums, [crc32c(content, 0xffffffff)])
        rc, _ = self.raw.checksum(self.name, c.CHECKSUM_CRC32C, 0xffffffff, 8192, 0, 3000)
        self.assertEqual(rc, -errno.EINVAL)

    def test_alloc_hint_creates(self):
        rc = c.WriteOp().set_alloc_hint(4 << 20, 4096).run(self.raw, self.name)
        self.assertEqual(rc, 0)
        self.assertEqual(self.io.stat(self.name)[0], 0)

    def test_empty_compound(self):
        self.assertIn(c.ReadOp().run(self.raw, self.name)[0], (0, -errno.EINVAL, -errno.ENOENT))


class Async(PyRadosCase):
    def finish(self, completion):
        completion.wait_for_complete_and_cb()
        return completion.get_return_value()

    def test_write_read_stat(self):
        self.assertEqual(self.finish(self.io.aio_write_full(self.name, b"async")), 0)
        self.assertEqual(self.finish(self.io.aio_append(self.name, b" more")), 0)
        got = {}
        self.finish(self.io.aio_read(self.name, 100, 0, lambda _, data: got.update(data=data)))
        self.assertEqual(got["data"], b"async more")
        self.finish(self.io.aio_stat(self.name, lambda _, size, mtime: got.update(size=size)))
        self.assertEqual(got["size"], 10)
        self.assertEqual(self.finish(self.io.aio_remove(self.name)), 0)
        self.assert_gone()

    def test_errors_arrive(self):
        self.assertEqual(self.finish(self.io.aio_remove(self.name)), -errno.ENOENT)
        self.assertEqual(self.finish(self.io.aio_read(self.name, 10, 0, lambda *_: None)),
                         -errno.ENOENT)

    def test_order_on_one_object(self):
        """Many appends in flight at once land in the order in which they were sent."""
        pieces = [b"%04d" % n for n in range(500)]
        pending = [self.io.aio_append(self.name, p) for p in pieces]
        for completion in pending:
            self.assertEqual(self.finish(completion), 0)
        self.assertEqual(self.io.read(self.name, 1 << 20), b"".join(pieces))

    def test_many_objects_at_once(self):
        contents = {"%s-%d" % (self.name, n): os.urandom(1 + n * 37) for n in range(300)}
        pending = [self.io.aio_write_full(n, v) for n, v in contents.items()]
        for completion in pending:
            self.assertEqual(self.finish(completion), 0)
        for name, content in contents.items():
            self.assertEqual(self.io.read(name, 1 << 20), content)

    def test_flush(self):
        done = []
        for n in range(20):
            self.io.aio_write(self.name, b"%d" % (n % 10), n, oncomplete=done.append)
        self.io.aio_flush()
        harness.eventually(lambda: len(done) == 20, 10)

    def test_writers_in_parallel(self):
        """Every thread reads its own writes although all share a connection."""
        problems = []

        def work(me):
            try:
                for n in range(40):
                    name = "%s-%d" % (self.name, me)
                    self.io.write_full(name, b"%d:%d" % (me, n))
                    if self.io.read(name) != b"%d:%d" % (me, n):
                        problems.append((me, n))
            except Exception as failure:
                problems.append(failure)
        threads = [threading.Thread(target=work, args=(m,)) for m in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        self.assertEqual(problems, [])


class Listing(PyRadosCase):
    POOLS = ("data", "listed")

    def setUp(self):
        super().setUp()
        self.list_io = self.client.open_ioctx("listed")
        self.addCleanup(self.list_io.close)

    def names(self):
        return sorted((o.nspace, o.key, o.locator_key) for o in self.list_io.list_objects())

    def test_namespaces_and_locators(self):
        want = []
        for space in ("", "one", "two"):
            self.list_io.set_namespace(space)
            for n in range(40):
                self.list_io.write_full("o%d" % n, space.encode())
                want.append((space, "o%d" % n))
        self.list_io.set_namespace("one")
        self.assertEqual([(s, k) for s, k, _ in self.names()],
                         sorted(w for w in want if w[0] == "one"))
        self.list_io.set_namespace(rados.LIBRADOS_ALL_NSPACES)
        self.assertEqual([(s, k) for s, k, _ in self.names() if s not in ("gone", "busy")],
                         sorted(want))
        self.list_io.set_namespace("two")
        self.assertEqual(self.list_io.read("o7"), b"two")
        self.list_io.set_namespace("")
        self.list_io.set_locator_key("where")
        self.list_io.write_full("moved", b"x")
        self.list_io.set_locator_key("")
        self.assertIn(("", "moved", "where"), self.names())

    def test_removed_objects_are_not_listed(self):
        self.list_io.set_namespace("gone")
        for n in range(20):
            self.list_io.write_full("r%d" % n, b"")
        for n in range(0, 20, 2):
            self.list_io.remove_object("r%d" % n)
        self.assertEqual([k for _, k, _ in self.names()],
                         sorted("r%d" % n for n in range(1, 20, 2)))

    def test_listing_while_writing_shows_all_old_ones_once(self):
        self.list_io.set_namespace("busy")
        old = {"old%d" % n for n in range(300)}
        for name in old:
            self.list_io.write_full(name, b"")
        seen = []
        for n, found in enumerate(self.list_io.list_objects()):
            seen.append(found.key)
            if n % 10 == 0:
                self.list_io.write_full("new%d" % n, b"")
        self.assertEqual(sorted(k for k in seen if k in old), sorted(old))


class ClusterCalls(PyRadosCase):
    def test_pools(self):
        self.client.create_pool("pycreated")
        self.assertTrue(self.client.pool_exists("pycreated"))
        self.assert_errno(errno.EEXIST, self.client.create_pool, "pycreated")
        number = self.client.pool_lookup("pycreated")
        self.assertEqual(self.client.pool_reverse_lookup(number), "pycreated")
        self.client.delete_pool("pycreated")
        self.assertFalse(self.client.pool_exists("pycreated"))
        self.assert_errno(errno.ENOENT, self.client.delete_pool, "pycreated")
        self.assert_errno(errno.ENOENT, self.client.open_ioctx, "pycreated")

    def test_an_ioctx_outlives_its_pool_with_enoent(self):
        self.client.create_pool("doomed")
        with self.client.open_ioctx("doomed") as io:
            io.write_full("x", b"1")
            self.client.delete_pool("doomed")
            self.client.wait_for_latest_osdmap()
            self.assert_errno(errno.ENOENT, io.write_full, "x", b"2")

    def test_statistics(self):
        stats = self.client.get_cluster_stats()
        self.assertEqual(sorted(stats), ["kb", "kb_avail", "kb_used", "num_objects"])
        self.assertGreater(stats["kb"], 1 << 20)
        self.io.write_full(self.name, b"x" * 10000)
        harness.eventually(lambda: self.io.get_stats()["num_objects"] >= 1, 30)
        self.assertGreaterEqual(self.io.get_stats()["num_bytes"], 10000)

    def test_identity(self):
        self.assertEqual(self.client.get_fsid(),
                         self.cluster.ceph("fsid").stdout.decode().strip())
        self.assertGreater(self.client.get_instance_id(), 0)

    def test_ping_monitor(self):
        self.assertIn("health", json.loads(self.client.ping_monitor("a")))

    def test_mgr_command(self):
        rc, out, _ = self.client.mgr_command('{"prefix":"pg stat","format":"json"}', b"")
        self.assertEqual(rc, 0)

    def test_commands(self):
        rc, out, _ = self.client.mon_command('{"prefix":"osd ls","format":"json"}', b"")
        self.assertEqual((rc, json.loads(out)), (0, [0, 1, 2]))
        rc, out, _ = self.client.osd_command(0, '{"prefix":"version"}', b"")
        self.assertEqual(rc, 0)
        self.assertIn("version", json.loads(out))
        rc, out, _ = self.client.mon_command('{"prefix":"nosuch command"}', b"")
        self.assertEqual(rc, -errno.EINVAL)
        rc, out, _ = self.client.mon_command("this is not json", b"")
        self.assertEqual(rc, -errno.EINVAL)
        pgid = json.loads(self.cluster.ceph("osd", "map", "data", "x", "-f", "json").stdout)["pgid"]
        query = json.dumps({"prefix": "query", "pgid": pgid})
        rc, out, _ = self.client.pg_command(pgid, query, b"")
        self.assertEqual((rc, json.loads(out)["state"]), (0, "active+clean"))

    def test_application_metadata(self):
        self.assertIn("rados", self.io.application_list())
        self.io.application_metadata_set("rados", "key", "value")
        self.assertEqual(self.io.application_metadata_get("rados", "key"), "value")
        self.io.application_metadata_remove("rados", "key")

    def test_full_try_flag_is_harmless(self):
        self.io.set_osdmap_full_try()
        self.io.write_full(self.name, b"try")
        self.io.unset_osdmap_full_try()
        self.assertEqual(self.io.read(self.name), b"try")


if __name__ == "__main__":
    harness.main(python_rados=True)
