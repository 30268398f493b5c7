# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our Objecter and MonClient against a whole cluster; PLIMSOLL_TARGET=real: against real Ceph."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from harness import ClusterCase, main  # noqa: E402

PROBE = os.path.join(os.environ["PLIMSOLL_BIN_DIR"], "objecter-probe")
STEPS = ["bytes", "compound", "parallel", "listing", "pause", "cancel", "missing pool"]


class Objecter(ClusterCase):
    def test_probe(self):
        done = subprocess.run([PROBE, self.cluster.conf, "data"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines(), ["ok " + step for step in STEPS])


if __name__ == "__main__":
    main()
