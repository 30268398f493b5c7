#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans of plimsoll-mover beside those of `osdmaptool --upmap`, on the same synthetic clusters and
in one run, as Markdown on stdout.

    mover_vs_osdmaptool.py [--osds 100,1000,10000] [--seed 1] [--cap 120] [--json FILE]

Every plan is a list of `ceph osd pg-upmap-items` lines, judged here by the sizes of PGs and the
buckets of their members, with no code of either planner. Columns:

  wall, CPU, RSS  of the whole process, for ours with reading JSON; DNF: not done with --cap seconds
              of CPU time, so that other load on the machine does not matter
  planning    CPU time of the planner alone, in a process of its own
  >85%        hdd OSDs above, by more than 0.05%: the mover knows shards by estimates
  vs goal     bytes against the least that brings every OSD to the goal (no OSD above the limit)
  vs result   bytes against the least that gives every OSD the fill that it ends with
  broken      PGs with two members in one failure domain, or in the wrong device class
"""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "..", "interop"))

from rados_vs_real import machine_line

BIN = os.environ.get("PLIMSOLL_BIN_DIR", os.path.join(HERE, "..", "..", "..", "build", "bin"))
TIB = 1 << 40
LIMIT = 0.85
WITHIN = 0.01


class Judge:
    """The cluster of a dump, and what a plan makes of it."""

    def __init__(self, directory):
        load = lambda name: json.load(open(os.path.join(directory, name)))
        osd_dump, crush = load("osd_dump.json"), load("crush_dump.json")
        nodes = load("osd_df.json")["nodes"]
        self.size = {n["id"]: n["kb"] << 10 for n in nodes}
        self.used = {n["id"]: n["kb_used"] << 10 for n in nodes}
        self.kind = {d["id"]: d["class"] for d in crush["devices"]}
        self._find_buckets(crush)
        profiles = osd_dump["erasure_code_profiles"]
        self.chunks = {p["pool"]: int(profiles[p["erasure_code_profile"]]["k"])
                       if p["erasure_code_profile"] else 1 for p in osd_dump["pools"]}
        self.rules = {p["pool"]: self._rule(crush, p["crush_rule"]) for p in osd_dump["pools"]}
        self.shard, self.up = {}, {}
        for pg in load("pg_dump.json")["pg_stats"]:
            name = pg["pgid"]
            pool = int(name.split(".")[0])
            self.shard[name] = pg["stat_sum"]["num_bytes"] // self.chunks[pool]
            self.up[name] = pg["up"]

    def _find_buckets(self, crush):
        """{type: {osd: bucket}} of the real tree, without shadows of device classes."""
        self.bucket = collections.defaultdict(dict)
        buckets = {b["id"]: b for b in crush["buckets"]}

        def walk(bucket, above):
            above = above + [(bucket["type_name"], bucket["id"])]
            for item in bucket["items"]:
                if item["id"] < 0:
                    walk(buckets[item["id"]], above)
                else:
                    for kind, at in above:
                        self.bucket[kind][item["id"]] = at
        for b in buckets.values():
            if b["type_name"] == "root" and "~" not in b["name"]:
                walk(b, [])

    @staticmethod
    def _rule(crush, rule_id):
        """Failure domain and device class: the rules of synthetic clusters are that simple."""
        steps = next(r for r in crush["rules"] if r["rule_id"] == rule_id)["steps"]
        take = next(s for s in steps if s["op"] == "take")["item_name"]
        domain = next(s for s in steps if s["op"].startswith("chooseleaf"))["type"]
        return domain, take.split("~")[1]

    def fills(self, used, kind):
        return [used[o] / self.size[o] for o in used if self.kind[o] == kind]

    def least_for_limit(self, limit_of):
        return sum(max(0, self.used[o] - limit_of(o) * self.size[o]) for o in self.used)

    def balanced(self, osd):
        """The most that a goal of the mean and WITHIN allows."""
        if not hasattr(self, "mean"):
            self.mean = {k: sum(self.used[o] for o in self.used if self.kind[o] == k) /
                         sum(self.size[o] for o in self.used if self.kind[o] == k)
                         for k in set(self.kind.values())}
        return self.mean[self.kind[osd]] + WITHIN

    def score(self, text, limit_of):
        """`limit_of(osd)` is what the plan was asked for."""
        used, moved, moves, broken = dict(self.used), 0, 0, 0
        lines = re.findall(r"^ceph osd pg-upmap-items (\S+) ([\d ]+)$", text, re.M)
        for pg, osds in dict(lines).items():
            osds = [int(o) for o in osds.split()]
            up = list(self.up[pg])
            for source, target in zip(osds[::2], osds[1::2]):
                if source in up and target not in up:
                    up[up.index(source)] = target
            for source, target in zip(self.up[pg], up):
                if source != target:
                    used[source] -= self.shard[pg]
                    used[target] += self.shard[pg]
                    moved += self.shard[pg]
                    moves += 1
            domain, kind = self.rules[int(pg.split(".")[0])]
            domains = {self.bucket[domain][o] for o in up}
            broken += len(domains) < len(up) or any(self.kind[o] != kind for o in up)
        hdd = self.fills(used, "hdd")
        least = sum(max(0, self.used[o] - used[o]) for o in used)
        goal = self.least_for_limit(limit_of)
        return {"moves": moves, "bytes": moved, "broken": broken, "max": max(hdd),
                "sd": statistics.pstdev(hdd), "above": sum(f > LIMIT + 0.0005 for f in hdd),
                "ssd_max": max(self.fills(used, "ssd")),
                "vs_goal": moved / goal if goal else None,
                "vs_result": moved / least if least else None}


def run(argv, cap):
    """{wall, cpu, rss, done, stdout} of a process that ends when it has used `cap` seconds."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (cap, cap + 1))
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        child = subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL, preexec_fn=limit)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return {"done": child.returncode not in (-signal.SIGXCPU, -signal.SIGKILL), "wall": wall,
                "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024,
                "code": child.returncode, "stdout": out.read().decode()}


