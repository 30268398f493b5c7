#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cluster that is full to the brim is stopped and helped with the tools that need no space: fsck,
dump, export of a PG, removal of an object, a larger block file. Then it serves again, and everything
reads back right. Plimsoll only: these are tools of our own."""

import errno
import hashlib
import json
import os
import re
import resource
import subprocess
import time
import unittest

import harness
from harness import eventually
from plimsoll_cluster import bin_dir

if harness.has_python_rados():
    import rados

FULL_TRY, FULL_FORCE = 64, 128      # LIBRADOS_OPERATION_*
MIB = 1 << 20
SMALL, LARGE = 256 * MIB, 320 * MIB     # before and after
LARGEST = 16 * MIB                      # object


def no_writes():
    """In the child: any byte written to a file is EFBIG, as on a host without a free byte."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class OfflineTools(unittest.TestCase):
    """One story, told in order: what each step leaves is what the next one finds."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.new_cluster(osd_size=str(SMALL))
        cls.cluster.ceph("osd", "pool", "create", "data", "8", "8", "replicated")
        cls.cluster.ceph("osd", "pool", "application", "enable", "data", "rados")
        cls.cluster.wait_clean(time.monotonic() + 60)

    def tool(self, osd, *args, writes=True, stdin=None):
        """With writes=False, in a process that cannot write to any file."""
        argv = [os.path.join(bin_dir(), "plimsoll-osd"), "-c", self.cluster.conf, "-i", str(osd),
                *args]
        return subprocess.run(argv, capture_output=True, timeout=60, input=stdin or b"",
                              restore_signals=writes, preexec_fn=None if writes else no_writes)

    def ok(self, osd, *args, **kw):
        done = self.tool(osd, *args, **kw)
        self.assertEqual(done.returncode, 0, b"%s\n%s" % (done.stdout[-1000:], done.stderr[-1000:]))
        return done

    def refused(self, osd, *args, **kw):
        """What it says where it ends with 1."""
        done = self.tool(osd, *args, **kw)
        self.assertEqual(done.returncode, 1, (args, done.stdout[-1000:], done.stderr[-1000:]))
        return done.stderr.decode()

    def snapshot(self, osd):
        """Every file of an OSD, and when it was last written."""
        found = {}
        for directory, _, files in os.walk(self.cluster.path("osd.%d" % osd)):
            for name in files:
                path = os.path.join(directory, name)
                st = os.stat(path)
                found[path] = (st.st_size, st.st_mtime_ns)
        return found

    def checks(self):
        return self.cluster.ceph_json("health")["checks"]

    def client(self):
        return rados.Rados(conffile=self.cluster.conf)

    def fill(self, io):
        """{name: digest} of what is there when nothing more goes in. The first that is refused is
        large, so that much is to be freed."""
        written = {}
        for size, count in ((MIB, 2), (LARGEST, 99), (MIB, 99), (64 << 10, 999)):
            deadline = time.monotonic() + 60
            for _ in range(count):
                self.assertLess(time.monotonic(), deadline, "never refused")
                name = "o%d" % len(written)
                data = os.urandom(size)
                try:
                    with rados.WriteOpCtx() as op:
                        op.write_full(data)
                        op.set_xattr("x", name.encode())
                        io.set_omap(op, ("k", "l"), (name.encode(), b""))
                        io.operate_write_op(op, name, flags=FULL_TRY)
                except rados.Error as e:
                    self.assertEqual(abs(e.errno), errno.ENOSPC)
                    break
                written[name] = hashlib.sha1(data).hexdigest()
        return written

    def expect_content(self, io, written):
        self.assertEqual(sorted(o.key for o in io.list_objects()), sorted(written))
        for name, digest in written.items():
            data = io.read(name, LARGEST)
            self.assertEqual(hashlib.sha1(data).hexdigest(), digest, name)
            self.assertEqual(io.get_xattr(name, "x"), name.encode())
            with rados.ReadOpCtx() as op:
                pairs, _ = io.get_omap_vals(op, "", "", 10)
                io.operate_read_op(op, name)
                self.assertEqual({k: v or b"" for k, v in pairs}, {"k": name.encode(), "l": b""})

    def start(self):
        for osd in range(3):
            self.cluster.start_daemon("osd.%d" % osd)
        self.cluster.wait_clean(time.monotonic() + 60)

    def stop(self, kill):
        for osd in range(3):
            self.cluster.kill_daemon("osd.%d" % osd, 9 if kill else 15)

    def pg_of(self, name):
        return self.cluster.ceph_json("osd", "map", "data", name)["pgid"]

    def test_full_cluster(self):
        with self.client() as client, client.open_ioctx("data") as io:
            written = self.fill(io)
            eventually(lambda: "OSD_FULL" in self.checks(), 10, 0.05, "a full OSD")
            self.health_keeps_up(io, written)
        victim = list(written)[2]
        pg = self.pg_of(victim)
        self.while_it_runs(pg)
        # What the journals hold is not in its place yet.
        self.stop(kill=True)

        self.reading_tools(pg, victim)
        self.errors(pg, victim)
        done = self.ok(0, "--remove-object", pg, victim)
        self.assertIn("removed '%s' from pg %s, 16 MiB freed" % (victim, pg), done.stdout.decode())
        self.assertIn("no object", self.refused(0, "--remove-object", pg, victim))
        self.ok(0, "--fsck", writes=False)
        # From all: the others may serve before the one that lacks it is back.
        for osd in (1, 2):
            self.ok(osd, "--remove-object", pg, victim)
        del written[victim]
        self.start()
        with self.client() as client, client.open_ioctx("data") as io:
            self.expect_content(io, written)

            self.stop(kill=False)
            self.expand()
            self.start()
            eventually(lambda: not self.checks(), 20, 0.1, "HEALTH_OK")
            for node in self.cluster.ceph_json("osd", "df")["nodes"]:
                self.assertEqual(node["kb"], LARGE // 1024)
            self.expect_content(io, written)
            io.write_full("more", b"m" * 8 * MIB)
            self.assertEqual(io.read("more", 8 * MIB), b"m" * 8 * MIB)

        # All copies agree, and lack what was removed.
        self.stop(kill=False)
        copies = []
        for osd in range(3):
            self.ok(osd, "--fsck", writes=False)
            dump = json.loads(self.ok(osd, "--dump", "--pgid", pg, writes=False).stdout)
            (collection,) = dump["collections"]
            copies.append([(o["name"], o["data_crc"], o["attrs_crc"], o["omap"]["crc"])
                           for o in collection["objects"]])
        self.assertEqual(copies[0], copies[1])
        self.assertEqual(copies[0], copies[2])
        self.assertNotIn(victim, [o[0] for o in copies[0]])

    def to_free(self):
        """The most that health says is to be freed on an OSD, in MiB."""
        detail = self.cluster.ceph_json("health", "detail")["checks"]["OSD_FULL"]["detail"]
        found = [re.search(r"free (\d+) MiB to clear", d["message"]) for d in detail]
        return max(int(match.group(1)) for match in found if match)

    def health_keeps_up(self, io, written):
        """How much is to be freed follows what is freed, without an epoch for it."""
        time.sleep(1.5)
        before, epoch = self.to_free(), self.cluster.ceph_json("osd", "dump")["epoch"]
        self.assertGreaterEqual(before, 2)
        name = next(iter(written))
        with rados.WriteOpCtx() as op:
            op.remove()
            io.operate_write_op(op, name, flags=FULL_FORCE)
        del written[name]
        eventually(lambda: self.to_free() < before, 10, 0.1, "a smaller number")
        self.assertEqual(self.cluster.ceph_json("osd", "dump")["epoch"], epoch)

    def while_it_runs(self, pg):
        for args in (["--fsck"], ["--dump"], ["--export-pg", pg], ["--remove-object", pg, "x"],
                     ["--expand", "--size", "1G"]):
            self.assertIn("in use", self.refused(1, *args))

    def reading_tools(self, pg, victim):
        """They change nothing, and need not a byte."""
        for osd in range(3):
            before = self.snapshot(osd)
            self.assertIn(b"is clean", self.ok(osd, "--fsck", writes=False).stdout)
            dump = json.loads(self.ok(osd, "--dump", "--pgid", pg, writes=False).stdout)
            stream = self.ok(osd, "--export-pg", pg, writes=False).stdout
            self.assertEqual(self.snapshot(osd), before)

            listing = json.loads(self.ok(osd, "--list-export", "-", stdin=stream).stdout)
            (collection,) = dump["collections"]
            self.assertEqual(listing["meta"], collection["meta"])
            self.assertIn("info", listing["meta"])
            self.assertEqual([(o["name"], o["size"], o["data_crc"], o["attrs_crc"], o["omap"]["crc"])
                              for o in listing["objects"]],
                             [(o["name"], o["size"], o["data_crc"], o["attrs_crc"], o["omap"]["crc"])
                              for o in collection["objects"]])
            self.assertIn(victim, [o["name"] for o in listing["objects"]])
        path = self.cluster.path("exported")
        self.ok(2, "--export-pg", pg, "--file", path)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), stream)
        self.assertIn("File exists", self.refused(2, "--export-pg", pg, "--file", path))
        broken = bytearray(stream)
        broken[len(stream) // 2] ^= 1
        self.assertIn("wrong checksum", self.refused(2, "--list-export", "-", stdin=broken))
        self.assertIn("ends early", self.refused(2, "--list-export", "-", stdin=stream[:-1]))

    def errors(self, pg, victim):
        absent = self.cluster.path("absent")
        self.assertIn("osd.0 has no pg 77.1", self.refused(0, "--export-pg", "77.1"))
        self.assertIn("osd.0 has no pg 77.1", self.refused(0, "--remove-object", "77.1", victim))
        self.assertIn("x.y", self.refused(0, "--export-pg", "x.y"))
        self.refused(0, "--export-pg", "77.1", "--file", absent)
        self.assertFalse(os.path.exists(absent), "no export, no file")
        for args in (["--fsck"], ["--dump"], ["--export-pg", pg], ["--remove-object", pg, victim],
                     ["--expand", "--size", "1G"]):
            self.assertIn(absent, self.refused(0, *args, "--osd-data", absent))
        self.assertIn("belongs to osd.1", self.refused(
            0, "--remove-object", pg, victim, "--osd-data", self.cluster.path("osd.1")))
        self.assertIn("cannot shrink", self.refused(0, "--expand", "--size", "64M"))
        self.assertIn("one of that name has namespace '' and locator ''", self.refused(
            0, "--remove-object", pg, victim, "--namespace", "a"))
        self.damaged_superblock(pg, victim)

    def damaged_superblock(self, pg, victim):
        path = self.cluster.path("osd.0", "block")
        with open(path, "r+b") as f:
            kept = {}
            for at in (0, 32768):       # both copies
                f.seek(at)
                kept[at] = f.read(4096)
                f.seek(at + 20)
                f.write(b"??")
        try:
            for args in (["--fsck"], ["--dump"], ["--export-pg", pg],
                         ["--remove-object", pg, victim], ["--expand", "--size", "1G"]):
                self.assertIn("damaged superblock", self.refused(0, *args))
        finally:
            with open(path, "r+b") as f:
                for at, block in kept.items():
                    f.seek(at)
                    f.write(block)

    def expand(self):
        for osd in range(3):
            done = self.ok(osd, "--expand", "--size", str(LARGE))
            self.assertIn("had %d bytes and has %d now" % (SMALL, LARGE), done.stdout.decode())
            self.assertEqual(os.path.getsize(self.cluster.path("osd.%d" % osd, "block")), LARGE)
            done = self.ok(osd, "--expand", "--size", str(LARGE))
            self.assertIn("already", done.stdout.decode())
            # What the conf says is the default, and less than it has now.
            self.assertIn("cannot shrink", self.refused(osd, "--expand"))
            self.ok(osd, "--fsck", writes=False)


if __name__ == "__main__":
    if harness.TARGET == "real":
        harness.skip("tools of our own")
    harness.main(python_rados=True)
