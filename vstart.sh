#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Starts a Plimsoll cluster in one directory, in the background, and returns when it is healthy.
# Nothing outside that directory is touched. Run it again to start a stopped cluster with its data.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
usage: ./vstart.sh [options]

  --mons N           monitors (default 1; more come with the quorum)
  --osds N           OSDs (default 3)
  --mds N            metadata servers (default 0; they come with the file system)
  --osd-size SIZE    block file of each OSD (default 2G); "1G,1G,256M": of the first, the second ...,
                     the last of all others
  --dir DIR          where the cluster lives (default ./out)
  --base-port N      the monitor listens on N, osd.i on N+1+i (default: ports that the kernel chooses)
  --conf KEY=VALUE   a line for ceph.conf, [global]; may be repeated
  --new              remove the cluster that is in DIR first
  --no-build         use the binaries as they are
  --stop             stop the daemons of DIR cleanly
  --kill             kill -9 the daemons of DIR
  --help

Files: DIR/ceph.conf, DIR/run/NAME.{asok,pid}, DIR/log/NAME.log, DIR/NAME/ (data).
TEXT
}

die() {
  echo "vstart.sh: $*" >&2
  exit 1
}

mons=1 osds= mds=0 osd_size=2G dir=$PWD/out base_port=0 build=1 action=start new=0
conf_lines=()
while [ $# -gt 0 ]; do
  needs_value() { [ $# -ge 2 ] || die "$1 needs a value"; }
  case $1 in
    --mons) needs_value "$@"; mons=$2; shift 2 ;;
    --osds) needs_value "$@"; osds=$2; shift 2 ;;
    --mds) needs_value "$@"; mds=$2; shift 2 ;;
    --osd-size) needs_value "$@"; osd_size=$2; shift 2 ;;
    --dir) needs_value "$@"; mkdir -p "$2"; dir=$(cd "$2" && pwd); shift 2 ;;
    --base-port) needs_value "$@"; base_port=$2; shift 2 ;;
    --conf) needs_value "$@"; case $2 in *=*) ;; *) die "--conf wants KEY=VALUE, got '$2'" ;; esac
            conf_lines+=("${2%%=*} = ${2#*=}"); shift 2 ;;
    --new) new=1; shift ;;
    --no-build) build=0; shift ;;
    --stop) action=stop; shift ;;
    --kill) action=kill; shift ;;
    --help|-h) usage; exit 0 ;;
    *) usage >&2; die "unknown option '$1'" ;;
  esac
done
osds_asked=$osds osds=${osds:-3}
for pair in "--mons $mons" "--osds $osds" "--mds $mds" "--base-port $base_port"; do
  case ${pair#* } in ''|*[!0-9]*) die "${pair% *} wants a number, got '${pair#* }'" ;; esac
done
[ "$mons" = 1 ] || die "--mons $mons: one monitor is what there is now (doc/ARCHITECTURE.md, What is not built yet)"
[ "$mds" = 0 ] || die "--mds $mds: there is no metadata server yet (doc/ARCHITECTURE.md, What is not built yet)"

bin=${PLIMSOLL_BIN_DIR:-$here/build/bin}
conf=$dir/ceph.conf

# A killed process is there until its last thread has ended: that has files and sockets open, while the
# first one is a zombie without a command line.
is_ours() { # is_ours PID
  grep -qs '^plimsoll-' "/proc/$1/comm" || return 1
  ! grep -qs '^State:.Z' "/proc/$1/status" || [ "$(ls "/proc/$1/task" 2>/dev/null | wc -l)" -gt 1 ]
}

# The pids of daemons that run from this directory; a pid file whose process is gone or is another
# program does not count.
running() {
  local file pid
  for file in "$dir"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file" 2>/dev/null | tr -dc 0-9) || continue # a stopping daemon removes it
    [ -n "$pid" ] && is_ours "$pid" && echo "$pid"
  done
  return 0
}

stop() { # stop SIGNAL
  local pids pid tries=0
  pids=$(running)
  for pid in $pids; do kill "-$1" "$pid" 2>/dev/null || true; done
  while [ -n "$(running)" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 1500 ] || die "still running after 30 s: $(running | tr '\n' ' ')"
    sleep 0.02
  done
}

case $action in
  stop) stop TERM; exit 0 ;;
  kill) stop KILL; exit 0 ;;
esac

if [ "$build" = 1 ]; then
  "$here/install-deps.sh"
  [ -e "$here/build/build.ninja" ] || (cd "$here" && cmake --preset release >/dev/null)
  ninja -C "$here/build" plimsoll-mon plimsoll-osd
fi
for program in plimsoll-mon plimsoll-osd; do
  [ -x "$bin/$program" ] || die "$bin/$program is missing: run ./vstart.sh without --no-build"
done

