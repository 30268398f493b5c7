// SPDX-License-Identifier: LGPL-2.1-or-later
// The peering machine by transcript: "$ event" lines are replayed and what the machine wants done,
// and the state it comes to, must be what stands behind them. `--rewrite` writes the files anew.
//
//   $ interval 9 acting=0,1,2 [home=..] [up=..] [size=3] [min_size=2] own=5@4 [tail=0@0] [les=4]
//     [missing=a:5@4,b:3@2]                          versions are version@epoch; self is osd.0
//   $ info osd.1 5@4 [tail= les= missing=]           answers a query
//   $ merged osd.1 5@4 [missing=]                    answers merge_peer
//   $ log 7@4 [missing=]   $ log_failed why          our own log is merged, or cannot be
//   $ recovered osd.1 a    $ source_failed osd.1 a   $ activated osd.1
//   $ resend [osd.1]
#include <cstring>
#include <fstream>
#include <sstream>

#include "osd/pg/peering.h"
#include "qa/transcripts/harness.h"

namespace plimsoll::osd {

namespace {

using Words = std::vector<std::string>;

Words split(const std::string& text, char by) {
  Words out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);)
    if (!part.empty()) out.push_back(part);
  return out;
}

Eversion version(const std::string& text) {
  const Words w = split(text, '@');
  return {std::stoull(w.at(0)), static_cast<Epoch>(std::stoul(w.at(1)))};
}

HObject object(const std::string& name) {
  HObject o;
  o.oid = name;
  o.pool = 1;
  o.snap = kSnapHead;
  return o;
}

OsdId osd(const std::string& text) {
  return std::stoi(text.substr(text.find('.') + 1));
}

std::vector<OsdId> osds(const std::string& text) {
  std::vector<OsdId> out;
  for (const auto& w : split(text, ',')) out.push_back(std::stoi(w));
  return out;
}

class Session {
 public:
  std::string run(const std::string& line) {
    words_ = split(line, ' ');
    std::string out;
    for (const auto& a : event()) out += a.to_string() + "\n";
    out += std::string("-> ") + peering_state_name(machine_.state());
    if (!machine_.active()) out += ": " + machine_.why();
    return out + "\n";
  }

 private:
  std::string option(const std::string& name, const std::string& fallback) const {
    for (const auto& w : words_)
      if (w.starts_with(name + "=")) return w.substr(name.size() + 1);
    return fallback;
  }
  Missing missing() const {
    Missing out;
    for (const auto& item : split(option("missing", ""), ',')) {
      const Words w = split(item, ':');
      out[object(w.at(0))] = version(w.at(1));
    }
    return out;
  }
  PgInfo info(const std::string& head) const {
    PgInfo i;
    i.last_update = version(head);
    i.log_tail = version(option("tail", "0@0"));
    i.last_epoch_started = static_cast<Epoch>(std::stoul(option("les", "0")));
    return i;
  }

  PeeringActions event() {
    const std::string& what = words_.at(0);
    if (what == "interval") return interval();
    if (what == "info")
      return machine_.on_info(osd(words_.at(1)), info(words_.at(2)), missing(), false);
    if (what == "merged")
      return machine_.on_info(osd(words_.at(1)), info(words_.at(2)), missing(), true);
    if (what == "log") return machine_.on_log_merged(info(words_.at(1)), missing());
    if (what == "log_failed") return machine_.on_log_failed(words_.at(1));
    if (what == "recovered") return machine_.on_recovered(osd(words_.at(1)), object(words_.at(2)));
    if (what == "source_failed")
      return machine_.on_source_failed(osd(words_.at(1)), object(words_.at(2)));
    if (what == "activated") return machine_.on_activated(osd(words_.at(1)));
    if (what == "resend") return machine_.resend(words_.size() > 1 ? osd(words_[1]) : kNoOsd);
    throw std::runtime_error("unknown event " + what);
  }

  PeeringActions interval() {
    Interval i;
    i.since = static_cast<Epoch>(std::stoul(words_.at(1)));
    i.acting = osds(option("acting", ""));
    i.up = osds(option("up", option("acting", "")));
    i.home = osds(option("home", option("acting", "")));
    i.primary = i.up_primary = i.acting.at(0);
    i.up_from.assign(i.acting.size(), 1);
    i.size = static_cast<uint32_t>(std::stoul(option("size", "3")));
    i.min_size = static_cast<uint32_t>(std::stoul(option("min_size", "2")));
    for (OsdId o : i.home)
      if (!i.has(o)) i.down.push_back(o);
    return machine_.start(i, 0, info(option("own", "0@0")), missing());
  }

  Words words_;
  Peering machine_;
};

std::string replay(std::istream& in) {
  Session session;
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("$ "))
      out += line + "\n" + session.run(line.substr(2));
    else if (line.starts_with("#") || line.empty())
      out += line + "\n";
  }
  return out;
}

}  // namespace
}  // namespace plimsoll::osd

int main(int argc, char** argv) {
  using namespace plimsoll;
  return transcripts::run_all("qa/transcripts/peering", osd::replay, argc, argv);
}
