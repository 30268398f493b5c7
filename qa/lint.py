#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the rules of the house that a compiler does not: who may include whom, where each third-party
library lives, that nothing nondeterministic is called outside rt/real and qa, what a co_await
expression may hold, licence lines, columns. Run by ctest; --self-test shows that each rule can fail.

  qa/lint.py [--self-test] [FILE...]
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CPP = ('.h', '.cc')
SOURCES = CPP + ('.inc', '.py', '.sh')
COLUMNS = 100

# ---- Who may include whom -----------------------------------------------------------------------

COMMON = 'src/common/'
# A folder includes itself and these; what is not here includes everything in src/common and itself.
LAYERS = {
    'base': [],
    'log': ['base'],
    'wire': ['base', 'log'],
    'rt': ['base', 'log', 'wire'],
    'map': ['base', 'log', 'wire'],
    'msg': ['base', 'log', 'wire', 'map'],
    'config': ['base', 'log', 'wire', 'rt'],
    'metrics': ['base', 'log', 'wire', 'rt'],
    'command': ['base', 'log', 'wire', 'rt', 'config', 'metrics'],
    'messenger': ['base', 'log', 'wire', 'rt', 'map', 'msg', 'config', 'metrics'],
    'rados': ['base', 'log', 'wire', 'rt', 'map', 'msg', 'config', 'metrics', 'messenger'],
    'daemon': ['base', 'log', 'wire', 'rt', 'rt/real', 'map', 'msg', 'config', 'metrics', 'command',
               'messenger'],
}
DAEMONS = ('mon', 'osd', 'mds', 'client', 'mover')
# Values in, actions out: no runtime, no executor.
PURE = re.compile(r'^(src/common/(base|wire|map|msg)/|mon/consensus/raft|mover/(plan|check)/|'
                  r'osd/pg/(peering|pg_log|missing)|osd/store/allocator)')

# ---- Homes of third-party libraries -------------------------------------------------------------

HOMES = [
    (r'spdlog/', ('src/common/log/log.cc',)),
    (r'rocksdb/', ('src/common/rt/real/rocks_',)),
    (r'gperftools/', ('src/common/rt/real/heap',)),
    (r'boost/asio', ('src/common/rt/', 'cmake/precompiled.h')),
    (r'boost/beast', ('mon/dashboard/',)),
    (r'isa-l|crc\.h', ('src/common/base/crc32c.cc',)),
    (r'fuse(3/|_lowlevel|\.h)', ('client/fuse/',)),
    (r'rados/librados', ('mover/cluster',)),
]

# ---- What is nondeterministic, and what to use instead ------------------------------------------

BANNED = [
    (r'std::chrono::(steady|system|high_resolution|utc)_clock', 'Runtime::clock()'),
    (r'\b(gettimeofday|clock_gettime|localtime|gmtime)\s*\(|(?<![\w.>])time\s*\(\s*(nullptr|NULL|0)',
     'Runtime::clock()'),
    (r'std::j?thread\b|\bpthread_\w+', 'a shard of the Runtime'),
    (r'std::(recursive_|shared_|timed_)?mutex\b|std::condition_variable|std::(lock_guard|scoped_lock)',
     'one executor; AsyncMutex across an await'),
    (r'std::(random_device|mt19937\w*|default_random_engine|\w+_distribution)\b|\b[sd]?rand(48)?\s*\(',
     'Runtime::rng() (base/rng.h)'),
    (r'std::[io]?fstream\b|std::filesystem|\bfopen\s*\(|(?<![\w>.:])::(open|creat|unlink|rename|mkdir)\s*\(',
     'Runtime: read_file, write_file, open_block_file, open_kv'),
    (r'(?<![\w>.:])::(socket|connect|bind|listen|accept|send|recv|sendmsg|recvmsg)\s*\(', 'Runtime::net()'),
    (r'\b(usleep|nanosleep)\s*\(|std::this_thread|(?<![\w>.])::sleep\s*\(', 'Clock::sleep()'),
    (r'\bgetenv\s*\(', 'an option (config/options.inc)'),
    (r'(?<![\w>.:])::?(fork|execv\w*|getpid|kill)\s*\(', 'Runtime, or daemon/background.cc'),
]
# Where they are at home, with the reason.
BANNED_HOMES = {
    'src/common/rt/real/': 'the boundary itself',
    'qa/': 'drives processes',
    'src/common/daemon/background.cc': 'becomes a background process before a runtime exists',
}

ELSEWHERE = ['/' + 'work/', '/tmp/' + 'brief']  # paths of one machine


def is_test(path):
    name = os.path.basename(path)
    return name.endswith('_test.cc') or name.startswith('test_') or name.endswith('_suite.h')


def blank_comments_and_strings(text):
    """The same text, line for line, without what is not code."""
    def blank(match):
        s = match.group(0)
        if s[0] in '/':
            return re.sub(r'[^\n]', ' ', s)
        return '""' + '\n' * s.count('\n')
    pattern = (r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|'
               r"'(?:[^'\\\n]|\\.){1,2}'")
    return re.sub(pattern, blank, text, flags=re.S)


