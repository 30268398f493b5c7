#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
usage: ./run-tests.sh [-L label] [-R regex] [--asan | --tsan] [--no-build] [ctest options]

  -L label   unit, sim, interop (stock clients), fs, real (needs real Ceph), soak.
             Default: all but real and soak
  -R regex   only tests whose names match
  --asan     a build with AddressSanitizer, UndefinedBehaviorSanitizer and fuzz targets (build-asan)
  --tsan     a build with ThreadSanitizer (build-tsan)
  --no-build test what is built
Other options go to ctest. A test that cannot run here is reported as skipped, with the reason.
TEXT
}

preset=release dir=build build=1 labelled=0
forward=()
while [ $# -gt 0 ]; do
  case $1 in
    -L|--label-regex) labelled=1; forward+=("$1" "${2:?$1 needs a value}"); shift 2 ;;
    --asan|--tsan) preset=${1#--}; dir=build-$preset; shift ;;
    --no-build) build=0; shift ;;
    --help|-h) usage; exit 0 ;;
    *) forward+=("$1"); shift ;;
  esac
done
[ $labelled = 1 ] || forward+=(-LE 'real|soak')

if [ $build = 1 ]; then
  ./install-deps.sh
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" -- -j"$(nproc)"
fi
exec ctest --test-dir "$dir" --output-on-failure -j"$(nproc)" "${forward[@]}"
