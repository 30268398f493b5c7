// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/tcp_net.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/rt/real/files.h"
#include "common/rt/runtime.h"

namespace plimsoll::real {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using AnySocket = asio::generic::stream_protocol::socket;
using ErrorCode = boost::system::error_code;

namespace {

constexpr Duration kConnectTimeout = 10s;
constexpr size_t kMaxPieces = 256;  ///< per sendmsg
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

tcp::endpoint to_endpoint(const EntityAddr& a) {
  if (a.family == AF_INET6) {
    asio::ip::address_v6::bytes_type raw;
    std::copy(a.ip.begin(), a.ip.end(), raw.begin());
    return {asio::ip::address_v6(raw), a.port};
  }
  asio::ip::address_v4::bytes_type raw;
  std::copy_n(a.ip.begin(), raw.size(), raw.begin());
  return {asio::ip::address_v4(raw), a.port};
}

EntityAddr to_addr(const tcp::endpoint& e) {
  EntityAddr a;
  a.type = EntityAddr::kMsgr2;
  a.port = e.port();
  a.family = e.address().is_v6() ? AF_INET6 : AF_INET;
  if (e.address().is_v6()) {
    const auto raw = e.address().to_v6().to_bytes();
    std::copy(raw.begin(), raw.end(), a.ip.begin());
  } else {
    const auto raw = e.address().to_v4().to_bytes();
    std::copy(raw.begin(), raw.end(), a.ip.begin());
  }
  return a;
}

/// Asio's codes of the system category are errno values; its own become EIO and the like.
Error net_error(const ErrorCode& ec, const std::string& what) {
  int code = EIO;
  if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) code = ECANCELED;
  else if (ec.category() == boost::system::system_category()) code = ec.value();
  return fail(code, what + ": " + ec.message());
}

/// An aborted operation is either the task's cancellation, which is thrown, or a close().
Task<void> rethrow_cancellation(ErrorCode ec) {
  if (ec != asio::error::operation_aborted) co_return;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(ec);
}

class SocketStream : public Stream {
 public:
  SocketStream(AnySocket socket, EntityAddr local, EntityAddr remote)
      : socket_(std::move(socket)), local_(local), remote_(remote) {
    ErrorCode ignored;  // a peer that reset already shows at the first read
    socket_.non_blocking(true, ignored);
  }

  Task<Result<size_t>> read_some(std::span<uint8_t> into) override {
    const auto buffer = asio::buffer(into.data(), into.size());
    auto [ec, n] = co_await socket_.async_read_some(buffer, kTuple);
    if (ec == asio::error::eof) co_return size_t{0};
    if (!ec) co_return n;
    co_await rethrow_cancellation(ec);
    co_return net_error(ec, "read");
  }

  Task<Result<>> write(std::vector<Bytes> data) override {
    Pending pending(data);
    while (!pending.done()) {
      if (!socket_.is_open()) co_return fail(ECANCELED, "write: the stream is closed");
      const ssize_t n = pending.send(socket_.native_handle());
      if (n >= 0 || errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK)
        co_return net_error(ErrorCode(errno, boost::system::system_category()), "write");
      auto [ec] = co_await socket_.async_wait(AnySocket::wait_write, kTuple);
      if (!ec) continue;
      co_await rethrow_cancellation(ec);
      co_return net_error(ec, "write");
    }
    co_return Result<>();
  }

  void close() override {
    ErrorCode ignored;
    socket_.shutdown(AnySocket::shutdown_both, ignored);
    socket_.close(ignored);
  }
  EntityAddr local() const override { return local_; }
  EntityAddr remote() const override { return remote_; }

 private:
  /// What is left of a scatter-gather write.
  class Pending {
   public:
    explicit Pending(const std::vector<Bytes>& data) {
      iov_.reserve(data.size());
      for (const auto& d : data)
        if (!d.empty()) iov_.push_back({const_cast<uint8_t*>(d.data()), d.size()});
    }
    bool done() const { return first_ == iov_.size(); }
    ssize_t send(int fd) {
      msghdr msg{};
      msg.msg_iov = &iov_[first_];
      msg.msg_iovlen = std::min(iov_.size() - first_, kMaxPieces);
      const ssize_t sent = ::sendmsg(fd, &msg, MSG_NOSIGNAL);
      for (ssize_t n = sent; n > 0;) {
        const size_t part = std::min(static_cast<size_t>(n), iov_[first_].iov_len);
        iov_[first_].iov_base = static_cast<uint8_t*>(iov_[first_].iov_base) + part;
        iov_[first_].iov_len -= part;
        n -= static_cast<ssize_t>(part);
        if (iov_[first_].iov_len == 0) first_++;
      }
      return sent;
    }

   private:
    std::vector<iovec> iov_;
    size_t first_ = 0;
  };

