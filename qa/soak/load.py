# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stock clients of a soak: what they wrote, and what they may therefore ask to be there."""

import hashlib
import os
import subprocess
import threading
import time

import rados

FULL_FORCE = 128        # LIBRADOS_OPERATION_FULL_FORCE
MIB = 1 << 20
PATIENCE = 180          # seconds: for everything that a client waits for


class Log:
    """Lines `name digest` ("-": removed), each durable outside of the cluster before the next
    write of its object is sent; `now` is what they add up to."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.now = {}

    def acknowledged(self, name, digest):
        os.write(self.fd, b"%s %s\n" % (name.encode(), (digest or "-").encode()))
        os.fdatasync(self.fd)
        self.now[name] = digest


def digest_of(data):
    return hashlib.sha1(data).hexdigest()


def check(io, log):
    """Problems of what the log names, read by a stock client."""
    problems = []
    for name, digest in sorted(log.now.items()):
        try:
            found = digest_of(io.read(name, 8 * MIB))
        except rados.ObjectNotFound:
            found = None
        if found != digest:
            problems.append("%s: %s, acknowledged was %s" % (name, found, digest))
    return problems


class ToolClient(threading.Thread):
    """`rados put`, `get` and `rm`, one after the other, on a few names."""

    NAMES = 40
    SIZES = (1, 4096, 70_000, 1 * MIB, 4 * MIB)

    def __init__(self, cluster, directory, rng):
        super().__init__(daemon=True)
        self.cluster, self.rng = cluster, rng
        self.file = os.path.join(directory, "tool.data")
        self.log = Log(os.path.join(directory, "tool.log"))
        self.asok = os.path.join(directory, "tool.asok")
        self.ending = threading.Event()
        self.problem = None
        self.operations = 0

    def step(self):
        name = "tool-%02d" % self.rng.randrange(self.NAMES)
        known = self.log.now.get(name)
        choice = self.rng.random()
        if known is None or choice < 0.6:
            data = self.rng.randbytes(self.rng.choice(self.SIZES))
            with open(self.file, "wb") as f:
                f.write(data)
            self.rados("put", name, self.file)
            self.log.acknowledged(name, digest_of(data))
        elif choice < 0.9:
            found = digest_of(self.rados("get", name, "-"))
            if found != known:
                raise AssertionError("%s: %s, acknowledged was %s" % (name, found, known))
        else:
            self.rados("rm", name)
            self.log.acknowledged(name, None)
        self.operations += 1

    def rados(self, *args):
        # Ends by itself, too, where the soak does not live to end it.
        return self.cluster.run("timeout", str(PATIENCE), "rados", "-c", self.cluster.conf,
                                "--admin-socket=" + self.asok, "-p", "data", *args,
                                timeout=PATIENCE + 10).stdout

    def run(self):
        try:
            while not self.ending.wait(0.1):
                self.step()
        except (AssertionError, RuntimeError, subprocess.TimeoutExpired) as problem:
            self.problem = problem

    def drain(self):
        self.ending.set()
        self.join(PATIENCE + 10)


def write_cold(io, directory, rng, small, large):
    """Objects that are written once: recovery alone moves them. Returns their log."""
    log = Log(os.path.join(directory, "cold.log"))
    sizes = [rng.choice((0, 100, 4096, 20_000)) for _ in range(small)] + [4 * MIB] * large
    flying = []
    for number, size in enumerate(sizes):
        data = rng.randbytes(size)
        flying.append(("cold-%05d" % number, digest_of(data),
                       io.aio_write_full("cold-%05d" % number, data)))
        if len(flying) == 32 or number == len(sizes) - 1:
            for name, digest, op in flying:
                op.wait_for_complete()
                if op.get_return_value() != 0:
                    raise RuntimeError("%s: %d" % (name, op.get_return_value()))
                log.now[name] = digest
            flying = []
    return log


class Filler:
    """Writes until nothing goes on, and removes it again."""

    SIZE, DEPTH = 1 * MIB, 16

    def __init__(self, io, run):
        self.io, self.run = io, run
        self.block = os.urandom(self.SIZE)
        self.names, self.flying = [], []

    def fill(self, is_full, ending, seconds):
        """True if the pool became full and its writes stopped."""
        deadline = time.monotonic() + seconds
        moved = time.monotonic()
        while time.monotonic() < deadline and not ending.is_set():
            while len(self.flying) < self.DEPTH:
                name = "fill-%s-%d" % (self.run, len(self.names))
                self.names.append(name)
                self.flying.append(self.io.aio_write_full(name, self.block))
            left = [op for op in self.flying if not op.is_complete()]
            if len(left) < len(self.flying):
                moved = time.monotonic()
            elif time.monotonic() - moved > 1 and is_full():
                return True
            self.flying = left
            time.sleep(0.02)
        return False

    def clear(self):
        """Deletes go through while the pool is full; what waits is written then, and goes too."""
        self.remove()
        deadline = time.monotonic() + PATIENCE
        while not all(op.is_complete() for op in self.flying):
            if time.monotonic() > deadline:
                raise RuntimeError("writes that waited for space do not end")
            time.sleep(0.02)
        for op in self.flying:
            if op.get_return_value() != 0:
                raise RuntimeError("a write that waited for space: %d" % op.get_return_value())
        self.remove()

    def remove(self):
        flying = []
        for name in self.names:
            op = rados.WriteOp().create()
            op.remove()
            flying.append((op, self.io.operate_aio_write_op(op, name, flags=FULL_FORCE)))
        for op, completion in flying:
            completion.wait_for_complete()
            op.release()
            if completion.get_return_value() not in (0, -2):
                raise RuntimeError("remove: %d" % completion.get_return_value())
