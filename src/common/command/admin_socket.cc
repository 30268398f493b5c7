// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/admin_socket.h"

#include <fmt/format.h>

#include "common/command/version.h"

namespace plimsoll::command {

namespace json = boost::json;

namespace {

/// What the socket's one byte string says of a reply: its data, or the error in Ceph's form.
std::string payload(const CommandReply& reply) {
  if (reply.rc < 0) return fmt::format("ERROR: {}\n{}\n", errno_text(reply.rc), reply.outs);
  if (reply.out.empty() && !reply.outs.empty()) return reply.outs + "\n";
  return reply.out.to_string();
}

Bytes framed(const std::string& text) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift);
  return Bytes::take(out + text);
}

}  // namespace

void add_builtin_commands(DaemonTable& table) {
  table.add("0", "", sync<Caller>([](Caller&, const Args&) { return CommandReply::text("2"); }));
  table.add("help", "the commands of this daemon",
            sync<Caller>([&table](Caller&, const Args& args) {
              return CommandReply::json(table.help(), args.format());
            }));
  table.add("get_command_descriptions", "the commands with their signatures, for tools",
            sync<Caller>([&table](Caller&, const Args& args) {
              return CommandReply::json(descriptions(table.specs(), false), args.format());
            }));
  table.add("version", "the Ceph release this daemon speaks, and its own version",
            sync<Caller>([](Caller&, const Args& args) {
              return CommandReply::json(json::object{{"version", kCephVersion},
                                                     {"release", kCephRelease},
                                                     {"release_type", "stable"},
                                                     {"plimsoll_version", kVersion}},
                                        args.format());
            }));
  table.add(
      "git_version", "get the version of the source", sync<Caller>([](Caller&, const Args& args) {
        return CommandReply::json(
            json::object{{"git_version", std::string("plimsoll-") + kVersion}}, args.format());
      }));
}

AdminSocket::AdminSocket(Runtime& runtime, Logger log)
    : runtime_(runtime), log_(std::move(log)), tasks_(runtime.executor()) {
  add_builtin_commands(table_);
}

AdminSocket::~AdminSocket() = default;

Result<> AdminSocket::listen(const std::string& path) {
  TRY(listener, runtime_.net().listen_unix(path));
  listener_ = std::move(listener);
  path_ = path;
  tasks_.spawn(accept_loop());
  return {};
}

Task<void> AdminSocket::stop() {
  if (listener_) listener_->close();
  co_await tasks_.stop();
  listener_.reset();
  if (!path_.empty()) static_cast<void>(runtime_.remove_file(path_));
  path_.clear();
}

Task<void> AdminSocket::accept_loop() {
  while (!tasks_.stopping()) {
    co_await slots_.acquire(1);
    auto stream = co_await listener_->accept();
    if (stream) {
      tasks_.spawn(serve(std::move(*stream)));
      continue;
    }
    slots_.release(1);
    if (tasks_.stopping()) co_return;
    log_.warn("admin socket {}: accept failed: {}", path_, stream.error().to_string());
    co_await runtime_.clock().sleep(1s);
  }
}

Task<void> AdminSocket::serve(std::unique_ptr<Stream> stream) {
  struct Release {
    Semaphore& slots;
    ~Release() { slots.release(1); }
  } release{slots_};
  // A client that neither finishes its request nor takes its answer is cut off.
  auto cut = [s = stream.get()] { s->close(); };
  Timer deadline = runtime_.clock().call_after(runtime_.executor(), kRequestTimeout, cut);
  auto request = co_await read_request(*stream);
  deadline.cancel();
  std::string text;
  if (request)
    text = co_await answer(std::move(*request));
  else if (request.error().code() == E2BIG)
    text = payload(CommandReply(request.error()));
  else
    co_return;

  deadline = runtime_.clock().call_after(runtime_.executor(), kRequestTimeout, cut);
  std::vector<Bytes> data;
  data.push_back(framed(text));
  const auto written = co_await stream->write(std::move(data));
  if (!written) log_.debug(5, "admin socket: answer not taken: {}", written.error().to_string());
  stream->close();
}

Task<Result<std::string>> AdminSocket::read_request(Stream& stream) {
  std::string text;
  std::vector<uint8_t> buffer(4096);
  for (;;) {
    const auto n = co_await stream.read_some(buffer);
    if (!n) co_return n.error();
    if (*n == 0 && text.empty()) co_return fail(ECONNRESET, "no request");
    if (*n == 0) co_return text;
    const std::string_view piece(reinterpret_cast<const char*>(buffer.data()), *n);
    const size_t end = piece.find_first_of(std::string_view("\0\n", 2));
    text += piece.substr(0, end);
    if (text.size() > kMaxRequestBytes)
      co_return fail(E2BIG, fmt::format("request is larger than {} bytes", kMaxRequestBytes));
    if (end != piece.npos) co_return text;
  }
}

Task<std::string> AdminSocket::answer(std::string text) {
  log_.debug(1, "admin socket request '{}'", text.substr(0, 512));
  Result<Request> request = fail(EINVAL, "");
  if (text.starts_with('{')) {
    request = Request::parse(text);
  } else {
    std::vector<std::string> words;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) words.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    request = request_from_words(table_.specs(), words);
  }
  if (!request) co_return payload(CommandReply(request.error()));
  Caller caller;
  const CommandReply reply = co_await table_.run(caller, std::move(*request), Bytes());
  co_return payload(reply);
}

Task<CommandReply> AdminSocket::run_tell(std::string name, std::vector<std::string> pieces,
                                         Bytes input) {
  auto request = Request::parse(pieces);
  if (!request) co_return CommandReply(request.error());
  log_.debug(1, "{} tells '{}'", name, request->prefix);
  Caller caller{std::move(name)};
  co_return co_await table_.run(caller, std::move(*request), std::move(input));
}

}  // namespace plimsoll::command
