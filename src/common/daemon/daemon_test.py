#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The frame of daemons as an operator sees it, and its admin socket as the stock `ceph daemon` sees it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

IDLE = sys.argv.pop(1)
SKIP = 77


class DaemonTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='plimsoll-daemon-')
        self.conf = f'{self.dir}/ceph.conf'
        self.asok = f'{self.dir}/run/osd.0.asok'
        self.write_conf('')

    def tearDown(self):
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def write_conf(self, more):
        with open(self.conf, 'w') as f:
            f.write(f'[global]\nrun dir = {self.dir}/run\nadmin socket = $run_dir/$name.asok\n'
                    f'log file = {self.dir}/log/$name.log\npid file = $run_dir/$name.pid\n'
                    f'osd data = {self.dir}/$name\n{more}')

    def idle(self, *args):
        return subprocess.run([IDLE, '-c', self.conf, '-i', '0', *args], capture_output=True, text=True, timeout=20)

    def start(self, *args):
        self.assertEqual(self.idle('--mkfs').returncode, 0)
        done = self.idle(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return self.pid()

    def pid(self):
        try:
            with open(f'{self.dir}/run/osd.0.pid') as f:
                return int(f.read())
        except FileNotFoundError:
            return None

    def log(self):
        with open(f'{self.dir}/log/osd.0.log') as f:
            return f.read()

    def wait_end(self, pid):
        for _ in range(100):
            try:
                with open(f'/proc/{pid}/stat') as f:
                    if f.read().rsplit(') ', 1)[1][0] == 'Z':
                        return
            except FileNotFoundError:
                return
            time.sleep(0.05)
        self.fail('the daemon did not end')

    def ceph(self, *words):
        done = subprocess.run(['timeout', '20', 'ceph', '-c', self.conf, 'daemon', self.asok, *words],
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words):
        rc, out, err = self.ceph(*words)
        self.assertEqual(rc, 0, err)
        return json.loads(out)

    # ---- the process

    def test_version_and_help(self):
        self.assertIn('speaks Ceph 16.2.15 (pacific)', self.idle('--version').stdout)
        text = self.idle('--help').stdout
        self.assertIn('--osd_heartbeat_grace <int> [20]', text)
        self.assertIn('--mkfs', text)
        self.assertNotIn('mon_allow_pool_delete', text)

    def test_errors_name_the_input(self):
        def error(*args):
            done = self.idle(*args)
            self.assertEqual(done.returncode, 1)
            return done.stderr
        self.assertEqual(error('--nosuch'), 'plimsoll-idle: unknown option --nosuch; see --help\n')
        self.assertEqual(error('word'), "plimsoll-idle: unexpected argument 'word'; see --help\n")
        self.assertIn('osd_shards many', error('--osd-shards', 'many'))
        self.assertIn(f'cannot open {self.dir}/nosuch.conf', error('-c', f'{self.dir}/nosuch.conf'))
        self.assertIn(f'{self.dir}/osd.0', error())
        self.write_conf('osd shards = many\n')
        self.assertIn(f"{self.conf}:7: osd_shards = 'many'", error())
        done = subprocess.run([IDLE, '-c', self.conf], capture_output=True, text=True, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (1, 'plimsoll-idle: which daemon is this? Say -i <id>\n'))

    def test_background_start_and_clean_stop(self):
        pid = self.start()
        self.assertTrue(os.path.exists(self.asok))
        self.assertNotEqual(os.getsid(pid), os.getsid(0))
        os.kill(pid, signal.SIGTERM)
        self.wait_end(pid)
        self.assertFalse(os.path.exists(self.asok))
        self.assertIsNone(self.pid())
        self.assertIn('stops on signal 15', self.log())
        self.assertIn('ended with exit code 0', self.log())

    def test_foreground(self):
        self.assertEqual(self.idle('--mkfs').returncode, 0)
        child = subprocess.Popen([IDLE, '-c', self.conf, '-i', '0', '-f'])
        for _ in range(100):
            if os.path.exists(self.asok):
                break
            time.sleep(0.05)
        self.assertEqual(self.pid(), child.pid)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(10), 0)

    def test_second_daemon_on_the_same_directory(self):
        self.start()
        done = self.idle()
        self.assertEqual(done.returncode, 1)
        self.assertIn('is in use by another daemon', done.stderr)
        done = self.idle('--osd-data', self.dir)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.asok, done.stderr)
        self.assertIsNotNone(self.pid())
        self.assertEqual(self.ask('version')['version'], '16.2.15')

    def test_failed_start_is_reported(self):
        self.idle('--mkfs')
        done = self.idle('--fail')
        self.assertEqual((done.returncode, done.stderr), (1, 'plimsoll-idle: told to fail\n'))
        self.assertFalse(os.path.exists(self.asok))
        self.assertIsNone(self.pid())
        done = self.idle('--crash')
        self.assertEqual(done.returncode, 1)
        self.assertIn('told to crash', done.stderr)
        self.assertIn('died at start: Aborted', done.stderr)
        os.remove(f'{self.dir}/run/osd.0.pid')

    def test_restart_after_a_kill(self):
        pid = self.start()
        os.kill(pid, signal.SIGKILL)
        self.wait_end(pid)
        self.assertEqual(self.idle().returncode, 0)
        self.assertEqual(self.ask('version')['release'], 'pacific')

    def test_crash_goes_to_the_log(self):
        pid = self.start()
        self.ceph('crash')
        self.wait_end(pid)
        self.assertIn('crash on command', self.log())
        os.remove(f'{self.dir}/run/osd.0.pid')

    def test_daemon_may_end_itself(self):
        pid = self.start()
        self.ceph('exit', '3')
        self.wait_end(pid)
        self.assertIn('ended with exit code 3', self.log())

    # ---- the admin socket and the stock tool

    def test_stock_tool(self):
        self.write_conf('osd max backfills = 3\nkeyring = /dev/null\n')
        self.start('--debug-osd', '5')
        self.assertIn("unknown option 'keyring' is ignored", self.log())
        self.assertIn('config show', self.ask('help'))
        self.assertIn('cmd000', self.ask('get_command_descriptions'))
        self.assertEqual(self.ask('config', 'show')['osd_max_backfills'], '3')
        self.assertEqual(self.ask('config', 'get', 'osd_max_backfills'), {'osd_max_backfills': '3'})
        self.assertEqual(self.ask('config', 'set', 'osd_max_backfills', '4'),
                         {'success': "osd_max_backfills = '4' "})
        diff = self.ask('config', 'diff')['diff']
        self.assertEqual(diff['osd_max_backfills'], {'default': 1, 'file': 3, 'override': 4, 'final': 4})
        self.assertEqual(diff['debug_osd']['cmdline'], '5/5')
        self.assertEqual(self.ask('config', 'diff', 'get', 'osd_max_backfills')['diff']['osd_max_backfills']['final'], 4)
        self.assertEqual(self.ask('config', 'unset', 'osd_max_backfills'), {})
        self.assertEqual(self.ask('config', 'get', 'osd_max_backfills'), {'osd_max_backfills': '3'})
        self.assertEqual(self.ask('config', 'help', 'osd_max_backfills')['option']['type'], 'uint')
        self.assertIn('op_latency', self.ask('perf', 'dump')['osd'])
        self.assertEqual(self.ask('perf', 'dump', 'osd', 'op'), {'osd': {'op': 0}})
        self.assertEqual(self.ask('perf', 'schema')['osd']['op']['type'], 10)
        self.assertEqual(self.ask('perf', 'reset', 'all'), {'success': 'perf reset all'})
        self.assertEqual(self.ask('log', 'flush'), {})
        tcmalloc = not os.environ.get('PLIMSOLL_SAN')  # sanitizers bring an allocator of their own
        self.assertRegex(self.ceph('heap', 'stats')[1],
                         '^osd.0 tcmalloc heap stats:(.|\n)* Bytes in use by application' if tcmalloc
                         else 'not using tcmalloc')
        self.assertRegex(self.ceph('heap', 'release')[1],
                         '^osd.0 releasing free RAM' if tcmalloc else 'not using tcmalloc')
        self.assertEqual(self.ask('injectargs', '--osd_max_backfills=5'), {})
        self.assertEqual(self.ask('config', 'get', 'osd_max_backfills'), {'osd_max_backfills': '5'})

    def test_stock_tool_errors(self):
        self.start()
        rc, out, err = self.ceph('nosuchcommand')
        self.assertEqual(rc, 22)
        self.assertIn('no valid command found', err)
        rc, out, err = self.ceph('config', 'get', 'nosuchoption')
        self.assertEqual((rc, out), (0, 'ERROR: (2) No such file or directory\n'
                                        "error getting 'nosuchoption': (2) No such file or directory\n"))
        rc, out, err = self.ceph('config', 'set', 'osd_max_backfills', 'banana')
        self.assertEqual((rc, out), (0, 'ERROR: (22) Invalid argument\n'
                                        "error setting 'osd_max_backfills' to 'banana': (22) Invalid argument\n"))
        rc, out, err = self.ceph('config', 'set', 'osd_shards', '2')
        self.assertIn("error setting 'osd_shards' to '2': (38) Function not implemented", out)


if __name__ == '__main__':
    if not shutil.which('ceph'):
        print('SKIP: no stock ceph tool here')
        sys.exit(SKIP)
    unittest.main()
