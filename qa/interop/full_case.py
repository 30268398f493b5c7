# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests and benchmarks of full clusters have in common: a stock client that can be asked what
it knows, a cluster whose ratios are put back after each test, and filling it to the line."""

import hashlib
import json
import os
import random
import signal
import socket
import struct
import threading
import time

import harness
from harness import eventually

if harness.has_python_rados():
    import rados

FULL_TRY, FULL_FORCE = 64, 128      # LIBRADOS_OPERATION_*
MIB = 1 << 20
RATIOS = {"nearfull": "0.85", "backfillfull": "0.90", "full": "0.95"}


def ask(path, prefix, **args):
    """An admin socket's answer, in a millisecond where the `ceph` command takes a third of a
    second; None where it is empty."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(json.dumps(dict(args, prefix=prefix)).encode() + b"\0")
        with s.makefile("rb") as answer:
            length = struct.unpack(">I", answer.read(4))[0]
            return json.loads(answer.read(length)) if length else None


class StockClient:
    """librados with an admin socket of its own: `io` writes, the rest says what the client knows."""

    _count = 0

    def __init__(self, cluster, pool):
        StockClient._count += 1
        self.asok = cluster.path("client.%d.%d.asok" % (os.getpid(), StockClient._count))
        self.rados = rados.Rados(conffile=cluster.conf, conf={"admin_socket": self.asok})
        self.rados.connect(timeout=30)
        self.io = self.rados.open_ioctx(pool)

    def close(self):
        self.io.close()
        self.rados.shutdown()

    def epoch(self):
        """Of the newest map that it has."""
        return ask(self.asok, "perf dump")["objecter"]["map_epoch"]

    def requests(self):
        """[(object, paused, how often it was sent)] of what it has not finished."""
        return [(op["object_id"], bool(op["paused"]), op["attempts"])
                for op in ask(self.asok, "objecter_requests")["ops"]]

    def mon(self, prefix, **args):
        """A monitor's command; its JSON where it has one."""
        command = json.dumps(dict(args, prefix=prefix, format="json"))
        rc, out, errors = self.rados.mon_command(command, b"", timeout=30)
        if rc:
            raise RuntimeError("%s: %d %s" % (command, rc, errors))
        return json.loads(out) if out.strip() else None

    def pool_flags(self, pool, **at):
        for p in self.mon("osd dump", **at)["pools"]:
            if p["pool_name"] == pool:
                return set(p["flags_names"].split(","))
        raise AssertionError("no pool " + pool)

    def operate(self, steps, name, flags=0):
        with rados.WriteOpCtx() as op:
            steps(op)
            self.io.operate_write_op(op, name, flags=flags)

    def remove(self, name):
        self.operate(lambda op: op.remove(), name, FULL_FORCE)

    def full_since(self, pool, first):
        """The first epoch from `first` on that says so."""
        for epoch in range(first, self.mon("osd dump")["epoch"] + 1):
            if "full" in self.pool_flags(pool, epoch=epoch):
                return epoch
        raise AssertionError("not full since epoch %d" % first)


class EpochLog:
    """Notes when a client comes to know of each epoch, while the `with` block runs.

    `epoch` gives the client's newest one."""

    def __init__(self, epoch):
        self.epoch = epoch
        self.seen = []          # (time, epoch)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ending.wait(0.002):
            epoch = self.epoch()
            if not self.seen or self.seen[-1][1] != epoch:
                self.seen.append((time.monotonic(), epoch))

    def when(self, epoch):
        """The time when it knew; None while it does not."""
        return next((at for at, e in self.seen if e >= epoch), None)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(30)


class Written:
    """What write_past() wrote."""

    def __init__(self):
        self.names, self.pending = [], []
        self.total = 0          # bytes that were acknowledged
        self.rate = 0           # bytes in a second, before the limit was reached
        self.reached = None     # when it was
        self.full = None        # when the map said so