def line_of(text, position):
    return text.count('\n', 0, position) + 1


def layer_of(path):
    """'rt/real', 'map', ... for a path in src/common; None elsewhere."""
    if not path.startswith(COMMON):
        return None
    rest = path[len(COMMON):]
    return 'rt/real' if rest.startswith('rt/real/') else rest.split('/')[0]


def check_include(path, target):
    """Why `path` may not include the project's file `target`; None where it may."""
    if path.startswith('qa/'):
        return None
    if target.startswith('qa/'):
        return None if is_test(path) else 'only tests include qa'
    top = path.split('/')[0]
    if target.startswith('common/'):
        wanted = layer_of('src/' + target)
        mine = layer_of(path)
        if PURE.match(path) and wanted in ('rt', 'rt/real') and not is_test(path):
            return 'this part is pure: it includes no runtime'
        if is_test(path):
            return None
        if wanted == 'rt/real' and mine not in ('rt/real', 'daemon') and not path.endswith('main.cc'):
            return 'only daemon/ and main.cc choose the real runtime'
        if mine is None or mine == 'rt/real' or wanted == mine or wanted in LAYERS.get(mine, [wanted]):
            return None
        return f'{mine} is below {wanted}'
    other = target.split('/')[0]
    if other in DAEMONS and other != top:
        return f'{top} and {other} meet only in src/common'
    return None


def after_reference_lambda(code, start):
    """The position after the lambda at `start` where it captures by reference only; else None."""
    match = re.compile(r'\[(?P<captures>[^\[\]]*)\][^{;]*').match(code, start)
    if not match or not code.startswith('{', match.end()):
        return None
    captures = [c.strip() for c in match.group('captures').split(',')]
    if not all(c.startswith('&') or c in ('', 'this') for c in captures):
        return None
    depth = 0
    for i in range(match.end(), len(code)):
        depth += {'{': 1, '}': -1}.get(code[i], 0)
        if depth == 0:
            return i + 1
    return None


def check_co_await(code):
    """Positions of co_await expressions with a braced temporary or a lambda that captures by value."""
    for match in re.finditer(r'\bco_await\b', code):
        depth = 0
        i = match.end()
        while i < len(code):
            c = code[i]
            if c == '[' and re.search(r'[(,]\s*$', code[match.end():i]):
                end = after_reference_lambda(code, i)
                if end:
                    i = end
                    continue
            if c in '([':
                depth += 1
            elif c in ')]':
                depth -= 1
            elif c == '{':
                yield match.start()
                break
            if depth < 0 or (c in ';,?' and depth == 0):
                break
            i += 1


def check_file(path, text):
    """Yields (line, message)."""
    lines = text.split('\n')
    first = lines[1] if lines[0].startswith('#!') and len(lines) > 1 else lines[0]
    if path.endswith(SOURCES) and 'SPDX-License-Identifier: LGPL-2.1-or-later' not in first:
        yield 1, 'the first line (after #!) is "SPDX-License-Identifier: LGPL-2.1-or-later"'
    for number, line in enumerate(lines, 1):
        for where in ELSEWHERE:
            if where in line:
                yield number, f'"{where}" is a path of one machine'
        # Tables and literal text may be longer.
        if len(line) > COLUMNS and path.endswith(CPP) and 'R"' not in line:
            yield number, f'{len(line)} columns; the limit is {COLUMNS}'
    if not path.endswith(CPP):
        return
    for number, line in enumerate(lines, 1):
        ours = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if ours:
            why = check_include(path, ours.group(1))
            if why:
                yield number, f'may not include "{ours.group(1)}": {why}'
        theirs = re.match(r'\s*#\s*include\s+<([^>]+)>', line)
        if theirs and not is_test(path) and not path.startswith('qa/'):
            for pattern, homes in HOMES:
                if re.match(pattern, theirs.group(1)) and not path.startswith(homes):
                    yield number, f'<{theirs.group(1)}> is at home in {", ".join(homes)}'
    code = blank_comments_and_strings(text)
    if not is_test(path) and not any(path.startswith(h) for h in BANNED_HOMES):
        for pattern, instead in BANNED:
            for match in re.finditer(pattern, code):
                yield line_of(code, match.start()), f'"{match.group(0)}": use {instead}'
    for position in check_co_await(code):
        yield line_of(code, position), 'braces in a co_await expression: make a named local first'


# ---- Self-test ----------------------------------------------------------------------------------

