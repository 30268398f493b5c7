#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much memory an OSD takes at most while clients write as fast as they can: the most that each
process ever had (VmHWM of /proc), under large writes at depth 16 and small ones at depth 64."""

import unittest

import harness

LIMIT_MIB = 256
SECONDS = 5


@unittest.skipIf(harness.TARGET == "real", "the limit is ours")
class Memory(harness.ClusterCase):
    def peak_mib(self, pid):
        with open("/proc/%d/status" % pid) as f:
            kib = next(line.split()[1] for line in f if line.startswith("VmHWM:"))
        return int(kib) >> 10

    def peaks(self):
        return {name: self.peak_mib(self.cluster.pid(name))
                for name in self.cluster.daemon_names() if name.startswith("osd.")}

    def bench(self, size, depth):
        # On a fast machine five seconds would fill the cluster, and the writes would wait.
        done = self.rados("bench", str(SECONDS), "write", "-b", size, "-t", str(depth),
                          "--max-objects", "300" if size == "4M" else "100000")
        self.assert_rc(done, 0)

    def test_osds_stay_small_under_load(self):
        print("before: %s MiB" % self.peaks())
        for size, depth in (("4M", 16), ("4096", 64)):
            self.bench(size, depth)
            peaks = self.peaks()
            print("%s bytes at depth %d: %s MiB" % (size, depth, peaks))
            self.assertEqual(len(peaks), 3)
            self.assertLess(max(peaks.values()), LIMIT_MIB)


if __name__ == "__main__":
    harness.main()
