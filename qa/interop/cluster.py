# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a running cluster looks like to a test, whoever made it: one directory that holds
ceph.conf, run/<daemon>.pid, run/<daemon>.asok and log/. Daemons are known by pid file, so that a
cluster can be stopped by a process that did not start it, and nothing is ever killed by name."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time


def parse_size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    text = str(text).upper().rstrip("B").rstrip("I")
    return int(float(text[:-1]) * units[text[-1]]) if text[-1] in units else int(text)


def pid_alive(pid):
    """False for a zombie too: a daemon that we started ourselves and that has exited. One whose
    other threads are still ending is none yet: it has its files and sockets open."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            state = f.read().rsplit(")", 1)[1].split()[0]
        return state != "Z" or len(os.listdir("/proc/%d/task" % pid)) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def _free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_base_port(count=250):
    """The first of `count` free ports in a row.

    They lie below the kernel's range for outgoing connections: a daemon that is killed and
    started again must find its port free, and a client may not have borrowed it in between.
    PLIMSOLL_PORT_RANGE=low-high narrows the choice."""
    low, high = os.environ.get("PLIMSOLL_PORT_RANGE", "10000-32000").split("-")
    for _ in range(200):
        base = random.randrange(int(low), int(high) - count)
        if all(_free(base + i) for i in range(count)):
            return base
    raise RuntimeError("no %d free ports in a row in %s-%s" % (count, low, high))


class Cluster:
    """Paths, stock tools and daemon control of the cluster in `directory`."""

    def __init__(self, directory, osds):
        self.dir = os.path.abspath(directory)
        self.osds = osds
        self.conf = self.path("ceph.conf")
        self.timing = {}
        self.children = {}      # Popen of the daemons that this process started
        self.expected = ()      # names of the daemons, once start() is through

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def asok(self, name):
        return self.path("run", name + ".asok")

    # -- daemons -------------------------------------------------------------------------------
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
        """Living daemons only."""
        found = {n: self.pid(n) for n in self.daemon_names()}
        return {n: p for n, p in found.items() if p and pid_alive(p)}

    def dead(self):
        """Daemons that were started and no longer live; after start() has noted them."""
        return sorted(set(self.expected) - set(self.pids()))

    def spawn(self, binary, name):
        """Starts one daemon in the foreground mode of its own, in its own session."""
        with open(self.path("log", name + ".out"), "ab") as out:
            child = subprocess.Popen(
                [binary, "-c", self.conf, "-i", name.split(".", 1)[1], "-f"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.children[name] = child
        with open(self.path("run", name + ".pid"), "w") as f:
            f.write("%d\n" % child.pid)
        return child

    def signal_daemon(self, name, sig):
        pid = self.pid(name)
        if pid is not None and pid_alive(pid):
            os.kill(pid, sig)

    def kill_daemon(self, name, sig=signal.SIGKILL, timeout=30):
        """Sends `sig` to one daemon of this cluster and waits for its end."""
        self.signal_daemon(name, sig)
        pid = self.pid(name)
        deadline = time.monotonic() + timeout
        while pid is not None and pid_alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        if name in self.children:
            self.children.pop(name).wait(timeout)

    def stop(self, kill=False):
        kinds = ("fuse", "client", "mover", "mds", "osd", "mgr", "mon")
        order = sorted(self.pids(), key=lambda n: kinds.index(n.split(".")[0]))
        for name in order:
            self.kill_daemon(name, signal.SIGKILL if kill else signal.SIGTERM)

    def destroy(self):
        self.stop(kill=True)
        if not os.environ.get("PLIMSOLL_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    # -- stock tools ---------------------------------------------------------------------------
    def run(self, *args, timeout=60, check=True, stdin=None):
        feed = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(list(args), capture_output=True, timeout=timeout, **feed)
        if check and done.returncode != 0:
            raise RuntimeError("%s: rc %d: %s" % (" ".join(args), done.returncode,
                                                  done.stderr.decode(errors="replace")))
        return done

    def ceph(self, *args, **kw):
        return self.run("ceph", "-c", self.conf, *args, **kw)

    def ceph_json(self, *args, **kw):
        return json.loads(self.ceph(*args, "-f", "json", **kw).stdout)

    def rados(self, *args, pool=None, namespace=None, **kw):
        options = (["-p", pool] if pool else []) + (["-N", namespace] if namespace else [])
        return self.run("rados", "-c", self.conf, *options, *args, **kw)

    def is_clean(self):
        status = self.ceph_json("status")
        states = status["pgmap"]["pgs_by_state"]
        return (status["osdmap"]["num_up_osds"] == self.osds
                and all(s["state_name"] == "active+clean" for s in states)
                and sum(s["count"] for s in states) == status["pgmap"]["num_pgs"])

    def is_serving(self):
        """All OSDs are up and all PGs active. One that is full may lack what was written without
        it until there is room."""
        status = self.ceph_json("status")
        states = status["pgmap"]["pgs_by_state"]
        return (status["osdmap"]["num_up_osds"] == self.osds
                and all("active" in s["state_name"].split("+") for s in states)
                and sum(s["count"] for s in states) == status["pgmap"]["num_pgs"])

    def wait_clean(self, deadline):
        while not self.is_clean():
            if time.monotonic() > deadline:
                raise RuntimeError("not clean in time:\n" +
                                   self.ceph("-s").stdout.decode(errors="replace"))
            time.sleep(0.25)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.destroy()