def plans(directory, cap):
    """(name, result, text of commands, planning seconds, the goal's limit) of each contestant."""
    dump, osd_map = os.path.join(directory, "dump"), os.path.join(directory, "map")
    for deviation in (5, 1):
        out = os.path.join(directory, "upmap")
        result = run(["osdmaptool", osd_map, "--mark-up-in", "--upmap", out, "--upmap-max",
                      "100000", "--upmap-deviation", str(deviation)], cap)
        yield ("osdmaptool, deviation %d" % deviation, result,
               open(out).read() if result["done"] else "", None, "limit")
    goals = (("relieve, best fit", ["relieve"], "relieve", "limit"),
             ("relieve, largest", ["relieve", "--selection", "largest"], "relieve-largest", "limit"),
             ("balance within 1%", ["balance"], "balance", "mean"))
    for name, words, bench, limit in goals:
        result = run([os.path.join(BIN, "plimsoll-mover"), "plan", *words, "--dump", dump,
                      "-f", "ceph"], cap)
        if result["done"] and result["code"] not in (0, 2):
            raise RuntimeError("%s: exit code %d" % (name, result["code"]))
        timing = run([os.path.join(BIN, "plimsoll-mover-plan-bench"), dump, bench], cap)
        planning = json.loads(timing["stdout"]) if timing["done"] else None
        yield "plimsoll-mover " + name, result, result.get("stdout", ""), planning, limit


def row(name, result, planning, score):
    if not result["done"]:
        return "| %s | DNF | %.0f s | | %.0f MB |" % (name, result["cpu"], result["rss"]) + " |" * 8
    ratio = lambda r: "%.3f" % r if r else "-"
    return "| %s | %.2f s | %.2f s | %s | %.0f MB | %d | %.1f | %.1f%% | %.2f | %d | %s | %s | %d |" % (
        name, result["wall"], result["cpu"], "%.3f s" % (planning["plan_ms"] / 1e3) if planning else "",
        result["rss"], score["moves"], score["bytes"] / TIB, 100 * score["max"],
        100 * score["sd"], score["above"], ratio(score["vs_goal"]), ratio(score["vs_result"]),
        score["broken"])


HEADER = """| plan | wall | CPU | planning | RSS | moves | TiB | fullest hdd | sd | >85% | vs goal | vs result | broken |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def judge(directory, contest):
    """The table's text, and the scores in the order of `contest`."""
    cluster = Judge(os.path.join(directory, "dump"))
    limits = {"limit": lambda osd: LIMIT, "mean": cluster.balanced}
    hdd = cluster.fills(cluster.used, "hdd")
    lines = ["%d OSDs, %d PGs; hdd %.1f-%.1f%%, sd %.2f, %d above 85%%" % (
        len(cluster.used), len(cluster.up), 100 * min(hdd), 100 * max(hdd),
        100 * statistics.pstdev(hdd), sum(f > LIMIT for f in hdd)), "", HEADER]
    scores = []
    for name, result, text, planning, limit in contest:
        scores.append(cluster.score(text, limits[limit]) if result["done"] else None)
        lines.append(row(name, result, planning, scores[-1]))
    return "\n".join(lines), scores


def compare(osds, seed, cap):
    directory = tempfile.mkdtemp(prefix="plimsoll-mover-bench-")
    try:
        subprocess.run([os.path.join(BIN, "plimsoll-mover-synth"), "--osds", str(osds), "--seed",
                        str(seed), "--dump", os.path.join(directory, "dump"), "--osdmap",
                        os.path.join(directory, "map")], check=True, stdout=subprocess.DEVNULL)
        contest = list(plans(directory, cap))
        # In a process of its own: the peak RSS of a contestant counts what its parent had.
        with concurrent.futures.ProcessPoolExecutor(1) as other:
            table, scores = other.submit(judge, directory, contest).result()
        print("\n" + table, flush=True)
        return [{"osds": osds, "name": name, "run": {k: v for k, v in run.items() if k != "stdout"},
                 "timing": planning, "score": score}
                for (name, run, _, planning, _), score in zip(contest, scores)]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--osds", default="100,1000,10000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cap", type=int, default=120)
    parser.add_argument("--json")
    args = parser.parse_args()
    if shutil.which("osdmaptool") is None:
        print("missing: osdmaptool", file=sys.stderr)
        return 77
    print(machine_line())
    found = []
    for osds in args.osds.split(","):
        found += compare(int(osds), args.seed, args.cap)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(found, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
