// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts that people and tools write: conf files, commands as JSON, ids and addresses.
#include "common/command/args.h"
#include "common/command/spec.h"
#include "common/config/conf_file.h"
#include "common/config/config.h"
#include "common/wire/generate.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

void run_conf(Bytes input) {
  auto file = config::ConfFile::parse("fuzz.conf", input.view());
  if (!file) return CHECK(file.error().code() == EINVAL);
  config::Config config({.type = "osd", .id = "0"});
  if (!config.apply_file(*file)) return;
  (void)config.show();
  (void)config.diff();
}

void run_command(Bytes input) {
  auto request = command::Request::parse(input.view());
  if (!request) return CHECK(request.error().code() == EINVAL);
  static const std::vector<command::Spec> specs = {
      command::parse_spec("osd pool create name=pool,type=CephPoolname "
                          "name=pg_num,type=CephInt,range=0,req=false "
                          "name=pool_type,type=CephChoices,strings=replicated|erasure,req=false",
                          "create a pool"),
      command::parse_spec("osd down name=ids,type=CephString,n=N", "mark down"),
      command::parse_spec("osd reweight name=id,type=CephOsdName name=weight,type=CephFloat,"
                          "range=0.0|1.0",
                          "reweight"),
      command::parse_spec("pg map name=pgid,type=CephPgid", "map a PG"),
      command::parse_spec("osd pool rm name=yes,type=CephBool,req=false", "remove"),
  };
  for (const command::Spec& spec : specs) {
    auto valid = command::validate(spec, request->json);
    if (!valid) CHECK(!valid.error().text().empty());
  }
}

void run_texts(Bytes input) {
  const std::string_view text = input.view();
  if (auto addr = EntityAddr::parse(text)) CHECK(EntityAddr::parse(addr->to_string()));
  if (auto pg = PgId::parse(text))
    CHECK(PgId::parse(pg->to_string())->to_string() == pg->to_string());
  if (auto id = Uuid::parse(text)) CHECK(Uuid::parse(id->to_string()).value() == *id);
  (void)command::parse_int(text);
  (void)command::parse_real(text);
  (void)command::parse_osd_name(text);
}

std::vector<std::string> conf_seeds(Rng&) {
  return {
      "[global]\nfsid = 00010203-0405-0607-0809-0a0b0c0d0e0f\nmon host = [v2:127.0.0.1:3300/0]\n"
      "; comment\n[osd]\nosd_max_backfills=\"3\" # more\nosd data = /x/$cluster-$id \\\n tail\n"
      "[osd.0]\n\tdebug osd = 5/20\nms_dispatch_throttle_bytes = 100M\n",
      "key_without_section = 1\n[client]\nrados osd op timeout = 2.5\n"};
}

std::vector<std::string> command_seeds(Rng&) {
  return {R"({"prefix":"osd pool create","pool":"rbd","pg_num":32,"pool_type":"replicated"})",
          R"({"prefix":"osd down","ids":["osd.1","2"],"format":"json-pretty"})",
          R"({"prefix":"osd reweight","id":"osd.3","weight":0.5})",
          R"({"prefix":"pg map","pgid":"1.2f","yes":true,"target":["mon-mgr",""]})"};
}

std::vector<std::string> text_seeds(Rng& rng) {
  return {wire::generated<EntityAddr>(rng).to_string(),
          "[v2:[::1]:3300/5]",
          "v2:127.0.0.1:3300/0",
          "1.2f",
          "00010203-0405-0607-0809-0a0b0c0d0e0f",
          "osd.3",
          "-12",
          "1.5e3"};
}

}  // namespace plimsoll::fuzz
