#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 of daemons under write load: what was acknowledged is there, nothing is half there,
nothing is there twice, and all replicas hold the same.

PLIMSOLL_CRASH_ROUNDS (default 20) rounds kill every daemon at once, then single ones are killed.
The random choices come from PLIMSOLL_CRASH_SEED, which a failure prints."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import crash_writer
import harness
from plimsoll_cluster import bin_dir

ROUNDS = int(os.environ.get("PLIMSOLL_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("PLIMSOLL_CRASH_SEED", random.randrange(1 << 30)))
HERE = os.path.dirname(os.path.abspath(__file__))


class Writer:
    """One crash_writer.py process."""

    def __init__(self, cluster, pool, directory, seed):
        self.journal = os.path.join(directory, "journal.%s" % seed)
        self.log = open(self.journal + ".log", "wb")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(HERE, "crash_writer.py"), cluster.conf, pool,
             self.journal, str(seed)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def acknowledged(self):
        try:
            with open(self.journal) as f:
                return f.read().count("A ")
        except FileNotFoundError:
            return 0

    def alive(self):
        return self.process.poll() is None

    def output(self):
        with open(self.journal + ".log", errors="replace") as f:
            return f.read()[-2000:]

    def drain(self, timeout=90):
        """Stops sending and waits for what is in flight."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        finally:
            self.kill()

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()
        self.log.close()


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("PLIMSOLL_CRASH_SEED=%d" % SEED, file=sys.stderr)
        cls.rng = random.Random(SEED)
        cls.cluster = harness.new_cluster(osd_size="4G")
        cls.cluster.ceph("osd", "pool", "create", "data", "16", "16", "replicated")
        cls.cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
        cls.cluster.wait_clean(time.monotonic() + 60)
        cls.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-crash-")
        cls.models = {}
        cls.next_seed = 0

    @classmethod
    def tearDownClass(cls):
        cls.cluster.destroy()
        cls.scratch.cleanup()

    def new_writer(self):
        Crash.next_seed += 1
        writer = Writer(self.cluster, "data", self.scratch.name, Crash.next_seed)
        self.addCleanup(writer.kill)
        return writer

    def daemons(self, kinds=("mon", "osd")):
        return [n for n in sorted(self.cluster.pids()) if n.split(".")[0] in kinds]

    def load(self, writer, seconds):
        """Lets the load run, which must make progress."""
        before = writer.acknowledged()
        harness.eventually(lambda: writer.acknowledged() > before + 20 or not writer.alive(), 60,
                           0.05, "progress of the writer")
        self.assertTrue(writer.alive(), writer.output())
        time.sleep(seconds)

    def restart(self, names):
        for name in names:
            self.cluster.start_daemon(name)
        harness.eventually(self.healthy, 120, 0.1, "health after the restart of %s" % names)

    def healthy(self):
        try:
            return self.cluster.is_clean()
        except (RuntimeError, subprocess.TimeoutExpired, ValueError):
            return False

    # -- checks --------------------------------------------------------------------------------
    def check_models(self, models):
        """Every object is the result of a prefix of its operations that holds all acknowledged
        ones. The reading client is a new one: it must not share the writer's view."""
        import rados
        with rados.Rados(conffile=self.cluster.conf, conf={"rados_osd_op_timeout": "60",
                                                           "rados_mon_op_timeout": "60"}) as client:
            with client.open_ioctx("data") as io:
                for model in models.values():
                    self.check_object(io, model)

    def check_object(self, io, model):
        import rados
        where = "%s (%d issued, %d acknowledged)" % (model.name, len(model.operations),
                                                     model.acked)
        try:
            last = int(io.get_xattr(model.name, "last"))
        except rados.ObjectNotFound:
            possible = [k for k in range(model.acked, len(model.operations) + 1)
                        if model.state(k) is None]
            self.assertTrue(possible, "lost: " + where)
            return
        count = last + 1
        self.assertGreaterEqual(count, model.acked, "acknowledged writes are lost: " + where)
        self.assertLessEqual(count, len(model.operations), where)
        want = model.state(count)
        self.assertIsNotNone(want, "a removed object is back: " + where)
        data, keys = want
        size = io.stat(model.name)[0]
        self.assertEqual(size, len(data), "size: " + where)
        got = io.read(model.name, len(data) + 1)
        self.assertTrue(got == data, "content: " + where)
        self.assertEqual(self.omap_keys(io, model.name), keys, "omap: " + where)

    @staticmethod
    def omap_keys(io, name):
        import rados
        found, after = [], ""
        while True:
            with rados.ReadOpCtx() as op:
                pairs, _ = io.get_omap_keys(op, after, 500)
                io.operate_read_op(op, name)
                page = [k for k, _ in pairs]
            if not page:
                return found
            found, after = found + page, page[-1]

    def check_replicas(self):
        """Stops the daemons cleanly, reads every OSD's store by itself and compares."""
        if harness.TARGET == "real":
            return
        names = self.daemons(("osd",))
        for name in names:
            self.cluster.kill_daemon(name, signal.SIGTERM)
        dumps = {n: object_dump(self.cluster, n) for n in names}
        self.restart(names)
        every = set().union(*dumps.values())
        self.assertGreater(len(every), 0, "the dump tool lists no object")
        for key in sorted(every):
            copies = {n: d.get(key) for n, d in dumps.items()}
            self.assertEqual(len(set(copies.values())), 1, "replicas differ: %s %s" % (key, copies))

    def finish(self, writer):
        try:
            self.assertEqual(writer.drain(), 0, writer.output())
        except subprocess.TimeoutExpired:
            self.fail("operations never end: %s" % self.stuck(writer))
        models = crash_writer.read_journal(writer.journal)
        Crash.models.update(models)
        for model in models.values():
            self.assertEqual(model.acked, len(model.operations), "drained but not acknowledged")
        self.check_models(Crash.models)

    def stuck(self, writer):
        """What client and OSDs know of operations that hang."""
        journal = crash_writer.read_journal(writer.journal)
        found = {m.name: "%d of %d acknowledged" % (m.acked, len(m.operations))
                 for m in journal.values() if m.acked < len(m.operations)}
        for name in self.daemons(("osd",)):
            done = self.cluster.ceph("daemon", self.cluster.asok(name), "dump_ops_in_flight",
                                     check=False)
            ops = json.loads(done.stdout or b"{}").get("ops", [])
            found[name] = [(o.get("description"), o.get("age"),
                            o.get("type_data", {}).get("flag_point")) for o in ops][:5]
        found["pgs"] = [(p["pgid"], p["state"]) for p in self.cluster.ceph_json(
            "pg", "dump", "pgs_brief")["pg_stats"] if p["state"] != "active+clean"]
        return json.dumps(found, indent=1)

    # -- tests, in order of name ---------------------------------------------------------------
    def test_1_everything_is_killed(self):
        """One client lives through all rounds and resends what was in flight."""
        writer = self.new_writer()
        for number in range(ROUNDS):
            with self.subTest(round=number):
                self.load(writer, self.rng.uniform(0, 1.0))
                names = self.daemons()
                for name in self.rng.sample(names, len(names)):
                    self.cluster.signal_daemon(name, signal.SIGKILL)
                for name in names:
                    self.cluster.kill_daemon(name)
                self.restart(names)
        self.finish(writer)
        self.check_replicas()

    def test_2_everything_and_the_client_are_killed(self):
        """What was in flight may or may not be there, but in order and whole."""
        for number in range(max(1, ROUNDS // 4)):
            with self.subTest(round=number):
                writer = self.new_writer()
                self.load(writer, self.rng.uniform(0, 1.0))
                names = self.daemons()
                for name in names:
                    self.cluster.signal_daemon(name, signal.SIGKILL)
                writer.kill()
                for name in names:
                    self.cluster.kill_daemon(name)
                self.restart(names)
                self.check_models(crash_writer.read_journal(writer.journal))
        self.check_replicas()

    def test_3_single_daemons_are_killed(self):
        writer = self.new_writer()
        for number in range(max(4, ROUNDS // 2)):
            name = self.daemons()[number % len(self.daemons())]
            with self.subTest(round=number, daemon=name):
                self.load(writer, self.rng.uniform(0, 0.5))
                self.cluster.kill_daemon(name)
                time.sleep(self.rng.uniform(0, 2))
                self.restart([name])
        self.finish(writer)
        self.check_replicas()

    def test_4_clean_stop_under_load(self):
        """SIGTERM of all: nothing lost either, and every daemon ends by itself in time."""
        writer = self.new_writer()
        self.load(writer, 0.5)
        names = self.daemons()
        for name in names:
            self.cluster.signal_daemon(name, signal.SIGTERM)
        for name in names:
            pid = self.cluster.pid(name)
            self.cluster.kill_daemon(name, signal.SIGTERM, timeout=40)
            self.assertNotIn(name, self.cluster.pids(), "%s (%s) ignores SIGTERM" % (name, pid))
        self.restart(names)
        self.finish(writer)

    def test_5_everything_written_is_still_there(self):
        names = self.daemons()
        for name in names:
            self.cluster.kill_daemon(name)
        self.restart(names)
        self.check_models(Crash.models)


def osd_tool(cluster, name, flag):
    done = subprocess.run([os.path.join(bin_dir(), "plimsoll-osd"), "-c", cluster.conf, "-i",
                           name.split(".")[1], flag], capture_output=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError("plimsoll-osd %s of %s: %s %s" % (
            flag, name, done.stdout[-1000:], done.stderr[-1000:]))
    return done.stdout


def object_dump(cluster, name):
    """{object: what a client can see of it, as digests} of a stopped OSD's store."""
    osd_tool(cluster, name, "--fsck")
    found = {}
    for collection in json.loads(osd_tool(cluster, name, "--dump"))["collections"]:
        for entry in collection["objects"]:
            if "error" in entry:
                raise AssertionError("%s: %s" % (name, entry))
            omap = entry.get("omap", {})
            key = (collection["pgid"],) + tuple(
                str(entry[k]) for k in ("namespace", "key", "name", "snap"))
            found[key] = (entry["size"], entry["data_crc"], entry["attrs_crc"],
                          omap.get("keys", 0), omap.get("keys") and omap["crc"],
                          omap.get("header", {}).get("length") and omap["header"]["crc"])
    return found


if __name__ == "__main__":
    harness.main(python_rados=True)
