#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records what a real cluster answers to the commands of cli_cases.py into a directory.

    record_oracle.py OUT [--base-port N] [--dir SCRATCH]

OUT/<name>.json|.plain|.rc|.stderr for COMMANDS; OUT/warn/ the same with osd.2 down and noout set;
OUT/errors/ and OUT/edits/ <name>.cmd|.rc|.stdout|.stderr; OUT/admin/<daemon>/ admin socket answers;
OUT/maps/ binary maps; OUT/descriptions/ command descriptions; OUT/INDEX.md lists it all.
make_golden.py makes the compact form that the repository keeps.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import cli_cases
import real_cluster


class Recorder:
    def __init__(self, cluster, out):
        self.cluster = cluster
        self.out = out
        self.index = []
        self.vars = {}

    def _argv(self, line):
        return [w.format(**self.vars) for w in shlex.split(line)]

    def _run(self, argv, timeout=60):
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

    def command(self, name, line, sub=""):
        argv = self._argv(line)
        rc, plain, err = self._run(argv)
        jrc, body, jerr = self._run(argv + ["-f", "json"])
        base = os.path.join(sub, name)
        self._write(base + ".plain", plain)
        self._write(base + ".json", body)
        self._write(base + ".rc", "%s %s\n" % (rc, jrc))
        if err or jerr:
            self._write(base + ".stderr", err + b"---- json\n" + jerr)
        self.index.append((base, "ceph " + " ".join(argv), "rc %s" % rc))

    def plain_only(self, sub, name, line):
        argv = self._argv(line)
        rc, out, err = self._run(argv)
        base = os.path.join(sub, name)
        self._write(base + ".cmd", "ceph " + line + "\n")
        self._write(base + ".rc", "%s\n" % rc)
        self._write(base + ".stdout", out)
        self._write(base + ".stderr", err)
        last = err.decode(errors="replace").strip().splitlines()[-1:] or [""]
        self.index.append((base, "ceph " + line, "rc %s %s" % (rc, last[0][:100])))

    def admin(self, daemon):
        for line in cli_cases.ADMIN_COMMANDS[daemon]:
            argv = ["daemon", self.cluster.asok(daemon)] + self._argv(line)
            rc, out, err = self._run(argv)
            base = os.path.join("admin", daemon, re.sub(r"[^A-Za-z0-9._-]", "_", line))
            self._write(base + ".out", out)
            self._write(base + ".rc", "%s\n" % rc)
            if err:
                self._write(base + ".stderr", err)
            self.index.append((base, "ceph daemon %s %s" % (daemon, line), "rc %s" % rc))

    def descriptions(self):
        """Raw command descriptions, by the way a client asks for them."""
        script = (
            "import rados,json,sys\n"
            "c=rados.Rados(conffile=sys.argv[1]);c.connect(timeout=10)\n"
            "q=json.dumps({'prefix':'get_command_descriptions'})\n"
            "for n,r in (('mon',c.mon_command(q,b'')),('mgr',c.mgr_command(q,b'')),\n"
            "            ('osd',c.osd_command(0,q,b''))):\n"
            "    assert r[0]==0,(n,r)\n"
            "    open(sys.argv[2]+'/'+n+'.json','wb').write(r[1])\n"
            "c.shutdown()\n")
        where = os.path.join(self.out, "descriptions")
        os.makedirs(where, exist_ok=True)
        subprocess.run(["/usr/bin/python3", "-c", script, self.cluster.conf, where], check=True,
                       timeout=60)
        for name in ("mon", "mgr", "osd"):
            self.index.append(("descriptions/%s.json" % name,
                               "get_command_descriptions sent to the " + name, "raw"))

    def maps(self):
        where = os.path.join(self.out, "maps")
        os.makedirs(where, exist_ok=True)
        for name, line in (("osdmap.bin", "osd getmap -o "), ("crushmap.bin", "osd getcrushmap -o "),
                           ("monmap.bin", "mon getmap -o ")):
            self.cluster.ceph(*(line + os.path.join(where, name)).split())
            self.index.append(("maps/" + name, "ceph " + line + name, ""))
        for name, argv in (("osdmap.print", ["osdmaptool", "osdmap.bin", "--print"]),
                           ("osdmap.json", ["osdmaptool", "osdmap.bin", "--dump", "json"]),
                           ("osdmap.pgs", ["osdmaptool", "osdmap.bin",
                                           "--test-map-pgs-dump-all"]),
                           ("crushmap.txt", ["crushtool", "-d", "crushmap.bin"]),
                           ("monmap.print", ["monmaptool", "--print", "monmap.bin"])):
            done = subprocess.run(argv, cwd=where, capture_output=True, timeout=60)
            self._write("maps/" + name, done.stdout)
            self.index.append(("maps/" + name, " ".join(argv), "rc %d" % done.returncode))

    def write_index(self, timing):
        lines = ["# Answers of a real Ceph 16.2.15 cluster", "",
                 "1 mon (a), 1 mgr (x), 3 bluestore OSDs; pools as cli_cases.PREPARE says. Start: %s"
                 % json.dumps(timing), "",
                 "`.rc` of a command holds two exit codes: plain and json. `.stderr` only if any.",
                 "", "| files | command | |", "| --- | --- | --- |"]
        lines += ["| %s | `%s` | %s |" % tuple(str(c).replace("|", "\\|") for c in row)
                  for row in self.index]
        self._write("INDEX.md", "\n".join(lines) + "\n")


