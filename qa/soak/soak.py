#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cluster of real processes under faults for as long as you like, with stock clients that log
outside of it what was acknowledged. In the end everything is undone and HEALTH_OK, every object is
what was acknowledged, all members of each PG hold the same, nobody crashed, and memory has not
grown.

    soak.py [--minutes 30] [--seed N] [--osds 5] [--osd-size 1G] [--dir DIR] [--keep]

The seed chooses the faults; when they strike depends on the machine, so a seed repeats their
sequence and not the run. The directory is removed unless something is wrong and --keep is given."""

import argparse
import json
import os
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))

import harness

if not harness.has_python_rados() or harness.missing_tools():
    harness.skip("missing python3-rados or " + " ".join(harness.missing_tools()))

import rados

import crash_writer
import explain
import load
import test_crash
import watchdog
from faults import Faults
from plimsoll_cluster import PlimsollCluster

CONF = {"osd_heartbeat_grace": "3", "osd_heartbeat_interval": "1",
        # Logs that reach back to who was away briefly, and not to who was away for long.
        "osd_min_pg_log_entries": "500", "osd_max_pg_log_entries": "500",
        # What is bounded is full before a third of the run, so that growth is a leak.
        "osd_pg_log_dups_tracked": "500", "mon_log_max": "500",
        "osd_block_kv_cache_size": "2M", "osd_block_onode_cache_size": "4M",
        # Those that are stopped and continued are called down while they live, again and again.
        "osd_max_markdown_count": "1000000"}
PG_NUM = 16
BOUND = 120     # seconds for all active+clean, and for HEALTH_OK
GROWTH = 1.1
OSD_MEMORY = 256    # MiB; the bound under load


class Wrong(Exception):
    """What a soak is there to find."""


class Checks(unittest.TestCase):
    """Of the models that the writers' journals describe."""

    check_models = test_crash.Crash.check_models
    check_object = test_crash.Crash.check_object
    omap_keys = staticmethod(test_crash.Crash.omap_keys)


