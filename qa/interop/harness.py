# SPDX-License-Identifier: LGPL-2.1-or-later
"""The frame of the interop tests.

Every test file runs against Plimsoll, or with PLIMSOLL_TARGET=real against real Ceph: a test that
fails on real Ceph asserts something that is not so. A file whose tools are missing exits with 77
and says which, which ctest shows as SKIP.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from plimsoll_cluster import PlimsollCluster
from real_cluster import RealCluster, missing_binaries

SKIP = 77
TARGET = os.environ.get("PLIMSOLL_TARGET", "plimsoll")
STOCK_TOOLS = ("ceph", "rados", "osdmaptool", "crushtool", "monmaptool")


def new_cluster(target=None, osds=3, osd_size="2G", conf=None):
    """A started cluster of the wanted kind in a directory that disappears with the process."""
    top = tempfile.mkdtemp(prefix="plimsoll-interop-")
    kind = {"plimsoll": PlimsollCluster, "real": RealCluster}[target or TARGET]
    cluster = kind(os.path.join(top, "c"), osds=osds, osd_size=osd_size, conf=conf)

    def cleanup():
        cluster.destroy()
        if not os.environ.get("PLIMSOLL_KEEP"):
            shutil.rmtree(top, ignore_errors=True)

    atexit.register(cleanup)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))    # a time limit stops daemons as well
    cluster.start()
    return cluster


def eventually(predicate, seconds=30, step=0.2, what="condition"):
    """Polls until `predicate()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("%s did not come true in %s s" % (what, seconds))
        time.sleep(step)


class ClusterCase(unittest.TestCase):
    """A cluster, shared by the classes of a file, with the pools of POOLS (8 PGs each)."""

    OSDS = 3
    POOLS = ("data",)
    CONF = None
    maxDiff = 4000

    _shared = {}

    @classmethod
    def setUpClass(cls):
        kind = (cls.OSDS, str(cls.CONF))
        if kind not in cls._shared:
            cls._shared[kind] = new_cluster(osds=cls.OSDS, conf=cls.CONF)
        cls.cluster = cls._shared[kind]
        for pool in cls.POOLS:
            cls.cluster.ceph("osd", "pool", "create", pool, "8", "8", "replicated")
            cls.cluster.ceph("osd", "pool", "application", "enable", pool, "rados")
        cls.cluster.wait_clean(time.monotonic() + 60)

    @classmethod
    def tearDownClass(cls):
        if cls.cluster.dead():
            raise AssertionError("daemons that died: " + " ".join(cls.cluster.dead()))

    def rados(self, *args, pool="data", timeout=60, **kw):
        return self.cluster.rados(*args, pool=pool, timeout=timeout, **kw)

    def assert_rc(self, done, want):
        self.assertEqual(done.returncode, want, "%s\n%s\n%s" % (
            " ".join(done.args), done.stdout[-500:], done.stderr[-1000:]))


def missing_tools(extra=(), target=None):
    lacking = [t for t in STOCK_TOOLS + tuple(extra) if shutil.which(t) is None]
    if (target or TARGET) == "real":
        lacking += missing_binaries()
    return sorted(set(lacking))


def has_python_rados():
    return subprocess.run(["/usr/bin/python3", "-c", "import rados"],
                          capture_output=True).returncode == 0


def skip(reason):
    print("SKIP: " + reason)
    sys.exit(SKIP)


def main(extra_tools=(), python_rados=False, target=None):
    lacking = missing_tools(extra_tools, target)
    if lacking:
        skip("missing " + " ".join(lacking))
    if python_rados and not has_python_rados():
        skip("missing python3-rados")
    unittest.main(module="__main__", verbosity=2)
