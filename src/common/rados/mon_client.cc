// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/mon_client.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::rados {

namespace {

/// Between failed attempts to reach a monitor.
constexpr Duration kHuntPause = 100ms;
/// A monitor that does not get us to a session in this time is left for the next.
constexpr Duration kHuntTimeout = 3s;
constexpr Duration kKeepaliveEvery = 10s;
constexpr Duration kKeepaliveLimit = 30s;

msg::MMonSubscribe::Item item(uint64_t start, bool once) {
  msg::MMonSubscribe::Item i;
  i.start = start;
  i.flags = once ? msg::MMonSubscribe::Item::kOneTime : 0;
  return i;
}

}  // namespace

Result<std::vector<EntityAddr>> parse_mon_host(std::string_view text) {
  std::vector<EntityAddr> out;
  auto is_separator = [](char c) {
    return c == ',' || c == ' ' || c == ';' || c == '\t';
  };
  // Groups "[v2:...,v1:...]" only bind addresses of one monitor together; IPv6 keeps its brackets,
  // which come after a prefix or enclose no comma.
  std::string flat(text);
  if (flat.find("[v") != flat.npos)
    for (size_t at = 0; (at = flat.find("[v", at)) != flat.npos; at++) {
      flat[at] = ',';
      // The group's closing bracket is the one that no port follows.
      for (size_t end = at; (end = flat.find(']', end)) != flat.npos; end++)
        if (end + 1 >= flat.size() || flat[end + 1] != ':') {
          flat[end] = ',';
          break;
        }
    }
  for (size_t at = 0; at < flat.size();) {
    size_t end = at;
    while (end < flat.size() && !is_separator(flat[end])) end++;
    if (end > at) {
      TRY(addr, EntityAddr::parse(std::string_view(flat).substr(at, end - at)));
      if (addr.port == 0) addr.port = addr.type == EntityAddr::kLegacy ? 6789 : 3300;
      if (addr.type == EntityAddr::kMsgr2) out.push_back(addr);
    }
    at = end + 1;
  }
  if (out.empty()) return fail(EINVAL, fmt::format("mon_host '{}' names no msgr2 address", text));
  return out;
}

MonClient::MonClient(Runtime& runtime, const config::Config& config,
                     messenger::Messenger& messenger, Hooks hooks)
    : runtime_(runtime),
      config_(config),
      messenger_(messenger),
      hooks_(std::move(hooks)),
      log_(log::Subsystem::kMonc, messenger.self().to_string()),
      tasks_(runtime.executor()) {}

Task<Result<>> MonClient::start(Duration timeout) {
  auto mons = parse_mon_host(config_.mon_host());
  if (!mons) co_return mons.error();
  mons_ = std::move(*mons);
  next_mon_ = runtime_.rng().below(mons_.size());
  subscribe("config", 0);
  subscribe("monmap", 0);
  tasks_.spawn(hunt());
  tasks_.spawn(keepalive());
  auto started = std::make_shared<OneShot<Result<int>>>();
  auto when_ready = [](Event& session, std::shared_ptr<OneShot<Result<int>>> done) -> Task<void> {
    co_await session.wait();
    done->set(0);
  };
  tasks_.spawn(when_ready(session_, started));
  auto ready = co_await wait_for(runtime_.clock(), started, timeout, "no monitor answers");
  if (!ready) co_return ready.error();
  co_return Result<>();
}

Task<void> MonClient::stop() {
  co_await tasks_.stop();
  if (connection_) connection_->close();
  connection_.reset();
  ready_ = false;
  for (auto& [tid, command] : commands_)
    command.reply->set(fail(ESHUTDOWN, "the monitor client stops"));
  for (auto& [handle, waiting] : versions_)
    waiting.second->set(fail(ESHUTDOWN, "the monitor client stops"));
  commands_.clear();
  versions_.clear();
}

/// Keeps a session up: connects, gives each monitor a time to answer, goes on to the next.
Task<void> MonClient::hunt() {
  for (;;) {
    connect_next();
    lost_.reset();
    auto given_up = [this, connection = connection_] {
      if (connection_ != connection || ready_) return;
      connection->close();
      connection_.reset();
      lost_.set();
    };
    Timer timer = runtime_.clock().call_after(runtime_.executor(), kHuntTimeout, given_up);
    co_await lost_.wait();
    timer.cancel();

    co_await runtime_.clock().sleep(kHuntPause);
  }
}

void MonClient::connect_next() {
  const EntityAddr addr = mons_[next_mon_++ % mons_.size()];
  log_.debug(10, "trying monitor {}", addr.to_string());
  connection_ = messenger_.connect(EntityType::kMon, addr);
  connection_->send(msg::to_raw(msg::MMonGetMap{}));
}

void MonClient::on_open(const messenger::ConnectionRef& connection) {
  if (connection != connection_) return;
  global_id_ = connection->auth().global_id;
  // A client learns its number from the monitor; a daemon keeps its own.
  if (messenger_.self().type == EntityType::kClient)
    messenger_.set_self({EntityType::kClient, static_cast<int64_t>(global_id_)});
  session_ready();
}

void MonClient::session_ready() {
  ready_ = true;
  log_.debug(5, "session with monitor {}", connection_->peer_addr().to_string());
  send_subscriptions();
  for (const auto& [tid, command] : commands_) connection_->send(command.request);
  for (const auto& [handle, waiting] : versions_) {
    msg::MMonGetVersion ask;
    ask.handle = handle;
    ask.what = waiting.first;
    connection_->send(msg::to_raw(ask));
  }
  if (monmap_.epoch) session_.set();
  if (hooks_.on_session) hooks_.on_session();
}