class Soak:
    def __init__(self, args):
        self.args = args
        self.rng = random.Random(args.seed)
        self.top = tempfile.mkdtemp(prefix="plimsoll-soak-", dir=args.dir)
        self.cluster = PlimsollCluster(os.path.join(self.top, "c"), args.osds, args.osd_size,
                                       conf=CONF)
        self.began = time.monotonic()
        self.writers = []
        self.rss = []               # (time, {daemon: KiB})
        self.stall = (0, None)      # longest time without an acknowledgement, seconds
        self.moved = (0, self.began)

    def say(self, text, *args):
        print("%7.1f  %s" % (time.monotonic() - self.began, text % args), flush=True)

    # -- asking --------------------------------------------------------------------------------
    def ask(self, prefix, **args):
        command = json.dumps(dict(args, prefix=prefix, format="json"))
        rc, out, status = self.client.mon_command(command, b"", timeout=BOUND)
        if rc:
            raise Wrong("%s: %d %s" % (command, rc, status))
        return json.loads(out) if out.strip() else None

    def pgs(self):
        return self.ask("pg dump", dumpcontents=["pgs_brief"])["pg_stats"]

    def osd(self, number):
        return next(o for o in self.ask("osd dump")["osds"] if o["osd"] == number)

    def is_full(self):
        pool = next(p for p in self.ask("osd dump")["pools"] if p["pool_name"] == "data")
        return "full" in pool["flags_names"].split(",")

    def is_clean(self):
        return (self.ask("status")["osdmap"]["num_up_osds"] == self.args.osds
                and all(p["state"] == "active+clean" and len(p["acting"]) == 3
                        for p in self.pgs()))

    def until(self, true, seconds, what):
        deadline = time.monotonic() + seconds
        while not true():
            self.watch()
            if time.monotonic() > deadline:
                odd = [p for p in self.pgs() if p["state"] != "active+clean"]
                raise Wrong("not in %d s: %s\n%s\n%s" % (seconds, what, json.dumps(odd), json.dumps(
                    self.ask("status")["health"])))
            time.sleep(0.2)

    # -- running -------------------------------------------------------------------------------
    def set_up(self):
        self.cluster.start()
        watchdog.start(self.cluster)
        self.cluster.ceph("osd", "pool", "create", "data", str(PG_NUM), str(PG_NUM), "replicated")
        self.cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
        self.cluster.ceph("osd", "set-require-min-compat-client", "luminous")
        self.cluster.wait_clean(time.monotonic() + BOUND)
        self.client, self.io = self.connect("client")
        self.idle, self.idle_io = self.connect("idle")
        self.cold = load.write_cold(self.io, self.top, self.rng, 2000, 20)
        self.tool = load.ToolClient(self.cluster, self.top, random.Random(self.args.seed + 1))
        self.faults = Faults(self, random.Random(self.args.seed + 2))
        self.new_writer()
        self.tool.start()

    def connect(self, name):
        client = rados.Rados(conffile=self.cluster.conf, conf={
            "admin_socket": os.path.join(self.top, name + ".asok")})
        client.connect(timeout=30)
        return client, client.open_ioctx("data")

    def new_writer(self):
        seed = self.args.seed + len(self.writers)
        self.writers.append(test_crash.Writer(self.cluster, "data", self.top, seed))
        self.writer = self.writers[-1]

    def watch(self):
        """Called all the time: who died, what went wrong, how much memory, does it move."""
        # Faults kill and start meanwhile; who was away before or after may be dead in between.
        away = set(self.faults.away)
        gone = set(self.cluster.expected) - set(self.cluster.pids()) - away - self.faults.away
        if gone:
            raise Wrong("crashed: " + " ".join(sorted(gone)))
        for problem in (self.faults.problem, self.tool.problem):
            if problem:
                raise Wrong(problem)
        if not self.writer.alive():
            raise Wrong("the writer ended: " + self.writer.output())
        now = time.monotonic()
        if not self.rss or now - self.rss[-1][0] > 2:
            self.rss.append((now, {n: rss_kib(p) for n, p in self.cluster.pids().items()}))
            self.sync_journals(now)

    def sync_journals(self, now):
        size = 0
        for writer in self.writers:
            if os.path.exists(writer.journal):
                with open(writer.journal) as f:
                    os.fdatasync(f.fileno())
                    size += os.fstat(f.fileno()).st_size
        if size != self.moved[0]:
            self.moved = (size, now)
        self.stall = max(self.stall, (now - self.moved[1], now - self.began))

    def wait_clean(self, why):
        """Twice in a row: what was undone just now may not be known yet."""
        began, before = time.monotonic(), False
        while not (before and self.is_clean()):
            self.until(self.is_clean, BOUND, "clean, " + why)
            before = True
            time.sleep(1)
        self.say("clean after %.1f s, %s", time.monotonic() - began, why)

    def run(self):
        seconds = self.args.minutes * 60
        first = time.monotonic()
        self.first, self.last = first, first + seconds
        to_replace = first + seconds * 0.3
        while time.monotonic() < self.last:
            self.watch()
            now = time.monotonic()
            # Afterwards the monitor has the time to fill its caches again.
            self.faults.start_one(with_mon=now - first < seconds / 6)
            pause = now + self.rng.uniform(0.5, 5)
            while time.monotonic() < pause:
                self.watch()
                time.sleep(0.1)
            if now > to_replace:
                to_replace = now + max(30, seconds / 10)
                self.faults.end()
                self.wait_clean("before an OSD is replaced")
                self.faults.replace(self.rng.randrange(1, self.args.osds))
                self.wait_clean("an OSD was replaced")

    # -- the end -------------------------------------------------------------------------------
    def finish(self):
        self.say("the end: everything is undone")
        self.faults.end()
        self.watch()
        self.wait_clean("in the end")
        self.until(lambda: self.ask("health")["status"] == "HEALTH_OK", BOUND, "HEALTH_OK")
        self.say("HEALTH_OK")
        self.wake_idle()
        memory = self.memory()
        if self.writer.drain() != 0:
            raise Wrong("writer: " + self.writer.output())
        self.tool.drain()
        if self.tool.problem:
            raise Wrong(self.tool.problem)
        self.check_data()
        self.check_replicas()
        self.check_logs()
        if memory:
            raise Wrong(memory)

    def wake_idle(self):
        """A client that did nothing all the time, and heard of few maps, or none, goes on."""
        began = time.monotonic()
        writes = [self.idle_io.aio_write_full("idle-%d" % n, b"idle") for n in range(PG_NUM)]
        self.until(lambda: all(w.is_complete() for w in writes), load.PATIENCE,
                   "writes of a client that was idle")
        if any(w.get_return_value() for w in writes):
            raise Wrong("idle: %s" % [w.get_return_value() for w in writes])
        self.say("a client that was idle wrote after %.1f s", time.monotonic() - began)

    def check_data(self):
        checks, count = Checks(), 0
        checks.cluster = self.cluster
        for writer in self.writers:
            models = crash_writer.read_journal(writer.journal)
            checks.check_models(models)
            count += sum(m.acked for m in models.values())
        problems = load.check(self.io, self.cold) + load.check(self.io, self.tool.log)
        if problems:
            raise Wrong("%d wrong: %s" % (len(problems), problems[:10]))
        self.say("all there: %d acknowledged operations of %d writers, %d of the rados command, "
                 "%d cold objects", count, len(self.writers), self.tool.operations,
                 len(self.cold.now))

    def check_replicas(self):
        """Each store by itself, against the others: those that have a PG, and nobody else, have
        the same in it, and all that the cold log names."""
        members = {p["pgid"]: p["acting"] for p in self.pgs()}
        self.client.shutdown()
        self.idle.shutdown()
        names = ["osd.%d" % n for n in range(self.args.osds)]
        self.faults.away.update(names)
        for name in names:
            self.cluster.kill_daemon(name, signal.SIGTERM)
        dumps = {n: test_crash.object_dump(self.cluster, "osd.%d" % n)
                 for n in range(self.args.osds)}
        objects = sorted(set().union(*dumps.values()))
        for key in objects:
            copies = {n: d[key] for n, d in dumps.items() if key in d}
            if set(copies) != set(members[key[0]]) or len(set(copies.values())) != 1:
                raise Wrong("copies of %s, members %s: %s" % (key, members[key[0]], copies))
        if len(objects) < len(self.cold.now):
            raise Wrong("%d objects in the stores" % len(objects))
        self.say("all replicas agree: %d objects, fsck clean", len(objects))

    def check_logs(self):
        for name in sorted(os.listdir(self.cluster.path("log"))):
            with open(self.cluster.path("log", name), errors="replace") as f:
                bad = [line for line in f if re.match(r"\S+ \S+ [EC] |.*(CHECK failed|terminate)",
                                                      line)]
            if bad:
                raise Wrong("%d errors in %s: %s" % (len(bad), name, "".join(bad[:5])))

    def memory(self):
        """Each daemon's RSS, the median of the sixth of the run around a third of it and of the last
        sixth, and the largest of all. Growth is asked of osd.0, which is never killed, and of the
        monitor, which is killed in the first sixth only."""
        sixth = (self.last - self.first) / 6
        seen = lambda name, since, until: [r[name] / 1024 for at, r in self.rss
                                           if since <= at <= until and r.get(name)]
        middle = lambda name, end: statistics.median(seen(name, end - sixth, end) or [0])
        wrong = []
        for name in sorted(self.cluster.expected):
            early, late = middle(name, self.first + 2.5 * sixth), middle(name, self.last)
            peak = max(seen(name, 0, self.last), default=0)
            self.say("RSS %-6s %6.1f MiB at a third, %6.1f MiB at the end, never above %.1f MiB",
                     name, early, late, peak)
            # A run of minutes tells nothing: caches fill.
            if self.args.minutes >= 10 and name in ("osd.0", "mon.a") and late > GROWTH * early:
                wrong.append(name + " grew")
            if name.startswith("osd.") and peak > OSD_MEMORY:
                wrong.append("%s took more than %d MiB" % (name, OSD_MEMORY))
        return wrong and "memory: " + ", ".join(wrong)

    def explain(self):
        """Into files, and the most important of it to be read here."""
        for line in explain.explain(self.cluster, self.top):
            self.say("%s", line)

    def tear_down(self, keep):
        for writer in self.writers:
            writer.kill()
        for name in self.cluster.daemon_names():
            self.cluster.signal_daemon(name, signal.SIGCONT)
        self.cluster.stop(kill=True)
        if keep:
            with open(os.path.join(self.top, "rss.json"), "w") as f:
                json.dump([[at - self.began, r] for at, r in self.rss], f)
            print("kept: " + self.top)
        else:
            shutil.rmtree(self.top, ignore_errors=True)


