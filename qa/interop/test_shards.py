#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cluster whose OSDs spread their PGs over two shards, under load from several clients, with an OSD
killed and started again. CI runs it on a build with ThreadSanitizer, which ends a daemon at its first
race: then the daemon is missing at the end, and its log says why."""

import os
import signal
import subprocess
import time

import harness
from plimsoll_cluster import bin_dir

SANITIZER = "ThreadSanitizer"
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp")
os.environ["TSAN_OPTIONS"] = "halt_on_error=1 exitcode=66 suppressions=" + SUPPRESSIONS


class Shards(harness.ClusterCase):
    CONF = {"osd_shards": "2"}

    def bench(self, seconds, *options):
        argv = ["rados", "-c", self.cluster.conf, "-p", "data", "bench", str(seconds), *options]
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, *clients):
        for client in clients:
            out, _ = client.communicate(timeout=120)
            self.assertEqual(client.returncode, 0, out[-2000:])

    def findings(self):
        """What the sanitizer wrote into the daemons' logs."""
        found = []
        for name in os.listdir(self.cluster.path("log")):
            with open(self.cluster.path("log", name), errors="replace") as f:
                text = f.read()
            if SANITIZER in text:
                found.append(name + ": " + text[text.index(SANITIZER):][:4000])
        return found

    def busy_polls(self):
        return sum(self.cluster.ceph_json("daemon", osd, "perf", "dump")["osd"]["busy_poll"]
                   for osd in ("osd.0", "osd.1", "osd.2"))

    def check_busy_polls(self):
        """One write at a time makes the shards look for the next event, unless that is switched off."""
        before = self.busy_polls()
        self.finish(self.bench(2, "write", "-b", "4096", "-t", "1", "--run-name", "alone"))
        after = self.busy_polls()
        self.assertGreater(after, before)
        for osd in ("osd.0", "osd.1", "osd.2"):
            self.cluster.ceph("daemon", osd, "config", "set", "osd_busy_poll_us", "0")
        self.finish(self.bench(1, "write", "-b", "4096", "-t", "1", "--run-name", "alone"))
        self.assertEqual(self.busy_polls(), after)

    def test_load_and_restart(self):
        self.assertEqual(self.cluster.ceph_json("daemon", "osd.0", "config", "get", "osd_shards")["osd_shards"], "2")
        small = self.bench(8, "write", "-b", "4096", "-t", "16", "--no-cleanup", "--run-name", "small")
        large = self.bench(8, "write", "-b", "1M", "-t", "4", "--no-cleanup", "--run-name", "large",
                           "--max-objects", "900")  # more would fill the cluster, and wait
        time.sleep(3)
        self.cluster.kill_daemon("osd.1", signal.SIGKILL)
        subprocess.run([os.path.join(bin_dir(), "plimsoll-osd"), "-c", self.cluster.conf, "-i", "1"], check=True,
                       timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.finish(small, large)
        self.finish(self.bench(3, "rand", "-t", "16", "--run-name", "small"))
        self.check_busy_polls()
        self.cluster.wait_clean(time.monotonic() + 60)
        self.assertEqual(self.findings(), [])


if __name__ == "__main__":
    harness.main()
