# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operations of librados' C interface that python3-rados does not offer, through ctypes:
compound reads with several outputs, cmpxattr, checksum, omap headers-by-key, 64-bit stat.

A thin wrapper: every call returns librados' negative errno instead of raising."""

import ctypes
import ctypes.util
import struct

_lib = ctypes.CDLL(ctypes.util.find_library("rados") or "librados.so.2")
_lib.rados_create_read_op.restype = ctypes.c_void_p
_lib.rados_create_write_op.restype = ctypes.c_void_p

EQ, NE, GT, GTE, LT, LTE = 1, 2, 3, 4, 5, 6
CHECKSUM_XXHASH32, CHECKSUM_XXHASH64, CHECKSUM_CRC32C = 0, 1, 2
FAILOK = 2


class Cluster:
    """One connection and one pool."""

    def __init__(self, conf, pool):
        self.handle = ctypes.c_void_p()
        self.io = ctypes.c_void_p()
        assert _lib.rados_create(ctypes.byref(self.handle), None) == 0
        assert _lib.rados_conf_read_file(self.handle, conf.encode()) == 0
        for key in (b"rados_osd_op_timeout", b"rados_mon_op_timeout"):
            _lib.rados_conf_set(self.handle, key, b"30")
        rc = _lib.rados_connect(self.handle)
        assert rc == 0, rc
        rc = _lib.rados_ioctx_create(self.handle, pool.encode(), ctypes.byref(self.io))
        assert rc == 0, rc

    def close(self):
        _lib.rados_ioctx_destroy(self.io)
        _lib.rados_shutdown(self.handle)

    def checksum(self, name, kind, seed, length, offset, chunk):
        """(rc, list of checksums): crc32c and xxhash32 are 32 bits wide, xxhash64 is 64."""
        init = struct.pack("<Q" if kind == CHECKSUM_XXHASH64 else "<I", seed)
        room = ctypes.create_string_buffer(65536)
        rc = _lib.rados_checksum(self.io, name.encode(), kind, init, ctypes.c_size_t(len(init)),
                                 ctypes.c_size_t(length), ctypes.c_uint64(offset),
                                 ctypes.c_size_t(chunk), room, ctypes.c_size_t(len(room)))
        if rc < 0:
            return rc, []
        count = struct.unpack_from("<I", room, 0)[0]
        width = "Q" if kind == CHECKSUM_XXHASH64 else "I"
        return rc, list(struct.unpack_from("<%d%s" % (count, width), room, 4))


class _Op:
    def __init__(self, handle):
        self.op = ctypes.c_void_p(handle)
        self.kept = []          # buffers that librados points into until the operation is done

    def _keep(self, buffer):
        self.kept.append(buffer)
        return buffer


