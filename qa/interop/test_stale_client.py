#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that was idle for more epochs than anybody keeps differences of goes on at once."""

import json
import time

import harness

if harness.has_python_rados():
    import rados

EPOCHS = 600        # more than OSDs remember, and much more than the monitor


class StaleClient(harness.ClusterCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.new_cluster(conf={"mon_min_osdmap_epochs": "50"})
        cls.cluster.ceph("osd", "pool", "create", "data", "8", "8", "replicated")
        cls.cluster.wait_clean(time.monotonic() + 60)

    def connect(self):
        client = rados.Rados(conffile=self.cluster.conf, conf={"rados_osd_op_timeout": "30"})
        client.connect(timeout=30)
        self.addCleanup(client.shutdown)
        return client

    def let_epochs_pass(self):
        client = self.connect()
        for n in range(EPOCHS // 2):
            for verb in ("set", "unset"):
                command = {"prefix": "osd " + verb, "key": "noout"}
                self.assertEqual(client.mon_command(json.dumps(command), b"")[0], 0)

    def test_idle_for_long(self):
        idle = self.connect()
        with idle.open_ioctx("data") as io:
            io.write_full("before", b"b")
            self.let_epochs_pass()
            # Its sessions are gone, and what it was told of them is long out of date.
            for osd in ("osd.0", "osd.1", "osd.2"):
                self.cluster.kill_daemon(osd)
                self.cluster.start_daemon(osd)
            harness.eventually(self.cluster.is_clean, 60, 0.1, "a clean cluster")
            began = time.monotonic()
            writes = [io.aio_write_full("after%d" % n, b"a") for n in range(16)]
            for write in writes:
                write.wait_for_complete()
                self.assertEqual(write.get_return_value(), 0)
            self.assertLess(time.monotonic() - began, 20)
            self.assertEqual(io.read("before"), b"b")


if __name__ == "__main__":
    harness.main(python_rados=True)
