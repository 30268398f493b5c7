# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compact form of a recording: what qa/interop/golden/ keeps of the real cluster's answers.

compact() turns a Recorder's files into {section: {name: shape}}; save() and load() keep that as
one JSON file per section with one line per command, so that a difference is readable.
"""

import json
import os

import cli_cases
from shapes import normal_text, plain_shape, skeleton

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
SECTIONS = ("commands", "warn", "admin", "errors", "edits", "descriptions")


def _read(*parts):
    try:
        with open(os.path.join(*parts), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def _names(*parts):
    where = os.path.join(*parts)
    found = os.listdir(where) if os.path.isdir(where) else []
    return sorted(n[:-3] for n in found if n.endswith(".rc"))


def _open_below(shape, depth):
    """Replaces keys that are data, below `depth` levels, by one placeholder."""
    if not isinstance(shape, dict):
        return shape
    if depth > 0:
        return {k: _open_below(v, depth - 1) for k, v in shape.items()}
    return {"<name>": next(iter(shape.values()))} if shape else {}


def json_shape(body, name):
    """None if the answer is not JSON. Some answers put blank lines around it."""
    try:
        shape = skeleton(json.loads(body))
    except ValueError:
        return None
    return _open_below(shape, cli_cases.OPEN_BELOW[name]) if name in cli_cases.OPEN_BELOW else shape


def _command(raw, section, name):
    base = os.path.join(raw, section, name)
    return {"rc": _read(base + ".rc").decode().split(),
            "json": json_shape(_read(base + ".json"), name),
            "plain": plain_shape(_read(base + ".plain"), name in cli_cases.WORDING)}


def _admin(raw, daemon, line):
    base = os.path.join(raw, "admin", daemon, line)
    return {"rc": _read(base + ".rc").decode().split(),
            "json": json_shape(_read(base + ".stdout"), daemon + "/" + line)}


def _last_line(data):
    lines = normal_text(data).splitlines()
    return lines[-1].strip() if lines else ""


def _error(raw, name):
    base = os.path.join(raw, "errors", name)
    return {"rc": _read(base + ".rc").decode().split(), "text": _last_line(_read(base + ".stderr"))}


def _edit(raw, name):
    base = os.path.join(raw, "edits", name)
    return {"rc": _read(base + ".rc").decode().split(),
            "text": normal_text(_read(base + ".stderr")),
            "stdout": normal_text(_read(base + ".stdout"))}


def signature(sig):
    """['osd', 'pool', {'name': 'pool', 'type': 'CephPoolname'}] -> ('osd pool', [argument...])"""
    prefix = " ".join(w for w in sig if isinstance(w, str))
    arguments = []
    for a in sig:
        if isinstance(a, dict):
            optional = "?" if str(a.get("req", "true")).lower() == "false" else ""
            many = "*" if str(a.get("n", "1")) == "N" else ""
            arguments.append("%s:%s%s%s" % (a["name"], a["type"], many, optional))
    return prefix, arguments


def _descriptions(raw, daemon):
    try:
        table = json.loads(_read(raw, "descriptions", daemon + ".json"))
    except ValueError:
        return {}
    out = {}
    for entry in table.values():
        prefix, arguments = signature(entry["sig"])
        out.setdefault("%s:%s" % (daemon, prefix), []).append(" ".join(arguments))
    return {prefix: sorted(forms) for prefix, forms in out.items()}


def compact(raw):
    out = {section: {n: _command(raw, section, n) for n in _names(raw, section)
                     if n not in cli_cases.NOT_COMPARED} for section in ("commands", "warn")}
    out["admin"] = {"%s/%s" % (d, n): _admin(raw, d, n) for d in cli_cases.ADMIN_COMMANDS
                    for n in _names(raw, "admin", d)
                    if "%s/%s" % (d, n) not in cli_cases.NOT_COMPARED}
    out["errors"] = {n: _error(raw, n) for n in _names(raw, "errors")}
    out["edits"] = {n: _edit(raw, n) for n in _names(raw, "edits")}
    out["descriptions"] = {k: v for d in ("mon", "mgr", "osd")
                           for k, v in _descriptions(raw, d).items()}
    return out


def save(compacted, directory=DIRECTORY):
    os.makedirs(directory, exist_ok=True)
    for section in SECTIONS:
        lines = ["%s: %s" % (json.dumps(k), json.dumps(v, sort_keys=True))
                 for k, v in sorted(compacted[section].items())]
        with open(os.path.join(directory, section + ".json"), "w") as f:
            f.write("{\n" + ",\n".join(lines) + "\n}\n")


def load(directory=DIRECTORY):
    out = {}
    for section in SECTIONS:
        with open(os.path.join(directory, section + ".json")) as f:
            out[section] = json.load(f)
    return out
