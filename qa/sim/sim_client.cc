// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_client.h"

namespace plimsoll::sim {

namespace {

config::Config& applied(config::Config& config, const std::string& conf) {
  auto file = config::ConfFile::parse("ceph.conf", conf);
  CHECK_NOTE(file.has_value(), file ? "" : file.error().to_string().c_str());
  auto done = config.apply_file(*file);
  CHECK_NOTE(done.has_value(), done ? "" : done.error().to_string().c_str());
  return config;
}

}  // namespace

SimClient::SimClient(Runtime& runtime, const std::string& conf)
    : auth(EntityType::kClient, "admin"),
      rados(runtime, applied(config, conf), auth, EntityName{EntityType::kClient, -1}) {}

}  // namespace plimsoll::sim
