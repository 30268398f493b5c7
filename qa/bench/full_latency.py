#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast stock clients notice that a cluster is full, and that it no longer is.

    full_latency.py [--rounds 10] [--real] [--only real|plimsoll] [--json FILE]

Times are milliseconds from the monitor's answer to the command that changes a ratio (the `ceph`
command itself ends a tenth of a second later), from the last write or delete that matters; 0 where
the effect came before. With --real the same is measured on real Ceph. What does not happen within
20 s is shown as "> 20000"; what could not be brought about is left out.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))

import harness
from plimsoll_cluster import PlimsollCluster
from real_cluster import RealCluster, missing_binaries

if not harness.has_python_rados():
    harness.skip("missing python3-rados")

import rados
from full_case import FULL_TRY, MIB, RATIOS, EpochLog, StockClient, write_past
from rados_vs_real import machine_line

LIMIT = 20          # seconds, for everything that is waited for
NEVER = math.inf
BALLAST = 96 * MIB

# name, goal in milliseconds
ROWS = (
    ("full: last success of a FULL_TRY loop", 200),
    ("full: an idle client knows", 200),
    ("full: a paused client knows", 200),
    ("full: a client of a stopped OSD knows", 200),
    ("ratio raised: a paused write is done", 500),
    ("space freed: a paused write is done", 500),
    ("quota reached: the map says so", 1000),
    ("quota freed: the map says so", 1000),
    ("quota: overshoot (MiB)", None),
    ("quota: of it in flight (MiB)", None),
    ("quota: written in a second (MiB)", None),
)


def since(start, at):
    return NEVER if at is None else max(0.0, at - start) * 1000


def until(predicate, step=0.002, limit=LIMIT):
    """The time when it came true; None where it did not in time."""
    deadline = time.monotonic() + limit
    while not predicate():
        if time.monotonic() > deadline:
            return None
        time.sleep(step)
    return time.monotonic()


