#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plimsoll against real Ceph 16.2 on this machine, with the same stock `rados bench`.

Rounds are interleaved (real, ours, real, ours, ...), each on a fresh cluster of one monitor and
three OSDs, only one cluster at a time; the table shows medians and ratios as Markdown on stdout.

    rados_vs_real.py [--rounds 3] [--seconds 8] [--only real|plimsoll] [--json FILE]

CPU per operation is user + system time of all daemons of the cluster. Memory is measured idle,
after the start and the pool's creation, and again after the load.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from plimsoll_cluster import PlimsollCluster
from real_cluster import RealCluster, missing_binaries

SMALL, LARGE = 4096, 4 << 20

# name, `rados bench` mode, size, depth. Reads use what the write before them left.
WORKLOADS = (
    ("4 KiB write, depth 1", "write", SMALL, 1),
    ("4 KiB write, depth 16", "write", SMALL, 16),
    ("4 KiB write, depth 64", "write", SMALL, 64),
    ("4 KiB random read, depth 16", "rand", SMALL, 16),
    ("4 MiB write, depth 16", "write", LARGE, 16),
    ("4 MiB sequential read, depth 16", "seq", LARGE, 16),
)
GOALS = {"4 KiB write, depth 16 (op/s)": 4, "4 KiB write, depth 1 (op/s)": 3,
         "4 KiB random read, depth 16 (op/s)": 1.5, "4 MiB write, depth 16 (op/s)": 1.1,
         "idle RSS (MiB)": 4, "start to clean (s)": 12}


def machine_line():
    with open("/proc/cpuinfo") as f:
        models = re.findall(r"^model name\s*:\s*(.*)$", f.read(), re.M)
    with open("/proc/meminfo") as f:
        memory = int(re.search(r"MemTotal:\s+(\d+)", f.read()).group(1)) / (1 << 20)
    return "%d x %s, %.0f GiB, Linux %s" % (len(models) or os.cpu_count(),
                                            models[0] if models else platform.machine(),
                                            memory, platform.release())


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pids):
    """(sum of RSS, sum of PSS)."""
    total = {"Rss": 0, "Pss": 0}
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            for line in f:
                key = line.split(":")[0]
                if key in total:
                    total[key] += int(line.split()[1])
    return total["Rss"] / 1024, total["Pss"] / 1024


def bench(cluster, mode, size, depth, seconds):
    """(operations, seconds, mean latency in s) of one run of `rados bench`."""
    run = "run-%d" % size
    argv = ["bench", str(seconds), mode, "-t", str(depth), "--run-name", run]
    if mode == "write":
        argv += ["-b", str(size), "--no-cleanup"]
    out = cluster.rados(*argv, pool="bench", timeout=seconds * 4 + 120).stdout.decode()

    def value(pattern):
        found = re.search(pattern + r":\s+([\d.]+)", out)
        if not found:
            raise RuntimeError("no %r in:\n%s" % (pattern, out))
        return float(found.group(1))

    return (value("Total (?:writes|reads) made"), value("Total time run"),
            value(r"Average Latency\(s\)"))


def measure(cluster, seconds):
    """One round on a fresh cluster: {row: number}."""
    row = {"start to clean (s)": cluster.start()["clean"]}
    cluster.ceph("osd", "pool", "create", "bench", "32", "32", "replicated")
    cluster.ceph("osd", "pool", "application", "enable", "bench", "rados")
    cluster.wait_clean(time.monotonic() + 60)
    time.sleep(5)
    pids = sorted(cluster.pids().values())
    row["idle RSS (MiB)"], row["idle PSS (MiB)"] = memory_mib(pids)
    last_size = None
    for name, mode, size, depth in WORKLOADS:
        if mode == "write" and last_size is not None:
            cluster.rados("cleanup", "--run-name", "run-%d" % last_size, pool="bench", timeout=300)
            time.sleep(2)
        before = cpu_seconds(pids)
        operations, took, latency = bench(cluster, mode, size, depth, seconds)
        used = cpu_seconds(pids) - before
        row[name + " (op/s)"] = operations / took
        row[name + " (ms)"] = latency * 1000
        row[name + " (CPU us/op)"] = used / operations * 1e6
        last_size = size
    row["RSS after load (MiB)"], row["PSS after load (MiB)"] = memory_mib(pids)
    if sorted(cluster.pids().values()) != pids:
        raise RuntimeError("a daemon died under load")
    return row


def one_round(kind, args, number):
    top = tempfile.mkdtemp(prefix="plimsoll-bench-", dir=args.dir)
    cluster = kind(os.path.join(top, "c"), osds=3, osd_size=args.osd_size)
    try:
        row = measure(cluster, args.seconds)
    finally:
        cluster.destroy()
        shutil.rmtree(top, ignore_errors=True)
    print("round %d %s: %s" % (number, kind.__name__, json.dumps(
        {k: round(v, 2) for k, v in row.items()})), file=sys.stderr, flush=True)
    return row


def medians(rows):
    return {key: statistics.median(r[key] for r in rows) for key in rows[0]} if rows else {}


def table(real, ours):
    """Ratio > 1 always means that ours is better."""
    lines = ["| | real | Plimsoll | ratio | goal |", "| --- | ---: | ---: | ---: | ---: |"]
    for key in (real or ours):
        a, b = real.get(key), ours.get(key)
        ratio = goal = ""
        if a and b:
            ratio = "%.2f" % (b / a if "(op/s)" in key else a / b)
        if key in GOALS:
            goal = "≥ %g" % GOALS[key]
        lines.append("| %s | %s | %s | %s | %s |" % (key, number(a), number(b), ratio, goal))
    return "\n".join(lines)


def number(value):
    return "" if value is None else ("%.0f" if value >= 100 else "%.2f") % value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--osd-size", default="10G")
    parser.add_argument("--dir", default=None, help="where the clusters live (default: TMPDIR)")
    parser.add_argument("--only", choices=("real", "plimsoll"))
    parser.add_argument("--json", help="write all rounds here")
    args = parser.parse_args()
    kinds = {"real": RealCluster, "plimsoll": PlimsollCluster}
    wanted = [args.only] if args.only else ["real", "plimsoll"]
    if "real" in wanted and missing_binaries():
        print("SKIP: missing " + " ".join(missing_binaries()))
        return 77
    rows = {name: [] for name in kinds}
    for number_of_round in range(1, args.rounds + 1):
        for name in wanted:
            rows[name].append(one_round(kinds[name], args, number_of_round))
    if args.json:
        with open(args.json, "w") as f:
            json.dump(rows, f, indent=1)
    print("%s; %d rounds of %d s, medians\n" % (machine_line(), args.rounds, args.seconds))
    print(table(medians(rows["real"]), medians(rows["plimsoll"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
