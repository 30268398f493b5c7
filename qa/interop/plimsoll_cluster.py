# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Plimsoll cluster in one directory, started by vstart.sh as a user would start it.

PLIMSOLL_BIN_DIR names the folder of the daemons (default: build/bin of the source tree)."""

import os
import subprocess
import time

from cluster import Cluster, free_base_port

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def bin_dir():
    return os.path.abspath(os.environ.get("PLIMSOLL_BIN_DIR", os.path.join(SOURCE, "build/bin")))


class PlimsollCluster(Cluster):
    """Same surface as RealCluster. `conf` maps option names to values of the [global] section;
    `osd_size` may name one size for each OSD ("1G,1G,256M")."""

    def __init__(self, directory, osds=3, osd_size="2G", base_port=None, conf=None):
        super().__init__(directory, osds)
        self.osd_size = osd_size
        self.base_port = base_port or free_base_port()
        self.extra_conf = dict(conf or {})

    def start(self, timeout=60):
        """Returns when vstart.sh says that the cluster is healthy. Fills `timing`."""
        argv = [os.path.join(SOURCE, "vstart.sh"), "--no-build", "--mons", "1", "--osds",
                str(self.osds), "--mds", "0", "--osd-size", self.osd_size, "--dir", self.dir,
                "--base-port", str(self.base_port)]
        for key, value in self.extra_conf.items():
            argv += ["--conf", "%s=%s" % (key, value)]
        env = dict(os.environ, PLIMSOLL_BIN_DIR=bin_dir())
        began = time.monotonic()
        try:
            # Into a file: the daemons inherit the descriptor, a pipe would never see its end.
            with open(self.dir.rstrip("/") + ".vstart.log", "wb") as log:
                subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                               timeout=timeout, check=True, start_new_session=True)
        except BaseException as failure:
            self.stop(kill=True)
            with open(self.dir.rstrip("/") + ".vstart.log", errors="replace") as log:
                raise RuntimeError("vstart.sh: %s\n%s" % (failure, log.read()[-4000:]))
        self.timing["clean"] = round(time.monotonic() - began, 2)
        self.expected = self.daemon_names()
        return self.timing

    def start_daemon(self, name):
        return self.spawn(os.path.join(bin_dir(), "plimsoll-" + name.split(".")[0]), name)

    def make_osd(self, index):
        """The empty store of one OSD."""
        self.run(os.path.join(bin_dir(), "plimsoll-osd"), "--mkfs", "-c", self.conf, "-i",
                 str(index))
        return index
