#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a real cluster's answers and writes their shapes to qa/interop/golden/.

    record_golden.py [--raw DIR]      start a real cluster, ask it, write golden/ (and keep DIR)
    record_golden.py --from-raw DIR   only make golden/ again from an earlier recording
"""

import argparse
import os
import sys
import tempfile

import golden
from real_cluster import RealCluster, missing_binaries
from recorder import Recorder


def record(raw):
    with tempfile.TemporaryDirectory(prefix="plimsoll-golden-") as scratch:
        cluster = RealCluster(os.path.join(scratch, "c"))
        try:
            cluster.start()
            recorder = Recorder(cluster, raw)
            recorder.walk()
        finally:
            cluster.stop(kill=True)
    if recorder.trouble:
        raise SystemExit("recording failed:\n" + "\n".join(recorder.trouble))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", help="keep the raw answers here")
    parser.add_argument("--from-raw", help="do not start a cluster, compact this recording")
    args = parser.parse_args()
    if args.from_raw:
        golden.save(golden.compact(args.from_raw))
        return 0
    if missing_binaries():
        print("SKIP: missing " + " ".join(missing_binaries()))
        return 77
    with tempfile.TemporaryDirectory(prefix="plimsoll-raw-") as scratch:
        raw = os.path.abspath(args.raw or scratch)
        record(raw)
        golden.save(golden.compact(raw))
    return 0


if __name__ == "__main__":
    sys.exit(main())
