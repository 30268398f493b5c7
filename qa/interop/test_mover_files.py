#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""plimsoll-mover on saved dumps: plans, their files and forms, and what it says of bad input. Needs no
cluster and no stock tools."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from plimsoll_cluster import bin_dir

OSDS = 100


class MoverFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.TemporaryDirectory(prefix="plimsoll-mover-")
        cls.dump = os.path.join(cls.top.name, "dump")
        subprocess.run([os.path.join(bin_dir(), "plimsoll-mover-synth"), "--osds", str(OSDS), "--dump",
                        cls.dump, "--osdmap", os.path.join(cls.top.name, "osdmap")],
                       check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.top.cleanup()

    def path(self, name):
        path = os.path.join(self.top.name, name)
        if os.path.exists(path):
            os.unlink(path)
        return path

    def mover(self, *args, want=0):
        done = subprocess.run([os.path.join(bin_dir(), "plimsoll-mover"), *args], timeout=120,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, want, "%s\n%s\n%s" % (args, done.stdout[-800:],
                                                                done.stderr[-800:]))
        return done

    def error(self, *args):
        """What it says of an error: one line, nothing on standard output."""
        done = self.mover(*args, want=1)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def copy(self, **changed):
        """The dump with documents changed: a function of the text each, by name without .json."""
        target = tempfile.mkdtemp(dir=self.top.name)
        for name in os.listdir(self.dump):
            with open(os.path.join(self.dump, name)) as f:
                text = f.read()
            change = changed.get(name.split(".")[0], lambda t: t)
            text = change(text)
            if text is not None:
                with open(os.path.join(target, name), "w") as f:
                    f.write(text)
        return target

    # ---- what works

    def test_a_plan_and_its_forms(self):
        plan = self.path("plan.json")
        done = self.mover("plan", "relieve", "--above", "85%", "--dump", self.dump, "-o", plan)
        moves = [line for line in done.stdout.split("\n") if line.startswith("MOVE ")]
        self.assertGreater(len(moves), 10)
        self.assertRegex(done.stdout, r"%d moves in \d+ waves, [\d.]+ TiB to copy" % len(moves))
        self.assertRegex(moves[0], r"^MOVE \d+\.[0-9a-f]+ (hdd|ssd) \w+ [\d.]+ [GT]iB osd\.\d+ "
                                   r"[\d.]+%->[\d.]+% => osd\.\d+ [\d.]+%->[\d.]+%( \w+ \w+->\w+)? [a-z-]+")
        self.assertEqual(self.mover("show", plan, "--dump", self.dump).stdout, done.stdout)
        with open(plan) as f:
            text = f.read()
        self.assertEqual(self.mover("show", plan, "-f", "json").stdout, text)
        pretty = self.mover("show", plan, "-f", "json-pretty").stdout
        self.assertIn('\n    "epoch": 100,\n', pretty)
        digits = lambda number: round(float(number), 12)
        self.assertEqual(json.loads(pretty, parse_float=digits), json.loads(text, parse_float=digits))
        self.assertEqual(len(json.loads(text)["moves"]), len(moves))
        explained = self.mover("show", plan, "--explain").stdout
        self.assertGreaterEqual(explained.count("\n    "), len(moves))
        self.assertEqual(self.mover("show", plan, "--diff").stdout.count("\n+ ["), len(moves))
        commands = self.mover("show", plan, "-f", "ceph").stdout
        self.assertEqual(commands.count("\nceph osd pg-upmap-items "), len(moves))
        subprocess.run(["sh", "-n"], input=commands, text=True, check=True)

    def test_the_same_input_gives_the_same_bytes(self):
        again = self.path("again.dump")
        self.mover("gather", again, "--dump", self.dump)
        plans = []
        for dump in (self.dump, self.dump, again):
            plans.append(self.mover("plan", "balance", "--within", "2%", "-f", "json", "--dump",
                                    dump).stdout)
        self.assertEqual(plans[0], plans[1])
        self.assertEqual(plans[0], plans[2])

    def test_checked_and_simulated(self):
        plan = self.path("plan.json")
        after = self.path("after.dump")
        self.mover("plan", "relieve", "--above", "85%", "--dump", self.dump, "-o", plan)
        checked = self.mover("check", plan, "--dump", self.dump, "-f", "json")
        self.assertEqual(json.loads(checked.stdout)["refusals"], [])
        written = self.path("map")
        self.mover("check", plan, "--dump", self.dump, "-o", written)
        printed = subprocess.run(["osdmaptool", written, "--dump", "json"], check=True,
                                 capture_output=True, text=True).stdout
        with open(plan) as f:
            moved = [move["pg"] for move in json.load(f)["moves"]]
        self.assertEqual(sorted(e["pgid"] for e in json.loads(printed)["pg_upmap_items"]),
                         sorted(moved))
        summary = self.mover("simulate", plan, "--dump", self.dump, "-o", after).stdout
        self.assertIn("above nearfull", summary.split("after:")[0])
        self.assertNotIn("above nearfull", summary.split("after:")[1])
        # Nothing is left to do there, and the plan does not fit any more.
        nothing = self.mover("plan", "relieve", "--above", "85.1%", "--dump", after, "-f", "json")
        self.assertEqual(json.loads(nothing.stdout)["moves"], [])
        refused = self.mover("check", plan, "--dump", after, want=4).stdout
        self.assertIn("REFUSE not-at-position PG ", refused)
        self.assertIn("has the pg_upmap_items", self.error("simulate", plan, "--dump", after))

    def test_a_later_epoch_is_a_warning(self):
        plan, later = self.path("plan.json"), os.path.join(self.top.name, "later")
        self.mover("plan", "relieve", "--above", "85%", "--dump", self.dump, "-o", plan)
        shutil.copytree(self.dump, later)
        with open(os.path.join(later, "osd_dump.json")) as f:
            osd_dump = json.load(f)
        osd_dump["epoch"] += 1
        with open(os.path.join(later, "osd_dump.json"), "w") as f:
            json.dump(osd_dump, f)
        self.assertEqual(self.mover("check", plan, "--dump", self.dump).stdout, "safe\n")
        self.assertIn("WARN other-epoch", self.mover("check", plan, "--dump", later, want=3).stdout)

    def test_a_goal_that_cannot_be_reached(self):
        done = self.mover("plan", "relieve", "--above", "50%", "--dump", self.dump, want=2)
        self.assertIn("the goal is not reached", done.stdout)
        self.assertIn("blocked:", done.stdout)
        self.assertIn("advice:", done.stdout)

    def test_limits_hold(self):
        plan = json.loads(self.mover("plan", "drain", "osd.3", "--max-moves", "3", "--dump",
                                     self.dump, "-f", "json", want=2).stdout)
        self.assertEqual(len(plan["moves"]), 3)
        self.assertEqual({m["from"] for m in plan["moves"]}, {3})
        plan = json.loads(self.mover("plan", "drain", "osd.3", "--target", "host:host7", "--cordon",
                                     "osd.70,osd.71", "--dump", self.dump, "-f", "json",
                                     want=2).stdout)
        self.assertTrue(plan["moves"])
        self.assertTrue({m["to"] for m in plan["moves"]} <= set(range(72, 80)))

    def test_warnings(self):
        flagged = self.copy(osd_dump=lambda t: t.replace('"flags_set":[', '"flags_set":["norebalance",'))
        self.assertIn("warning: the flag norebalance is set",
                      self.mover("plan", "relieve", "--dump", flagged).stderr)
        old = self.copy(osd_dump=lambda t: t.replace('"require_min_compat_client":"luminous"',
                                                     '"require_min_compat_client":"jewel"'))
        done = self.mover("plan", "relieve", "--dump", old)
        self.assertIn("set-require-min-compat-client luminous", done.stderr)
        self.assertIn("set-require-min-compat-client luminous",
                      self.error("plan", "relieve", "--dump", old, "-f", "ceph"))
        self.mover("plan", "relieve", "--dump", old, "-f", "ceph", "--force")
        balanced = self.copy()
        with open(os.path.join(balanced, "balancer_status.json"), "w") as f:
            f.write('{"active":true,"mode":"upmap","plans":[]}')
        self.assertIn("ceph balancer off",
                      self.error("plan", "relieve", "--dump", balanced, "-f", "ceph"))

    def test_help_and_version(self):
        usage = self.mover("--help").stdout
        for word in ("gather", "plan relieve", "--max-bytes", "exit codes: 0 done; 1 "):
            self.assertIn(word, usage)
        self.assertRegex(self.mover("--version").stdout, r"^plimsoll version \d")

    # ---- what does not

    def test_bad_documents_are_named(self):
        """Each document, each kind of damage: exit code 1 and an error that names the culprit."""
        half = lambda t: t[:len(t) // 2]
        cases = [
            ("osd_dump", half, ["osd_dump.json: ", "byte ", "cut short"]),
            ("crush_dump", half, ["crush_dump.json: ", "byte ", "cut short"]),
            ("pg_dump", half, ["pg_dump.json: ", "pg_stats[", "byte ", "cut short"]),
            ("osd_df", half, ["osd_df.json: ", "nodes[", "byte ", "cut short"]),
            ("osd_dump", lambda t: "", ["osd_dump.json: ", "cut short"]),
            ("osd_dump", lambda t: "{}", ["osd_dump.json: ", "no 'epoch'"]),
            ("crush_dump", lambda t: "{}", ["crush_dump.json: ", "no 'buckets'"]),
            ("pg_dump", lambda t: "{}", ["`pg dump` is missing"]),
            ("crush_dump", lambda t: None, ["crush_dump.json", "ENOENT"]),
            ("pg_dump", lambda t: None, ["pg_dump.json", "ENOENT"]),
            ("osd_dump", lambda t: t.replace('"nearfull_ratio":', '"nearfull_ratio":nan,"x":', 1),
             ["osd_dump.json: nearfull_ratio, byte ", "is nan"]),
            ("pg_dump", lambda t: t.replace('"num_bytes":', '"num_bytes":inf,"x":', 1),
             ["pg_stats[0].stat_sum.num_bytes, byte ", "is inf"]),
            ("osd_df", lambda t: t.replace('"kb_used":', '"kb_used":-nan,"x":', 1),
             ["nodes[0].kb_used, byte ", "is -nan"]),
            ("pg_dump", lambda t: t.replace('"acting":[', '"acting":[4711,', 1),
             ["PG 1.0 is on osd.4711, which the map of epoch 100 does not have"]),
            ("crush_dump", lambda t: t.replace('"op":"chooseleaf_firstn"', '"op":"choose_msr"', 1),
             ["crush_dump.json: rules[0].steps[", "'choose_msr' is not understood"]),
            ("osd_dump", lambda t: t.replace('"crush_rule":1', '"crush_rule":9', 1),
             ["has CRUSH rule 9, which the CRUSH map does not have"]),
            ("crush_dump", lambda t: t.replace('"items":[{"id":-', '"items":[{"id":-4711', 1),
             ["holds item -4711", "does not exist"]),
            ("pg_dump", lambda t: t.replace('"pg_ready":true', '"pg_ready":false', 1),
             ["no statistics yet"]),
        ]
        for name, damage, said in cases:
            with self.subTest(document=name, said=said):
                dump = self.copy(**{name: damage})
                error = self.error("plan", "relieve", "--dump", dump)
                for word in said:
                    self.assertIn(word, error)
                shutil.rmtree(dump)

    def test_not_a_number_where_nobody_asks(self):
        dump = self.copy(osd_df=lambda t: t.replace('"id":0,', '"id":0,"var":inf,"utilization":-nan,', 1),
                         pg_dump=lambda t: t.replace('"pgid":', '"new":{"a":[nan]},"pgid":', 1))
        self.mover("plan", "relieve", "--dump", dump)

    def test_bad_plans_are_named(self):
        plan = self.path("plan.json")
        self.mover("plan", "relieve", "--above", "85%", "--dump", self.dump, "-o", plan)
        with open(plan) as f:
            text = f.read()
        for damaged, said in ((text[:len(text) // 2], "cut short"), ("{}", "this is no plan"),
                              (text.replace('"why":"', '"why":"x', 1), "moves[0].why"),
                              (text.replace('"plimsoll_mover_plan":1', '"plimsoll_mover_plan":7'),
                               "version 7")):
            with self.subTest(said=said):
                bad = self.path("bad.json")
                with open(bad, "w") as f:
                    f.write(damaged)
                for command in (["show", bad], ["check", bad, "--dump", self.dump],
                                ["simulate", bad, "--dump", self.dump]):
                    error = self.error(*command)
                    self.assertIn("bad.json: ", error)
                    self.assertIn(said, error)
        # Made for another cluster.
        other = text.replace(json.loads(text)["fsid"], "11111111-2222-3333-4444-555555555555")
        bad = self.path("bad.json")
        with open(bad, "w") as f:
            f.write(other)
        self.assertIn("REFUSE other-cluster", self.mover("check", bad, "--dump", self.dump, want=4).stdout)

    def test_bad_commands_are_named(self):
        taken = self.path("taken")
        open(taken, "w").close()
        cases = [
            ([], "no command"),
            (["improve"], "unknown command 'improve'"),
            (["apply", "x"], "applies nothing"),
            (["plan"], "plan wants relieve, drain, balance, fill or move"),
            (["plan", "relieve", "--abvoe", "1"], "unknown option '--abvoe'"),
            (["plan", "relieve", "--above", "much"], "--above: 'much'"),
            (["plan", "relieve", "--above", "80%", "--to", "90%"], "0.9 is above 0.8"),
            (["plan", "relieve", "host:nowhere"], "'nowhere'"),
            (["plan", "drain"], "plan drain wants OSDs"),
            (["plan", "drain", "osd.4711"], "osd.4711 does not exist"),
            (["plan", "move", "1.0", "osd.1"], "PG FROM TO"),
            (["plan", "relieve", "-f", "yaml"], "'yaml'"),
            (["plan", "relieve", "-o", taken], "taken"),
            (["gather"], "gather wants a file"),
            (["gather", taken], "taken"),
            (["show", "/nonexistent/plan"], "/nonexistent/plan"),
        ]
        for args, said in cases:
            with self.subTest(args=args):
                if args and args[0] in ("plan", "gather") and len(args) > 1:
                    args = args + ["--dump", self.dump]
                self.assertIn(said, self.error(*args))
        self.assertIn("/nonexistent", self.error("plan", "relieve", "--dump", "/nonexistent"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
