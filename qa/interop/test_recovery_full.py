#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recovery and backfill meet full OSDs: who would receive is asked for room, who sends is not; the
states and health checks have Ceph's names, and go when space appears."""

import sys
import time

from full_case import MIB, new_full_cluster
import harness
from harness import eventually

if harness.has_python_rados():
    import rados

PROMISED = 2.0      # seconds from space to the end of "too full"
CONF = {"osd_heartbeat_grace": "2", "osd_heartbeat_interval": "1",
        # Logs that do not reach back to an empty copy: that is backfill.
        "osd_min_pg_log_entries": "1", "osd_max_pg_log_entries": "1"}
SMALL = 65536


class RecoveryFull(harness.ClusterCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = new_full_cluster(osds=4, osd_size="1G,1G,1G,512M", conf=CONF)
        # As much as on the others: so it is the fullest.
        nodes = cls.cluster.ceph_json("osd", "df")["nodes"]
        cls.cluster.ceph("osd", "crush", "reweight", "osd.3", str(nodes[0]["crush_weight"]))
        cls.cluster.wait_clean(time.monotonic() + 60)
        cls.client = rados.Rados(conffile=cls.cluster.conf)
        cls.client.connect(timeout=30)
        cls.io = cls.client.open_ioctx("data")

    @classmethod
    def tearDownClass(cls):
        cls.io.close()
        cls.client.shutdown()
        super().tearDownClass()

    def tearDown(self):
        self.ratios(0.85, 0.90, 0.95)
        for osd in range(4):
            self.cluster.ceph("osd", "in", str(osd))
        if self.cluster.pids().keys() != set(self.cluster.daemon_names()):
            self.fail("not all run: %s" % self.cluster.pids())
        self.clean("the end of a test")
        for o in list(self.io.list_objects()):
            o.remove()
        self.health_ok()

    def health_ok(self):
        eventually(lambda: self.cluster.ceph("health").stdout.startswith(b"HEALTH_OK"), 30, 0.1,
                   "HEALTH_OK")

    def clean(self, what):
        eventually(self.cluster.is_clean, 60, 0.1, "clean after " + what)

    def ratios(self, nearfull, backfillfull, full):
        for name, value in (("full", full), ("backfillfull", backfillfull),
                            ("nearfull", nearfull)):
            self.cluster.ceph("osd", "set-%s-ratio" % name, str(value))

    def states(self):
        status = self.cluster.ceph_json("status")["pgmap"]["pgs_by_state"]
        return {flag for s in status for flag in s["state_name"].split("+")}

    def health(self):
        return self.cluster.ceph_json("health")["checks"]

    def write(self, prefix, mib, size=MIB):
        under_way = []
        for n in range(mib * MIB // size):
            if len(under_way) == 16:
                under_way.pop(0).wait_for_complete()
            under_way.append(self.io.aio_write_full("%s-%d" % (prefix, n),
                                                    bytes([n & 255]) * size))
        for op in under_way:
            op.wait_for_complete()
            self.assertEqual(op.get_return_value(), 0)

    def gone_within(self, state, act):
        act()
        began = time.monotonic()
        eventually(lambda: state not in self.states(), 30, 0.02, "an end of " + state)
        took = time.monotonic() - began
        print("    %s gone %.2f s after there was space" % (state, took), file=sys.stderr)
        self.assertLess(took, PROMISED)

    def test_backfill_toofull(self):
        """All but the OSD that gives its PGs away are above backfillfull."""
        self.write("b", 160, SMALL)
        self.ratios(0.01, 0.02, 0.95)
        eventually(lambda: "OSD_BACKFILLFULL" in self.health(), 20, 0.1, "OSD_BACKFILLFULL")
        self.cluster.ceph("osd", "out", "0")
        eventually(lambda: "backfill_toofull" in self.states(), 20, 0.1, "backfill_toofull")
        check = eventually(lambda: self.health().get("PG_BACKFILL_FULL"), 20, 0.1,
                           "PG_BACKFILL_FULL")
        self.assertRegex(check["summary"]["message"],
                         r"^Low space hindering backfill \(add storage if this doesn't resolve "
                         r"itself\): \d+ pgs? backfill_toofull$")
        self.write("more", 8)           # clients are served meanwhile
        self.gone_within("backfill_toofull", lambda: self.ratios(0.85, 0.90, 0.95))
        self.clean("backfill")

    def test_recovery_toofull(self):
        """One comes back full, and lacks what was written without it."""
        self.write("r", 60)
        self.cluster.kill_daemon("osd.1")
        eventually(lambda: self.cluster.ceph_json("status")["osdmap"]["num_up_osds"] == 3, 20, 0.1,
                   "osd.1 down")
        self.write("late", 40)
        self.ratios(0.01, 0.02, 0.03)
        eventually(lambda: "OSD_FULL" in self.health(), 20, 0.1, "OSD_FULL")
        self.cluster.ceph("osd", "set", "norecover")
        self.cluster.start_daemon("osd.1")
        eventually(lambda: "full" in self.cluster.ceph_json("osd", "dump")["osds"][1]["state"], 30,
                   0.1, "a full osd.1")
        self.cluster.ceph("osd", "unset", "norecover")
        eventually(lambda: "recovery_toofull" in self.states(), 30, 0.1, "recovery_toofull")
        check = eventually(lambda: self.health().get("PG_RECOVERY_FULL"), 20, 0.1,
                           "PG_RECOVERY_FULL")
        self.assertEqual(check["severity"], "HEALTH_ERR")
        self.assertRegex(check["summary"]["message"],
                         r"^Full OSDs blocking recovery: \d+ pgs? recovery_toofull$")
        self.assertNotIn("down", self.states())
        self.gone_within("recovery_toofull", lambda: self.ratios(0.85, 0.90, 0.95))
        self.clean("recovery")

    def test_a_full_one_sends(self):
        """The small OSD is full and leaves: what it holds goes to those that have room."""
        self.write("s", 150)
        self.ratios(0.15, 0.16, 0.18)
        eventually(lambda: "OSD_FULL" in self.health(), 20, 0.1, "OSD_FULL")
        full = self.cluster.ceph_json("health", "detail")["checks"]["OSD_FULL"]["detail"]
        self.assertEqual([d["message"] for d in full], ["osd.3 is full"])
        self.cluster.ceph("osd", "out", "3")
        eventually(lambda: not any(3 in p["acting"] for p in self.cluster.ceph_json(
            "pg", "dump", "pgs_brief")["pg_stats"]), 60, 0.2, "an empty osd.3")
        self.clean("osd.3 has left")


if __name__ == "__main__":
    harness.main(python_rados=True)
