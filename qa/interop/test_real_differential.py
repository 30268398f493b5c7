#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same requests to a real cluster and to ours, side by side: results must be equal.

Random compound operations through librados (PLIMSOLL_DIFF_SEED, PLIMSOLL_DIFF_STEPS) and a script
of `rados` command lines. With PLIMSOLL_TARGET=real both sides are real, which shows that the
comparison itself is sound."""

import os
import random
import shlex
import sys
import tempfile
import unittest

import harness
from real_cluster import missing_binaries
from shapes import normal_text

if harness.has_python_rados():
    import librados_c as c
    import rados

SEED = int(os.environ.get("PLIMSOLL_DIFF_SEED", random.randrange(1 << 30)))
STEPS = int(os.environ.get("PLIMSOLL_DIFF_STEPS", "1500"))

# `rados -p data` command lines; {f} is a file of 5000 bytes, {o} a file to write to.
SCRIPT = """
put one {f}
stat one
get one {o}
get one /dev/stdout
put one {f} --offset 3000
stat one
append one {f}
append fresh {f}
stat fresh
truncate one 1234
stat one
truncate nosuch 10
stat nosuch
create made
create made
rm made
rm made
setxattr one a1 v1
setxattr one a2 v2
setxattr newattr a v
listxattr one
listxattr nosuch
getxattr one a1
getxattr one a9
getxattr nosuch a1
rmxattr one a1
rmxattr one a1
rmxattr nosuch a1
listxattr one
setomapval one k1 v1
setomapval one k0 v0
setomapval newmap k0 v0
listomapkeys one
listomapvals one
listomapkeys nosuch
listomapvals nosuch
getomapval one k0
getomapval one k9
getomapval nosuch k9
rmomapkey one k0
rmomapkey one k9
rmomapkey nosuch k9
setomapheader one header
getomapheader one
getomapheader made
clearomap one
clearomap nosuch
listomapkeys one
getomapheader one
set-alloc-hint one 4096 4096
set-alloc-hint hinted 4096 4096
touch touched 1000000000
stat touched
stat2 touched
-N space put one {f}
-N space stat one
-N space rm one
-N space rm one
--object-locator key put located {f}
stat located
--object-locator key stat located
ls
ls --all
ls -N space
ls -N nosuchspace
purge data
purge nosuch --yes-i-really-really-mean-it
cppool nosuch data
cppool data nosuch
bench 1 seq
cleanup
get nosuch {o}
put toolong-{long} {f}
frobnicate
"""


class Pair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("PLIMSOLL_DIFF_SEED=%d" % SEED, file=sys.stderr)
        cls.sides = [harness.new_cluster("real"), harness.new_cluster(harness.TARGET)]
        for side in cls.sides:
            for pool in ("data", "random"):
                side.ceph("osd", "pool", "create", pool, "8", "8", "replicated")
                side.ceph("osd", "pool", "application", "enable", pool, "rados")
            harness.eventually(side.is_clean, 60, what="clean")

    @classmethod
    def tearDownClass(cls):
        dead = [side.dead() for side in cls.sides]
        for side in cls.sides:
            side.destroy()
        if any(dead):
            raise AssertionError("daemons that died: %s" % dead)

    # -- the command ---------------------------------------------------------------------------
    def test_rados_script(self):
        with tempfile.TemporaryDirectory(prefix="plimsoll-diff-") as scratch:
            source = os.path.join(scratch, "in")
            with open(source, "wb") as f:
                f.write(random.Random(1).randbytes(5000))
            for line in SCRIPT.strip().splitlines():
                argv = [w.format(f=source, o=os.path.join(scratch, "out"), long="x" * 2100)
                        for w in shlex.split(line)]
                pool = None if argv[0] in ("purge", "cppool") else "data"
                said = [self.answer(side, argv, pool) for side in self.sides]
                with self.subTest(line=line):
                    self.assertEqual(said[0], said[1])

    @staticmethod
    def answer(side, argv, pool):
        done = side.rados(*argv, pool=pool, check=False, timeout=60)
        out = b"\n".join(sorted(done.stdout.splitlines())) if argv[0] == "ls" else done.stdout
        if argv[0] == "get":
            return done.returncode, out
        return done.returncode, normal_text(out), normal_text(done.stderr)

    # -- the library ---------------------------------------------------------------------------
    def test_random_operations(self):
        sides = [(c.Cluster(s.conf, "random"), rados.Rados(conffile=s.conf)) for s in self.sides]
        handles = []
        for raw, client in sides:
            client.connect(timeout=30)
            handles.append((raw, client.open_ioctx("random")))
        rng = random.Random(SEED)
        history = []
        try:
            for step in range(STEPS):
                name = "o%d" % rng.randrange(5)
                steps = [random_step(rng) for _ in range(rng.choice((1, 1, 1, 2, 3, 5)))]
                # Guards first, as clients use them: in 16.2 they do not see what earlier steps of
                # the same operation wrote.
                steps.sort(key=lambda step: step[0][0] not in GUARDS)
                history.append((name, steps))
                said = [(write(raw, name, steps), state(raw, io, name)) for raw, io in handles]
                if said[0] != said[1]:
                    trail = [h for h in history if h[0] == name][-6:]
                    self.fail("step %d: real says %r,\nours %r\nafter %s" % (
                        step, short(said[0]), short(said[1]), "\n  ".join(map(str, trail))))
        finally:
            for (raw, io), (_, client) in zip(handles, sides):
                raw.close()
                io.close()
                client.shutdown()


GUARDS = ("cmpxattr", "omap_cmp", "cmpext", "assert_exists")


def random_bytes(rng, most=9000):
    return rng.randbytes(rng.choice((0, 1, 100, 4095, 4096, 4097, rng.randrange(1, most))))


def random_step(rng):
    """(step of librados' write operation, arguments, failok)."""
    offset = rng.choice((0, 1, 4096, 4097, 8192, rng.randrange(20000)))
    key, value = "k%d" % rng.randrange(6), rng.choice((b"", b"a", b"b", b"longer"))
    data = random_bytes(rng)
    kind = rng.choice((
        ("write", data, len(data), offset), ("write", data, len(data), offset),
        ("write_full", data, len(data)), ("append", data, len(data)), ("append", data, len(data)),
        ("truncate", offset), ("zero", offset, rng.randrange(1, 9000)), ("remove",),
        ("create", rng.randrange(2), None), ("setxattr", key, value, len(value)),
        ("setxattr", key, value, len(value)), ("rmxattr", key),
        ("cmpxattr", key, rng.randrange(1, 7), value, len(value)),
        ("omap_set", [("k%d" % n, value) for n in range(rng.randrange(1, 5))]),
        ("omap_rm_keys", [key, "k1"]), ("omap_clear",),
        ("omap_rm_range2", b"k1", 2, b"k3", 2),
        ("omap_cmp", key, rng.choice((1, 3, 5)), value, len(value), None),
        ("cmpext", data[:50], len(data[:50]), offset, None), ("assert_exists",),
        ("writesame", b"abcd", 4, rng.choice((4, 4096, 4098)), offset),
        ("set_alloc_hint", 4096, 4096)))
    return kind, rng.random() < 0.1


def write(raw, name, steps):
    op = c.WriteOp()
    for (kind, *args), failok in steps:
        getattr(op, kind)(*args)
        if failok:
            op.set_flags(c.FAILOK)
    return op.run(raw, name)


def state(raw, io, name):
    """All that can be read of an object."""
    rc, results = (c.ReadOp().stat().read(0, 1 << 20).omap_vals("", "", 100)
                   .run(raw, name))
    if rc != 0:
        return rc, None
    (_, (size, _)), (_, data), (_, omap) = results
    return rc, (size, data, omap, sorted(io.get_xattrs(name)))


def short(value):
    text = repr(value)
    return text if len(text) < 1500 else text[:700] + " ... " + text[-700:]


if __name__ == "__main__":
    if missing_binaries():
        harness.skip("missing " + " ".join(missing_binaries()))
    harness.main(python_rados=True)
