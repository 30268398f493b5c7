#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""osd_client_message_cap: an OSD takes so many operations at a time and serves them all in the end;
those that wait for a PG that cannot serve leave room for others."""

import json
import time

import harness

CAP = 8


class MessageCap(harness.ClusterCase):
    POOLS = ("data", "single")
    CONF = {"osd_client_message_cap": str(CAP), "mon_allow_pool_size_one": "true"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.ceph("osd", "pool", "set", "single", "size", "1", "--yes-i-really-mean-it")
        cls.cluster.ceph("osd", "pool", "set", "data", "min_size", "3")  # so that its PGs wait
        cls.cluster.wait_clean(time.monotonic() + 60)
        import rados
        cls.client = rados.Rados(conffile=cls.cluster.conf)
        cls.client.connect(timeout=10)

    @classmethod
    def tearDownClass(cls):
        cls.client.shutdown()
        super().tearDownClass()

    def write_all(self, ioctx, names):
        return [ioctx.aio_write_full(name, b"x" * 1000) for name in names]

    def wait_all(self, completions, seconds=30):
        harness.eventually(lambda: all(c.is_complete() for c in completions), seconds)
        self.assertEqual({c.get_return_value() for c in completions}, {0})

    def objects_without(self, osd):
        """Names in pool `single` whose only copy is on another OSD."""
        names = []
        for i in range(200):
            ask = {"prefix": "osd map", "pool": "single", "object": "s%d" % i, "format": "json"}
            _, out, _ = self.client.mon_command(json.dumps(ask), b"")
            if osd not in json.loads(out)["acting"]:
                names.append("s%d" % i)
            if len(names) == 3 * CAP:
                break
        return names

    def test_1_many_more_operations_than_the_cap(self):
        with self.client.open_ioctx("data") as data:
            self.wait_all(self.write_all(data, ["o%d" % i for i in range(40 * CAP)]))

    def test_2_a_pg_that_waits_does_not_take_all(self):
        names = self.objects_without(2)
        self.assertEqual(len(names), 3 * CAP)
        with self.client.open_ioctx("data") as data, self.client.open_ioctx("single") as single:
            self.cluster.kill_daemon("osd.2")
            harness.eventually(lambda: self.cluster.ceph_json("osd", "stat")["num_up_osds"] == 2)
            held = self.write_all(data, ["h%d" % i for i in range(40 * CAP)])
            time.sleep(1)
            self.wait_all(self.write_all(single, names))
            self.assertFalse(any(c.is_complete() for c in held))
            self.cluster.start_daemon("osd.2")
            self.wait_all(held, 60)


if __name__ == "__main__":
    harness.main(python_rados=True)
