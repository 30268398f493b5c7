#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What overtakes a write that waits for space, and what does not; and the numbers that an OSD and
health give of such waiting. The order holds on real Ceph as well."""

import errno
import json
import threading
import time
import unittest

import harness
from harness import eventually

if harness.has_python_rados():
    import rados

FULL_TRY = 64       # LIBRADOS_OPERATION_*
RATIOS = (("nearfull", "0.85"), ("backfillfull", "0.90"), ("full", "0.95"))


class FullOrder(harness.ClusterCase):
    def setUp(self):
        self.client = rados.Rados(conffile=self.cluster.conf)
        self.client.connect(timeout=30)
        self.addCleanup(self.client.shutdown)
        self.io = self.client.open_ioctx("data")
        self.addCleanup(self.io.close)
        self.addCleanup(self.make_room)

    def flags(self):
        for pool in self.cluster.ceph_json("osd", "dump")["pools"]:
            if pool["pool_name"] == "data":
                return pool["flags_names"]
        raise AssertionError("no pool data")

    def make_full(self):
        for name, _ in reversed(RATIOS):
            self.cluster.ceph("osd", "set-%s-ratio" % name, "0.00001")
        eventually(lambda: "full" in self.flags().split(","), 30, 0.05, "a full pool")

    def make_room(self):
        for name, value in RATIOS:
            self.cluster.ceph("osd", "set-%s-ratio" % name, value)
        eventually(lambda: "full" not in self.flags(), 30, 0.05, "room")

    def perf(self, osd):
        done = self.cluster.ceph("--admin-daemon", self.cluster.asok("osd.%d" % osd), "perf", "dump")
        return json.loads(done.stdout)["osd"]

    def perf_sum(self, name):
        return sum(self.perf(osd)[name] for osd in range(self.OSDS))

    def test_reads_overtake(self):
        self.io.write_full("object", b"old")
        self.make_full()
        waiting = self.io.aio_write_full("object", b"new")
        time.sleep(0.5)
        began = time.monotonic()
        self.assertEqual(self.io.read("object"), b"old")
        self.assertEqual(self.io.stat("object")[0], 3)
        self.assertLess(time.monotonic() - began, 5)
        self.assertFalse(waiting.is_complete())
        self.make_room()
        waiting.wait_for_complete()
        self.assertEqual(waiting.get_return_value(), 0)
        self.assertEqual(self.io.read("object"), b"new")

    def test_removals_stay_behind_writes_before_them(self):
        """Of each object some are in flight whenever the pool becomes full; every removal finds
        what was written before it."""
        ending = threading.Event()
        self.addCleanup(ending.set)

        def write(name):
            flying = []
            while flying or not ending.is_set():
                while len(flying) < 4 and not ending.is_set():
                    flying += [self.io.aio_append(name, b"a" * 4096), self.io.aio_remove(name)]
                op = flying.pop(0)
                op.wait_for_complete()
                if op.get_return_value() != 0:
                    problems.append("%s: %d" % (name, op.get_return_value()))
        problems = []
        threads = [threading.Thread(target=write, args=("order%d" % n,)) for n in range(16)]
        for t in threads:
            t.start()
        for _ in range(4):
            time.sleep(0.3)
            self.make_full()
            self.make_room()
        ending.set()
        for t in threads:
            t.join(30)
        self.assertEqual(problems, [])

    @unittest.skipIf(harness.TARGET == "real", "counters of our own")
    def test_refusals_are_counted(self):
        before = self.perf_sum("op_refused_full")
        self.make_full()
        for _ in range(3):
            with self.assertRaises(rados.Error) as refused, rados.WriteOpCtx() as op:
                op.append(b"x" * 4096)
                self.io.operate_write_op(op, "tried", flags=FULL_TRY)
            self.assertEqual(abs(refused.exception.errno), errno.ENOSPC)
        self.assertEqual(self.perf_sum("op_refused_full"), before + 3)
        self.make_room()
        for name in ("op_parked", "op_parked_bytes"):
            eventually(lambda n=name: self.perf_sum(n) == 0, 5, 0.1, name + " 0")
        self.io.write_full("lent", b"l" * 65536)
        eventually(lambda: self.perf_sum("credit_lent_bytes") > 0, 5, 0.1, "loans")
        self.assertIn("op_discarded_full", self.perf(0))


if __name__ == "__main__":
    harness.main(python_rados=True)
