#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host's file system fills up under one OSD: the OSD says so and counts as full, nothing dies,
deletes work, it starts again while the host is full, and goes on by itself when there is room.

Needs to mount a tmpfs; skips where that is not permitted."""

import atexit
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import harness
from harness import eventually
from plimsoll_cluster import bin_dir

if harness.has_python_rados():
    import rados

FULL_TRY, FULL_FORCE = 64, 128      # LIBRADOS_OPERATION_*
MIB = 1 << 20
VICTIM = "osd.1"
CONF = {"osd_block_journal_size": "16M", "osd_ballast_size": "64M", "osd_host_reserve": "32M"}
HOST_SIZE = "720M"      # room for what the OSD sets aside, and 100 MiB


def mount_tmpfs(at):
    os.makedirs(at, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + HOST_SIZE, "tmpfs", at],
                          capture_output=True, timeout=20)
    return done.returncode == 0


class Writer(threading.Thread):
    """Writes small objects, a few at a time, until told to stop; remembers what was acknowledged."""

    def __init__(self, io, prefix):
        super().__init__(daemon=True)
        self.io, self.prefix = io, prefix
        self.written, self.failed, self.stopping = {}, [], False

    def run(self):
        pending, number = [], 0
        while not self.stopping or pending:
            while len(pending) < 8 and not self.stopping:
                name, data = "%s-%d" % (self.prefix, number), os.urandom(512) * 16
                number += 1
                pending.append((name, data, self.io.aio_write_full(name, data)))
            for name, data, op in [p for p in pending if p[2].is_complete()]:
                if op.get_return_value() == 0:
                    self.written[name] = hashlib.sha1(data).digest()
                else:
                    self.failed.append((name, op.get_return_value()))
            pending = [p for p in pending if not p[2].is_complete()
                       or (p[0] not in self.written and not self.failed)]
            time.sleep(0.002)

    def finish(self, timeout=60):
        self.stopping = True
        self.join(timeout)
        assert not self.is_alive(), "writes that never end"


class HostFull(harness.ClusterCase):
    @classmethod
    def setUpClass(cls):
        cls.mount = tempfile.mkdtemp(prefix="plimsoll-host-")
        if not mount_tmpfs(cls.mount):
            os.rmdir(cls.mount)
            harness.skip("cannot mount a tmpfs here")
        cls.cluster = harness.new_cluster(osd_size="512M", conf=CONF)
        atexit.register(cls.clean_up)
        cls.move_victim()
        for pool in ("data", "bench"):
            cls.cluster.ceph("osd", "pool", "create", pool, "8", "8", "replicated")
            cls.cluster.ceph("osd", "pool", "application", "enable", pool, "rados")
        cls.cluster.wait_clean(time.monotonic() + 60)
        cls.client = rados.Rados(conffile=cls.cluster.conf)
        cls.client.connect(timeout=30)
        cls.io = cls.client.open_ioctx("data")

    @classmethod
    def move_victim(cls):
        """To the small file system."""
        home = cls.cluster.path(VICTIM)
        cls.cluster.kill_daemon(VICTIM, 15)
        subprocess.run(["cp", "-r", "--sparse=never", home, cls.mount + "/osd"], check=True,
                       timeout=60)
        shutil.rmtree(home)
        os.symlink(cls.mount + "/osd", home)
        cls.cluster.start_daemon(VICTIM)

    @classmethod
    def clean_up(cls):
        cls.cluster.stop(kill=True)
        subprocess.run(["umount", "-l", cls.mount], timeout=20, check=False)
        os.rmdir(cls.mount)

    @classmethod
    def tearDownClass(cls):
        cls.io.close()
        cls.client.shutdown()
        super().tearDownClass()
        cls.cluster.stop()
        for osd in range(3):
            subprocess.run([os.path.join(bin_dir(), "plimsoll-osd"), "-c", cls.cluster.conf, "-i",
                            str(osd), "--fsck"], check=True, timeout=60)

    def tearDown(self):
        for name in os.listdir(self.mount):
            if name.startswith("foreign"):
                os.unlink(os.path.join(self.mount, name))

    # -- the host ------------------------------------------------------------------------------
    def free(self):
        st = os.statvfs(self.mount)
        return st.f_bavail * st.f_frsize

    def fill_host(self, name="foreign"):
        done = subprocess.run(["dd", "if=/dev/zero", "of=%s/%s" % (self.mount, name), "bs=256K"],
                              capture_output=True, timeout=60)
        self.assertIn(b"No space left", done.stderr)

    def empty_host(self):
        self.tearDown()

    # -- what is said ----------------------------------------------------------------------------
    def fullness(self):
        return json.loads(self.cluster.ceph("--admin-daemon", self.cluster.asok(VICTIM),
                                            "dump_fullness").stdout)

    def full_details(self):
        checks = self.cluster.ceph_json("health", "detail")["checks"]
        return [d["message"] for d in checks.get("OSD_FULL", {}).get("detail", [])]

    def blamed(self):
        return [d for d in self.full_details() if VICTIM + " host file system full" in d]

    def await_blame(self):
        (words,) = eventually(self.blamed, 10, 0.1, "the host as cause in health")
        self.assertRegex(words, r"free; free|left; free \d+ [MK]iB there to clear")
        print(words, file=sys.stderr)

    def await_ok(self):
        eventually(lambda: self.cluster.ceph("health").stdout.startswith(b"HEALTH_OK"), 60, 0.2,
                   "HEALTH_OK")
        self.assertEqual(self.cluster.dead(), [])

    # -- operations ----------------------------------------------------------------------------
    def operate(self, steps, name, flags):
        with rados.WriteOpCtx() as op:
            steps(op)
            self.io.operate_write_op(op, name, flags=flags)

    def check_refusals(self, keep):
        with self.assertRaises(rados.Error) as refused:
            self.operate(lambda op: op.append(b"x" * 4096), keep, FULL_TRY)
        self.assertEqual(abs(refused.exception.errno), errno.ENOSPC)
        self.io.read(keep)

    def force_rm(self, name):
        self.assert_rc(self.rados("rm", name, "--force-full"), 0)
        self.assertNotIn(name, [o.key for o in self.io.list_objects()])

    def check_objects(self, written):
        for name, digest in written.items():
            self.assertEqual(hashlib.sha1(self.io.read(name, MIB)).digest(), digest, name)

    # -- tests -----------------------------------------------------------------------------------
    def test_a_little_room_left(self):
        """It is full before anything fails."""
        self.io.write_full("little", b"l")
        room = self.free() - 20 * MIB
        subprocess.run(["fallocate", "-l", str(room), self.mount + "/foreign"], check=True,
                       timeout=20)
        self.await_blame()
        f = self.fullness()
        self.assertTrue(f["host_full"])
        self.assertEqual(f["ballast"], 64 * MIB)
        self.check_refusals("little")
        self.empty_host()
        self.await_ok()

    def test_fills_up_under_load(self):
        bench = subprocess.Popen(
            ["timeout", "150", "rados", "-c", self.cluster.conf, "-p", "bench", "bench", "15",
             "write", "-b", "8192", "-t", "4", "--no-cleanup"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        writer = Writer(self.io, "w")
        writer.start()
        eventually(lambda: len(writer.written) > 200, 20, 0.05, "a cluster under load")
        self.fill_host()
        self.await_blame()
        self.assertTrue(self.fullness()["host_full"])
        names = sorted(writer.written)
        self.check_refusals(names[0])
        before = len(writer.written)
        time.sleep(1)
        self.assertLessEqual(len(writer.written), before + 8, "writes go on while it is full")
        for name in names[1:20]:
            self.force_rm(name)
        self.assertEqual(self.cluster.dead(), [])

        self.cluster.kill_daemon(VICTIM)        # kill -9
        self.fill_host("foreign2")
        self.cluster.start_daemon(VICTIM)
        eventually(self.cluster.is_serving, 60, 0.2, "an OSD that starts while its host is full")
        self.await_blame()
        for name in names[20:40]:
            self.force_rm(name)
        self.check_refusals(names[0])

        self.empty_host()
        freed = time.monotonic()
        count = len(writer.written)
        eventually(lambda: len(writer.written) > count + 20, 30, 0.02, "writes that go on")
        print("writes go on %.1f s after there was room" % (time.monotonic() - freed),
              file=sys.stderr)
        self.assert_bench(bench)
        writer.finish()
        self.assertEqual(writer.failed, [])
        self.await_ok()
        f = self.fullness()
        self.assertEqual((f["host_full"], f["ballast"]), (False, 64 * MIB))
        for name in names[1:40]:
            del writer.written[name]
        self.check_objects(writer.written)

    def assert_bench(self, bench):
        _, errors = bench.communicate(timeout=160)
        self.assertEqual(bench.returncode, 0, errors)

    def test_the_last_of_the_ballast(self):
        """Forced growth takes all there is; then it is refused, and nothing is lost."""
        self.fill_host()
        self.await_blame()
        values = tuple(os.urandom(4096) for _ in range(64))
        keys = tuple("key-%02d" % i for i in range(64))
        written, refused = [], None
        deadline = time.monotonic() + 90
        while refused is None:
            self.assertLess(time.monotonic(), deadline, "never refused")
            name = "omap-%d" % len(written)
            try:
                self.operate(lambda op: self.io.set_omap(op, keys, values), name, FULL_FORCE)
                written.append(name)
            except rados.Error as e:
                refused = abs(e.errno)
            if len(written) % 8 == 0:       # somebody else takes what it gives up
                self.fill_host("foreign-%d" % len(written))
        self.assertEqual(refused, errno.ENOSPC)
        print("ballast %(ballast)d, free %(host_free)d" % self.fullness(), file=sys.stderr)
        self.assertEqual(self.cluster.dead(), [])
        began = time.monotonic()
        self.cluster.kill_daemon(VICTIM, signal.SIGTERM)
        self.assertLess(time.monotonic() - began, 20, "it does not stop while it waits for room")
        self.fill_host("foreign-last")
        child = self.cluster.start_daemon(VICTIM)
        try:                            # not a byte is left, and it says so
            self.assertNotEqual(child.wait(20), 0)
        except subprocess.TimeoutExpired:
            pass                        # or it found what it needs
        self.empty_host()
        if child.poll() is not None:
            self.cluster.start_daemon(VICTIM)
        eventually(self.cluster.is_clean, 60, 0.2, "a clean cluster")
        self.await_ok()
        for name in written:
            with rados.ReadOpCtx() as op:
                pairs, _ = self.io.get_omap_vals(op, "", "", 100)
                self.io.operate_read_op(op, name)
                self.assertEqual(dict(pairs), dict(zip(keys, values)), name)
            self.io.remove_object(name)


if __name__ == "__main__":
    harness.main(python_rados=True)
