# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a soak does to its cluster. Each fault runs in a thread of its own, ends by itself, and has
then undone what it did; an event ends it early.

osd.0 is never killed: its memory tells what leaks. No store is thrown away unless everything is
clean, so no PG ever loses more than the contract tolerates; how many are down at a time does not
matter for safety."""

import shutil
import signal
import threading

from full_case import RATIOS
from load import Filler

FLOW = 60       # seconds, for what happens at once unless something is wrong


class Faults:
    """`soak` gives cluster, ask(), io, pgs() and say()."""

    # name, weight, what it needs for itself (one fault at a time has it; % is an OSD)
    KINDS = (
        ("kill_osd", 6, "osd.%"),
        ("kill_many", 2, "osds"),
        ("stop_osd", 4, "osd.%"),
        ("kill_mon", 2, "mon"),
        ("out", 3, "out"),
        ("reweight", 3, "weight.%"),
        ("upmap", 4, "upmap"),
        ("ratio", 3, "ratios"),
        ("fill", 2, "ratios"),
        ("size", 2, "size"),
        ("client", 1, "client"),
    )

    def __init__(self, soak, rng):
        self.soak, self.rng = soak, rng
        self.cluster = soak.cluster
        self.ending = threading.Event()
        self.running = {}       # what a fault has for itself: its thread
        self.away = set()       # daemons that are not expected to live now
        self.counts = {}
        self.problem = None

    # -- choosing ------------------------------------------------------------------------------
    def start_one(self, with_mon):
        """A random fault, if what it needs is free."""
        kinds = [k for k in self.KINDS if with_mon or k[0] != "kill_mon"]
        name, _, need = self.rng.choices(kinds, [k[1] for k in kinds])[0]
        osd = self.rng.randrange(1, self.cluster.osds)
        need = need.replace("%", str(osd))
        args = {"osd": osd, "seconds": self.rng.uniform(0.3, 10), "number": self.rng.random()}
        self.running = {n: t for n, t in self.running.items() if t.is_alive()}
        killing = any(n.startswith("osd") for n in self.running)
        if need in self.running or (need == "osds" and killing) or (
                need.startswith("osd") and "osds" in self.running):
            return
        self.soak.say("%s osd.%d %.1f s %.2f", name, osd, args["seconds"], args["number"])
        self.counts[name] = self.counts.get(name, 0) + 1
        self.running[need] = threading.Thread(target=self.guarded, daemon=True,
                                              args=(getattr(self, name), args))
        self.running[need].start()

    def guarded(self, fault, args):
        try:
            fault(**args)
        except Exception as problem:  # whatever it is, the soak has to end with it
            self.problem = "%s %s: %r" % (fault.__name__, args, problem)

    def end(self):
        """All faults are undone; more may be started afterwards."""
        self.ending.set()
        for need, thread in self.running.items():
            thread.join(4 * FLOW)
            if thread.is_alive():
                self.problem = self.problem or "a fault does not end: " + need
        self.ending.clear()

    def pause(self, seconds):
        self.ending.wait(seconds)

    # -- processes -----------------------------------------------------------------------------
    def kill(self, name):
        self.away.add(name)
        self.cluster.kill_daemon(name)

    def start(self, name):
        self.cluster.start_daemon(name)
        self.away.discard(name)

    def kill_osd(self, osd, seconds, number):
        self.kill("osd.%d" % osd)
        self.pause(seconds)
        self.start("osd.%d" % osd)
        self.pause(number * 5)

    def kill_many(self, osd, seconds, number):
        """Up to all but osd.0; with few left nothing is served for a while."""
        last = self.cluster.osds - 1
        some = [1 + (osd + i) % last for i in range(2 + int(number * (last - 1)))]
        for n in some:
            self.kill("osd.%d" % n)
        self.pause(seconds / 2)
        for n in some:
            self.start("osd.%d" % n)

    def stop_osd(self, osd, seconds, number):
        name = "osd.%d" % (osd if number < 0.8 or "osd.0" in self.running else 0)
        self.cluster.signal_daemon(name, signal.SIGSTOP)
        try:
            self.pause(seconds)
        finally:
            self.cluster.signal_daemon(name, signal.SIGCONT)

    def kill_mon(self, osd, seconds, number):
        self.kill("mon.a")
        self.pause(number * 3)
        self.start("mon.a")

    def client(self, osd, seconds, number):
        """What it had in flight may or may not be there afterwards, but in order and whole. The next
        one is there before: whoever watches the soak meanwhile must not find its writer ended."""
        writer = self.soak.writer
        self.soak.new_writer()
        writer.kill()

    # -- maps ----------------------------------------------------------------------------------
    def out(self, osd, seconds, number):
        self.soak.ask("osd out", ids=[str(osd)])
        self.pause(seconds * 1.5)
        self.soak.ask("osd in", ids=[str(osd)])

    def reweight(self, osd, seconds, number):
        self.soak.ask("osd reweight", id=osd, weight=0.3 + number * 0.6)
        self.pause(seconds)
        self.soak.ask("osd reweight", id=osd, weight=1.0)

    def upmap(self, osd, seconds, number):
        """A few PGs get one OSD instead of another."""
        moved = []
        for pg in self.soak.pgs():
            others = [n for n in range(self.cluster.osds) if n not in pg["up"]]
            if len(moved) < 1 + number * 4 and others and osd in pg["up"]:
                other = others[int(number * len(others))]
                self.soak.ask("osd pg-upmap-items", pgid=pg["pgid"], id=[osd, other])
                moved.append(pg["pgid"])
        self.pause(seconds)
        for pgid in moved:
            self.soak.ask("osd rm-pg-upmap-items", pgid=pgid)

    def size(self, osd, seconds, number):
        for size, pause in (("2", seconds), ("3", 0)):
            self.soak.ask("osd pool set", pool="data", var="size", val=size)
            self.pause(pause)

    # -- space ---------------------------------------------------------------------------------
    def set_ratio(self, name, value):
        self.soak.ask("osd set-%s-ratio" % name, ratio=float(value))

    def ratio(self, osd, seconds, number):
        """Below what is used."""
        names = list(RATIOS)[:1 + int(number * 3)]      # nearfull, backfillfull, full
        for name in names:
            self.set_ratio(name, 0.00001)
        self.pause(seconds / 2)
        for name in names:
            self.set_ratio(name, RATIOS[name])

    def fill(self, osd, seconds, number):
        """Up to the line: mostly one that is not far away, sometimes the last there is."""
        filler = Filler(self.soak.io, "%06d" % (number * 1e6))
        line = float(RATIOS["full"])
        if number < 0.7:
            nodes = self.soak.ask("osd df", output_method="plain")["nodes"]
            line = min(line, max(n["kb_used"] / n["kb"] for n in nodes if n["kb"]) + 0.1)
        self.set_ratio("full", line)
        try:
            full = filler.fill(self.soak.is_full, self.ending, 40)
            self.soak.say("  %d MiB written, %s", len(filler.names), "full" if full else "not full")
            self.counts["full"] = self.counts.get("full", 0) + full
            self.pause(seconds / 2)
            filler.clear()
        finally:
            self.set_ratio("full", RATIOS["full"])

    # -- a disk is thrown away -----------------------------------------------------------------
    def replace(self, osd):
        """Everything is clean, and nobody else does anything: of each PG at most one member goes."""
        name = "osd.%d" % osd
        self.soak.say("replace %s", name)
        self.counts["replace"] = self.counts.get("replace", 0) + 1
        self.kill(name)
        self.soak.until(lambda: not self.soak.osd(osd)["up"], FLOW, name + " is down")
        self.soak.ask("osd purge", id=osd, force=True, yes_i_really_mean_it=True)
        shutil.rmtree(self.cluster.path(name))
        self.cluster.make_osd(osd)
        self.start(name)
