#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The maps of a live cluster under the stock offline tools: osdmaptool, crushtool and monmaptool
read them, say the same as our own dumps, and compute the placement that the cluster uses."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest

import harness

_PG_LINE = re.compile(r"^(\S+) raw \((.*?), p(-?\d+)\) up \((.*?), p(-?\d+)\) "
                      r"acting \((.*?), p(-?\d+)\)$")
NONE = 2147483647


def _set(text):
    return [NONE if o in ("NONE", str(NONE)) else int(o) for o in text.strip("[]").split(",") if o]


class Maps(harness.ClusterCase):
    OSDS = 6
    POOLS = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-maps-")
        for line in ("osd pool create three 32 32 replicated", "osd pool create odd 12 12",
                     "osd pool create two 16 16", "osd pool set two size 2",
                     "osd pool application enable three rados",
                     "osd pool application enable odd rbd",
                     "osd pool set-quota odd max_objects 100"):
            cls.cluster.ceph(*line.split())
        cls.cluster.wait_clean(time.monotonic() + 90)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        super().tearDownClass()

    def path(self, name):
        return os.path.join(self.scratch.name, name)

    def tool(self, *args, check=True):
        done = subprocess.run(args, capture_output=True, timeout=60)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return done.stdout.decode()

    def fetch(self, *command):
        path = self.path("-".join(command))
        self.cluster.ceph(*command, "-o", path)
        return path

    def offline(self, path):
        """{pgid: (up, up primary, acting, acting primary)} as osdmaptool computes it."""
        out = self.tool("osdmaptool", path, "--test-map-pgs-dump-all")
        found = {}
        for line in out.splitlines():
            match = _PG_LINE.match(line)
            if match:
                pgid, _, _, up, up_primary, acting, acting_primary = match.groups()
                found[pgid] = (_set(up), int(up_primary), _set(acting), int(acting_primary))
        return found

    def live(self):
        stats = self.cluster.ceph_json("pg", "dump", "pgs_brief")
        stats = stats["pg_stats"] if isinstance(stats, dict) else stats
        return {s["pgid"]: (s["up"], s["up_primary"], s["acting"], s["acting_primary"])
                for s in stats}

    def assert_placement(self, seconds=60):
        """What the PGs report is what osdmaptool makes of the current map, for every PG."""
        def same():
            want, have = self.offline(self.fetch("osd", "getmap")), self.live()
            self.difference = {p: (want.get(p), have.get(p)) for p in set(want) | set(have)
                               if want.get(p) != have.get(p)}
            return want and not self.difference
        try:
            harness.eventually(same, seconds, 0.5)
        except AssertionError:
            self.fail("offline and live placement differ: %s" % dict(
                sorted(self.difference.items())[:5]))
        for pgid, (up, _, acting, _) in list(self.live().items())[::7]:
            said = self.cluster.ceph_json("pg", "map", pgid)
            self.assertEqual((said["up"], said["acting"]), (up, acting), pgid)

    # -- what the tools read -------------------------------------------------------------------
    def test_osdmap_dump_equals_ours(self):
        path = self.fetch("osd", "getmap")
        dumped = self.cluster.ceph_json("osd", "dump")
        offline = json.loads(self.tool("osdmaptool", path, "--dump", "json"))
        self.assertEqual(sorted(offline), sorted(dumped))
        for key in offline:
            self.assertEqual(offline[key], dumped[key], key)

    def test_osdmap_print_equals_ours(self):
        path = self.fetch("osd", "getmap")
        printed = [l for l in self.tool("osdmaptool", path, "--print").splitlines() if l]
        plain = self.cluster.ceph("osd", "dump").stdout.decode().splitlines()
        self.assertEqual(printed, [l for l in plain if l])

    def test_osdmap_tree_equals_ours(self):
        path = self.fetch("osd", "getmap")
        offline = self.tool("osdmaptool", path, "--tree").splitlines()
        plain = self.cluster.ceph("osd", "tree").stdout.decode().splitlines()
        words = [l.split() for l in offline if l.split() and not l.startswith("osdmaptool")]
        self.assertEqual(words, [l.split() for l in plain])

    def test_every_epoch_is_readable(self):
        epoch = self.cluster.ceph_json("osd", "dump")["epoch"]
        for e in range(max(1, epoch - 12), epoch + 1):
            path = self.path("epoch")
            self.cluster.ceph("osd", "getmap", str(e), "-o", path)
            out = self.tool("osdmaptool", path, "--print")
            self.assertTrue(out.startswith("epoch %d\n" % e), out[:60])

    def test_crush_in_osdmap_is_getcrushmap(self):
        osdmap, crush = self.fetch("osd", "getmap"), self.fetch("osd", "getcrushmap")
        self.tool("osdmaptool", osdmap, "--export-crush", self.path("exported"))
        self.assertEqual(self.decompile(self.path("exported")), self.decompile(crush))

    def decompile(self, path):
        return self.tool("crushtool", "-d", path)

    def test_crush_text_round_trip(self):
        crush = self.fetch("osd", "getcrushmap")
        text = self.decompile(crush)
        for needed in ("# begin crush map", "tunable chooseleaf_stable 1", "device 0 osd.0",
                       "root default {", "alg straw2", "rule replicated_rule {"):
            self.assertIn(needed, text)
        with open(self.path("text"), "w") as f:
            f.write(text)
        self.tool("crushtool", "-c", self.path("text"), "-o", self.path("compiled"))
        self.assertEqual(self.decompile(self.path("compiled")), text)

    def test_setcrushmap(self):
        crush = self.fetch("osd", "getcrushmap")
        before = self.decompile(crush)
        with open(self.path("text"), "w") as f:
            f.write(before.replace("# end crush map",
                                   "rule added {\n\tid 7\n\ttype replicated\n\tmin_size 1\n"
                                   "\tmax_size 10\n\tstep take default\n"
                                   "\tstep choose firstn 0 type osd\n\tstep emit\n}\n"))
        self.tool("crushtool", "-c", self.path("text"), "-o", self.path("edited"))
        self.cluster.ceph("osd", "setcrushmap", "-i", self.path("edited"))
        self.assertIn("added", self.cluster.ceph_json("osd", "crush", "rule", "ls"))
        self.cluster.ceph("osd", "setcrushmap", "-i", crush)
        self.assertEqual(self.decompile(self.fetch("osd", "getcrushmap")), before)

    @unittest.skipIf(harness.TARGET == "real", "a monitor of 16.2.15 dies of some of these")
    def test_setcrushmap_refuses_garbage(self):
        before = self.decompile(self.fetch("osd", "getcrushmap"))
        for content in (b"", b"garbage", b"\0\0\1\0" + b"\xff" * 100, b"\0\0\1\0\6\0\0\0"):
            with open(self.path("garbage"), "wb") as f:
                f.write(content)
            done = self.cluster.ceph("osd", "setcrushmap", "-i", self.path("garbage"), check=False)
            self.assertNotEqual(done.returncode, 0, content)
        self.assertEqual(self.decompile(self.fetch("osd", "getcrushmap")), before)

    def test_monmap(self):
        out = self.tool("monmaptool", "--print", self.fetch("mon", "getmap"))
        lines = [l for l in out.splitlines() if not l.startswith("monmaptool")]
        plain = self.cluster.ceph("mon", "dump").stdout.decode().splitlines()
        self.assertEqual(lines, [l for l in plain if l])
        self.assertIn("fsid " + self.cluster.ceph("fsid").stdout.decode().strip(), lines)

    # -- placement -----------------------------------------------------------------------------
    def test_placement_0_as_started(self):
        self.assert_placement()

    def test_placement_1_object_mapping(self):
        path = self.fetch("osd", "getmap")
        pools = {p["poolname"]: p["poolnum"] for p in self.cluster.ceph_json("osd", "lspools")}
        for pool in ("three", "odd", "two"):
            for name in ("a", "object-%d" % pools[pool], "x" * 300, "ünï"):
                out = self.tool("osdmaptool", path, "--test-map-object", name, "--pool",
                                str(pools[pool]))
                pgid, acting = re.search(r"-> (\S+) -> (\[.*?\])", out).groups()
                said = self.cluster.ceph_json("osd", "map", pool, name)
                self.assertEqual((said["pgid"], said["acting"]), (pgid, _set(acting)))

    def edit(self, *lines):
        for line in lines:
            self.cluster.ceph(*line.split())
        self.assert_placement()

    def test_placement_2_weights_and_affinity(self):
        self.edit("osd primary-affinity 1 0.5", "osd primary-affinity 2 0")
        self.edit("osd reweight 3 0.6", "osd crush reweight osd.4 0.02")
        self.edit("osd out 5")
        self.edit("osd in 5", "osd reweight 3 1", "osd primary-affinity 1 1",
                  "osd primary-affinity 2 1")

    def test_placement_3_upmaps(self):
        self.cluster.ceph("osd", "set-require-min-compat-client", "luminous", check=False)
        placed = self.offline(self.fetch("osd", "getmap"))
        three = str(self.cluster.ceph_json("osd", "pool", "get", "three", "size")["pool_id"])
        moved = 0
        for pgid, (up, _, _, _) in sorted(placed.items()):
            if pgid.split(".")[0] == three and moved < 4:
                spare = [o for o in range(6) if o not in up]
                self.cluster.ceph("osd", "pg-upmap-items", pgid, str(up[0]), str(spare[0]))
                moved += 1
        self.assertEqual(len(self.cluster.ceph_json("osd", "dump")["pg_upmap_items"]), 4)
        self.assert_placement()
        for item in self.cluster.ceph_json("osd", "dump")["pg_upmap_items"]:
            self.cluster.ceph("osd", "rm-pg-upmap-items", item["pgid"])
        self.assert_placement()

    def test_placement_4_hosts_racks_and_classes(self):
        self.edit("osd crush rm-device-class osd.0 osd.1 osd.2",
                  "osd crush set-device-class ssd osd.0 osd.1 osd.2",
                  "osd crush rule create-replicated on-ssd default osd ssd",
                  "osd pool set two crush_rule on-ssd")
        ssd = self.live()
        two = str(self.cluster.ceph_json("osd", "pool", "get", "two", "size")["pool_id"])
        for pgid, (up, _, _, _) in ssd.items():
            if pgid.split(".")[0] == two:
                self.assertLessEqual(set(up), {0, 1, 2}, pgid)
        hosts = ["osd crush reweight osd.%d 0.01" % o for o in range(6)]
        for n in range(3):
            hosts += ["osd crush add-bucket rack%d rack" % n,
                      "osd crush move rack%d root=default" % n]
            hosts += ["osd crush create-or-move osd.%d 0.01 host=h%d rack=rack%d root=default"
                      % (o, o, n) for o in (2 * n, 2 * n + 1)]
        hosts += ["osd crush move h%d rack=rack%d" % (o, o // 2) for o in range(6)]
        hosts += ["osd crush rule create-replicated by-rack default rack",
                  "osd pool set three crush_rule by-rack"]
        self.edit(*hosts)
        three = str(self.cluster.ceph_json("osd", "pool", "get", "three", "size")["pool_id"])
        for pgid, (up, _, _, _) in self.live().items():
            if pgid.split(".")[0] == three:
                self.assertEqual(len({o // 2 for o in up}), 3, "%s %s" % (pgid, up))


if __name__ == "__main__":
    harness.main()
