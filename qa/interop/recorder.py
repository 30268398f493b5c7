# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks a cluster everything that cli_cases.py lists and keeps the raw answers as files.

OUT/commands/<name>.json|.plain|.rc|.stderr; OUT/warn/ the same with osd.2 down and noout set;
OUT/errors/ and OUT/edits/ <name>.rc|.stdout|.stderr; OUT/admin/<daemon>/ admin socket answers;
OUT/maps/ binary maps and what the offline tools make of them; OUT/descriptions/<daemon>.json.
The same walk serves the real cluster (record_golden.py) and ours (test_ceph_cli.py).
"""

import concurrent.futures
import os
import re
import shlex
import subprocess
import time

import cli_cases

_DESCRIBE = """
import json, rados, sys
c = rados.Rados(conffile=sys.argv[1], conf={"rados_mon_op_timeout": "20",
                                            "rados_osd_op_timeout": "20"})
c.connect(timeout=20)
q = json.dumps({"prefix": "get_command_descriptions"})
asked = {"mon": c.mon_command, "mgr": c.mgr_command, "osd": lambda q, i: c.osd_command(0, q, i)}
rc, out, err = asked[sys.argv[2]](q, b"")
sys.stdout.buffer.write(out)
sys.exit(-rc)
"""


class Recorder:
    def __init__(self, cluster, out):
        self.cluster = cluster
        self.out = out
        self.killed = set()    # daemons that are meant to be down
        self.trouble = []      # what went wrong outside of the compared commands
        self.vars = {"pgid": "0.0", "out": os.path.join(cluster.dir, "scratch")}

    # -- one request ---------------------------------------------------------------------------
    def _argv(self, line):
        return [w.format(**self.vars) for w in shlex.split(line)]

    def _ask(self, argv, timeout=30):
        for name in set(self.cluster.dead()) - self.killed:
            self.trouble.append("%s died before: ceph %s" % (name, " ".join(argv)))
            self._step("restart " + name, lambda: self.cluster.start_daemon(name))
        try:
            done = subprocess.run(["ceph", "-c", self.cluster.conf] + argv, capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=timeout)
            return done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            return "timeout", late.stdout or b"", late.stderr or b""

    def _write(self, path, data):
        path = os.path.join(self.out, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else str(data).encode())

    def _step(self, what, action):
        try:
            return action()
        except Exception as problem:  # the rest of the recording is worth having all the same
            self.trouble.append("%s: %s" % (what, problem))
            return None

    def command(self, section, name, line):
        argv = self._argv(line)
        rc, plain, err = self._ask(argv)
        jrc, body, jerr = self._ask(argv + ["-f", "json"])
        base = os.path.join(section, name)
        self._write(base + ".plain", plain)
        self._write(base + ".json", body)
        self._write(base + ".rc", "%s %s\n" % (rc, jrc))
        self._write(base + ".stderr", err + b"---- json\n" + jerr)

    def plain_only(self, section, name, line):
        rc, out, err = self._ask(self._argv(line))
        base = os.path.join(section, name)
        self._write(base + ".rc", "%s\n" % rc)
        self._write(base + ".stdout", out)
        self._write(base + ".stderr", err)

    def admin(self, daemon, line):
        rc, out, err = self._ask(["daemon", self.cluster.asok(daemon)] + self._argv(line))
        base = os.path.join("admin", daemon, re.sub(r"[^A-Za-z0-9._{} -]", "_", line))
        self._write(base + ".stdout", out)
        self._write(base + ".rc", "%s\n" % rc)
        self._write(base + ".stderr", err)

    # -- the walk ------------------------------------------------------------------------------
    def prepare(self):
        """Brings a fresh cluster into the state that cli_cases.py describes."""
        for line in cli_cases.PREPARE:
            self._step(line, lambda: self.cluster.ceph(*shlex.split(line)))
        for pool, namespace, name, size in cli_cases.OBJECTS:
            self._step("put " + name, lambda: self.cluster.rados(
                "put", name, "-", pool=pool, namespace=namespace, stdin=os.urandom(size)))
        pools = self._step("lspools", lambda: {p["poolname"]: p["poolnum"]
                                               for p in self.cluster.ceph_json("osd", "lspools")})
        self.vars["pgid"] = "%d.0" % (pools or {}).get("data", 0)
        self._step("settle", self._wait_settled)

    def _wait_settled(self, seconds=90):
        """Clean, and statistics have arrived for what prepare() wrote."""
        deadline = time.monotonic() + seconds
        while True:
            pgmap = self.cluster.ceph_json("status")["pgmap"]
            if self.cluster.is_clean() and pgmap.get("num_objects", 0) >= len(cli_cases.OBJECTS):
                return
            if time.monotonic() > deadline:
                raise RuntimeError("cluster does not settle: %s" % pgmap)
            time.sleep(0.5)

    def descriptions(self, daemons=("mon", "mgr", "osd")):
        for daemon in daemons:
            done = subprocess.run(["/usr/bin/python3", "-c", _DESCRIBE, self.cluster.conf, daemon],
                                  capture_output=True, timeout=60)
            self._write("descriptions/%s.json" % daemon, done.stdout)
            self._write("descriptions/%s.rc" % daemon, "%d\n" % done.returncode)

    def maps(self):
        where = os.path.join(self.out, "maps")
        os.makedirs(where, exist_ok=True)
        for name, line in (("osdmap", "osd getmap"), ("crushmap", "osd getcrushmap"),
                           ("monmap", "mon getmap")):
            self.cluster.ceph(*line.split(), "-o", os.path.join(where, name + ".bin"))
        for name, line in (("osdmap.print", "osdmaptool osdmap.bin --print"),
                           ("osdmap.json", "osdmaptool osdmap.bin --dump json"),
                           ("osdmap.pgs", "osdmaptool osdmap.bin --test-map-pgs-dump-all"),
                           ("crushmap.txt", "crushtool -d crushmap.bin"),
                           ("monmap.print", "monmaptool --print monmap.bin")):
            done = subprocess.run(line.split(), cwd=where, capture_output=True, timeout=60)
            self._write("maps/" + name, done.stdout)

    def with_a_daemon_down(self):
        cluster = self.cluster
        cluster.ceph("osd", "set", "noout")
        self.killed = {"osd.2"}
        cluster.kill_daemon("osd.2")
        cluster.ceph("osd", "down", "2")
        time.sleep(6)
        for name in cli_cases.WARNING_COMMANDS:
            self.command("warn", name, cli_cases.COMMANDS[name])
        cluster.start_daemon("osd.2")
        self.killed = set()
        cluster.ceph("osd", "unset", "noout")
        cluster.wait_clean(time.monotonic() + 120)

    def walk(self):
        """Everything, in the one order in which each part finds the state that it needs."""
        self.prepare()
        self._step("descriptions", self.descriptions)
        self._step("maps", self.maps)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, line in cli_cases.COMMANDS.items():
                pool.submit(self.command, "commands", name, line)
            for daemon, lines in cli_cases.ADMIN_COMMANDS.items():
                for line in lines:
                    pool.submit(self.admin, daemon, line)
        for name, line in cli_cases.ERRORS.items():
            self.plain_only("errors", name, line)
        self._step("osd.2 down", self.with_a_daemon_down)
        for name, line in cli_cases.EDITS.items():
            self.plain_only("edits", name, line)
        self._step("forbid pool deletion", lambda: self.cluster.ceph(
            "daemon", self.cluster.asok("mon.a"), "config", "set", "mon_allow_pool_delete",
            "false"))
        self.plain_only("errors", "pool_delete_not_allowed",
                        "osd pool delete meta meta --yes-i-really-really-mean-it")