def rss_kib(pid):
    try:
        with open("/proc/%d/status" % pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    except (FileNotFoundError, ProcessLookupError, AttributeError):
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--osds", type=int, default=5)
    parser.add_argument("--osd-size", default="1G")
    parser.add_argument("--dir", default=None, help="where the cluster lives (default: TMPDIR)")
    parser.add_argument("--keep", action="store_true", help="keep the directory of a failed run")
    args = parser.parse_args()
    print("seed %d, %g minutes" % (args.seed, args.minutes), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    soak = Soak(args)
    wrong = "interrupted"
    try:
        soak.set_up()
        soak.run()
        soak.finish()
        wrong = None
    except (Wrong, AssertionError, RuntimeError, rados.Error) as problem:
        wrong = "%s: %s" % (type(problem).__name__, problem)
        soak.explain()
    finally:
        soak.tear_down(args.keep and wrong)
        if hasattr(soak, "faults"):
            print("faults: " + ", ".join("%d %s" % (n, k) for k, n in
                                         sorted(soak.faults.counts.items())))
        print("longest time without an acknowledgement: %.1f s, at %s" % (
            soak.stall[0], soak.stall[1] and round(soak.stall[1], 1)))
        print("seed %d: %s" % (args.seed, "WRONG: " + wrong if wrong else "good"), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