[ -z "$(running)" ] || die "a cluster runs in $dir already: ./vstart.sh --stop, or use another --dir"
[ "$new" = 0 ] || rm -rf "$dir/ceph.conf" "$dir/run" "$dir/log" "$dir"/mon.* "$dir"/osd.*
mkdir -p "$dir/run" "$dir/log"

# write_conf: the kernel's choice of the monitor's port is made here, since clients must know it.
write_conf() {
  local port=$base_port
  [ "$port" != 0 ] || port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  {
    echo "[global]"
    echo "fsid = $(cat /proc/sys/kernel/random/uuid)"
    echo "mon_host = v2:127.0.0.1:$port/0"
    echo "auth_cluster_required = none"
    echo "auth_service_required = none"
    echo "auth_client_required = none"
    echo "osd_crush_chooseleaf_type = 0"
    echo "mon_allow_pool_delete = true"
    echo "osd_pool_default_pg_num = 32"
    echo "osd_pool_default_pgp_num = 32"
    echo "mon_max_pg_per_osd = 2000"
    # Fewer OSDs than replicas would never be healthy.
    if [ "$osds" -lt 3 ]; then
      echo "osd_pool_default_size = $osds"
      echo "mon_allow_pool_size_one = true"
    fi
    [ ${#conf_lines[@]} = 0 ] || printf '%s\n' "${conf_lines[@]}"
    local section
    for section in mon osd; do
      echo
      echo "[$section]"
      echo "run_dir = $dir/run"
      echo "admin_socket = $dir/run/\$name.asok"
      echo "pid_file = $dir/run/\$name.pid"
      echo "log_file = $dir/log/\$name.log"
      echo "${section}_data = $dir/\$name"
      [ "$section" != osd ] || echo "osd_block_size = ${osd_size##*,}"
    done
    local i sizes
    IFS=, read -ra sizes <<<"$osd_size"
    for ((i = 0; i < osds; i++)); do
      echo
      echo "[osd.$i]"
      [ "$base_port" = 0 ] || echo "public_addr = 127.0.0.1:$((base_port + 1 + i))"
      [ -z "${sizes[i]-}" ] || echo "osd_block_size = ${sizes[i]}"
    done
  } >"$conf"
}


start_osd() { # start_osd ID
  [ -e "$dir/osd.$1" ] || "$bin/plimsoll-osd" --mkfs -c "$conf" -i "$1"
  "$bin/plimsoll-osd" -c "$conf" -i "$1"
}

if [ -e "$conf" ]; then
  [ ${#conf_lines[@]} = 0 ] || die "$conf exists: edit it, or use --new to begin afresh with --conf"
  osds=$(find "$dir" -maxdepth 1 -name 'osd.*' -type d | wc -l)
  [ "${osds_asked:-$osds}" = "$osds" ] ||
    die "the cluster in $dir has $osds OSDs: use --new to begin afresh with --osds $osds_asked"
else
  write_conf
fi
[ -e "$dir/mon.a" ] || "$bin/plimsoll-mon" --mkfs -c "$conf" -i a
"$bin/plimsoll-mon" -c "$conf" -i a
started=()
for ((i = 0; i < osds; i++)); do
  start_osd "$i" &
  started+=($!)
done
for pid in "${started[@]}"; do
  wait "$pid" || die "an OSD did not start; see $dir/log"
done

# Healthy: every OSD says "active" on its admin socket, and the monitor knows of no trouble.
python3 - "$dir" "$osds" <<'PY' || die "not healthy after 60 s: ceph -c $conf -s; logs in $dir/log"
import json, socket, struct, sys, time

def ask(path, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(json.dumps(request).encode() + b"\0")
        want = struct.unpack(">I", s.recv(4))[0]
        data = b""
        while len(data) < want:
            piece = s.recv(want - len(data))
            if not piece:
                break
            data += piece
    return json.loads(data)

def healthy(directory, osds):
    for i in range(osds):
        if ask(f"{directory}/run/osd.{i}.asok", {"prefix": "status"}).get("state") != "active":
            return False
    return ask(f"{directory}/run/mon.a.asok", {"prefix": "health", "format": "json"}).get("status") == "HEALTH_OK"

deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    try:
        if healthy(sys.argv[1], int(sys.argv[2])):
            sys.exit(0)
    except (OSError, ValueError, struct.error):
        pass
    time.sleep(0.02)
sys.exit(1)
PY

timeout 10 ceph -c "$conf" -s || echo "vstart.sh: the stock ceph command does not answer" >&2
cat <<TEXT
A cluster of 1 monitor and $osds OSDs is up and healthy.

  conf      $conf
  try       ceph -c $conf -s
            ceph -c $conf osd pool create mypool
            rados -c $conf -p mypool bench 5 write
  or once   export CEPH_CONF=$conf
  inspect   ceph daemon $dir/run/osd.0.asok help
  logs      $dir/log
  stop      ./vstart.sh --dir $dir --stop
TEXT
