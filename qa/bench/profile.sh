#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes cmake/release.profdata anew: how often each branch of an OSD is taken under the load of
# rados_vs_real.py. Release builds are laid out by it (doc/decisions/020-profile.md). Takes five to ten
# minutes; needs Debian's llvm-19, which nothing else here needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
merge=llvm-profdata-19
command -v $merge >/dev/null || { echo "profile.sh: $merge is missing: apt-get install llvm-19" >&2; exit 1; }

top=$(mktemp -d)
cleanup() {
  "$here/vstart.sh" --dir "$top/cluster" --kill
  rm -rf "$top"
}
trap cleanup EXIT

cmake -S "$here" -B "$top/build" --preset release -DPLIMSOLL_PROFILE= -DCMAKE_CXX_FLAGS=-fprofile-generate >/dev/null
ninja -C "$top/build" plimsoll-mon plimsoll-osd

export LLVM_PROFILE_FILE=$top/%p-%m.profraw
export PLIMSOLL_BIN_DIR=$top/build/bin
export CEPH_CONF=$top/cluster/ceph.conf
"$here/vstart.sh" --dir "$top/cluster" --no-build --osd-size 4G
ceph osd pool create bench 32
ceph osd pool application enable bench rados
load() { rados -p bench bench "$@" >"$top/load.txt" || { cat "$top/load.txt"; exit 1; }; }
for depth in 1 16 64; do load 8 write -b 4096 -t $depth --no-cleanup; done
load 8 rand -t 16
rados -p bench cleanup
load 4 write -t 16 --no-cleanup
load 4 seq -t 16
"$here/vstart.sh" --dir "$top/cluster" --stop # they write their counts when they end

$merge merge --sparse -o "$here/cmake/release.profdata" "$top"/*.profraw
ls -l "$here/cmake/release.profdata"
