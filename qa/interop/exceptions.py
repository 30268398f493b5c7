# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file json_exceptions.txt: where our answers may differ from the recorded ones, and why.

A line is `kind:name | pattern | reason`; `*` in name and pattern stands for anything. Kinds: json
(a key path we lack), plain (a header, label or line we lack), rc (exit codes), text (a message),
sig (a command's arguments). A line that excuses nothing is an error of its own: see unused().
"""

import os
import re

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "json_exceptions.txt")


def _glob(text):
    return re.compile("^" + ".*".join(re.escape(part) for part in text.split("*")) + "$", re.S)


class Exceptions:
    def __init__(self, path=FILE):
        self.rules = []
        with open(path) as f:
            for number, line in enumerate(f, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                fields = [field.strip() for field in line.split(" | ")]
                if len(fields) != 3 or not all(fields):
                    raise ValueError("%s:%d: want `kind:name | pattern | reason`" % (path, number))
                kind, _, name = fields[0].partition(":")
                self.rules.append({"kind": kind, "name": _glob(name), "pattern": _glob(fields[1]),
                                   "line": number, "used": False})

    def excuse(self, kind, name, differences):
        """What of `differences` no line of the file allows."""
        left = []
        for difference in differences:
            rules = [r for r in self.rules if r["kind"] == kind and r["name"].match(name)
                     and r["pattern"].match(difference)]
            for rule in rules:
                rule["used"] = True
            if not rules:
                left.append(difference)
        return left

    def unused(self):
        return [r["line"] for r in self.rules if not r["used"]]
