#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each OSD says that each PG's replica takes on it: stock clients write and delete what has a
known size, and every replica is as large as its objects are in allocation units, to the byte."""

import os
import tempfile
import time

import harness
from full_case import ask
from harness import eventually

UNIT = 4096
SIZES = (1, 4095, 4096, 4097, 40000, 65536, 100001, (4 << 20) + 1)
KEYS_OF_OBJECT = 2048       # the most that an object, with its mapping, and a log entry take


def units(size):
    return (size + UNIT - 1) // UNIT * UNIT


class PgAllocated(harness.ClusterCase):
    OSDS = 4
    pgs = {}    # of objects, by name

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-alloc-")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        super().tearDownClass()

    def reported(self):
        """{osd: {pgid: (bytes of data, bytes of keys)}} by `pg dump`, with reports of now."""
        sent = {osd: ask(self.cluster.asok("osd.%d" % osd), "flush_pg_stats")
                for osd in self.live_osds()}

        def arrived():
            stats = self.cluster.ceph_json("pg", "dump")["pg_map"]["osd_stats"]
            seqs = {s["osd"]: s["seq"] for s in stats}
            return stats if all(seqs.get(osd, 0) >= seq for osd, seq in sent.items()) else None

        stats = eventually(arrived, 10, 0.1, "reports at the monitor")
        self.osd_stats = {s["osd"]: s for s in stats}
        return {s["osd"]: {p["pgid"]: (p["bytes"] - p["keys"], p["keys"])
                           for p in s.get("pg_allocated", [])} for s in stats}

    def live_osds(self):
        return sorted(int(n.split(".")[1]) for n in self.cluster.pids() if n.startswith("osd."))

    def acting(self):
        return {s["pgid"]: s["acting"]
                for s in self.cluster.ceph_json("pg", "dump", "pgs_brief")["pg_stats"]}

    def pg_of(self, name):
        if name not in self.pgs:
            self.pgs[name] = self.cluster.ceph_json("osd", "map", "data", name)["pgid"]
        return self.pgs[name]

    def put(self, name, size):
        path = os.path.join(self.scratch.name, "bytes")
        with open(path, "wb") as f:
            f.write(os.urandom(size))
        self.rados("put", name, path)

    def data_by_pg(self, reported):
        """{pgid: {osd: data}} for comparison with what all members should have."""
        found = {}
        for osd, pgs in reported.items():
            for pgid, (data, _) in pgs.items():
                found.setdefault(pgid, {})[osd] = data
        return found

    def wanted(self, sizes):
        """The same, from {object: size}."""
        acting = self.acting()
        want = dict.fromkeys(acting, 0)
        for name, size in sizes.items():
            want[self.pg_of(name)] += units(size)
        return {pgid: dict.fromkeys(osds, want[pgid]) for pgid, osds in acting.items()}

    def assert_data(self, sizes):
        """Soon, since a PG that has just moved is deleted in the background."""
        want = self.wanted(sizes)
        deadline = time.monotonic() + 30
        while True:
            have = self.data_by_pg(self.reported())
            if have == want or time.monotonic() > deadline:
                return self.assertEqual(have, want)
            time.sleep(0.3)

    def assert_sums(self):
        """Collections and the OSD's own keys are all that there is."""
        reported = self.reported()
        for osd, s in self.osd_stats.items():
            statfs = s["statfs"]
            self.assertEqual(sum(d for d, _ in reported[osd].values()), statfs["allocated"])
            keys = sum(k for _, k in reported[osd].values())
            own = statfs["omap_allocated"] + statfs["internal_metadata"] - keys
            self.assertGreater(own, 0, "the OSD's own keys: its maps")
            self.assertEqual(list(reported[osd]), sorted(reported[osd], key=self.pg_order))

    @staticmethod
    def pg_order(pgid):
        pool, seed = pgid.split(".")
        return int(pool), int(seed, 16)

    def write_all(self):
        for size in SIZES:
            self.put("size-%d" % size, size)
        return {"size-%d" % size: size for size in SIZES}

    def remove_all(self, sizes):
        self.rados("rm", *sizes)
        self.assert_data({})

    def test_a_objects_in_allocation_units(self):
        before = self.reported()
        sizes = self.write_all()
        self.assert_data(sizes)
        self.assert_sums()
        after = self.reported()
        objects = {}
        for name in sizes:
            objects[self.pg_of(name)] = objects.get(self.pg_of(name), 0) + 1
        for osd, pgs in after.items():
            for pgid, (_, keys) in pgs.items():
                grown = keys - before[osd].get(pgid, (0, 0))[1]
                most = objects.get(pgid, 0) * 2 * KEYS_OF_OBJECT
                # Large ones come in several writes, each with a log entry.
                self.assertLessEqual(grown, most, "osd.%d %s" % (osd, pgid))
                if pgid in objects:
                    self.assertGreater(grown, objects[pgid] * 100, "osd.%d %s" % (osd, pgid))
        self.remove_all(sizes)

    def test_b_truncates_overwrites_and_holes(self):
        self.put("changing", 100000)
        self.rados("truncate", "changing", "4097")
        self.assert_data({"changing": 4097})
        self.rados("truncate", "changing", "1000000")
        self.assert_data({"changing": 4097})        # a hole takes nothing
        self.put("changing", 50000)
        self.assert_data({"changing": 50000})
        self.remove_all({"changing": 0})

    def test_c_omap_counts_as_keys(self):
        self.rados("create", "keyed")
        pgid = self.pg_of("keyed")
        before = self.reported()
        for n in range(4):
            self.rados("setomapval", "keyed", "key%d" % n, "v" * 20000)
        after = self.reported()
        for osd in self.acting()[pgid]:
            grown = after[osd][pgid][1] - before[osd][pgid][1]
            self.assertGreater(grown, 80000)
            self.assertLess(grown, 80000 + 4 * KEYS_OF_OBJECT)
            self.assertEqual(after[osd][pgid][0], 0)
        self.rados("rm", "keyed")
        gone = self.reported()
        for osd in self.acting()[pgid]:
            self.assertLess(gone[osd][pgid][1], after[osd][pgid][1] - 80000)

    def test_d_the_same_after_kill_9_of_all(self):
        sizes = self.write_all()
        self.assert_data(sizes)
        before = self.reported()
        self.cluster.stop(kill=True)
        self.cluster.start()
        self.cluster.wait_clean(time.monotonic() + 60)
        self.assert_data(sizes)
        self.assert_sums()
        self.assertEqual({o: set(p) for o, p in self.reported().items()},
                         {o: set(p) for o, p in before.items()})
        self.remove_all(sizes)

    def test_e_moves_with_its_pg(self):
        sizes = self.write_all()
        pgid = self.pg_of("size-%d" % SIZES[-1])
        acting = self.acting()[pgid]
        source = acting[-1]
        target = next(o for o in range(self.OSDS) if o not in acting)
        self.cluster.ceph("osd", "pg-upmap-items", pgid, str(source), str(target))
        eventually(lambda: target in self.acting()[pgid] and source not in self.acting()[pgid],
                   60, 0.3, "a move")
        self.cluster.wait_clean(time.monotonic() + 60)
        self.assert_data(sizes)     # also: nothing of it on the source
        self.cluster.ceph("osd", "rm-pg-upmap-items", pgid)
        eventually(lambda: sorted(self.acting()[pgid]) == sorted(acting), 60, 0.3, "back again")
        self.cluster.wait_clean(time.monotonic() + 60)
        self.remove_all(sizes)

    def test_f_copies_and_deleted_pools(self):
        sizes = self.write_all()
        self.cluster.ceph("osd", "pool", "create", "copy", "4", "4", "replicated")
        self.cluster.wait_clean(time.monotonic() + 60)
        self.rados("cppool", "data", "copy", pool=None)
        total = sum(units(size) for size in sizes.values()) * 3
        pool = "%d." % self.cluster.ceph_json("osd", "pool", "stats", "copy")[0]["pool_id"]

        def of_pool():
            return [d for pgs in self.reported().values() for pgid, (d, _) in pgs.items()
                    if pgid.startswith(pool)]

        self.assertEqual(sum(of_pool()), total)
        self.assertEqual(len(of_pool()), 4 * 3)
        self.cluster.ceph("config", "set", "mon", "mon_allow_pool_delete", "true")
        self.cluster.ceph("osd", "pool", "delete", "copy", "copy", "--yes-i-really-really-mean-it")
        eventually(lambda: not of_pool(), 30, 0.3, "no PG of a deleted pool")
        self.assert_data(sizes)
        self.remove_all(sizes)

    def test_g_on_the_admin_socket(self):
        self.put("one", 5000)
        reported = self.reported()
        for osd in range(self.OSDS):
            listed = ask(self.cluster.asok("osd.%d" % osd), "dump_pg_allocated")["pg_allocated"]
            self.assertEqual({p["pgid"]: (p["bytes"] - p["keys"], p["keys"]) for p in listed},
                             reported[osd])
        self.remove_all({"one": 0})

    def test_h_the_unit_is_known(self):
        unit = self.cluster.ceph_json("osd", "metadata", "0")["bluestore_min_alloc_size"]
        self.assertEqual(unit, str(UNIT))

    def test_z_a_purged_osd_is_gone(self):
        self.assertIn(3, self.reported())
        self.cluster.ceph("osd", "out", "3")
        self.cluster.ceph("osd", "safe-to-destroy", "3")
        self.cluster.kill_daemon("osd.3")
        self.cluster.ceph("osd", "down", "3")
        self.cluster.ceph("osd", "purge", "3", "--yes-i-really-mean-it")
        type(self).cluster.expected = [n for n in self.cluster.expected if n != "osd.3"]
        self.assertEqual(sorted(self.reported()), [0, 1, 2])


if __name__ == "__main__":
    if harness.TARGET == "real":
        harness.skip("Ceph's OSDs do not report this")
    harness.main()
