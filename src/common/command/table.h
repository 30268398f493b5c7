// SPDX-License-Identifier: LGPL-2.1-or-later
// Table: commands and their handlers. One kind of table serves the monitor, `ceph tell` and the
// admin socket. run() matches, validates and calls; every failure is a reply with a negative code
// and a text, in Ceph's words. Rows may be added at any time and are never removed.
//
//   table.add({"osd find name=id,type=CephOsdName,req=true", "find osd <id> in ...", "osd", "r", 0,
//              &Monitor::osd_find});
//
// A handler is a coroutine over a context and arguments that outlive it (a member function of the
// context will do), or any function that returns a CommandReply at once.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/command/args.h"
#include "common/command/spec.h"
#include "common/rt/task.h"

namespace plimsoll::command {

struct CommandReply {
  int rc = 0;        ///< 0, or a negated errno
  std::string outs;  ///< for people; the stock tool prints it to stderr
  Bytes out;         ///< data

  CommandReply() = default;
  CommandReply(int code, std::string text, Bytes data = {})
      : rc(code), outs(std::move(text)), out(std::move(data)) {}
  CommandReply(const Error& e) : rc(e.wire()), outs(e.text()) {}

  static CommandReply text(std::string data) { return {0, "", Bytes::take(std::move(data))}; }
  /// JSON in the format asked for; plain asks get json-pretty.
  static CommandReply json(const boost::json::value& v, Format format) {
    return text(print(v, format));
  }
};

/// What every command has besides its handler.
class Specs {
 public:
  const std::vector<const Spec*>& specs() const { return list_; }
  /// The command that a request names, its arguments checked. Several may share a prefix: the first
  /// that fits. EINVAL: "command not known", or what is wrong with the arguments.
  Result<size_t> match(const Request& request) const;
  /// {"prefix": "help text"} in order of prefix: the admin socket's `help`.
  boost::json::object help() const;

 protected:
  size_t add_spec(Spec spec);

 private:
  std::vector<std::unique_ptr<Spec>> owned_;
  std::vector<const Spec*> list_;
};

template <class Context>
using Handler = std::function<Task<CommandReply>(Context&, const Args&)>;

/// A row of a static array; the handler as for add().
template <class Context>
struct Row {
  const char* signature;
  const char* help;
  const char* module;
  const char* perm;
  uint32_t flags;
  Handler<Context> handler;
};

/// The signatures of a static array, for documentation.
template <class Context>
std::vector<Spec> specs_of(std::span<const Row<Context>> rows) {
  std::vector<Spec> out;
  for (const auto& r : rows)
    out.push_back(parse_spec(r.signature, r.help, r.module, r.perm, r.flags));
  return out;
}

/// Wraps a function that answers at once: sync<Monitor>([](Monitor& m, const Args& a) { ... }).
template <class Context, class Fn>
Handler<Context> sync(Fn fn);

template <class Context>
class Table : public Specs {
 public:
  void add(const Row<Context>& row) {
    add_spec(parse_spec(row.signature, row.help, row.module, row.perm, row.flags));
    handlers_.push_back(row.handler);
  }
  void add(std::span<const Row<Context>> rows) {
    for (const auto& r : rows) add(r);
  }
  /// For tables without modules and permissions (admin socket, tell).
  void add(const char* signature, const char* help, Handler<Context> handler) {
    add(Row<Context>{signature, help, "", "", 0, std::move(handler)});
  }

  /// The whole way from a request to a reply. `context` must outlive the task.
  Task<CommandReply> run(Context& context, Request request, Bytes input) const {
    const Result<size_t> index = match(request);
    if (!index) co_return CommandReply(index.error());
    const Args args(*specs()[*index], std::move(request), std::move(input));
    co_return co_await handlers_[*index](context, args);
  }

 private:
  std::deque<Handler<Context>> handlers_;  ///< stays in place while rows are added
};

// ---- implementation -----------------------------------------------------------------------------

namespace detail {
template <class Context, class Fn>
Task<CommandReply> run_sync(const Fn& fn, Context& context, const Args& args) {
  co_return std::invoke(fn, context, args);
}
}  // namespace detail

template <class Context, class Fn>
Handler<Context> sync(Fn fn) {
  // The function lives in the table, so the coroutine may refer to it.
  return [fn = std::move(fn)](Context& c, const Args& a) { return detail::run_sync(fn, c, a); };
}

}  // namespace plimsoll::command
