# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients wait for, and what OSDs know of it: asked of admin sockets, which answer whatever
else hangs. For a soak that went wrong, before anything is ended."""

import glob
import json
import os

from full_case import ask

MOST = 40       # requests that are told of; the files have all
OSD = ("status", "dump_ops_in_flight", "dump_historic_ops", "dump_fullness",
       "dump_pgstate_history", "perf dump")
MON = ("mon_status", "ops", "sessions", "perf dump")
CLIENT = ("objecter_requests", "perf dump")


def look(path, commands):
    """{command: answer, or why there is none}"""
    seen = {}
    for command in commands:
        try:
            seen[command] = ask(path, command)
        except ValueError as problem:
            seen[command] = repr(problem)
        except OSError as problem:
            seen[command] = repr(problem)
            break       # one that does not answer is not waited for again
    return seen


def get(answer, *keys):
    """What stands there, None where something on the way is missing."""
    for key in keys:
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def explain(cluster, top):
    """Writes all answers into files below `top`, and returns lines about each request."""
    directory = os.path.join(top, "explain")
    os.makedirs(directory, exist_ok=True)
    clients = {os.path.basename(path): look(path, CLIENT)
               for path in sorted(glob.glob(os.path.join(top, "*.asok")))}
    osds = {"osd.%d" % n: look(cluster.asok("osd.%d" % n), OSD) for n in range(cluster.osds)}
    for name, seen in {**clients, **osds, "mon.a": look(cluster.asok("mon.a"), MON)}.items():
        with open(os.path.join(directory, name + ".json"), "w") as f:
            json.dump(seen, f, indent=1)
    lines = ["%s: map %s, %s, %s requests, full %s" % (
        name, get(seen, "status", "newest_map"), get(seen, "status", "state"),
        get(seen, "dump_ops_in_flight", "num_ops"), get(seen, "dump_fullness", "state"))
        for name, seen in osds.items() if isinstance(seen["status"], dict)]
    for client, seen in clients.items():
        requests = get(seen, "objecter_requests", "ops") or []
        if requests:
            # librados counts no epoch before its second map: then this is 0.
            lines.append("%s: %d requests, newest map %s" % (
                client, len(requests), get(seen, "perf dump", "objecter", "map_epoch")))
        lines += ["  " + tell(request, osds) for request in requests[:MOST]]
    return lines


def tell(request, osds):
    osd = "osd.%s" % request.get("osd")
    known = get(osds.get(osd), "dump_ops_in_flight", "ops") or []
    states = ["%s for %.0f s" % (get(op, "type_data", "flag_point"), float(op["age"]))
              for op in known
              if get(op, "type_data", "client_info", "tid") == request.get("tid")
              and request.get("object_id", "") in op["description"]]
    return "tid %s %s, pg %s at %s, sent %s times, last %.0f s ago%s: %s" % (
        request.get("tid"), request.get("object_id"), request.get("pg"), osd,
        request.get("attempts"), request.get("age", -1), ", paused" * bool(request.get("paused")),
        "; ".join(states) or "unknown there")
