#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""plimsoll-mover on a running cluster: gathers, plans, and the stock `ceph` carries its commands out.
Where PGs end up is what the plan said. The same against real Ceph with PLIMSOLL_TARGET=real."""

import json
import os
import subprocess
import tempfile
import time
import unittest

import harness
from harness import eventually
from plimsoll_cluster import bin_dir

MIB = 1 << 20
OBJECTS = 40


class Mover(harness.ClusterCase):
    OSDS = 5

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-mover-")
        if harness.TARGET == "real":
            cls.cluster.ceph("balancer", "off")  # it is on, by upmap, in a new cluster
        # All OSDs are on one host: failure domains are OSDs, as the harness makes pools.
        source = os.path.join(cls.scratch.name, "bytes")
        with open(source, "wb") as f:
            f.write(os.urandom(MIB))
        for i in range(OBJECTS):
            cls.cluster.rados("put", "object%d" % i, source, pool="data")
        cls.settle()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        super().tearDownClass()

    @classmethod
    def settle(cls):
        """Clean, and every OSD has reported since."""
        cls.cluster.wait_clean(time.monotonic() + 120)
        for osd in range(cls.OSDS):
            cls.cluster.ceph("tell", "osd.%d" % osd, "flush_pg_stats")
        time.sleep(1.5 if harness.TARGET == "plimsoll" else 6)

    def path(self, name):
        return os.path.join(self.scratch.name, "%s-%s" % (self.id().split(".")[-1], name))

    def mover(self, *args, want=(0,), live=True):
        where = ["-c", self.cluster.conf] if live else []
        done = subprocess.run([os.path.join(bin_dir(), "plimsoll-mover"), *args, *where],
                              timeout=120, capture_output=True, text=True)
        self.assertIn(done.returncode, want, "%s\n%s\n%s" % (args, done.stdout[-800:],
                                                             done.stderr[-800:]))
        return done

    def plan(self, *args, want=(0,)):
        return json.loads(self.mover("plan", *args, "-f", "json", want=want).stdout)

    def pgs(self):
        return {s["pgid"]: s for s in self.cluster.ceph_json("pg", "dump", "pgs")["pg_stats"]}

    def entries(self):
        return {e["pgid"]: [(m["from"], m["to"]) for m in e["mappings"]]
                for e in self.cluster.ceph_json("osd", "dump")["pg_upmap_items"]}

    def carry_out(self, plan_file):
        """As an operator does: the printed commands, by sh, with the stock ceph."""
        commands = self.mover("show", plan_file, "-f", "ceph", live=False).stdout
        subprocess.run(["sh"], input=commands, text=True, check=True, timeout=120,
                       capture_output=True, env=dict(os.environ, CEPH_CONF=self.cluster.conf))

    def expect_done(self, plan):
        """Entries are the plan's, up sets have the new members in place of the old, data follows."""
        entries = self.entries()
        for move in plan["moves"]:
            self.assertEqual(entries.get(move["pg"], []), [tuple(p) for p in move["items_after"]])

        def arrived():
            pgs = self.pgs()
            return all(pgs[m["pg"]]["up"] == pgs[m["pg"]]["acting"] and
                       m["to"] in pgs[m["pg"]]["acting"] and m["from"] not in pgs[m["pg"]]["acting"]
                       for m in plan["moves"]) and self.cluster.is_clean()
        eventually(arrived, 120, what="moves are done")

    # ---- tests, in the order of their names

    def test_1_gathers_what_the_cluster_is(self):
        live = self.path("live")
        self.mover("gather", live)
        with open(live) as f:
            dump = json.load(f)
        osd_dump = self.cluster.ceph_json("osd", "dump")
        self.assertEqual(dump["osd_dump"]["fsid"], osd_dump["fsid"])
        self.assertEqual(dump["osd_dump"]["epoch"], osd_dump["epoch"])
        self.assertNotIn("public_addr", json.dumps(dump))
        pgs = self.pgs()
        self.assertEqual({p["pgid"]: p["acting"] for p in dump["pg_dump"]["pg_stats"]},
                         {pg: s["acting"] for pg, s in pgs.items()})
        written = sum(p["stat_sum"]["num_bytes"] for p in dump["pg_dump"]["pg_stats"])
        self.assertGreaterEqual(written, OBJECTS * MIB)
        sizes = {s["osd"]: s["statfs"]["total"] for s in dump["pg_dump"]["osd_stats"]}
        self.assertEqual(sorted(sizes), list(range(self.OSDS)))
        self.assertTrue(all(sizes.values()))
        if harness.TARGET == "plimsoll":
            for stat in dump["pg_dump"]["osd_stats"]:
                self.assertTrue(stat["pg_allocated"])

    def test_2_saved_documents_say_the_same(self):
        folder = self.path("documents")
        os.mkdir(folder)
        for name, command in (("osd_dump", ["osd", "dump"]), ("crush_dump", ["osd", "crush", "dump"]),
                              ("pg_dump", ["pg", "dump"]), ("osd_df", ["osd", "df"])):
            with open(os.path.join(folder, name + ".json"), "wb") as f:
                f.write(self.cluster.ceph(*command, "-f", "json").stdout)
        pg = sorted(self.pgs())[0]
        up = self.pgs()[pg]["up"]
        spare = min(set(range(self.OSDS)) - set(up))
        words = ["move", pg, "osd.%d" % up[1], "osd.%d" % spare]
        live = self.plan(*words)
        saved = self.plan(*words, "--dump", folder)
        for move in live["moves"] + saved["moves"]:
            for key in ("from_fill", "to_fill"):  # logs grow meanwhile
                del move[key]
        self.assertEqual([m["pg"] for m in live["moves"]], [pg])
        self.assertEqual(live["moves"][0]["items_after"], saved["moves"][0]["items_after"])
        self.assertAlmostEqual(live["moves"][0]["bytes"], saved["moves"][0]["bytes"], delta=MIB)

    def test_3_a_move_by_hand(self):
        pg, stat = max(self.pgs().items(), key=lambda item: item[1]["stat_sum"]["num_bytes"])
        source = stat["up"][0]
        spare = min(set(range(self.OSDS)) - set(stat["up"]))
        plan_file = self.path("plan")
        done = self.mover("plan", "move", pg, "osd.%d" % source, "osd.%d" % spare, "-o", plan_file)
        self.assertIn("MOVE %s " % pg, done.stdout)
        with open(plan_file) as f:
            plan = json.load(f)
        (move,) = plan["moves"]
        num_bytes = stat["stat_sum"]["num_bytes"]
        self.assertGreaterEqual(move["bytes"], num_bytes * 0.5)
        self.assertLessEqual(move["bytes"], num_bytes * 2 + MIB)
        self.mover("check", plan_file, want=(0, 3))
        self.assertIn("after:", self.mover("simulate", plan_file).stdout)
        self.assertEqual(self.pgs()[pg]["up"], stat["up"], "planning changes nothing")
        self.carry_out(plan_file)
        self.expect_done(plan)
        # Done is done: the plan does not fit what is there now.
        self.settle()
        self.assertIn("REFUSE", self.mover("check", plan_file, want=(4,)).stdout)

    def test_4_a_drained_osd_is_empty(self):
        self.settle()
        plan_file = self.path("plan")
        self.mover("plan", "drain", "osd.4", "--pool", "data", "-o", plan_file)
        with open(plan_file) as f:
            plan = json.load(f)
        self.assertTrue(plan["moves"])
        self.carry_out(plan_file)
        self.expect_done(plan)
        pool = next(p["pool"] for p in self.cluster.ceph_json("osd", "dump")["pools"]
                    if p["pool_name"] == "data")
        self.assertEqual([pg for pg, s in self.pgs().items()
                          if pg.startswith("%d." % pool) and 4 in s["up"] + s["acting"]], [])

    def test_5_a_cordoned_osd_gets_nothing(self):
        self.settle()
        self.cluster.ceph("config-key", "set", "mover/cordon", "osd.4")
        try:
            plan = self.plan("drain", "osd.3", "--pool", "data", want=(0, 2))
            self.assertNotIn(4, [m["to"] for m in plan["moves"]])
        finally:
            self.cluster.ceph("config-key", "rm", "mover/cordon")
        plan = self.plan("drain", "osd.3", "--pool", "data", want=(0, 2))
        self.assertIn(4, [m["to"] for m in plan["moves"]])

    def test_6_flags_are_told(self):
        self.cluster.ceph("osd", "set", "norebalance")
        try:
            self.assertIn("the flag norebalance is set", self.mover("plan", "relieve").stderr)
        finally:
            self.cluster.ceph("osd", "unset", "norebalance")

    @unittest.skipUnless(harness.TARGET == "real", "Plimsoll has no balancer")
    def test_7_a_balancer_at_work_is_told(self):
        self.cluster.ceph("balancer", "on")
        try:
            self.assertIn("ceph balancer off", self.mover("plan", "relieve").stderr)
            done = self.mover("plan", "relieve", "-f", "ceph", want=(1,))
            self.assertEqual(done.stdout, "")
        finally:
            self.cluster.ceph("balancer", "off")

    def test_8_nobody_answers(self):
        conf = self.path("conf")
        with open(conf, "w") as f:
            f.write("[global]\nmon_host = [v2:127.0.0.1:1]\nauth_client_required = none\n")
        began = time.monotonic()
        done = self.mover("gather", "-", "-c", conf, live=False, want=(1,))
        self.assertIn("cannot connect to the cluster", done.stderr)
        self.assertLess(time.monotonic() - began, 60)
        done = self.mover("gather", "-", "-c", "/nonexistent.conf", live=False, want=(1,))
        self.assertIn("/nonexistent.conf", done.stderr)


if __name__ == "__main__":
    harness.main()
