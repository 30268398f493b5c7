// SPDX-License-Identifier: LGPL-2.1-or-later
// A live cluster through librados: Plimsoll's or Ceph's, no difference. Only commands; blocking.
#pragma once

#include <memory>
#include <string>

#include "common/base/stream.h"

namespace plimsoll::mover {

class Cluster {
 public:
  struct Who {
    std::string conf;  ///< empty: where librados looks by itself
    std::string name = "client.admin";
  };
  /// ETIMEDOUT where no monitor answers.
  static Result<std::unique_ptr<Cluster>> connect(const Who& who);
  ~Cluster();

  /// The output of a command, {"prefix":"osd dump",...}; its memory lives as long as it.
  using Reply = std::unique_ptr<ByteSource>;
  /// The error has the code and status text of the reply, and names the command.
  Result<Reply> mon(const std::string& command);
  /// A command that managers answer; the monitor is asked where there is none or it refuses.
  Result<Reply> mgr(const std::string& command);

 private:
  explicit Cluster(void* rados) : rados_(rados) {}
  void* rados_;
};

}  // namespace plimsoll::mover
