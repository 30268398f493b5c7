#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that nobody told of more epochs than anybody keeps differences of goes on at once."""

import time

import harness
from full_case import StockClient
from harness import eventually

PACE = 40           # seconds; librados asks for maps on its own after 10 to 15


class StaleClient(harness.ClusterCase):
    @classmethod
    def setUpClass(cls):
        # Epochs beyond these come whole. An OSD keeps 200, and sends 40 at most.
        cls.cluster = harness.new_cluster(conf={"mon_min_osdmap_epochs": "50",
                                                "mon_osd_cache_size": "50"})
        cls.cluster.ceph("osd", "pool", "create", "data", "8", "8", "replicated")
        cls.cluster.wait_clean(time.monotonic() + 60)

    def forgotten_client(self):
        """It has no connection to an OSD, which would tell it of maps, and none to the monitor on
        which it asked for one."""
        client = StockClient(self.cluster, "data")
        self.addCleanup(client.close)
        self.cluster.kill_daemon("mon.a")
        self.cluster.start_daemon("mon.a")
        eventually(self.cluster.is_clean, 60, 0.1, "a clean cluster")
        return client

    def let_epochs_pass(self, number):
        other = StockClient(self.cluster, "data")
        self.addCleanup(other.close)
        for n in range(number):
            other.mon("osd set" if n % 2 == 0 else "osd unset", key="noout")
        return other.mon("osd dump")["epoch"]

    def goes_on(self, epochs, restart):
        idle = self.forgotten_client()
        known = idle.epoch()
        epoch = self.let_epochs_pass(epochs)
        if restart:
            for osd in ("osd.0", "osd.1", "osd.2"):
                self.cluster.kill_daemon(osd)
                self.cluster.start_daemon(osd)
            eventually(self.cluster.is_clean, 60, 0.1, "a clean cluster")
        self.assertEqual(idle.epoch(), known, "nobody told it")
        began = time.monotonic()
        writes = [idle.io.aio_write_full("after%d" % n, b"a") for n in range(16)]
        try:
            eventually(lambda: all(w.is_complete() for w in writes), PACE, 0.02, "end of writes")
        except AssertionError as late:
            raise AssertionError("%s; at epoch %d: %s" % (late, idle.epoch(), idle.requests()))
        self.assertEqual([w.get_return_value() for w in writes], [0] * 16)
        print("%d epochs behind: %.1f s" % (epochs, time.monotonic() - began))
        self.assertGreaterEqual(idle.epoch(), epoch)

    def test_behind_what_osds_send(self):
        self.goes_on(100, False)

    def test_behind_what_the_monitor_keeps(self):
        self.goes_on(150, True)

    def test_behind_what_osds_keep(self):
        self.goes_on(400, False)

    def test_behind_everything(self):
        self.goes_on(400, True)


if __name__ == "__main__":
    harness.main(python_rados=True)