  AnySocket socket_;
  const EntityAddr local_;
  const EntityAddr remote_;
};

std::unique_ptr<Stream> make_stream(tcp::socket socket, const EntityAddr&) {
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto local = to_addr(socket.local_endpoint(ignored));
  const auto remote = to_addr(socket.remote_endpoint(ignored));
  return std::make_unique<SocketStream>(AnySocket(std::move(socket)), local, remote);
}

/// Of one who has no port.
EntityAddr without_port(EntityAddr a) {
  a.port = 0;
  return a;
}

/// Accepted at `local`, which may be blank.
std::unique_ptr<Stream> make_stream(Local::socket socket, const EntityAddr& local) {
  return std::make_unique<SocketStream>(AnySocket(std::move(socket)), local, without_port(local));
}

template <class Protocol>
class SocketListener : public Listener {
 public:
  SocketListener(typename Protocol::acceptor acceptor, EntityAddr local)
      : acceptor_(std::move(acceptor)), local_(local) {}

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    typename Protocol::socket socket(co_await asio::this_coro::executor);
    auto [ec] = co_await acceptor_.async_accept(socket, kTuple);
    co_await rethrow_cancellation(ec);
    if (ec) co_return net_error(ec, "accept");
    co_return make_stream(std::move(socket), local_);
  }
  EntityAddr local() const override { return local_; }
  void close() override {
    ErrorCode ignored;
    acceptor_.close(ignored);
  }

 private:
  typename Protocol::acceptor acceptor_;
  const EntityAddr local_;
};

/// Never waits: EAGAIN where too many others wait to be accepted.
Result<Fd> connect_unix(const Local::endpoint& to, const std::string& name) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() || ::connect(fd.get(), to.data(), static_cast<socklen_t>(to.size())) != 0)
    return errno_error("connect to", name, errno);
  return fd;
}

/// True where a process listens on the Unix socket `path`.
bool answers(const std::string& path) {
  const auto connected = connect_unix(Local::endpoint(path), path);
  return connected || connected.error().code() == EAGAIN;
}

std::string here_name(const EntityAddr& a) {
  return fmt::format("the Unix socket of {}:{}", a.ip_text(), a.port);
}

/// A Unix socket without a file: its name is one of the network namespace, as the address is, and
/// goes with the process.
Local::endpoint here(const EntityAddr& a) {
  return Local::endpoint(std::string(1, '\0') + fmt::format("plimsoll {}:{}", a.ip_text(), a.port));
}

Result<Local::acceptor> listen_at(const Executor& executor, const Local::endpoint& at,
                                  const std::string& name) {
  Local::acceptor acceptor(executor);
  ErrorCode ec;
  acceptor.open(Local(), ec);
  if (!ec) acceptor.bind(at, ec);
  if (!ec) acceptor.listen(Local::acceptor::max_listen_connections, ec);
  if (ec) return net_error(ec, "listen on " + name);
  return acceptor;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> TcpNet::connect(EntityAddr to) {
  const Executor executor = co_await asio::this_coro::executor;
  tcp::socket socket(executor);
  bool late = false;
  Timer timer = runtime_.clock().call_after(executor, kConnectTimeout, [&socket, &late] {
    late = true;
    socket.close();
  });
  auto [ec] = co_await socket.async_connect(to_endpoint(to), kTuple);
  const std::string what = "connect to " + to.ip_port_nonce();
  if (late) co_return fail(ETIMEDOUT, what + ": no answer in 10 s");
  co_await rethrow_cancellation(ec);
  if (ec) co_return net_error(ec, what);
  co_return make_stream(std::move(socket), EntityAddr{});
}

Result<std::unique_ptr<Listener>> TcpNet::listen(EntityAddr at) {
  const tcp::endpoint endpoint = to_endpoint(at);
  tcp::acceptor acceptor(runtime_.executor());
  ErrorCode ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) return net_error(ec, fmt::format("listen on {}:{}", at.ip_text(), at.port));
  const EntityAddr local = to_addr(acceptor.local_endpoint());
  return std::unique_ptr<Listener>(new SocketListener<tcp>(std::move(acceptor), local));
}

Result<std::unique_ptr<Listener>> TcpNet::listen_here(EntityAddr at) {
  TRY(acceptor, listen_at(runtime_.executor(), here(at), here_name(at)));
  return std::unique_ptr<Listener>(new SocketListener<Local>(std::move(acceptor), at));
}

Task<Result<std::unique_ptr<Stream>>> TcpNet::connect_here(EntityAddr to) {
  CO_TRY(fd, connect_unix(here(to), here_name(to)));
  Local::socket socket(co_await asio::this_coro::executor);
  ErrorCode ec;
  socket.assign(Local(), fd.get(), ec);
  if (ec) co_return net_error(ec, "connect to " + here_name(to));
  fd.release();
  co_return std::make_unique<SocketStream>(AnySocket(std::move(socket)), without_port(to), to);
}

Result<std::unique_ptr<Listener>> TcpNet::listen_unix(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ENAMETOOLONG, fmt::format("{}: too long for a Unix socket", path));
  if (answers(path)) return fail(EADDRINUSE, fmt::format("{} is in use by another process", path));
  ::unlink(path.c_str());
  TRY(acceptor, listen_at(runtime_.executor(), Local::endpoint(path), path));
  return std::unique_ptr<Listener>(new SocketListener<Local>(std::move(acceptor), EntityAddr{}));
}

}  // namespace plimsoll::real