SPDX = '// SPDX-License-Identifier: LGPL-2.1-or-later\n'
BAD = [  # (path, text, part of the message)
    ('osd/a.cc', 'int x;\n', 'SPDX'),
    ('qa/a.py', '#!/usr/bin/env python3\nx = 1\n', 'SPDX'),
    ('osd/a.cc', SPDX + '// ' + 'x' * 100 + '\n', 'columns'),
    ('osd/a.cc', SPDX + '// see /' + 'work/x\n', 'path of one machine'),
    ('osd/a.cc', SPDX + '#include "mon/monitor.h"\n', 'meet only'),
    ('src/common/map/a.h', SPDX + '#include "common/rt/task.h"\n', 'pure'),
    ('src/common/wire/a.h', SPDX + '#include "common/map/osd_map.h"\n', 'below'),
    ('src/common/messenger/a.h', SPDX + '#include "common/rados/objecter.h"\n', 'below'),
    ('osd/pg/peering.h', SPDX + '#include "common/rt/sync.h"\n', 'pure'),
    ('osd/osd.cc', SPDX + '#include "common/rt/real/real_runtime.h"\n', 'real runtime'),
    ('mon/a.cc', SPDX + '#include "qa/sim/world.h"\n', 'only tests'),
    ('mon/a.cc', SPDX + '#include <rocksdb/db.h>\n', 'at home'),
    ('mon/a.cc', SPDX + '#include <boost/asio/post.hpp>\n', 'at home'),
    ('mon/a.cc', SPDX + 'auto t = std::chrono::steady_clock::now();\n', 'clock()'),
    ('mon/a.cc', SPDX + 'auto t = time(nullptr);\n', 'clock()'),
    ('mon/a.cc', SPDX + 'std::mutex m;\n', 'AsyncMutex'),
    ('mon/a.cc', SPDX + 'std::thread t(f);\n', 'shard'),
    ('mon/a.cc', SPDX + 'int r = rand();\n', 'rng'),
    ('mon/a.cc', SPDX + 'std::ifstream in(path);\n', 'read_file'),
    ('mon/a.cc', SPDX + 'int fd = ::open(path, 0);\n', 'read_file'),
    ('mon/a.cc', SPDX + 'int fd = ::socket(1, 1, 0);\n', 'net()'),
    ('mon/a.cc', SPDX + 'const char* e = getenv("HOME");\n', 'option'),
    ('mon/a.cc', SPDX + 'co_await f(Message{1});\n', 'co_await'),
    ('mon/a.cc', SPDX + 'auto r = co_await g(\n    [x] { return x; });\n', 'co_await'),
    ('mon/a.cc', SPDX + 'co_await g([&x, y] { return x + y; });\n', 'co_await'),
    ('mon/a.cc', SPDX + 'co_await g(1, [=] { return x; });\n', 'co_await'),
    ('mon/a.cc', SPDX + 'CO_TRY(v, co_await h(std::string{"a"}));\n', 'co_await'),
]
GOOD = [
    ('mon/a.cc', SPDX + 'if (co_await f(x)) {\n  y();\n}\nwhile (!(co_await g())) { z(); }\n'),
    ('mon/a.cc', SPDX + '// std::mutex, co_await f(A{})\nauto s = "getenv(";\nclock.time(5);\n'),
    ('mon/a.cc', SPDX + 'auto s = f.open(p); auto c = net.connect(a); x.bind(y);\n'),
    ('mon/a.cc', SPDX + 'co_await until([&] { return v[0] == 1; });\nco_await w(a[i], [&x] { x(); });\n'),
    ('mon/mon_test.cc', SPDX + '#include "common/rt/real/real_runtime.h"\nstd::thread t(f);\n'),
    ('osd/main.cc', SPDX + '#include "common/rt/real/real_runtime.h"\n'),
    ('src/common/rados/a.cc', SPDX + '#include "common/messenger/messenger.h"\n'),
    ('src/common/rt/real/a.cc', SPDX + 'std::mutex m;\n#include <boost/asio/post.hpp>\n'),
    ('osd/ops/a.cc', SPDX + '#include "osd/pg/pg.h"\n#include "common/map/osd_map.h"\n'),
]


def self_test():
    wrong = []
    for path, text, expected in BAD:
        messages = [m for _, m in check_file(path, text)]
        if not any(expected in m for m in messages):
            wrong.append(f'not found in {path}: {text!r} (want "{expected}", got {messages})')
    for path, text in GOOD:
        wrong += [f'wrongly found in {path}: {text!r}: {m}' for _, m in check_file(path, text)]
    print('\n'.join(wrong) or f'{len(BAD)} bad and {len(GOOD)} good snippets judged rightly')
    return 1 if wrong else 0


def all_files():
    for folder, dirs, names in os.walk(ROOT):
        relative = os.path.relpath(folder, ROOT)
        if relative == '.':
            dirs[:] = [d for d in dirs if d != 'out' and not d.startswith('build')]
        dirs[:] = [d for d in dirs if (not d.startswith('.') or d == '.ci') and d != '__pycache__']
        for name in names:
            path = os.path.normpath(os.path.join(relative, name))
            if name.endswith(SOURCES + ('.md', '.txt', '.json', '.cmake')) or path == '.ci/run':
                yield path


def main(arguments):
    if arguments == ['--self-test']:
        return self_test()
    found = 0
    for path in arguments or sorted(all_files()):
        with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as f:
            text = f.read()
        for line, message in check_file(path, text):
            print(f'{path}:{line}: {message}')
            found += 1
    print(f'{found} findings' if found else 'clean')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
