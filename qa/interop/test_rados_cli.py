#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stock `rados` command: every object operation it offers, its outputs and exit codes."""

import json
import os
import re
import tempfile
import unittest

import harness
from shapes import missing_paths, normal_text, skeleton


class RadosCli(harness.ClusterCase):
    POOLS = ("data", "other")

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-rados-")
        self.addCleanup(self.scratch.cleanup)

    def file(self, name, content=b""):
        path = os.path.join(self.scratch.name, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def put(self, name, content, **kw):
        self.rados("put", name, "-", stdin=content, **kw)

    def get(self, name, **kw):
        return self.rados("get", name, "-", **kw).stdout

    def size(self, name, **kw):
        out = self.rados("stat", name, **kw).stdout.decode()
        return int(re.search(r"size (\d+)", out).group(1))

    def names(self, **kw):
        return sorted(self.rados("ls", **kw).stdout.decode().split())

    def assert_fails(self, *args, rc, text, **kw):
        done = self.rados(*args, check=False, **kw)
        self.assert_rc(done, rc)
        said = (done.stdout + done.stderr).decode(errors="replace")
        self.assertIn(text, re.sub(r"\(-?\d+\)", "(#)", said))

    # -- data ----------------------------------------------------------------------------------
    def test_put_get(self):
        for size in (0, 1, 4095, 4096, 4097, 100000):
            with self.subTest(size=size):
                content = os.urandom(size)
                self.put("pg%d" % size, content)
                self.assertEqual(self.get("pg%d" % size), content)
                self.assertEqual(self.size("pg%d" % size), size)

    def test_put_get_of_a_big_object(self):
        content = os.urandom(1 << 20) * 33 + b"tail"
        self.put("big", content)
        self.assertEqual(self.size("big"), len(content))
        self.assertEqual(self.get("big"), content)

    def test_put_replaces(self):
        self.put("replaced", b"a" * 10000)
        self.put("replaced", b"short")
        self.assertEqual(self.get("replaced"), b"short")

    def test_put_at_offset(self):
        self.put("offset", b"x" * 10)
        self.rados("put", "offset", self.file("in", b"yyy"), "--offset", "20")
        self.assertEqual(self.get("offset"), b"x" * 10 + b"\0" * 10 + b"yyy")

    def test_put_in_small_pieces(self):
        content = os.urandom(50000)
        self.rados("-b", "4096", "put", "pieces", self.file("in", content))
        self.assertEqual(self.get("pieces"), content)

    def test_append(self):
        self.rados("append", "appended", self.file("a", b"one"))
        self.rados("append", "appended", self.file("b", b"two" * 5000))
        self.assertEqual(self.get("appended"), b"one" + b"two" * 5000)

    def test_truncate(self):
        self.put("truncated", b"0123456789" * 1000)
        self.rados("truncate", "truncated", "5")
        self.assertEqual(self.get("truncated"), b"01234")
        self.rados("truncate", "truncated", "8")
        self.assertEqual(self.get("truncated"), b"01234\0\0\0")
        self.rados("truncate", "truncated", "0")
        self.assertEqual(self.get("truncated"), b"")

    def test_create_and_touch(self):
        self.rados("create", "created")
        self.assertEqual(self.size("created"), 0)
        self.rados("touch", "created", "1000000000")
        self.assertIn("2001-09-09", self.rados("stat", "created").stdout.decode())
        self.assert_fails("create", "created", rc=1,
                          text="error creating data/created: (#) File exists")

    def test_stat_output(self):
        self.put("statted", b"abc")
        for verb in ("stat", "stat2"):
            out = normal_text(self.rados(verb, "statted").stdout)
            self.assertRegex(out, r"^data/statted mtime <time>, size #$")

    def test_cp(self):
        self.put("source", b"content" * 3000)
        self.rados("setxattr", "source", "k", "v")
        done = self.rados("cp", "source", "copied", check=False)
        if done.returncode != 0:   # copy-from is an operation of its own that may be unsupported
            self.assertIn("Operation not supported", done.stderr.decode())
            return
        self.assertEqual(self.get("copied"), b"content" * 3000)
        self.assertEqual(self.rados("getxattr", "copied", "k").stdout, b"v")

    def test_rm(self):
        self.put("r1", b"1")
        self.put("r2", b"2")
        self.rados("rm", "r1", "r2")
        self.assertNotIn("r1", self.names())
        self.assert_fails("rm", "r1", rc=1, text="error removing data>r1: (#) No such file or dir")

    def test_rm_with_force_full(self):
        self.put("forced", b"1")
        self.rados("rm", "forced", "--force-full")
        self.assertNotIn("forced", self.names())

    def test_set_alloc_hint(self):
        self.rados("set-alloc-hint", "hinted", "4194304", "4096")
        self.assertEqual(self.size("hinted"), 0)

    # -- attributes and omap -------------------------------------------------------------------
    def test_xattrs(self):
        self.put("attrs", b"x")
        self.rados("setxattr", "attrs", "one", "value 1")
        self.rados("setxattr", "attrs", "two", "-", stdin=b"from stdin")
        self.assertEqual(self.rados("getxattr", "attrs", "one").stdout, b"value 1")
        listed = self.rados("listxattr", "attrs").stdout.split()
        self.assertEqual(listed, [b"one", b"two"])
        self.rados("rmxattr", "attrs", "one")
        self.assertEqual(self.rados("listxattr", "attrs").stdout.split(), [b"two"])
        self.assert_fails("getxattr", "attrs", "one", rc=1,
                          text="error getting xattr data/attrs/one: (#) No data available")
        self.assertEqual(self.get("attrs"), b"x")

    def test_setxattr_creates(self):
        self.rados("setxattr", "attr-made", "k", "v")
        self.assertEqual(self.size("attr-made"), 0)

    def test_omap(self):
        self.rados("setomapval", "map", "key1", "value1")
        self.rados("setomapval", "map", "key0", "--input-file", self.file("v", b"from file"))
        self.rados("setomapval", "map", "key2", "")
        self.assertEqual(self.rados("listomapkeys", "map").stdout.split(),
                         [b"key0", b"key1", b"key2"])
        out = self.rados("listomapvals", "map").stdout.decode()
        self.assertEqual(re.findall(r"^key\d$", out, re.M), ["key0", "key1", "key2"])
        self.assertIn("value (6 bytes) :", out)
        self.assertIn("00000000  76 61 6c 75 65 31", out)
        self.assertIn(b"value (6 bytes) :", self.rados("getomapval", "map", "key1").stdout)
        target = self.file("out")
        self.rados("getomapval", "map", "key0", target)
        with open(target, "rb") as f:
            self.assertEqual(f.read(), b"from file")
        self.rados("rmomapkey", "map", "key1")
        self.assertEqual(self.rados("listomapkeys", "map").stdout.split(), [b"key0", b"key2"])
        self.rados("clearomap", "map")
        self.assertEqual(self.rados("listomapkeys", "map").stdout, b"")
        self.assert_fails("getomapval", "map", "key0", rc=1, text="No such key")

    def test_omap_beyond_one_page(self):
        many = 1500
        script = ("import rados,sys\n"
                  "c=rados.Rados(conffile=sys.argv[1]);c.connect()\n"
                  "i=c.open_ioctx('data')\n"
                  "with rados.WriteOpCtx() as op:\n"
                  "  i.set_omap(op,tuple('k%05d'%n for n in range({0})),"
                  "tuple(b'v%d'%n for n in range({0})))\n"
                  "  i.operate_write_op(op,'manykeys')\n").format(many)
        if not harness.has_python_rados():
            self.skipTest("needs python3-rados")
        self.cluster.run("/usr/bin/python3", "-c", script, self.cluster.conf)
        keys = self.rados("listomapkeys", "manykeys").stdout.split()
        self.assertEqual(keys, [b"k%05d" % n for n in range(many)])

    def test_omap_header(self):
        self.rados("setomapheader", "hdr", "the header")
        self.assertIn(b"header (10 bytes) :", self.rados("getomapheader", "hdr").stdout)
        target = self.file("out")
        self.rados("getomapheader", "hdr", target)
        with open(target, "rb") as f:
            self.assertEqual(f.read(), b"the header")

    # -- names, namespaces, locators -----------------------------------------------------------
    def test_namespaces(self):
        self.put("same", b"default", pool="other")
        self.put("same", b"in blue", pool="other", namespace="blue")
        self.assertEqual(self.get("same", pool="other"), b"default")
        self.assertEqual(self.get("same", pool="other", namespace="blue"), b"in blue")
        self.assertEqual(self.names(pool="other", namespace="blue"), ["same"])
        everything = self.rados("ls", "--all", pool="other").stdout.decode().splitlines()
        self.assertEqual(sorted(everything), ["\tsame", "blue\tsame"])
        self.rados("rm", "same", pool="other", namespace="blue")
        self.assertEqual(self.names(pool="other", namespace="blue"), [])
        self.assertEqual(self.get("same", pool="other"), b"default")
        self.rados("rm", "same", pool="other")

    def test_locator(self):
        self.rados("--object-locator", "loc", "put", "located", "-", stdin=b"there", pool="other")
        self.assertEqual(self.rados("--object-locator", "loc", "get", "located", "-",
                                    pool="other").stdout, b"there")
        listed = self.rados("ls", pool="other").stdout.decode().splitlines()
        self.assertIn("located\tloc", listed)
        self.assert_fails("get", "located", "-", rc=1, text="No such file", pool="other")
        self.rados("--object-locator", "loc", "rm", "located", pool="other")

    def test_strange_names(self):
        for name in ("with space", "ünï/cødé", "a" * 1000, "percent%20", "new\nline", "_under",
                     ".dot", "semi;colon:colon"):
            with self.subTest(name=name[:20]):
                self.put(name, b"named", namespace="strange")
                self.assertEqual(self.get(name, namespace="strange"), b"named")
                self.rados("rm", name, namespace="strange")
        self.assertEqual(self.names(namespace="strange"), [])

    def test_name_too_long(self):
        self.assert_fails("create", "n" * 3000, rc=1, text="File name too long")

    # -- listing and whole pools ---------------------------------------------------------------
    def test_ls_lists_all_once(self):
        self.rados("bench", "30", "write", "-b", "512", "-t", "32", "--max-objects", "600",
                   "--no-cleanup", "--run-name", "ls-run", pool="other", timeout=120)
        listed = [n for n in self.names(pool="other") if n.startswith("benchmark_data")]
        self.assertEqual(len(listed), 600)
        self.assertEqual(len(set(listed)), 600)
        as_json = json.loads(self.rados("ls", "-f", "json", pool="other").stdout)
        self.assertEqual(len([o for o in as_json if o["name"].startswith("benchmark_data")]), 600)
        self.rados("cleanup", "--run-name", "ls-run", pool="other", timeout=120)
        self.assertEqual(self.names(pool="other"), [])

    def test_ls_of_one_pg(self):
        self.put("inpg", b"1")
        where = self.cluster.ceph_json("osd", "map", "data", "inpg")["pgid"]
        self.assertIn("inpg", self.rados("--pgid", where, "ls", pool=None).stdout.decode().split())

    def test_bench_write_seq_rand(self):
        common = ("-t", "8", "--run-name", "bench-run")
        write = self.rados("bench", "3", "write", "-b", "4096", "--no-cleanup", *common)
        text = write.stdout.decode()
        for label in ("Total time run:", "Total writes made:", "Write size:", "Object size:",
                      "Bandwidth (MB/sec):", "Average IOPS:", "Average Latency(s):"):
            self.assertIn(label, text)
        self.assertIn("Total reads made:", self.rados("bench", "2", "seq", *common).stdout.decode())
        rand = self.rados("bench", "2", "rand", *common).stdout.decode()
        self.assertGreater(int(re.search(r"Total reads made: +(\d+)", rand).group(1)), 0)
        cleaned = self.rados("cleanup", "--run-name", "bench-run", timeout=120)
        self.assertRegex(normal_text(cleaned.stdout), r"Removed # objects")
        self.assertFalse([n for n in self.names() if n.startswith("benchmark")])

    def test_bench_of_large_objects(self):
        out = self.rados("bench", "3", "write", "-t", "4", "--max-objects", "150", "--run-name", "large",
                         timeout=120).stdout.decode()
        self.assertIn("Object size:            4194304", out)
        self.assertIn("Clean up completed", out)

    def test_bench_reports_json(self):
        out = self.rados("bench", "1", "write", "-b", "4096", "-t", "2", "-f", "json").stdout
        self.assertIn(b'"average_iops"', out)

    def test_cppool_export_import_purge(self):
        for pool in ("from", "into", "imported"):
            self.cluster.ceph("osd", "pool", "create", pool, "8")
        self.put("plain", b"p" * 70000, pool="from")
        self.rados("setxattr", "plain", "attr", "value", pool="from")
        self.rados("setomapval", "plain", "key", "val", pool="from")
        self.rados("setomapheader", "plain", "head", pool="from")
        self.put("spaced", b"in a namespace", pool="from", namespace="ns")
        dump = os.path.join(self.scratch.name, "dump")
        self.rados("export", dump, pool="from")
        self.rados("import", dump, pool="imported")
        self.check_copy("imported")
        self.assertEqual(self.get("spaced", pool="imported", namespace="ns"), b"in a namespace")
        done = self.rados("cppool", "from", "into", "--yes-i-really-mean-it", check=False,
                          pool=None)
        self.assert_rc(done, 0)
        self.check_copy("into")
        self.rados("purge", "imported", "--yes-i-really-really-mean-it", pool=None)
        self.assertEqual(self.rados("ls", "--all", pool="imported").stdout, b"")

    def check_copy(self, pool):
        self.assertEqual(self.get("plain", pool=pool), b"p" * 70000)
        self.assertEqual(self.rados("getxattr", "plain", "attr", pool=pool).stdout, b"value")
        self.assertEqual(self.rados("listomapkeys", "plain", pool=pool).stdout.split(), [b"key"])
        self.assertIn(b"header (4 bytes)", self.rados("getomapheader", "plain", pool=pool).stdout)

    def test_pool_commands(self):
        self.assertIn("data", self.rados("lspools", pool=None).stdout.decode().split())
        done = self.rados("df", pool=None)
        header = done.stdout.decode().splitlines()[0].split()
        self.assertEqual(header, ["POOL_NAME", "USED", "OBJECTS", "CLONES", "COPIES",
                                  "MISSING_ON_PRIMARY", "UNFOUND", "DEGRADED", "RD_OPS", "RD",
                                  "WR_OPS", "WR", "USED", "COMPR", "UNDER", "COMPR"])
        for label in ("total_objects", "total_used", "total_avail", "total_space"):
            self.assertIn(label, done.stdout.decode())
        numbers = ("size_bytes", "size_kb", "num_objects", "num_object_clones",
                   "num_object_copies", "num_objects_missing_on_primary", "num_objects_unfound",
                   "num_objects_degraded", "read_ops", "read_bytes", "write_ops", "write_bytes",
                   "compress_bytes_used", "compress_under_bytes")
        want = {"pools": [dict({k: "number" for k in numbers}, name="string", id="number")]}
        want.update({"total_" + k: "number" for k in ("objects", "used", "avail", "space")})
        have = skeleton(json.loads(self.rados("df", "-f", "json", pool=None).stdout))
        self.assertEqual(missing_paths(want, have), [])

    def test_df_counts_objects(self):
        self.cluster.ceph("osd", "pool", "create", "counted", "8")
        for n in range(5):
            self.put("c%d" % n, b"x" * 1000, pool="counted")

        def counted():
            pools = json.loads(self.rados("df", "-f", "json", pool=None).stdout)["pools"]
            return [p for p in pools if p["name"] == "counted" and p["num_objects"] == 5
                    and p["write_ops"] >= 5]

        harness.eventually(counted, what="statistics of pool `counted`")

    # -- errors --------------------------------------------------------------------------------
    def test_missing_object(self):
        for verb, text in ((("get", "nosuch", "-"), "error getting data/nosuch"),
                           (("stat", "nosuch"), "error stat-ing data/nosuch"),
                           (("getxattr", "nosuch", "a"), "error getting xattr data/nosuch/a"),
                           (("listxattr", "nosuch"), "error getting xattr set data/nosuch"),
                           (("rmxattr", "nosuch", "a"), "error removing xattr data/nosuch/a"),
                           (("listomapkeys", "nosuch"), "error getting omap key set data/nosuch"),
                           (("rmomapkey", "nosuch", "k"), "error removing omap key"),
                           (("getomapheader", "nosuch"), "error getting omap header")):
            with self.subTest(verb=verb[0]):
                self.assert_fails(*verb, rc=1, text=text)
                self.assert_fails(*verb, rc=1, text="No such file or directory")

    def test_truncate_of_a_missing_object_makes_nothing(self):
        self.rados("truncate", "never-made", "100")
        self.assert_fails("stat", "never-made", rc=1, text="No such file or directory")

    def test_missing_pool(self):
        self.assert_fails("ls", rc=1, text="error opening pool nosuch: (#) No such file",
                          pool="nosuch")

    def test_bad_usage(self):
        self.assert_rc(self.rados("frobnicate", check=False), 1)
        self.assert_rc(self.rados("truncate", "x", "banana", check=False), 1)
        self.assert_rc(self.rados("purge", "data", check=False, pool=None), 1)

    def test_bench_seq_without_data(self):
        self.assert_fails("bench", "1", "seq", "--run-name", "nosuchrun", rc=1,
                          text="Must write data before running a read benchmark!")

    def test_unsupported_are_refused_not_hung(self):
        """Snapshots, watches and classes may be absent, but the answer must come."""
        self.put("snapped", b"x")
        for verb in (("listsnaps", "snapped"), ("listwatchers", "snapped"),
                     ("notify", "snapped", "hello"), ("lock", "list", "snapped")):
            with self.subTest(verb=verb[0]):
                done = self.rados(*verb, check=False, timeout=45)
                self.assertIn(done.returncode, (0, 1))


if __name__ == "__main__":
    harness.main()
