#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients see while an OSD of three dies, comes back and is replaced, and how fast it gets what
it lacks: Plimsoll, real Ceph 16.2 as it comes, and real Ceph that recovers as fast as it can.

    recovery_vs_real.py [--only plimsoll|real|fast] [--phase log|backfill] [--json FILE]

A process of its own sends 4 KiB writes at a constant rate all the time, whether they are answered
or not; latency counts from when a write was due. Phases, each on a fresh cluster:

  log       kill -9; while the OSD is down all small objects are written again; it comes back, and
            its log says what it lacks
  backfill  kill -9, purge, an empty OSD in its place

Recovery is watched until everything is clean, but for --seconds at most: real Ceph's defaults would
take half an hour. Objects per second are those recovered from the moment the OSD is up. With --json
results are added to FILE, and the table shows all that it holds.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))

import harness
from full_case import ask
from plimsoll_cluster import PlimsollCluster
from real_cluster import RealCluster, missing_binaries

if not harness.has_python_rados():
    harness.skip("missing python3-rados")

import rados
from rados_vs_real import machine_line

SMALL = 4096
LOAD_OBJECTS = 1000
VICTIM = 2

# As fast as it can: nothing sleeps, and as many backfills at a time as Plimsoll has by default.
FAST = {"osd_recovery_sleep": "0", "osd_recovery_sleep_hdd": "0", "osd_recovery_sleep_ssd": "0",
        "osd_recovery_sleep_hybrid": "0", "osd_max_backfills": "1"}
KINDS = {"plimsoll": (PlimsollCluster, {}), "real": (RealCluster, {}), "fast": (RealCluster, FAST)}


# -- the client load: a process of its own -----------------------------------------------------
def load(conf, pool, rate, path):
    """Writes `due end` (seconds of the monotonic clock) for each answer until SIGTERM."""
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    client = rados.Rados(conffile=conf)
    client.connect(timeout=60)
    io = client.open_ioctx(pool)
    data = os.urandom(SMALL)
    flying, due, number = [], time.monotonic(), 0
    with open(path, "w", buffering=1) as out:
        def done(completion, due):
            if completion.get_return_value() != 0:
                raise RuntimeError("load: %d" % completion.get_return_value())
            out.write("%.6f %.6f\n" % (due, time.monotonic()))
        while not ending:
            flying.append(io.aio_write_full("load-%d" % (number % LOAD_OBJECTS), data,
                                            oncomplete=lambda c, due=due: done(c, due)))
            number, due = number + 1, due + 1 / rate
            if number % 256 == 0:
                flying = [op for op in flying if not op.is_complete()]
            time.sleep(max(0, due - time.monotonic()))
        for op in flying:
            op.wait_for_complete_and_cb()


class Load:
    def __init__(self, cluster, rate, path):
        self.path = path
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--load",
                                         cluster.conf, "bench", str(rate), path])

    def end(self):
        """[(due, end)] of all writes."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise RuntimeError("the load failed")
        with open(self.path) as f:
            return [tuple(map(float, line.split())) for line in f]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def gap(samples, begin, end):
    """The longest time in which no write was answered, of those that began in the interval (s)."""
    ends = [begin] + sorted(e for _, e in samples if e > begin)
    return max((b - a for a, b in zip(ends, ends[1:]) if a < end), default=0)


def percentiles(samples, begin, end):
    """{p50, p99} of writes that were due in the interval (ms)."""
    took = sorted((e - due) * 1000 for due, e in samples if begin <= due < end)
    if len(took) < 100:
        return {}
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)]}


# -- one run -----------------------------------------------------------------------------------
class Run:
    def __init__(self, cluster, args):
        self.cluster, self.args = cluster, args
        cluster.start()
        cluster.ceph("osd", "pool", "create", "bench", "32", "32", "replicated")
        cluster.ceph("osd", "pool", "application", "enable", "bench", "rados")
        cluster.wait_clean(time.monotonic() + 60)
        self.client = rados.Rados(conffile=cluster.conf)
        self.client.connect(timeout=30)
        self.io = self.client.open_ioctx("bench")
        self.write_all(["load-%d" % n for n in range(LOAD_OBJECTS)])
        self.write_small()

    def write_small(self):
        return self.write_all(["small-%d" % n for n in range(self.args.objects)])

    def write_all(self, names):
        """Objects per second."""
        began, data, flying = time.monotonic(), os.urandom(SMALL), []
        for name in names:
            flying.append(self.io.aio_write_full(name, data))
            if len(flying) == 64:
                flying.pop(0).wait_for_complete()
        for op in flying:
            op.wait_for_complete()
        return len(names) / (time.monotonic() - began)

    def mon(self, prefix):
        rc, out, status = self.client.mon_command(
            json.dumps({"prefix": prefix, "format": "json"}), b"", timeout=30)
        if rc:
            raise RuntimeError("%s: %s" % (prefix, status))
        return json.loads(out)

    def up(self):
        return self.mon("status")["osdmap"]["num_up_osds"]

    def recovered(self):
        """Objects that were pushed to somebody, by the OSDs' own counters."""
        return sum(ask(self.cluster.asok("osd.%d" % n), "perf dump")["osd"][self.args.counter]
                   for n in range(3))

    def is_clean(self):
        status = self.mon("status")
        states = status["pgmap"]["pgs_by_state"]
        return status["osdmap"]["num_up_osds"] == 3 and [
            s["state_name"] for s in states] == ["active+clean"]

    def until(self, true, seconds):
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        return time.monotonic()

    def replace(self):
        name = "osd.%d" % VICTIM
        self.cluster.ceph("osd", "purge", str(VICTIM), "--force", "--yes-i-really-mean-it")
        shutil.rmtree(self.cluster.path(name))
        self.cluster.make_osd(VICTIM)

    def measure(self, phase):
        name = "osd.%d" % VICTIM
        row = {}
        load = Load(self.cluster, self.args.rate, self.cluster.path("load"))
        try:
            time.sleep(3)
            begin = time.monotonic()
            time.sleep(7)
            killed = time.monotonic()
            self.cluster.kill_daemon(name)
            if self.until(lambda: self.up() == 2, 60) is None:
                raise RuntimeError("nobody misses an OSD that was killed")
            time.sleep(10)
            if phase == "log":
                row["written while it is down (1/s)"] = self.write_small()
            else:
                self.replace()
            time.sleep(2)
            before = self.recovered_without_victim()
            started = time.monotonic()
            self.cluster.start_daemon(name)
            is_up = self.until(lambda: self.up() == 3, 60)
            clean = self.until(self.is_clean, self.args.seconds)
            end = clean or time.monotonic()
            row["objects recovered"] = self.recovered() - before
            samples = load.end()
        finally:
            load.kill()
        row["recovered (1/s)"] = row["objects recovered"] / (end - is_up)
        row["up after (s)"] = is_up - started
        row["clean after (s)"] = clean and clean - started
        row["stall after kill -9 (s)"] = gap(samples, killed, killed + 10)
        row["stall when it comes (s)"] = gap(samples, started, end)
        for part, a, b in (("before", begin, killed), ("meanwhile", is_up, end)):
            for key, value in percentiles(samples, a, b).items():
                row["write %s, %s (ms)" % (key, part)] = value
        return row

    def recovered_without_victim(self):
        """Its counters begin anew."""
        return sum(ask(self.cluster.asok("osd.%d" % n), "perf dump")["osd"][self.args.counter]
                   for n in range(3) if n != VICTIM)


