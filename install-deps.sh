#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what Plimsoll needs on Debian 12: compiler, libraries, and the stock Ceph clients that the
# tests drive. Does nothing where everything is there.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: ./install-deps.sh [--real]

  --real    also the daemons of real Ceph, for tests with label "real" and for comparisons
TEXT
}

packages=(
  clang-19 lld-19 libclang-rt-19-dev cmake ninja-build ccache python3
  libboost1.81-dev libboost-json1.81-dev libboost-container1.81-dev
  librocksdb-dev librados-dev libgoogle-perftools-dev libfmt-dev libspdlog-dev libisal-dev libgtest-dev
  ceph-common ceph-base python3-rados
)
real_packages=(ceph-mon ceph-mgr ceph-osd)

for arg in "$@"; do
  case $arg in
    --real) packages+=("${real_packages[@]}") ;;
    --help|-h) usage; exit 0 ;;
    *) usage >&2; echo "install-deps.sh: unknown option '$arg'" >&2; exit 1 ;;
  esac
done

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for p in "${packages[@]}"; do
  is_installed "$p" || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

. /etc/os-release
if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-}" != 12 ]; then
  echo "install-deps.sh: this is ${PRETTY_NAME:-an unknown system}; the packages are named as in Debian 12" >&2
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install-deps.sh: run it as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi

echo "install-deps.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