class Bench:
    """Measures one cluster, which has the pool "data"."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.stock = StockClient(cluster, "data")
        self.io = self.stock.io
        self.writes = 0

    # -- steps ---------------------------------------------------------------------------------
    def flag(self, flag="full"):
        return flag in self.stock.pool_flags("data")

    def set_full(self, ratio):
        """The time when the monitor has answered."""
        self.stock.mon("osd set-full-ratio", ratio=float(ratio))
        return time.monotonic()

    def prepare(self, ratio="0.00001"):
        """After it the full ratio alone decides."""
        for name in ("nearfull", "backfillfull"):
            self.stock.mon("osd set-%s-ratio" % name, ratio=float(ratio))

    def restore(self):
        for name, value in RATIOS.items():
            self.stock.mon("osd set-%s-ratio" % name, ratio=float(value))
        if until(lambda: not self.flag() and not self.flag("backfillfull"), 0.02, 60) is None:
            raise RuntimeError("full with its ratios put back")
        time.sleep(0.5)

    def growing_write(self):
        """Of an object that is not there yet: others may go on in a full pool."""
        self.writes += 1
        return self.io.aio_write_full("waits%d" % self.writes, b"w" * 4096)

    def learns(self, client):
        """How long after the command the client has the map that says full."""
        self.prepare()
        first = self.stock.mon("osd dump")["epoch"]
        with EpochLog(client.epoch) as log:
            returned = self.set_full("0.00001")
            if until(self.flag) is None:
                return NEVER
            epoch = self.stock.full_since("data", first)
            until(lambda: log.when(epoch), limit=LIMIT - (time.monotonic() - returned))
            return since(returned, log.when(epoch))

    # -- what is measured ----------------------------------------------------------------------
    def full_try_loop(self):
        self.io.write_full("tried", b"")
        self.prepare()
        returned = []
        command = threading.Thread(target=lambda: returned.append(self.set_full("0.00001")))
        last = began = time.monotonic()
        command.start()
        try:
            while last - began < LIMIT:
                self.stock.operate(lambda op: op.append(b"x" * 4096), "tried", FULL_TRY)
                last = time.monotonic()
            last = None
        except rados.Error:
            pass
        command.join()
        return since(returned[0], last)

    def idle(self):
        client = StockClient(self.cluster, "data")
        try:
            time.sleep(1)
            return self.learns(client)
        finally:
            client.close()

    def paused(self):
        client = StockClient(self.cluster, "data")
        self.cluster.ceph("osd", "set", "pause")
        held = client.io.aio_write_full("paused", b"p" * 4096)
        try:
            until(lambda: [r[1] for r in client.requests()] == [True])
            return self.learns(client)
        finally:
            self.cluster.ceph("osd", "unset", "pause")
            self.restore()
            held.wait_for_complete()
            client.close()

    def stopped(self):
        client = StockClient(self.cluster, "data")
        self.io.write_full("flying", b"old")
        where = self.stock.mon("osd map", pool="data", object="flying")
        osd = "osd.%d" % where["acting_primary"]
        wake = threading.Timer(2 * LIMIT, self.cluster.signal_daemon, (osd, signal.SIGCONT))
        wake.start()
        self.cluster.signal_daemon(osd, signal.SIGSTOP)
        held = client.io.aio_write_full("flying", b"new")
        try:
            until(lambda: [r[2] for r in client.requests()] == [1])
            return self.learns(client)
        finally:
            self.cluster.signal_daemon(osd, signal.SIGCONT)
            wake.cancel()
            self.restore()
            held.wait_for_complete()
            client.close()

    def raised(self):
        self.prepare()
        self.set_full("0.00001")
        until(self.flag)
        held = self.growing_write()
        time.sleep(0.5)
        if held.is_complete():
            return None         # an OSD took it that had not heard yet
        returned = self.set_full("0.95")
        return since(returned, until(held.is_complete))

    def used(self):
        """Of the emptiest OSD: (bytes, ratio)."""
        nodes = self.stock.mon("osd df", output_method="plain")["nodes"]
        node = min(nodes, key=lambda n: n["kb_used"] / n["kb"])
        return node["kb_used"] << 10, node["kb_used"] / node["kb"]

    def freed(self):
        before = self.used()[0]
        for offset in range(0, BALLAST, 4 * MIB):
            self.io.write("ballast", os.urandom(4096) * 1024, offset)
        until(lambda: self.used()[0] - before >= BALLAST * 0.9, 0.05)
        used, ratio = self.used()
        line = ratio * (1 - BALLAST / 4 / used)
        self.prepare("%.6f" % line)
        self.set_full("%.6f" % line)
        full = until(self.flag)
        time.sleep(0.5)
        held = self.growing_write()
        time.sleep(0.5)
        if full is None or held.is_complete():
            return None         # used() was too old to make it full
        self.stock.remove("ballast")
        return since(time.monotonic(), until(held.is_complete))

    def quota(self):
        """The rows that begin with it."""
        size, depth, limit = 65536, 16, 96 * MIB
        for o in self.io.list_objects():
            self.stock.remove(o.key)
        # What the monitor knows lags behind on real Ceph; an old count would be a wrong start.
        until(lambda: self.stock.mon("df")["pools"][0]["stats"]["stored"] == 0, 0.1)
        self.stock.mon("osd pool set-quota", pool="data", field="max_bytes", val=str(limit))
        time.sleep(0.5)
        w = write_past(self.io, size, depth, limit, lambda: self.flag("full_quota"))
        for name in w.names[:(w.total - limit) // size + 1]:
            self.stock.remove(name)
        freed = time.monotonic()
        lifted = until(lambda: not self.flag("full_quota"))
        self.stock.mon("osd pool set-quota", pool="data", field="max_bytes", val="0")
        for op in w.pending:
            op.wait_for_complete()
        return [since(w.reached, w.full), since(freed, lifted), (w.total - limit) / MIB,
                depth * size / MIB, w.rate / MIB]

    def round(self):
        values = []
        for measure in (self.full_try_loop, self.idle, self.paused, self.stopped, self.raised,
                        self.freed):
            values.append(measure())
            self.restore()
        return dict(zip((name for name, _ in ROWS), values + self.quota()))


def measure(kind, args, rounds):
    top = tempfile.mkdtemp(prefix="plimsoll-bench-", dir=args.dir)
    cluster = kind(os.path.join(top, "c"), osds=3, osd_size=args.osd_size)
    rows = []
    try:
        cluster.start()
        cluster.ceph("osd", "pool", "create", "data", "16", "16", "replicated")
        cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
        cluster.wait_clean(time.monotonic() + 60)
        bench = Bench(cluster)
        for number in range(1, rounds + 1):
            rows.append(bench.round())
            print("round %d %s: %s" % (number, kind.__name__, json.dumps(
                {k: v and round(v, 1) for k, v in rows[-1].items()})), file=sys.stderr, flush=True)
        bench.stock.close()
    finally:
        cluster.destroy()
        shutil.rmtree(top, ignore_errors=True)
    return rows


def number(value):
    return "> %d" % (LIMIT * 1000) if value == NEVER else "%.0f" % value


def summary(rows, name):
    """median, 95th percentile, largest"""
    values = sorted(r[name] for r in rows if r[name] is not None)
    if not values:
        return ["", "", ""]
    p95 = values[min(len(values) - 1, math.ceil(0.95 * len(values)) - 1)]
    return [number(statistics.median_high(values)), number(p95), number(values[-1])]


def table(ours, real):
    lines = ["| ms | goal | median | p95 | max | real: median | max |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, goal in ROWS:
        mine, theirs = summary(ours, name), summary(real, name)
        cells = [name, "< %d" % goal if goal else ""] + mine + [theirs[0], theirs[2]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--real", action="store_true", help="also on real Ceph")
    parser.add_argument("--real-rounds", type=int, default=3)
    parser.add_argument("--only", choices=("real", "plimsoll"))
    parser.add_argument("--osd-size", default="4G")
    parser.add_argument("--dir", default=None, help="where the clusters live (default: TMPDIR)")
    parser.add_argument("--json", help="write all rounds here")
    args = parser.parse_args()
    with_real = args.only == "real" or (args.real and args.only != "plimsoll")
    if with_real and missing_binaries():
        harness.skip("missing " + " ".join(missing_binaries()))
    ours = measure(PlimsollCluster, args, args.rounds) if args.only != "real" else []
    real = measure(RealCluster, args, args.real_rounds) if with_real else []
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"plimsoll": ours, "real": real}, f, indent=1)
    print("%s; %d rounds, %d on real Ceph\n" % (machine_line(), len(ours), len(real)))
    print(table(ours, real))
    return 0


if __name__ == "__main__":
    sys.exit(main())
