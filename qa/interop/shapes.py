# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shape of an answer without its values: what a script that reads it relies on.

- skeleton(): JSON with every value replaced by its kind, list elements merged, and keys that are
  data (ids, addresses, versions) replaced by a placeholder.
- plain_shape(): headers, labels and the wording of lines of a plain answer.
- normal_text(): a message with its numbers, ids and times replaced.
"""

import re

_KEY_RULES = (
    (re.compile(r"^(ceph|plimsoll) version .*"), "<version>"),
    (re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"), "<uuid>"),
    (re.compile(r"^(v[12]:)?[0-9.]+:[0-9]+/[0-9]+$"), "<addr>"),
    (re.compile(r"^-?[0-9]+$"), "<n>"),
    (re.compile(r"^cmd[0-9]+$"), "<cmd>"),
    (re.compile(r"^(osd|mon|mds|mgr|client)\.[0-9a-z]+$"), "<daemon>"),
)


def _key(key):
    for pattern, name in _KEY_RULES:
        if pattern.match(key):
            return name
    return key


def _kind(value):
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "null"


def _merge(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: _merge(a[k], b[k]) if k in a and k in b else a.get(k, b.get(k))
                for k in sorted(set(a) | set(b))}
    if isinstance(a, list) and isinstance(b, list):
        return [_merge(a[0], b[0])] if a and b else a or b
    return a if isinstance(a, (dict, list)) or a == b else b


def skeleton(value):
    if isinstance(value, dict):
        out = {}
        for key, child in value.items():
            key, shape = _key(key), skeleton(child)
            out[key] = _merge(out[key], shape) if key in out else shape
        return dict(sorted(out.items()))
    if isinstance(value, list):
        out = []
        for child in value:
            shape = skeleton(child)
            out = [_merge(out[0], shape)] if out else [shape]
        return out
    return _kind(value)


def missing_paths(want, have, path=""):
    """Paths of skeleton `want` that `have` lacks or holds with another kind."""
    if isinstance(want, dict):
        if not isinstance(have, dict):
            return ["%s (want an object)" % (path or ".")]
        gone = []
        for key, child in want.items():
            here = "%s.%s" % (path, key)
            gone += missing_paths(child, have[key], here) if key in have else [here]
        return gone
    if isinstance(want, list):
        if not isinstance(have, list):
            return ["%s (want a list)" % (path or ".")]
        # An empty list of ours proves nothing about its elements, nor is it wrong.
        return missing_paths(want[0], have[0], path + "[]") if want and have else []
    if isinstance(have, (dict, list)) or (have != want and "null" not in (have, want)):
        return ["%s (want a %s)" % (path or ".", want)]
    return []


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+]+")
_PATH = re.compile(r"(/[\w.+-]+){2,}")
_PGID = re.compile(r"\b[0-9]+\.[0-9a-f]{1,3}\b(?!\.)")
_UNIT = re.compile(r"\b([KMGTP]i)?B\b")
_AGE = re.compile(r"\bsince [0-9.]+[a-z]+\b")
_HEX = re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9]*[a-f])[0-9a-f]{8,}\b")
_AUTOSCALE = re.compile(r"autoscale_mode \w+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def normal_text(text):
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    for pattern, name in ((_UUID, "<uuid>"), (_TIME, "<time>"), (_PATH, "<path>"),
                          (_AGE, "since <age>"), (_AUTOSCALE, "autoscale_mode #"),
                          (_UNIT, "B"), (_HEX, "<hex>"), (_PGID, "#"), (_NUMBER, "#")):
        text = pattern.sub(name, text)
    return re.sub(r"[ \t]+", " ", text).strip()


_HEADER_WORD = re.compile(r"^\(?[A-Z%][A-Z0-9_%/*().-]*$")
_LABEL = re.compile(r"^( *)([a-z][a-z_ ]*?) *:( |$)")


def plain_shape(text, wording=False):
    """Table headers, section titles and labels; with `wording` also every line's words."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    out = []
    for line in text.splitlines():
        words = line.split()
        label = _LABEL.match(line)
        if len(words) > 1 and all(_HEADER_WORD.match(w) for w in words):
            out.append("header " + " ".join(words))
        elif line.startswith("--- ") and line.endswith(" ---"):
            out.append("section " + normal_text(line))
        elif label:
            out.append("label %s%s:" % (label.group(1), label.group(2)))
        elif wording and words:
            out.append("line " + normal_text(re.sub(r"'[^']*'", "'x'", line)))
    return sorted(set(out))
