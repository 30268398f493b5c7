# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process that outlives the soak: when the soak is gone, whatever killed it, the daemons that it
had stopped go on, and end."""

import os
import signal

from cluster import pid_alive


def end_daemons(cluster):
    """By pid file, where the process still is a daemon of this cluster."""
    for name in cluster.daemon_names():
        pid = cluster.pid(name)
        try:
            with open("/proc/%d/cmdline" % (pid or 0), "rb") as f:
                if cluster.conf.encode() not in f.read().split(b"\0"):
                    continue
            os.kill(pid, signal.SIGCONT)
            if pid_alive(pid):
                os.kill(pid, signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            continue


def start(cluster):
    """Returns at once. The watchdog ends when this process does: then the last writing end of the
    pipe is closed. It is nobody's child, so that whoever kills a tree of processes spares it."""
    reader, writer = os.pipe()      # not inherited by programs that are started
    if os.fork() != 0:
        os.close(reader)
        os.wait()
        return writer
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    os.close(writer)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    try:
        os.read(reader, 1)
        end_daemons(cluster)
    finally:
        os._exit(0)