bool MonClient::on_reset(const messenger::ConnectionRef& connection) {
  if (connection != connection_ || !connection) return false;
  log_.debug(5, "lost the session with the monitor");
  connection_.reset();
  ready_ = false;
  session_.reset();
  lost_.set();
  return true;
}

void MonClient::subscribe(const std::string& what, uint64_t start, bool once) {
  subscriptions_[what] = {start, once};
  if (!ready_) return;
  msg::MMonSubscribe ask;
  ask.what[what] = item(start, once);
  connection_->send(msg::to_raw(ask));
}

void MonClient::got(const std::string& what, uint64_t epoch) {
  auto it = subscriptions_.find(what);
  if (it == subscriptions_.end() || epoch < it->second.start) return;
  if (it->second.once) subscriptions_.erase(it);
  else it->second.start = epoch + 1;
}

void MonClient::send_subscriptions() {
  msg::MMonSubscribe ask;
  for (const auto& [what, sub] : subscriptions_) ask.what[what] = item(sub.start, sub.once);
  connection_->send(msg::to_raw(ask));
}

/// A monitor that is gone without a word (a pulled cable) is left for another.
Task<void> MonClient::keepalive() {
  for (;;) {
    co_await runtime_.clock().sleep(kKeepaliveEvery);
    if (!ready_) continue;
    if (runtime_.clock().now() - connection_->last_keepalive_ack() < kKeepaliveLimit) {
      connection_->keepalive();
      continue;
    }
    log_.warn("monitor {} does not answer", connection_->peer_addr().to_string());
    connection_->close();
    on_reset(messenger::ConnectionRef(connection_));
  }
}

void MonClient::send(msg::RawMessage message) {
  if (ready_) connection_->send(std::move(message));
}

bool MonClient::on_message(const messenger::ConnectionRef& connection,
                           const msg::RawMessage& message) {
  if (connection != connection_) return false;
  auto bad = [&](const Error& e) {
    log_.error("dropping the monitor's message: {}", e.to_string());
    return true;
  };
  switch (message.type) {
    case msg::MMonMap::kType: {
      auto m = msg::parse<msg::MMonMap>(message);
      if (!m) return bad(m.error());
      auto monmap = wire::from_bytes<map::MonMap>(m->monmap, "monmap");
      if (!monmap) return bad(monmap.error());
      monmap_ = std::move(*monmap);
      got("monmap", monmap_.epoch);
      // start() promises the map too: its fsid goes into every request.
      if (ready_) session_.set();
      return true;
    }
    case msg::MConfig::kType: {
      auto m = msg::parse<msg::MConfig>(message);
      if (!m) return bad(m.error());
      if (hooks_.on_config) hooks_.on_config(std::move(m->config));
      return true;
    }
    case msg::MOSDMap::kType: {
      auto m = msg::parse<msg::MOSDMap>(message);
      if (!m) return bad(m.error());
      if (hooks_.on_osdmap) hooks_.on_osdmap(std::move(*m));
      return true;
    }
    case msg::MMonCommandAck::kType: handle_command_ack(message); return true;
    case msg::MMonGetVersionReply::kType: {
      auto m = msg::parse<msg::MMonGetVersionReply>(message);
      if (!m) return bad(m.error());
      auto it = versions_.find(m->handle);
      if (it == versions_.end()) return true;
      it->second.second->set(static_cast<Epoch>(m->version));
      versions_.erase(it);
      return true;
    }
    case msg::MMonSubscribeAck::kType: return true;
  }
  return hooks_.on_other && hooks_.on_other(message);
}

void MonClient::handle_command_ack(const msg::RawMessage& message) {
  auto it = commands_.find(message.tid);
  if (it == commands_.end()) return;
  auto ack = msg::parse<msg::MMonCommandAck>(message);
  auto reply = it->second.reply;
  commands_.erase(it);
  if (!ack) {
    reply->set(ack.error());
    return;
  }
  CommandReply out;
  out.retval = ack->retval;
  out.outs = std::move(ack->outs);
  out.outdata = std::move(ack->data);
  reply->set(std::move(out));
}

Task<Result<CommandReply>> MonClient::command(std::string json, Bytes input, Duration timeout) {
  msg::MMonCommand request;
  request.fsid = monmap_.fsid;
  request.cmd.push_back(std::move(json));
  request.data = std::move(input);
  const uint64_t tid = next_tid_++;
  auto reply = std::make_shared<OneShot<Result<CommandReply>>>();
  PendingCommand pending;
  pending.request = msg::to_raw(request, tid);
  pending.reply = reply;
  if (ready_) connection_->send(pending.request);
  commands_.emplace(tid, std::move(pending));
  auto answer = co_await wait_for(runtime_.clock(), reply, timeout, "the monitor does not answer");
  commands_.erase(tid);
  co_return answer;
}

Task<Result<Epoch>> MonClient::newest_version(std::string what, Duration timeout) {
  const uint64_t handle = next_tid_++;
  auto reply = std::make_shared<OneShot<Result<Epoch>>>();
  versions_.emplace(handle, std::pair(what, reply));
  if (ready_) {
    msg::MMonGetVersion ask;
    ask.handle = handle;
    ask.what = what;
    connection_->send(msg::to_raw(ask));
  }
  auto answer = co_await wait_for(runtime_.clock(), reply, timeout, "the monitor does not answer");
  versions_.erase(handle);
  co_return answer;
}

}  // namespace plimsoll::rados
