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
import signal
import subprocess
import sys
import time
import uuid

BINARIES = ("ceph", "ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool", "rados")


def missing_binaries():
    """Names of the stock programs that a real cluster needs and this machine lacks."""
    return [name for name in BINARIES if shutil.which(name) is None]


def parse_size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    text = str(text).upper().rstrip("B").rstrip("I")
    return int(float(text[:-1]) * units[text[-1]]) if text[-1] in units else int(text)


def pid_alive(pid):
    """False for a zombie too: a daemon that we started ourselves and that has exited."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class RealCluster:
    """Owns the daemons under `directory`; `pids` survive in pid files, so stop works later."""

    def __init__(self, directory, osds=3, osd_size="4G", base_port=21000, msgr1=False, conf=None):
        self.dir = os.path.abspath(directory)
        self.osds = osds
        self.osd_size = parse_size(osd_size)
        self.base_port = base_port
        self.msgr1 = msgr1
        self.extra_conf = dict(conf or {})
        self.conf = os.path.join(self.dir, "ceph.conf")
        self.timing = {}

    # -- paths ---------------------------------------------------------------------------------
    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def asok(self, name):
        return self.path("run", name + ".asok")

    def daemon_names(self):
        run = self.path("run")
        names = os.listdir(run) if os.path.isdir(run) else []
        return sorted(n[:-4] for n in names if n.endswith(".pid"))

    def pid(self, name):
        try:
            with open(self.path("run", name + ".pid")) as f:
                return int(f.read())
        except (FileNotFoundError, ValueError):
            return None

    def pids(self):
        found = {n: self.pid(n) for n in self.daemon_names()}
        return {n: p for n, p in found.items() if p and pid_alive(p)}

    # -- running stock tools -------------------------------------------------------------------
    def run(self, *args, timeout=60, check=True, stdin=None):
        done = subprocess.run(list(args), stdin=subprocess.DEVNULL if stdin is None else None,
                              input=stdin, capture_output=True, timeout=timeout)
        if check and done.returncode != 0:
            raise RuntimeError("%s: rc %d: %s" % (" ".join(args), done.returncode,
                                                  done.stderr.decode(errors="replace")))
        return done

    def ceph(self, *args, **kw):
        return self.run("ceph", "-c", self.conf, *args, **kw)

    def ceph_json(self, *args, **kw):
        return json.loads(self.ceph(*args, "-f", "json", **kw).stdout)

    # -- life ----------------------------------------------------------------------------------
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

    def spawn(self, binary, name):
        """Starts one daemon in the foreground mode of its own, in its own session."""
        with open(self.path("log", name + ".out"), "ab") as out:
            child = subprocess.Popen(
                [binary, "-c", self.conf, "-i", name.split(".", 1)[1], "-f"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        with open(self.path("run", name + ".pid"), "w") as f:
            f.write("%d\n" % child.pid)
        return child

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
            ids = [self._make_osd(i) for i in range(self.osds)]
            mark("osd_mkfs")
            for i in ids:
                self.spawn("ceph-osd", "osd.%d" % i)
            self.wait_clean(began + timeout)
            mark("clean")
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

    def _make_osd(self, index):
        os.makedirs(self.path("osd.%d" % index))
        osd_uuid = str(uuid.uuid4())
        got = int(self.ceph("osd", "new", osd_uuid).stdout)
        if got != index:
            raise RuntimeError("osd new gave %d, wanted %d" % (got, index))
        self.run("ceph-osd", "-c", self.conf, "-i", str(index), "--mkfs", "--osd-uuid", osd_uuid,
                 timeout=120)
        return index

    def is_clean(self):
        status = self.ceph_json("status")
        states = status["pgmap"]["pgs_by_state"]
        return (status["osdmap"]["num_up_osds"] == self.osds and states
                and status["mgrmap"]["available"]
                and all(s["state_name"] == "active+clean" for s in states)
                and sum(s["count"] for s in states) == status["pgmap"]["num_pgs"])

    def wait_clean(self, deadline):
        while not self.is_clean():
            if time.monotonic() > deadline:
                raise RuntimeError("not clean in time:\n" +
                                   self.ceph("-s").stdout.decode(errors="replace"))
            time.sleep(0.25)

    def start_daemon(self, name):
        return self.spawn("ceph-" + name.split(".")[0], name)

    def kill_daemon(self, name, sig=signal.SIGKILL, timeout=30):
        """Sends `sig` to one daemon of this cluster and waits for its end."""
        pid = self.pid(name)
        if pid is None or not pid_alive(pid):
            return
        os.kill(pid, sig)
        deadline = time.monotonic() + timeout
        while pid_alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            self._reap(pid)
            time.sleep(0.02)
        self._reap(pid)

    @staticmethod
    def _reap(pid):
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass

    def stop(self, kill=False):
        order = sorted(self.pids(), key=lambda n: ("osd", "mgr", "mon").index(n.split(".")[0]))
        for name in order:
            self.kill_daemon(name, signal.SIGKILL if kill else signal.SIGTERM)

    def destroy(self):
        self.stop(kill=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.destroy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sub = parser.add_subparsers(dest="verb", required=True)
    start = sub.add_parser("start")
    start.add_argument("dir")
    start.add_argument("--osds", type=int, default=3)
    start.add_argument("--osd-size", default="4G")
    start.add_argument("--base-port", type=int, default=21000)
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
