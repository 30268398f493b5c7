#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One small OSD among big ones: it is full while the others are nearly empty, and the whole cluster
lives with that."""

import itertools
import json
import signal
import sys
import time

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


class Unheard(SmallCase):
    """The small OSD refuses, and has room again, while the monitor does not listen: no map will
    say so. What waits must go on nevertheless."""

    BIG, COUNT = b"b" * (8 * MIB), 8

    def setUp(self):
        for n in range(self.COUNT):
            self.io.write_full("big%d" % n, self.BIG)
        # Who was lent more than he keeps has given it back by then.
        time.sleep(3)
        f = self.fullness(self.SMALL)
        ratio = (f["used"] + f["lent"] + 2 * MIB) / f["total"]
        self.set_ratios(dict.fromkeys(("nearfull", "backfillfull", "full"), ratio))
        eventually(lambda: self.fullness(self.SMALL)["ratios"]["full"] < ratio + 0.01, 10, 0.02,
                   "an OSD that knows its line")
        self.assertNotIn("full", self.pool_flags())
        # Their primaries have to ask the small OSD.
        names = ("refused%d" % n for n in itertools.count())
        self.names = list(itertools.islice(
            (n for n in names if self.primary(n) != "osd.%d" % self.SMALL), 6))
        self.cluster.signal_daemon("mon.a", signal.SIGSTOP)

    def tearDown(self):
        super().tearDown()
        self.purge()

    def write(self, names):
        """Writes that the small OSD refuses."""
        writes = [self.io.aio_write_full(n, self.BIG) for n in names]
        eventually(lambda: "full" in self.fullness(self.SMALL)["state"], 5, 0.02, "a refusal")
        time.sleep(0.5)
        self.assertFalse(any(w.is_complete() for w in writes))
        return writes

    def free(self):
        for n in range(self.COUNT):
            self.remove("big%d" % n)

    def check_goes_on(self, names):
        writes = self.write(names)
        self.free()
        eventually(lambda: all(w.is_complete() for w in writes), 5, 0.02, "what was refused")
        self.assertEqual([w.get_return_value() for w in writes], [0] * len(writes))

    def test_one_write(self):
        self.check_goes_on(self.names[:1])

    def test_writes_to_one_object(self):
        self.check_goes_on(self.names[:1] * 3)

    def test_writes_to_many_objects(self):
        self.check_goes_on(self.names)


class OnTwoOfThree(SmallCase):
    """Not every PG is on the small one; all pools of its rule wait nevertheless."""

    CONF = {"osd_pool_default_size": "2"}

    def test_fill_and_free(self):
        self.fill_and_free(4 * MIB)


if __name__ == "__main__":
    harness.main(python_rados=True)
