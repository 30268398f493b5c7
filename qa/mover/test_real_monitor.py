#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans before a real monitor, alone with a map of 100 OSDs that we encoded: every entry must be in
its map in the end, and every PG where the plan says. Bad entries, which the checker refuses: most
vanish although the command succeeds, dead ones stay."""

import concurrent.futures
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))

import harness
from real_cluster import RealCluster

LACKING = [n for n in ("ceph-mon", "ceph", "monmaptool", "osdmaptool") if shutil.which(n) is None]
if not harness.has_python_rados():
    LACKING.append("python3-rados")
if LACKING:
    print("SKIP: missing " + " ".join(LACKING))
    sys.exit(77)

import rados

BIN = os.environ.get("PLIMSOLL_BIN_DIR", os.path.join(HERE, "..", "..", "build", "bin"))
OUT_OSD = 42
IN_FLIGHT = 64


class LoneMonitor(RealCluster):
    """A monitor whose first map is `osd_map`. Its OSDs are down: there are no daemons to be up."""

    def __init__(self, directory, osd_map):
        super().__init__(directory, conf={"mon/mon_osd_down_out_interval": 0})
        self.osd_map = osd_map

    def start(self, timeout=60):
        for sub in ("run", "log", "crash", "mon.a"):
            os.makedirs(self.path(sub), exist_ok=True)
        self.write_conf()
        self.run("monmaptool", "--create", "--addv", "a", self.mon_addrs, "--fsid", self.fsid,
                 "--set-min-mon-release", "16", self.path("monmap"))
        self.run("ceph-mon", "-c", self.conf, "-i", "a", "--mkfs", "--monmap",
                 self.path("monmap"), "--osdmap", self.osd_map)
        self.spawn("ceph-mon", "mon.a")
        self.ceph("-s", timeout=timeout)


def up_sets(osd_map):
    """{pgid: members}, with all OSDs up and in, as stock osdmaptool maps them."""
    text = subprocess.run(["osdmaptool", osd_map, "--mark-up-in", "--test-map-pgs-dump-all"],
                          capture_output=True, check=True, text=True).stdout
    rows = re.findall(r"^(\S+) raw .* up \(\[([^\]]*)\]", text, re.M)
    return {pg: [None if m == "NONE" else int(m) for m in up.split(",")] for pg, up in rows}


class MonitorCase(unittest.TestCase):
    SHAPE = ["--osds", "100"]

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="plimsoll-mover-")
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        synth = [os.path.join(BIN, "plimsoll-mover-synth"), *cls.SHAPE]
        subprocess.run(synth + ["--dump", cls.path("dump")], check=True, capture_output=True)
        subprocess.run(synth + ["--down", "--osdmap", cls.path("map")], check=True,
                       capture_output=True)
        cls.cluster = LoneMonitor(cls.path("c"), cls.path("map"))
        cls.addClassCleanup(cls.cluster.destroy)
        cls.cluster.start()
        cls.client = rados.Rados(conffile=cls.cluster.conf)
        cls.client.connect(timeout=20)
        cls.addClassCleanup(cls.client.shutdown)
        cls.before = up_sets(cls.path("map"))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.top, name)

    def command(self, prefix, **words):
        """What the monitor answers."""
        text = json.dumps(dict(words, prefix=prefix))
        return self.client.mon_command(text, b"", timeout=60)[0]

    def set_items(self, pg, osds):
        return self.command("osd pg-upmap-items", pgid=pg, id=osds)

    def at_once(self, call, *arguments):
        """Many calls in flight; one alone takes a round of proposals."""
        with concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as pool:
            self.assertLessEqual(set(pool.map(call, *arguments)), {0})

    def entries(self):
        """{pgid: [from, to, ...]} when the map has been still for a while: invalid entries go with
        the epoch after the one that they came with."""
        known, since = None, time.monotonic()
        while time.monotonic() - since < 4:
            dump = self.cluster.ceph_json("osd", "dump")
            if dump["epoch"] != known:
                known, since = dump["epoch"], time.monotonic()
            time.sleep(0.3)
        return {e["pgid"]: [osd for m in e["mappings"] for osd in (m["from"], m["to"])]
                for e in dump["pg_upmap_items"]}


class Plans(MonitorCase):
    def setUp(self):
        pgs = [e["pgid"] for e in self.cluster.ceph_json("osd", "dump")["pg_upmap_items"]]
        self.at_once(lambda pg: self.command("osd rm-pg-upmap-items", pgid=pg), pgs)

    def plan(self, *words, form):
        done = subprocess.run([os.path.join(BIN, "plimsoll-mover"), "plan", *words, "--dump",
                               self.path("dump"), "-f", form], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check_plan(self, *words):
        """Sends the commands as `-f ceph` prints them and reads back."""
        lines = re.findall(r"^ceph osd pg-upmap-items (\S+) ([\d ]+)$",
                           self.plan(*words, form="ceph"), re.M)
        wanted = {pg: [int(osd) for osd in osds.split()] for pg, osds in lines}
        self.assertGreater(len(wanted), 20)
        self.at_once(self.set_items, wanted.keys(), wanted.values())
        self.assertEqual(self.entries(), wanted)

        self.cluster.ceph("osd", "getmap", "-o", self.path("after"))
        moves = json.loads(self.plan(*words, form="json"))["moves"]
        self.assertEqual(len(moves), len(wanted))
        expected = {pg: list(up) for pg, up in self.before.items()}
        for move in moves:
            expected[move["pg"]][move["position"]] = move["to"]
        self.assertEqual(up_sets(self.path("after")), expected)

    def test_relief(self):
        self.check_plan("relieve")

    def test_balance(self):
        self.check_plan("balance")

    def test_drain(self):
        self.check_plan("drain", "osd.3")


class BadEntries(MonitorCase):
    """Of hosts with ten OSDs, the last two are ssd; pool 1 wants three racks with hdd."""
    SHAPE = MonitorCase.SHAPE + ["--out", str(OUT_OSD)]

    def pgs_of_known_place(self):
        """PGs of pool 1 which are where they would be with the OSD in, which is out."""
        return [pg for pg, up in sorted(self.before.items())
                if pg.startswith("1.") and OUT_OSD not in up]

    def test_what_it_drops_and_what_it_keeps(self):
        beside = lambda osd: osd + 1 if osd % 10 == 0 else osd - 1
        cases = {
            "same rack": lambda up: [up[0], beside(up[1])],
            "wrong class": lambda up: [up[0], up[0] // 10 * 10 + 8],
            "out": lambda up: [up[0], OUT_OSD],
            "no such source": lambda up: [beside(up[0]), beside(up[0]) // 10 * 10 + 7],
            "in up": lambda up: [up[0], up[1]],
            "good": lambda up: [up[0], beside(up[0])],
            "chain": lambda up: [up[0], beside(up[0]), beside(up[0]), up[0]],
        }
        pgs = dict(zip(cases, self.pgs_of_known_place()))
        sent = {name: make(self.before[pgs[name]]) for name, make in cases.items()}
        self.at_once(self.set_items, pgs.values(), sent.values())
        entries = self.entries()
        self.assertEqual({name: entries.get(pg) for name, pg in pgs.items()}, {
            "same rack": None, "wrong class": None, "out": None, "no such source": None,
            "in up": sent["in up"], "good": sent["good"], "chain": sent["chain"][:2]})

    def test_what_it_refuses(self):
        pg = self.pgs_of_known_place()[0]
        first = self.before[pg][0]
        self.assertEqual(self.set_items(pg, [first, first]), -errno.EINVAL)
        self.assertEqual(self.set_items(pg, [first, 5000]), -errno.ENOENT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