def prepare(cluster):
    """Brings a fresh cluster into the state that cli_cases.py describes."""
    for line in cli_cases.PREPARE:
        cluster.ceph(*shlex.split(line))
    for pool, namespace, name, size in cli_cases.OBJECTS:
        cluster.run("rados", "-c", cluster.conf, "-p", pool, "-N", namespace, "put", name, "-",
                    stdin=os.urandom(size))


def pool_id(cluster, name):
    pools = {p["poolname"]: p["poolnum"] for p in cluster.ceph_json("osd", "lspools")}
    return pools[name]


def wait_settled(cluster, seconds=90):
    """Clean, and statistics have arrived for what prepare() wrote."""
    deadline = time.monotonic() + seconds
    while True:
        pgmap = cluster.ceph_json("status")["pgmap"]
        if cluster.is_clean() and pgmap.get("num_objects", 0) >= len(cli_cases.OBJECTS):
            return
        if time.monotonic() > deadline:
            raise RuntimeError("cluster does not settle: %s" % pgmap)
        time.sleep(0.5)


def record(cluster, out, timing):
    recorder = Recorder(cluster, out)
    prepare(cluster)
    wait_settled(cluster)
    recorder.vars = {"pgid": "%d.0" % pool_id(cluster, "data"),
                     "out": os.path.join(cluster.dir, "scratch")}
    recorder.descriptions()
    recorder.maps()
    for name, line in cli_cases.COMMANDS.items():
        recorder.command(name, line)
    for daemon in cli_cases.ADMIN_COMMANDS:
        recorder.admin(daemon)
    recorder.write_index(timing)
    for name, line in cli_cases.ERRORS.items():
        recorder.plain_only("errors", name, line)
    cluster.ceph("osd", "set", "noout")
    cluster.kill_daemon("osd.2")
    cluster.ceph("osd", "down", "2")
    time.sleep(6)
    for name in cli_cases.WARNING_COMMANDS:
        recorder.command(name, cli_cases.COMMANDS[name], "warn")
    cluster.start_daemon("osd.2")
    cluster.ceph("osd", "unset", "noout")
    cluster.wait_clean(time.monotonic() + 120)
    recorder.write_index(timing)
    for name, line in cli_cases.EDITS.items():
        recorder.plain_only("edits", name, line)
    cluster.ceph("config", "set", "mon", "mon_allow_pool_delete", "false")
    recorder.plain_only("errors", "pool_delete_not_allowed",
                        "osd pool delete meta meta --yes-i-really-really-mean-it")
    recorder.write_index(timing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--base-port", type=int, default=20200)
    parser.add_argument("--dir")
    args = parser.parse_args()
    scratch = args.dir or tempfile.mkdtemp(prefix="plimsoll-oracle-")
    # Not in the file: the recording turns pool deletion off in the end, and the file would win.
    cluster = real_cluster.RealCluster(os.path.join(scratch, "c"), base_port=args.base_port,
                                       conf={"mon/mon_allow_pool_delete": None})
    try:
        timing = dict(cluster.start())
        cluster.ceph("config", "set", "mon", "mon_allow_pool_delete", "true")
        record(cluster, os.path.abspath(args.out), timing)
    finally:
        cluster.stop(kill=True)
    if not args.dir:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
