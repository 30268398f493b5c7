#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""OSDs come and go under write load: killed, away for long, out and in, replaced, stopped. Writes
go on, the status says what is the matter in Ceph's words, and in the end everything is clean, all
that was acknowledged is there, and all members of a PG hold the same."""

import contextlib
import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import crash_writer
import harness
import test_crash
from plimsoll_cluster import bin_dir

PROMPT = {"osd_heartbeat_grace": "2", "osd_heartbeat_interval": "1",
          # Logs that soon do not reach back to whoever was away, but do to all that the writer has
          # in flight: by them repeated requests are recognised.
          "osd_min_pg_log_entries": "100", "osd_max_pg_log_entries": "100"}


def say(text, *args):
    print("    " + text % args, file=sys.stderr, flush=True)


class Recovery(unittest.TestCase):
    check_models = test_crash.Crash.check_models
    check_object = test_crash.Crash.check_object
    omap_keys = staticmethod(test_crash.Crash.omap_keys)

    @classmethod
    def setUpClass(cls):
        import rados
        cls.cluster = harness.new_cluster(osds=4, osd_size="2G", conf=PROMPT)
        cls.cluster.ceph("osd", "pool", "create", "data", "16", "16", "replicated")
        cls.cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
        cls.cluster.wait_clean(time.monotonic() + 60)
        cls.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-recovery-")
        cls.writers = 0
        cls.client = rados.Rados(conffile=cls.cluster.conf, conf={"rados_mon_op_timeout": "30"})
        cls.client.connect(timeout=30)

    @classmethod
    def tearDownClass(cls):
        cls.client.shutdown()
        dead = cls.cluster.dead()
        cls.cluster.destroy()
        cls.scratch.cleanup()
        if dead:
            raise AssertionError("daemons that died: " + " ".join(dead))

    # -- what the monitor says -----------------------------------------------------------------
    def ask(self, **command):
        rc, out, status = self.client.mon_command(json.dumps(dict(command, format="json")), b"")
        self.assertEqual(rc, 0, "%s: %s" % (command, status))
        return json.loads(out) if out.strip() else None

    def pgs(self):
        return self.ask(prefix="pg dump", dumpcontents=["pgs_brief"])["pg_stats"]

    def states(self):
        return {flag for pg in self.pgs() for flag in pg["state"].split("+")}

    def osd(self, number):
        return self.ask(prefix="osd dump")["osds"][number]

    def health(self):
        return self.ask(prefix="status")["health"]["checks"]

    def is_clean(self):
        return (self.ask(prefix="status")["osdmap"]["num_up_osds"] == 4
                and all(p["state"] == "active+clean" for p in self.pgs()))

    def wait_clean(self, what, seen=None):
        """Returns how long it took; adds the states on the way to `seen`."""
        began = time.monotonic()

        def clean():
            if seen is not None:
                seen.update(self.states())
            return self.is_clean()
        try:
            harness.eventually(clean, 60, 0.05, "clean after " + what)
        except AssertionError as late:
            odd = [p for p in self.pgs() if p["state"] != "active+clean"]
            raise AssertionError("%s: %s" % (late, json.dumps(odd)))
        took = time.monotonic() - began
        say("clean %.1f s after %s", took, what)
        return took

    # -- load ----------------------------------------------------------------------------------
    @contextlib.contextmanager
    def load(self):
        Recovery.writers += 1
        writer = test_crash.Writer(self.cluster, "data", self.scratch.name, Recovery.writers)
        self.addCleanup(writer.kill)
        self.goes_on(writer, 50)
        yield writer
        self.assertTrue(writer.alive(), writer.output())
        self.assertEqual(writer.drain(), 0, writer.output())
        models = crash_writer.read_journal(writer.journal)
        for model in models.values():
            self.assertEqual(model.acked, len(model.operations), "drained but not acknowledged")
        self.check_models(models)
        self.check_replicas()

    def goes_on(self, writer, writes, seconds=20):
        """That many more writes are acknowledged; returns how long they took."""
        began, before = time.monotonic(), writer.acknowledged()
        harness.eventually(lambda: writer.acknowledged() >= before + writes or not writer.alive(),
                           seconds, 0.02, "progress of the writer")
        self.assertTrue(writer.alive(), writer.output())
        return time.monotonic() - began

    def check_replicas(self):
        """Stops the OSDs in order, reads their stores, and compares the members of each PG."""
        if harness.TARGET == "real":
            return
        members = {p["pgid"]: p["acting"] for p in self.pgs()}
        names = ["osd.%d" % n for n in range(4)]
        for name in names:
            self.cluster.kill_daemon(name, signal.SIGTERM)
        dumps = {int(n[4:]): test_crash.object_dump(self.cluster, n) for n in names}
        for name in names:
            self.cluster.start_daemon(name)
        self.wait_clean("the restart of all OSDs")
        compared = 0
        for key in sorted(set().union(*dumps.values())):
            copies = {n: dumps[n].get(key) for n in members.get(key[0], [])}
            self.assertLessEqual(len(set(copies.values())), 1, "replicas differ: %s %s" % (
                key, copies))
            compared += any(copies.values())
        self.assertGreater(compared, 0, "no object was compared")

    # -- tests, in order of name ---------------------------------------------------------------
    def test_1_one_is_killed_and_returns(self):
        with self.load() as writer:
            self.cluster.kill_daemon("osd.1")
            say("200 writes after kill -9 of an OSD take %.2f s", self.goes_on(writer, 200))
            harness.eventually(lambda: {"undersized", "degraded"} <= self.states(), 20, 0.1,
                               "undersized and degraded")
            checks = harness.eventually(
                lambda: {"OSD_DOWN", "PG_DEGRADED"} <= set(self.health()) and self.health(), 20,
                0.2, "OSD_DOWN and PG_DEGRADED")
            self.assertRegex(checks["OSD_DOWN"]["summary"]["message"], r"^1 osds? down$")
            self.assertRegex(checks["PG_DEGRADED"]["summary"]["message"],
                             r"Degraded data redundancy: .*pgs? degraded, .*pgs? undersized")
            status = self.cluster.ceph("-s").stdout.decode()
            self.assertIn("active+undersized+degraded", status)
            self.assertIn("4 osds: 3 up", status)
            self.goes_on(writer, 100)
            self.cluster.start_daemon("osd.1")
            self.wait_clean("its return")
            harness.eventually(lambda: not {"OSD_DOWN", "PG_DEGRADED"} & set(self.health()), 10,
                               0.1, "an end of the warnings")

    def test_2_away_for_so_long_that_logs_do_not_reach(self):
        with self.load() as writer:
            with self.client.open_ioctx("data") as io:
                for n in range(300):
                    io.write_full("bulk%d" % n, b"%d" % n * 50_000)
            self.cluster.kill_daemon("osd.2")
            self.goes_on(writer, 6000, 60)
            self.cluster.start_daemon("osd.2")
            seen = set()
            self.wait_clean("its return", seen)
            self.assertIn("backfilling", seen)

    def test_3_out_and_in(self):
        with self.load():
            self.cluster.ceph("osd", "out", "0")
            self.wait_moved(0, False)
            self.cluster.ceph("osd", "in", "0")
            self.wait_moved(0, True)

    def wait_moved(self, osd, there):
        harness.eventually(lambda: any(osd in p["up"] for p in self.pgs()) == there, 20, 0.1,
                           "a mapping %s osd.%d" % ("with" if there else "without", osd))
        self.wait_clean("osd.%d is %s" % (osd, "in" if there else "out"))
        self.assertEqual(any(osd in p["acting"] for p in self.pgs()), there)

    def test_4_pool_size(self):
        with self.load():
            for size in (2, 3):
                self.cluster.ceph("osd", "pool", "set", "data", "size", str(size))
                harness.eventually(lambda: all(len(p["acting"]) == size for p in self.pgs()
                                               if p["state"] == "active+clean" or size == 3), 60,
                                   0.1, "%d members" % size)
                self.wait_clean("size %d" % size)

    def test_5_replaced_by_an_empty_one(self):
        if harness.TARGET == "real":
            self.skipTest("makes a store as Plimsoll does")
        with self.load() as writer:
            self.cluster.kill_daemon("osd.3")
            harness.eventually(lambda: not self.osd(3)["up"], 20, 0.1, "osd.3 down")
            old = self.osd(3)["uuid"]
            self.goes_on(writer, 50)
            self.cluster.ceph("osd", "purge", "3", "--force", "--yes-i-really-mean-it")
            self.goes_on(writer, 50)
            shutil.rmtree(self.cluster.path("osd.3"))
            subprocess.run([os.path.join(bin_dir(), "plimsoll-osd"), "--mkfs", "-c",
                            self.cluster.conf, "-i", "3"], check=True, capture_output=True,
                           timeout=60)
            self.cluster.start_daemon("osd.3")
            self.wait_moved(3, True)
            self.assertNotEqual(self.osd(3)["uuid"], old)

    def test_6_one_hangs_for_a_while(self):
        with self.load() as writer:
            self.cluster.signal_daemon("osd.1", signal.SIGSTOP)
            try:
                began = time.monotonic()
                harness.eventually(lambda: not self.osd(1)["up"], 20, 0.1, "osd.1 down")
                say("a stopped OSD is down after %.1f s", time.monotonic() - began)
                self.goes_on(writer, 200)
            finally:
                self.cluster.signal_daemon("osd.1", signal.SIGCONT)
            self.wait_clean("it goes on")

    def test_7_flags(self):
        flag = lambda word, *names: [self.cluster.ceph("osd", word, n) for n in names]
        with self.load() as writer:
            flag("set", "nodown", "noout", "norecover", "nobackfill")
            self.cluster.ceph("config", "set", "mon", "mon_osd_down_out_interval", "1")
            self.cluster.kill_daemon("osd.2")
            time.sleep(5)
            self.assertTrue(self.osd(2)["up"], "nodown")
            flag("unset", "nodown")
            harness.eventually(lambda: not self.osd(2)["up"], 20, 0.1, "osd.2 down")
            self.goes_on(writer, 200)
            time.sleep(4)
            self.assertTrue(self.osd(2)["in"], "noout")
            self.cluster.start_daemon("osd.2")
            harness.eventually(lambda: self.osd(2)["up"], 20, 0.1, "osd.2 up")
            time.sleep(3)
            self.assertTrue({"undersized", "degraded"} <= self.states(), "norecover, nobackfill")
            self.assertFalse({"recovering", "backfilling"} & self.states())
            self.assertRegex(self.cluster.ceph("-s").stdout.decode(),
                             r"\n  progress:\n    Global Recovery Event \(\d+s\)\n      \[[=.]{28}\]")
            flag("unset", "norecover", "nobackfill")
            self.wait_clean("norecover and nobackfill are gone")
            harness.eventually(lambda: not self.ask(prefix="status")["progress_events"], 10, 0.2,
                               "an end of the progress")
            done = json.loads(self.cluster.ceph("progress", "json").stdout)["completed"]
            self.assertEqual(done[-1]["progress"], 1)
            self.cluster.kill_daemon("osd.2")
            flag("unset", "noout")
            harness.eventually(lambda: not self.osd(2)["in"], 30, 0.1, "osd.2 out")
            self.cluster.start_daemon("osd.2")
            harness.eventually(lambda: self.osd(2)["up"], 20, 0.1, "osd.2 up")
            self.cluster.ceph("osd", "in", "2")
            self.wait_clean("all flags are gone")

    def test_7_nobackfill_and_norebalance(self):
        """With nobackfill what the log tells is recovered and nothing else; with norebalance copies
        that are not needed stay where they are."""
        flag = lambda word, name: self.cluster.ceph("osd", word, name)
        with self.load() as writer:
            self.goes_on(writer, 5000, 60)      # more than the logs hold
            flag("set", "norebalance")
            self.cluster.ceph("osd", "out", "0")
            harness.eventually(lambda: {"backfill_wait", "remapped"} <= self.states(), 20, 0.1,
                               "backfill_wait")
            time.sleep(2)
            self.assertTrue(any(0 in p["acting"] for p in self.pgs()))
            self.assertFalse({"backfilling", "degraded"} & self.states())
            flag("unset", "norebalance")
            self.wait_moved(0, False)
            self.cluster.ceph("osd", "in", "0")
            self.wait_moved(0, True)
        flag("set", "nobackfill")
        self.cluster.kill_daemon("osd.1")
        harness.eventually(lambda: not self.osd(1)["up"], 20, 0.1, "osd.1 down")
        with self.client.open_ioctx("data") as io:
            for n in range(50):     # few enough for the logs, which a writer may outrun
                io.write_full("away%d" % n, b"%d" % n)
        self.cluster.start_daemon("osd.1")
        self.wait_clean("its return, with nobackfill")
        flag("unset", "nobackfill")
        self.check_replicas()

    def test_8_below_min_size(self):
        """Of two members one is lost while the third has been away: the one that has everything makes
        others whole, and then they serve."""
        with self.client.open_ioctx("data") as io:
            for n in range(100):
                io.write_full("few%d" % n, b"%d" % n * 1000)
        set_size = lambda size: self.cluster.ceph("osd", "pool", "set", "data", "size", str(size))
        set_size(2)
        self.cluster.ceph("osd", "pool", "set", "data", "min_size", "2")
        self.wait_clean("size 2")
        self.cluster.ceph("config", "set", "mon", "mon_osd_down_out_interval", "4")
        self.cluster.kill_daemon("osd.3")
        harness.eventually(lambda: "peered" in self.states(), 20, 0.1, "peered")
        self.assertFalse({"down", "incomplete"} & self.states())
        harness.eventually(lambda: all(p["state"] == "active+clean" for p in self.pgs()), 60, 0.1,
                           "clean without osd.3")
        with self.client.open_ioctx("data") as io:
            for n in range(100):
                self.assertEqual(io.read("few%d" % n), b"%d" % n * 1000)
        self.cluster.start_daemon("osd.3")
        self.cluster.ceph("osd", "in", "3")
        set_size(3)
        self.wait_clean("osd.3 is back")

    def test_9_a_copy_rots(self):
        """What cannot be read on the primary comes from another member; with all copies damaged the
        client gets EIO, and a write mends them."""
        import rados
        if harness.TARGET == "real":
            self.skipTest("changes our block files")
        bodies = {"rot%d" % n: (b"<rot%d>" % n + os.urandom(64)) * 5000 for n in range(6)}
        with self.client.open_ioctx("data") as io:
            for name, body in bodies.items():
                io.write_full(name, body)
            acting = {name: self.ask(prefix="osd map", pool="data", object=name)["acting"]
                      for name in bodies}
        everywhere = "rot5"

        def damage(osd):
            path = self.cluster.path("osd.%d" % osd, "block")
            with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
                for name, body in bodies.items():
                    if osd == acting[name][0] or (name == everywhere and osd in acting[name]):
                        at = m.find(body[:4096])
                        self.assertGreaterEqual(at, 0, name)
                        m[at + 100:at + 108] = b"no good!"
                m.flush()
        for osd in range(4):
            self.cluster.kill_daemon("osd.%d" % osd, signal.SIGTERM)
            damage(osd)
            self.cluster.start_daemon("osd.%d" % osd)
            self.wait_clean("osd.%d has been damaged" % osd)
        with self.client.open_ioctx("data") as io:
            for name, body in bodies.items():
                if name == everywhere:
                    with self.assertRaises(rados.IOError) as caught:
                        io.read(name, len(body))
                    self.assertEqual(caught.exception.errno, 5)
                    io.write_full(name, body)
                for _ in range(2):
                    self.assertEqual(io.read(name, len(body)), body, name)
        lines = self.cluster.ceph("log", "last", "100", "error", "cluster").stdout.decode()
        self.assertIn("missing primary copy of", lines)
        self.assertIn("unfound", lines)
        repaired = lambda: sum(
            p["stat_sum"]["num_objects_repaired"]
            for p in self.ask(prefix="pg dump", dumpcontents=["pgs"])["pg_stats"])
        harness.eventually(lambda: repaired() >= 5, 20, 0.2, "repaired objects in the statistics")


if __name__ == "__main__":
    harness.main(python_rados=True)
