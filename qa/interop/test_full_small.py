#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One small OSD among big ones: it is full while the others are nearly empty, and the whole cluster
lives with that."""

import json
import sys

import harness
from full_case import MIB, FullCase
from harness import eventually


class SmallCase(FullCase):
    OSD_SIZE = "1G,1G,256M"
    SMALL = 2

    def fill_and_free(self, size):
        written, pending = self.fill(size)
        self.check_line()
        used = [self.fullness(osd)["used"] // MIB for osd in range(3)]
        print("%d KiB writes: the small OSD is full, used are %s MiB" % (size >> 10, used),
              file=sys.stderr, flush=True)
        self.assertEqual(self.details("OSD_FULL")[0], "osd.%d is full" % self.SMALL)
        self.assertEqual(self.health()["OSD_FULL"]["summary"]["message"], "1 full osd(s)")
        self.assertEqual(self.cluster.dead(), [])
        for name in sorted(written)[::2]:
            self.remove(name)
            written.pop(name)
        self.finish(pending, written)
        eventually(lambda: not {"OSD_FULL", "POOL_FULL"} & set(self.health()), 10, 0.1,
                   "no full pool")
        self.check_line()
        self.check_data(written)
        self.purge()
        self.wait_health_ok()


class OnAllThree(SmallCase):
    def test_unequal_weights(self):
        tree = json.loads(self.cluster.ceph("osd", "df", "-f", "json").stdout)["nodes"]
        self.assertAlmostEqual(tree[0]["crush_weight"] / tree[self.SMALL]["crush_weight"], 4, 1)

    def test_fill_and_free(self):
        self.fill_and_free(4 * MIB)
        self.fill_and_free(65536)

    def test_z_kill_all_while_full(self):
        written, pending = self.fill(4 * MIB)
        self.restart_all_killed()
        # That it refused somebody is forgotten; those who wait come again.
        eventually(lambda: "full" in self.pool_flags(), 60, 0.1, "a full pool")
        self.check_line()
        for name in sorted(written)[:20]:
            self.remove(name)
            written.pop(name)
        self.finish(pending, written)
        self.check_data(written)
        self.purge()
        self.wait_health_ok()


class OnTwoOfThree(SmallCase):
    """Not every PG is on the small one; all pools of its rule wait nevertheless."""

    CONF = {"osd_pool_default_size": "2"}

    def test_fill_and_free(self):
        self.fill_and_free(4 * MIB)


if __name__ == "__main__":
    harness.main(python_rados=True)
