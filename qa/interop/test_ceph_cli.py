#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stock `ceph` command against recorded shapes of a real cluster's answers.

One recording of the whole walk (recorder.py) is made in the beginning, then every command is
compared: JSON key paths of the real answer are there and of the same kind, headers and labels are
there, exit codes and messages are equal. PLIMSOLL_RECORDING=dir compares an earlier recording.
"""

import os
import tempfile
import unittest

import golden
import harness
from exceptions import Exceptions
from recorder import Recorder
from shapes import missing_paths


class CephCli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.want = golden.load()
        cls.allowed = Exceptions()
        cls.raw = os.environ.get("PLIMSOLL_RECORDING")
        cls.trouble, cls.dead = [], []
        if not cls.raw:
            cls.raw = tempfile.mkdtemp(prefix="plimsoll-recording-")
            cls.record()
        cls.have = golden.compact(cls.raw)

    @classmethod
    def record(cls):
        cluster = harness.new_cluster()
        recorder = Recorder(cluster, cls.raw)
        recorder.walk()
        cls.trouble = recorder.trouble
        cls.dead = cluster.dead()
        cluster.destroy()

    def compare(self, kind, name, differences):
        left = self.allowed.excuse(kind, name, differences)
        self.assertFalse(left, "%s:%s: not as in real Ceph:\n  %s" % (kind, name,
                                                                     "\n  ".join(left)))

    def compare_rc(self, name, want, have):
        self.compare("rc", name, [] if want == have else ["want %s, got %s" % (want, have)])

    def compare_text(self, name, want, have):
        self.compare("text", name, [] if want == have else ["want %r, got %r" % (want, have)])

    def compare_answer(self, section, name):
        want = self.want[section][name]
        have = self.have[section].get(name, {"rc": [], "json": None, "plain": []})
        label = name if section == "commands" else "%s/%s" % (section, name)
        self.compare_rc(label, want["rc"], have["rc"])
        if want["rc"] != have["rc"]:
            return               # a command that is excused from being there at all
        if want["json"] is not None:
            gone = missing_paths(want["json"], have["json"]) if have["json"] is not None else [
                "(no JSON at all)"]
            self.compare("json", label, gone)
        if "plain" in want:
            self.compare("plain", label, [s for s in want["plain"] if s not in have["plain"]])

    def test_0_walk_without_trouble(self):
        self.assertEqual(self.trouble, [])

    def test_0_no_daemon_died(self):
        self.assertEqual(self.dead, [])

    def test_zz_every_exception_is_needed(self):
        """Last by name: all comparisons have run. Differences of timing are marked `sometimes`."""
        with open(os.path.join(os.path.dirname(golden.DIRECTORY), "json_exceptions.txt")) as f:
            lines = f.read().splitlines()
        stale = [n for n in self.allowed.unused() if "(sometimes)" not in lines[n - 1]]
        if harness.TARGET == "real":
            self.skipTest("the exceptions are about Plimsoll")
        self.assertEqual(stale, [], "lines of json_exceptions.txt that excuse nothing")


def _add(section, name, check):
    safe = "".join(c if c.isalnum() else "_" for c in name)
    setattr(CephCli, "test_%s_%s" % (section, safe), check)


def _generate():
    """One test per command, so that a run lists exactly what differs."""
    recorded = golden.load()
    for section in ("commands", "warn", "admin"):
        for name in recorded[section]:
            _add(section, name, lambda self, s=section, n=name: self.compare_answer(s, n))

    def error(self, name):
        want, have = self.want["errors"][name], self.have["errors"].get(name, {})
        self.compare_rc("errors/" + name, want["rc"], have.get("rc"))
        self.compare_text("errors/" + name, want["text"], have.get("text"))

    def edit(self, name):
        want, have = self.want["edits"][name], self.have["edits"].get(name, {})
        self.compare_rc("edits/" + name, want["rc"], have.get("rc"))
        self.compare_text("edits/" + name, want["text"], have.get("text"))
        self.compare_text("edits/%s/stdout" % name, want["stdout"], have.get("stdout"))

    def describe(self, name):
        want, have = self.want["descriptions"][name], self.have["descriptions"].get(name)
        if have is not None:
            gone = [form for form in want if form not in have]
            self.compare("sig", name, ["want (%s), got (%s)" % (f, " | ".join(have)) for f in gone])

    for name in recorded["errors"]:
        _add("error", name, lambda self, n=name: error(self, n))
    for name in recorded["edits"]:
        _add("edit", name, lambda self, n=name: edit(self, n))
    for name in recorded["descriptions"]:
        _add("description", name, lambda self, n=name: describe(self, n))


_generate()

if __name__ == "__main__":
    harness.main()