class ReadOp(_Op):
    """Collects read steps; run() gives (rc, [result of each step])."""

    def __init__(self):
        super().__init__(_lib.rados_create_read_op())
        self.results = []

    def _result(self, fetch):
        rval = self._keep(ctypes.c_int(-9999))
        self.results.append(lambda: (rval.value, fetch() if fetch and rval.value >= 0 else None))
        return ctypes.byref(rval)

    def assert_exists(self):
        _lib.rados_read_op_assert_exists(self.op)
        return self

    def assert_version(self, version):
        _lib.rados_read_op_assert_version(self.op, ctypes.c_uint64(version))
        return self

    def cmpxattr(self, name, op, value):
        _lib.rados_read_op_cmpxattr(self.op, name.encode(), op, self._keep(value),
                                    ctypes.c_size_t(len(value)))
        return self

    def read(self, offset, length):
        room = self._keep(ctypes.create_string_buffer(max(length, 1)))
        got = self._keep(ctypes.c_size_t())
        rval = self._result(lambda: room.raw[:got.value])
        _lib.rados_read_op_read(self.op, ctypes.c_uint64(offset), ctypes.c_size_t(length), room,
                                ctypes.byref(got), rval)
        return self

    def stat(self):
        size, mtime = self._keep(ctypes.c_uint64()), self._keep(ctypes.c_long())
        rval = self._result(lambda: (size.value, mtime.value))
        _lib.rados_read_op_stat(self.op, ctypes.byref(size), ctypes.byref(mtime), rval)
        return self

    def omap_vals(self, after="", prefix="", limit=1000):
        iterator, more = self._keep(ctypes.c_void_p()), self._keep(ctypes.c_ubyte())
        rval = self._result(lambda: (_pairs(iterator), bool(more.value)))
        _lib.rados_read_op_omap_get_vals2(self.op, after.encode(), prefix.encode(),
                                          ctypes.c_uint64(limit), ctypes.byref(iterator),
                                          ctypes.byref(more), rval)
        return self

    def omap_keys(self, after="", limit=1000):
        iterator, more = self._keep(ctypes.c_void_p()), self._keep(ctypes.c_ubyte())
        rval = self._result(lambda: ([k for k, _ in _pairs(iterator)], bool(more.value)))
        _lib.rados_read_op_omap_get_keys2(self.op, after.encode(), ctypes.c_uint64(limit),
                                          ctypes.byref(iterator), ctypes.byref(more), rval)
        return self

    def omap_cmp(self, key, op, value):
        rval = self._result(None)
        _lib.rados_read_op_omap_cmp(self.op, key.encode(), op, self._keep(value),
                                    ctypes.c_size_t(len(value)), rval)
        return self

    def run(self, cluster, name):
        rc = _lib.rados_read_op_operate(self.op, cluster.io, name.encode(), 0)
        results = [fetch() for fetch in self.results]
        _lib.rados_release_read_op(self.op)
        return rc, results


class WriteOp(_Op):
    def __init__(self):
        super().__init__(_lib.rados_create_write_op())

    def __getattr__(self, step):
        """Any rados_write_op_<step>; str and bytes that are data come as (bytes, length)."""
        function = getattr(_lib, "rados_write_op_" + step)

        def call(*args):
            function(self.op, *[self._keep(self._plain(a)) for a in args])
            return self
        return call

    def omap_set(self, pairs):
        keys, values = zip(*pairs)
        lengths = (ctypes.c_size_t * len(pairs))(*[len(v) for v in values])
        _lib.rados_write_op_omap_set(self.op, self._strings(k.encode() for k in keys),
                                     self._strings(values), self._keep(lengths),
                                     ctypes.c_size_t(len(pairs)))
        return self

    def omap_rm_keys(self, keys):
        _lib.rados_write_op_omap_rm_keys(self.op, self._strings(k.encode() for k in keys),
                                         ctypes.c_size_t(len(keys)))
        return self

    def _strings(self, items):
        items = [ctypes.create_string_buffer(i, len(i) + 1) for i in items]
        return self._keep((ctypes.c_void_p * len(items))(
            *[ctypes.addressof(self._keep(i)) for i in items]))

    @staticmethod
    def _plain(value):
        if isinstance(value, str):
            return value.encode()
        return ctypes.c_uint64(value) if isinstance(value, int) else value

    def run(self, cluster, name):
        rc = _lib.rados_write_op_operate(self.op, cluster.io, name.encode(), None, 0)
        _lib.rados_release_write_op(self.op)
        return rc


def _pairs(iterator):
    out = []
    key, value = ctypes.c_char_p(), ctypes.POINTER(ctypes.c_char)()
    key_len, value_len = ctypes.c_size_t(), ctypes.c_size_t()
    while True:
        _lib.rados_omap_get_next2(iterator, ctypes.byref(key), ctypes.byref(value),
                                  ctypes.byref(key_len), ctypes.byref(value_len))
        if not key.value and not key_len.value:
            break
        out.append((key.value.decode(), value[:value_len.value]))
    _lib.rados_omap_get_end(iterator)
    return out
