// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/cluster.h"

#include <fmt/format.h>
#include <rados/librados.h>

#include <cstring>

#include "mover/model/json_reader.h"

namespace plimsoll::mover {

namespace {

constexpr const char* kConnectTimeout = "15";   // seconds; librados' own is five minutes
constexpr const char* kCommandTimeout = "120";  // a large cluster's pg dump takes its time

/// The buffer of a reply, read in place.
class ReplySource : public ByteSource {
 public:
  ReplySource(char* buffer, size_t length)
      : buffer_(buffer), memory_(std::string_view(buffer, length)) {}
  ~ReplySource() override { rados_buffer_free(buffer_); }
  Result<size_t> read(std::span<uint8_t> into) override { return memory_.read(into); }

 private:
  char* buffer_;
  MemorySource memory_;
};

Error rados_error(int rc, const std::string& what) {
  return Error(-rc, fmt::format("{}: {}", what, std::strerror(-rc)));
}

template <class Send>
Result<Cluster::Reply> send(const std::string& command, Send&& send) {
  const char* words[] = {command.c_str()};
  char *out = nullptr, *status = nullptr;
  size_t out_length = 0, status_length = 0;
  const int rc = send(words, &out, &out_length, &status, &status_length);
  auto reply = std::make_unique<ReplySource>(out, out_length);
  const std::string text(status ? status : "", status_length);
  if (status) rados_buffer_free(status);
  if (rc < 0)
    return Error(-rc, fmt::format("{}: {}", command, text.empty() ? std::strerror(-rc) : text));
  return Cluster::Reply(std::move(reply));
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::connect(const Who& who) {
  rados_t rados = nullptr;
  int rc = rados_create2(&rados, "ceph", who.name.c_str(), 0);
  if (rc < 0) return rados_error(rc, "cannot use the name '" + who.name + "'");
  std::unique_ptr<Cluster> out(new Cluster(rados));
  rc = rados_conf_read_file(rados, who.conf.empty() ? nullptr : who.conf.c_str());
  if (rc < 0)
    return rados_error(rc, who.conf.empty() ? "no ceph.conf; say -c FILE, or --dump" : who.conf);
  rados_conf_set(rados, "client_mount_timeout", kConnectTimeout);
  rados_conf_set(rados, "rados_mon_op_timeout", kCommandTimeout);
  rc = rados_connect(rados);
  if (rc < 0) return rados_error(rc, "cannot connect to the cluster");
  return out;
}

Cluster::~Cluster() {
  rados_shutdown(rados_);
}

Result<Cluster::Reply> Cluster::mon(const std::string& command) {
  return send(command, [&](const char** words, char** out, size_t* out_length, char** status,
                           size_t* status_length) {
    return rados_mon_command(rados_, words, 1, nullptr, 0, out, out_length, status, status_length);
  });
}

Result<Cluster::Reply> Cluster::mgr(const std::string& command) {
  auto reply = send(command, [&](const char** words, char** out, size_t* out_length, char** status,
                                 size_t* status_length) {
    return rados_mgr_command(rados_, words, 1, nullptr, 0, out, out_length, status, status_length);
  });
  return reply ? std::move(reply) : mon(command);
}

}  // namespace plimsoll::mover