def one_run(kind, phase, args):
    top = tempfile.mkdtemp(prefix="plimsoll-bench-", dir=args.dir)
    make, conf = KINDS[kind]
    cluster = make(os.path.join(top, "c"), osds=3, osd_size=args.osd_size, conf=conf)
    args.counter = "recovery_ops"
    try:
        run = Run(cluster, args)
        row = run.measure(phase)
        run.client.shutdown()
    finally:
        cluster.destroy()
        shutil.rmtree(top, ignore_errors=True)
    print("%s %s: %s" % (kind, phase, json.dumps(
        {k: v and round(v, 3) for k, v in row.items()})), file=sys.stderr, flush=True)
    return row


# -- the table ---------------------------------------------------------------------------------
def cell(rows, key, limit):
    values = [r[key] for r in rows if key in r]
    if not values:
        return ""
    if None in values:
        return "> %d" % limit
    value = statistics.median(values)
    return ("%.0f" if value >= 100 else "%.2f") % value


def table(results, args):
    lines = ["| | Plimsoll | real | real, fast |", "| --- | ---: | ---: | ---: |"]
    for phase in ("log", "backfill"):
        of = {kind: results.get("%s %s" % (kind, phase), []) for kind in KINDS}
        keys = dict.fromkeys(k for rows in of.values() for r in rows for k in r)
        for key in keys:
            cells = [cell(of[kind], key, args.seconds) for kind in KINDS]
            lines.append("| %s: %s | %s |" % (phase, key, " | ".join(cells)))
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["--load"]:
        conf, pool, rate, path = sys.argv[2:]
        return load(conf, pool, float(rate), path)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=tuple(KINDS))
    parser.add_argument("--phase", choices=("log", "backfill"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--objects", type=int, default=40_000)
    parser.add_argument("--rate", type=float, default=100, help="writes of the load in a second")
    parser.add_argument("--seconds", type=int, default=45, help="recovery is watched for so long")
    parser.add_argument("--osd-size", default="4G")
    parser.add_argument("--dir", default=None, help="where the clusters live (default: TMPDIR)")
    parser.add_argument("--json", help="results are added here")
    args = parser.parse_args()
    kinds = [args.only] if args.only else list(KINDS)
    if kinds != ["plimsoll"] and missing_binaries():
        harness.skip("missing " + " ".join(missing_binaries()))
    results = {}
    if args.json and os.path.exists(args.json):
        with open(args.json) as f:
            results = json.load(f)
    for _ in range(args.rounds):
        for phase in [args.phase] if args.phase else ["log", "backfill"]:
            for kind in kinds:
                row = one_run(kind, phase, args)
                results.setdefault("%s %s" % (kind, phase), []).append(row)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(results, f, indent=1)
    print("%s; %d objects of %d bytes, load of %g writes a second\n" % (
        machine_line(), args.objects, SMALL, args.rate))
    print(table(results, args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
