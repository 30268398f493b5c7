// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/config/docs.h"

#include <fmt/format.h>

#include "common/config/option.h"

namespace plimsoll::config {

std::string options_markdown() {
  std::string out =
      "# Options\n\n"
      "Generated from `src/common/config/options.inc`; do not edit. Set them in `ceph.conf` "
      "(`[global]`, `[osd]`, "
      "`[osd.0]`), with `--name value`, with `ceph config set`, or, where *when* says runtime, "
      "with "
      "`ceph daemon <socket> config set`.\n\n"
      "| option | type | default | range | when | read by | what it is |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& o : options()) {
    const bool bounded = *o.min || *o.max;
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", o.name, type_name(o.type),
                       *o.fallback ? fmt::format("`{}`", o.fallback) : "",
                       bounded ? fmt::format("{} .. {}", o.min, o.max) : "",
                       o.runtime ? "runtime" : "start", o.services, o.help);
  }
  return out;
}

}  // namespace plimsoll::config
