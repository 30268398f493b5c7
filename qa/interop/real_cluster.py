#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Ceph 16.2 cluster in one directory: the oracle of the interop tests and benchmarks.

One monitor, one manager and N bluestore OSDs (block files) on loopback without authentication.
Everything lives under the given directory: nothing of it reads or writes /etc/ceph or /var.
Used as a module (`RealCluster`) and from the shell:

    real_cluster.py start DIR --osds 3 --osd-size 4G --base-port 21000
    real_cluster.py stop DIR
"""

import argparse
import json
import os
import shutil
import sys
import time
import uuid

from cluster import Cluster, free_base_port, parse_size

BINARIES = ("ceph", "ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool", "rados")


def missing_binaries():
    """Names of the stock programs that a real cluster needs and this machine lacks."""
    return [name for name in BINARIES if shutil.which(name) is None]


class RealCluster(Cluster):
    """Owns the daemons under `directory`; `pids` survive in pid files, so stop works later."""

    def __init__(self, directory, osds=3, osd_size="4G", base_port=None, msgr1=False, conf=None):
        super().__init__(directory, osds)
        self.osd_size = parse_size(osd_size)
        self.base_port = base_port or free_base_port()
        self.msgr1 = msgr1
        self.extra_conf = dict(conf or {})

    def write_conf(self):
        v2, v1 = self.base_port, self.base_port + 1
        addrs = "v2:127.0.0.1:%d/0" % v2
        if self.msgr1:
            addrs += ",v1:127.0.0.1:%d/0" % v1
        common = {
            "fsid": str(uuid.uuid4()),
            "mon_host": "[%s]" % addrs,
            "auth_cluster_required": "none",
            "auth_service_required": "none",
            "auth_client_required": "none",
            "ms_bind_msgr1": str(self.msgr1).lower(),
            "public_addr": "127.0.0.1",
            "cluster_addr": "127.0.0.1",
            "ms_bind_port_min": self.base_port + 10,
            "ms_bind_port_max": self.base_port + 200,
            "run_dir": self.path("run"),
            "crash_dir": self.path("crash"),
            "log_file": self.path("log", "$name.log"),
            "pid_file": "",
            "keyring": "/dev/null",
            "log_to_stderr": "false",
            "mon_cluster_log_file": self.path("log", "cluster.log"),
            "mon_cluster_log_to_stderr": "false",
            "osd_pool_default_size": min(self.osds, 3),
            "osd_pool_default_min_size": 1 if self.osds < 3 else 2,
            "osd_pool_default_pg_autoscale_mode": "off",
            "osd_crush_chooseleaf_type": 0,
            "mon_warn_on_insecure_global_id_reclaim": "false",
            "mon_warn_on_insecure_global_id_reclaim_allowed": "false",
        }
        # By name and not by type: the file must also serve clients, which have no such paths.
        daemon = {"admin_socket": self.path("run", "$name.asok")}
        sections = {
            "global": common,
            "mon": dict(daemon, mon_data=self.path("$name"), mon_allow_pool_delete="true",
                        mon_data_avail_warn=1, mon_data_avail_crit=1),
            "mgr": dict(daemon, mgr_data=self.path("$name"), mgr_initial_modules=""),
            "osd": dict(daemon, osd_data=self.path("$name"), osd_objectstore="bluestore",
                        bluestore_block_size=self.osd_size),
            "client": {"admin_socket": "", "log_file": ""},
        }
        for key, value in self.extra_conf.items():
            section, _, name = key.rpartition("/")
            if value is None:
                sections[section or "global"].pop(name, None)
            else:
                sections[section or "global"][name] = value
        with open(self.conf, "w") as f:
            for section, options in sections.items():
                f.write("[%s]\n" % section)
                for key, value in options.items():
                    f.write("%s = %s\n" % (key, value))
        self.fsid = common["fsid"]
        self.mon_addrs = "[%s]" % addrs

    def start(self, timeout=180):
        """Makes the cluster and returns when every PG is active+clean. Fills `timing`."""
        if os.path.exists(self.conf):
            raise RuntimeError(self.dir + " already holds a cluster")
        for sub in ("run", "log", "crash", "mon.a", "mgr.x"):
            os.makedirs(self.path(sub), exist_ok=True)
        began = time.monotonic()
        mark = lambda name: self.timing.__setitem__(name, round(time.monotonic() - began, 2))
        self.write_conf()
        try:
            self._make_mon()
            mark("mon")
            self.spawn("ceph-mgr", "mgr.x")
            ids = [self.make_osd(i) for i in range(self.osds)]
            mark("osd_mkfs")
            for i in ids:
                self.spawn("ceph-osd", "osd.%d" % i)
            self.wait_clean(began + timeout)
            mark("clean")
            self.expected = self.daemon_names()
        except BaseException:
            self.stop(kill=True)
            raise
        return self.timing

    def _make_mon(self):
        monmap = self.path("monmap")
        self.run("monmaptool", "--create", "--addv", "a", self.mon_addrs, "--fsid", self.fsid,
                 "--set-min-mon-release", "16", monmap)
        self.run("ceph-mon", "-c", self.conf, "-i", "a", "--mkfs", "--monmap", monmap)
        self.spawn("ceph-mon", "mon.a")
        self.ceph("-s", timeout=60)

    def make_osd(self, index):
        """The empty store of one OSD, which the monitor knows of."""
        os.makedirs(self.path("osd.%d" % index))
        osd_uuid = str(uuid.uuid4())
        got = int(self.ceph("osd", "new", osd_uuid).stdout)
        if got != index:
            raise RuntimeError("osd new gave %d, wanted %d" % (got, index))
        self.run("ceph-osd", "-c", self.conf, "-i", str(index), "--mkfs", "--osd-uuid", osd_uuid,
                 timeout=120)
        return index

    def start_daemon(self, name):
        return self.spawn("ceph-" + name.split(".")[0], name)

    def is_clean(self):
        """As for every cluster, and the manager has brought its first statistics."""
        status = self.ceph_json("status")
        return (status["mgrmap"]["available"] and bool(status["pgmap"]["pgs_by_state"])
                and super().is_clean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sub = parser.add_subparsers(dest="verb", required=True)
    start = sub.add_parser("start")
    start.add_argument("dir")
    start.add_argument("--osds", type=int, default=3)
    start.add_argument("--osd-size", default="4G")
    start.add_argument("--base-port", type=int)
    start.add_argument("--msgr1", action="store_true", help="listen on msgr v1 as well")
    start.add_argument("--conf", action="append", default=[], metavar="[SECTION/]KEY=VALUE")
    stop = sub.add_parser("stop")
    stop.add_argument("dir")
    stop.add_argument("--kill", action="store_true")
    args = parser.parse_args()
    if args.verb == "stop":
        RealCluster(args.dir).stop(args.kill)
        return 0
    lacking = missing_binaries()
    if lacking:
        print("missing: " + " ".join(lacking), file=sys.stderr)
        return 77
    conf = dict(item.split("=", 1) for item in args.conf)
    cluster = RealCluster(args.dir, args.osds, args.osd_size, args.base_port, args.msgr1, conf)
    print(json.dumps(cluster.start()))
    print("conf: " + cluster.conf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
