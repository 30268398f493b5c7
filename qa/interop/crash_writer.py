#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes without pause and notes what was issued and what was acknowledged: load of test_crash.py.

    crash_writer.py CONF POOL JOURNAL SEED

Every operation is one compound: data, the attribute `last` and an omap key, all naming the
operation's number, so that a half-applied operation shows. Each object has one writer that keeps
up to DEPTH operations in flight. JOURNAL gets `I object number kind size` before an operation is
sent and `A object number` after its acknowledgement, each by one write(2): it survives a kill.
SIGTERM: stop sending, wait for what is in flight, exit 0.
"""

import os
import random
import signal
import sys
import threading

OBJECTS = 24
DEPTH = 3
KINDS = ("append",) * 8 + ("full", "remove")


def piece(name, number, size):
    """What operation `number` adds: its name, then bytes that only it would write."""
    head = b"<%s:%d:%d>" % (name.encode(), number, size)
    return head + random.Random("%s/%d" % (name, number)).randbytes(size)


class Model:
    """The state that an object has after its first k operations, for every k."""

    def __init__(self, name):
        self.name = name
        self.operations = []     # (kind, size), number = index
        self.acked = 0           # operations [0, acked) are acknowledged

    def issue(self, kind, size):
        self.operations.append((kind, size))

    def state(self, count):
        """(data, omap keys) or None if the object does not exist."""
        data, keys = None, []
        for number, (kind, size) in enumerate(self.operations[:count]):
            if kind == "remove":
                data, keys = None, []
            elif kind == "full":
                data, keys = [piece(self.name, number, size)], ["%08d" % number]
            else:
                data = (data or []) + [piece(self.name, number, size)]
                keys = keys + ["%08d" % number]
        return None if data is None else (b"".join(data), keys)


def read_journal(path):
    models = {}
    with open(path) as f:
        for line in f:
            if not line.endswith("\n"):
                break            # torn by a kill of the writer; the operation was not yet sent
            mark, name, number, *rest = line.split()
            model = models.setdefault(name, Model(name))
            if mark == "I":
                assert int(number) == len(model.operations), line
                model.issue(rest[0], int(rest[1]))
            else:
                assert int(number) == model.acked, line
                model.acked += 1
    return models


class ObjectWriter:
    """One object's operations, up to DEPTH in flight, acknowledged in order or it is an error."""

    def __init__(self, io, name, journal, seed):
        self.io, self.name, self.journal = io, name, journal
        self.rng = random.Random("%s %s" % (seed, name))
        self.number = 0
        self.exists = False

    def next_kind(self):
        return self.rng.choice(KINDS) if self.exists else "append"

    def issue(self):
        import rados
        kind, size = self.next_kind(), self.rng.choice((10, 500, 4096, 9000, 40000))
        number, self.number = self.number, self.number + 1
        op = rados.WriteOp().create()
        if kind == "remove":
            op.remove()
        else:
            data = piece(self.name, number, size)
            if kind == "full":
                op.write_full(data)
                self.io.clear_omap(op)
            else:
                op.append(data)
            op.set_xattr("last", b"%d" % number)
            self.io.set_omap(op, ("%08d" % number,), (b"%d" % size,))
        self.exists = kind != "remove"
        self.journal("I %s %d %s %d\n" % (self.name, number, kind, size))
        completion = self.io.operate_aio_write_op(op, self.name)
        return number, completion, op

    def run(self, stopping, problems):
        flying = []
        try:
            while flying or not stopping.is_set():
                while len(flying) < DEPTH and not stopping.is_set():
                    flying.append(self.issue())
                number, completion, op = flying.pop(0)
                completion.wait_for_complete()
                rc = completion.get_return_value()
                op.release()
                if rc != 0:
                    raise RuntimeError("%s %d: rc %d" % (self.name, number, rc))
                self.journal("A %s %d\n" % (self.name, number))
        except Exception as problem:
            problems.append(problem)
            stopping.set()


def main():
    import rados
    conf, pool, path, seed = sys.argv[1:]
    client = rados.Rados(conffile=conf, conf={"admin_socket": path + ".asok"})
    client.connect(timeout=60)
    io = client.open_ioctx(pool)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    journal = lambda line: os.write(fd, line.encode())
    stopping, problems = threading.Event(), []
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    prefix = "w%s" % seed
    threads = [threading.Thread(target=ObjectWriter(io, "%s-%02d" % (prefix, n), journal, seed).run,
                                args=(stopping, problems)) for n in range(OBJECTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