def write_past(io, size, depth, limit, is_full, patience=60):
    """Writes objects until the map says full and nothing has moved for a second."""
    w = Written()
    began = moved = looked = time.monotonic()
    number = 0
    while w.full is None or time.monotonic() - moved < 1:
        now = time.monotonic()
        if now - began > patience:
            raise AssertionError("not full after %d s" % patience)
        while len(w.pending) < depth:
            w.pending.append(io.aio_write_full("w%d" % number, os.urandom(4096) * (size // 4096)))
            w.names.append("w%d" % number)
            number += 1
        before = len(w.pending)
        w.pending = [op for op in w.pending if not op.is_complete()]
        done = before - len(w.pending)
        w.total += done * size
        if done:
            moved = now
        if w.reached is None and w.total >= limit:
            w.reached = now
            w.rate = w.total / (now - began)
        if w.full is None and now - looked > 0.005:
            looked = now
            if is_full():
                w.full = now
        if not done:
            time.sleep(0.001)
    return w


def new_full_cluster(**kw):
    """A started cluster with an empty pool "data"."""
    cluster = harness.new_cluster(**kw)
    cluster.ceph("osd", "pool", "create", "data", "16", "16", "replicated")
    cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
    cluster.wait_clean(time.monotonic() + 60)
    return cluster


class FullCase(harness.ClusterCase):
    """One cluster for all; each test leaves ratios and injections as it found them."""

    OSD_SIZE = "1G"

    @classmethod
    def setUpClass(cls):
        kind = (cls.OSD_SIZE, str(cls.CONF))
        if kind not in cls._shared:
            cls._shared[kind] = new_full_cluster(osd_size=cls.OSD_SIZE, conf=cls.CONF)
        cls.cluster = cls._shared[kind]
        cls.stock = StockClient(cls.cluster, "data")
        cls.io = cls.stock.io

    @classmethod
    def tearDownClass(cls):
        cls.stock.close()
        super().tearDownClass()

    def tearDown(self):
        for name in self.cluster.daemon_names():
            self.cluster.signal_daemon(name, signal.SIGCONT)
        self.make_room()
        self.inject("none")
        eventually(lambda: not self.pool_flags() & {"full", "backfillfull", "nearfull"},
                   10, 0.05, "pool flags gone")

    def set_ratio(self, name, value, **kw):
        return self.cluster.ceph("osd", "set-%s-ratio" % name, str(value), **kw)

    def osd_dump(self):
        return self.stock.mon("osd dump")

    def pool_flags(self, pool="data"):
        return self.stock.pool_flags(pool)

    def osd_states(self, osd):
        return set(self.osd_dump()["osds"][osd]["state"])

    def health(self):
        return self.stock.mon("health", detail="detail")["checks"]

    def details(self, code):
        return [d["message"] for d in self.health().get(code, {}).get("detail", [])]

    def fullness(self, osd):
        return ask(self.cluster.asok("osd.%d" % osd), "dump_fullness")

    def operate(self, steps, name, flags=0):
        self.stock.operate(steps, name, flags)

    def remove(self, name):
        self.stock.remove(name)

    def primary(self, name):
        """The daemon that leads the object's PG."""
        return "osd.%d" % self.stock.mon("osd map", pool="data", object=name)["acting_primary"]

    def stop_primary(self, name):
        """SIGSTOP; goes on at the end of the test at the latest."""
        primary = self.primary(name)
        self.cluster.signal_daemon(primary, signal.SIGSTOP)
        return primary

    def inject(self, state):
        for osd in range(3):
            ask(self.cluster.asok("osd.%d" % osd), "injectfull", type=state)

    def purge(self, pool="data"):
        done = self.rados("purge", pool, "--yes-i-really-really-mean-it", "--force-full",
                          pool=pool, timeout=120)
        self.assert_rc(done, 0)

    def set_ratios(self, ratios):
        for name, value in ratios.items():
            self.stock.mon("osd set-%s-ratio" % name, ratio=float(value))

    def make_full(self, ratio="0.00001"):
        """By a ratio below use."""
        self.set_ratios(dict.fromkeys(("full", "backfillfull", "nearfull"), ratio))
        eventually(lambda: "full" in self.pool_flags(), 10, 0.005, "a full pool")

    def make_room(self):
        self.set_ratios(RATIOS)

    # -- filling -------------------------------------------------------------------------------
    def check_line(self):
        for osd in range(3):
            f = self.fullness(osd)
            self.assertLessEqual(f["used"] + f["lent"], f["full_line"], "osd.%d" % osd)

    def fill(self, size):
        """Writes until nothing goes on; {name: digest} of what was acknowledged, and what waits."""
        written, pending, number = {}, [], 0
        run = "%06x" % random.randrange(1 << 24)
        deadline = time.monotonic() + 180
        moved = looked = time.monotonic()
        while time.monotonic() - moved < 1 or "full" not in self.pool_flags():
            self.assertLess(time.monotonic(), deadline, "it does not become full")
            while len(pending) < 16:
                data = os.urandom(4096) * (size // 4096)
                name = "f%s-%d" % (run, number)
                number += 1
                pending.append((name, data, self.io.aio_write_full(name, data)))
            done = [p for p in pending if p[2].is_complete()]
            for name, data, op in done:
                self.assertEqual(op.get_return_value(), 0)
                written[name] = hashlib.sha1(data).digest()
                moved = time.monotonic()
            pending = [p for p in pending if p[0] not in written]
            if time.monotonic() - looked > 0.1:
                self.check_line()
                looked = time.monotonic()
            if not done:
                time.sleep(0.001)
        return written, pending

    def finish(self, pending, written):
        """What waited goes on by itself, when there is room."""
        for name, data, op in pending:
            op.wait_for_complete()
            self.assertEqual(op.get_return_value(), 0)
            written[name] = hashlib.sha1(data).digest()

    def check_data(self, written):
        for name, digest in written.items():
            self.assertEqual(hashlib.sha1(self.io.read(name, 8 * MIB)).digest(), digest, name)

    def wait_health_ok(self):
        eventually(lambda: self.cluster.ceph("health").stdout.startswith(b"HEALTH_OK"),
                   20, 0.2, "HEALTH_OK")

    def restart_all_killed(self):
        for name in self.cluster.daemon_names():
            self.cluster.kill_daemon(name)
        for name in sorted(self.cluster.daemon_names()):
            self.cluster.start_daemon(name)
        eventually(self.cluster.is_serving, 60, 0.2, "a cluster that started while full")
