// SPDX-License-Identifier: LGPL-2.1-or-later
// TcpNet: TCP and Unix sockets; tcp_net.cc is their only home. A stream belongs to the executor of
// the task that connected or accepted it. Small writes go out at once (TCP_NODELAY).
#pragma once

#include "common/rt/net.h"

namespace plimsoll {
class Runtime;
}

namespace plimsoll::real {

class TcpNet : public Net {
 public:
  explicit TcpNet(Runtime& runtime) : runtime_(runtime) {}
  Task<Result<std::unique_ptr<Stream>>> connect(EntityAddr to) override;
  Result<std::unique_ptr<Listener>> listen(EntityAddr at) override;
  Result<std::unique_ptr<Listener>> listen_here(EntityAddr at) override;
  Task<Result<std::unique_ptr<Stream>>> connect_here(EntityAddr to) override;
  Result<std::unique_ptr<Listener>> listen_unix(const std::string& path) override;

 private:
  Runtime& runtime_;
};

}  // namespace plimsoll::real
