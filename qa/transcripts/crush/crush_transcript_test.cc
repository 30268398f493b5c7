// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs qa/transcripts/crush/*.txt: lines that begin with "$ " are commands on one CRUSH map, what
// follows up to the next is the output. "| " lines are input of the command above them. With
// --rewrite the files get the outputs of today; review them in the diff.
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "common/map/crush_dump.h"
#include "common/map/crush_mapper.h"
#include "common/map/crush_text.h"
#include "qa/transcripts/harness.h"

namespace plimsoll::map {

namespace {

using Words = std::vector<std::string>;

template <class T>
std::string answer(const Result<T>& r) {
  if (!r) return r.error().to_string();
  if constexpr (std::is_same_v<T, bool>)
    return *r ? "changed" : "as it was";
  else if constexpr (std::is_void_v<T>)
    return "ok";
  else
    return fmt::format("{}", *r);
}

int to_int(const std::string& word) {
  return std::atoi(word.c_str());
}
double to_double(const std::string& word) {
  return std::atof(word.c_str());
}

class Session {
 public:
  std::string run(const Words& words, const std::string& input);

 private:
  CrushLocation location(const Words& words, size_t from) {
    return *parse_crush_location(Words(words.begin() + from, words.end()));
  }
  std::string tree(bool with_shadow);
  std::string mappings(const Words& words);
  CrushMap m_ = CrushMap::empty();
};

std::string Session::tree(bool with_shadow) {
  std::string out;
  TreeOptions options;
  options.with_shadow = with_shadow;
  for (const auto& node : crush_tree(m_, options))
    out += fmt::format(
        "{:>3} {:>8} {}{}\n", node.id, tree_weight_text(node.weight), tree_name_text(m_, node),
        node.id < 0 || m_.class_of(node.id).empty() ? "" : " " + m_.class_of(node.id));
  return out;
}

/// map RULE COUNT X_FROM X_TO [out OSD...]
std::string Session::mappings(const Words& w) {
  std::vector<uint32_t> weights(m_.max_devices, 0x10000);
  for (size_t i = 6; i < w.size(); i++) weights.at(to_int(w[i])) = 0;
  std::string out;
  for (int x = to_int(w[3]); x <= to_int(w[4]); x++) {
    std::vector<std::string> osds;
    for (CrushItem osd : crush_do_rule(m_, m_.find_rule(w[1]).value_or(-1),
                                       static_cast<uint32_t>(x), to_int(w[2]), weights))
      osds.push_back(osd == kCrushNone ? "-" : std::to_string(osd));
    out += fmt::format("{}: {}\n", x, fmt::join(osds, " "));
  }
  return out;
}

std::string Session::run(const Words& w, const std::string& input) {
  using Handler = std::function<std::string(const Words&)>;
  auto rule_mode = [](const Words& v) { return v[5] == "indep" ? kRuleErasure : kRuleReplicated; };
  const std::map<std::string, std::pair<size_t, Handler>> commands = {
      {"initial",
       {2,
        [&](auto& v) {
          m_ = CrushMap::initial(v[1]);
          return std::string("ok");
        }}},
      {"compile",
       {1,
        [&](auto&) {
          auto m = crush_from_text(input);
          if (m) m_ = *m;
          return m ? std::string("ok") : m.error().to_string();
        }}},
      {"tree", {1, [&](auto& v) { return tree(v.size() > 1); }}},
      {"map", {5, [&](auto& v) { return mappings(v); }}},
      {"validate", {1, [&](auto&) { return answer(m_.validate()); }}},
      {"add-bucket", {3, [&](auto& v) { return answer(m_.add_bucket(v[1], v[2])); }}},
      {"set",
       {3,
        [&](auto& v) {
          return answer(
              m_.set_device(to_int(v[1].substr(4)), v[1], to_double(v[2]), location(v, 3)));
        }}},
      {"create-or-move",
       {3,
        [&](auto& v) {
          return answer(
              m_.create_or_move(to_int(v[1].substr(4)), v[1], to_double(v[2]), location(v, 3)));
        }}},
      {"move", {2, [&](auto& v) { return answer(m_.move(v[1], location(v, 2))); }}},
      {"link", {2, [&](auto& v) { return answer(m_.link(v[1], location(v, 2))); }}},
      {"rm", {2, [&](auto& v) { return answer(m_.remove(v[1])); }}},
      {"unlink", {3, [&](auto& v) { return answer(m_.remove(v[1], v[2], true)); }}},
      {"rename-bucket", {3, [&](auto& v) { return answer(m_.rename_bucket(v[1], v[2])); }}},
      {"swap-bucket", {3, [&](auto& v) { return answer(m_.swap_buckets(v[1], v[2])); }}},
      {"reweight", {3, [&](auto& v) { return answer(m_.reweight(v[1], to_double(v[2]))); }}},
      {"reweight-subtree",
       {3, [&](auto& v) { return answer(m_.reweight_subtree(v[1], to_double(v[2]))); }}},
      {"set-device-class",
       {3, [&](auto& v) { return answer(m_.set_device_class(to_int(v[2].substr(4)), v[1])); }}},
      {"rm-device-class",
       {2, [&](auto& v) { return answer(m_.remove_device_class(to_int(v[1].substr(4)))); }}},
      {"class-rename", {3, [&](auto& v) { return answer(m_.rename_class(v[1], v[2])); }}},
      {"rule-create",
       {6,
        [&](auto& v) {
          return answer(
              m_.add_simple_rule(v[1], v[2], v[3], v[4] == "-" ? "" : v[4], v[5], rule_mode(v)));
        }}},
      {"rule-rm", {2, [&](auto& v) { return answer(m_.remove_rule(v[1])); }}},
      {"rule-rename", {3, [&](auto& v) { return answer(m_.rename_rule(v[1], v[2])); }}}};
  auto it = commands.find(w[0]);
  if (it == commands.end()) return "unknown command";
  return w.size() < it->second.first ? "too few words" : it->second.second(w);
}

/// The transcript as it comes out today.
std::string replay(std::istream& in) {
  Session session;
  std::string out, command, input;
  auto flush = [&] {
    if (command.empty()) return;
    std::istringstream words(command);
    Words w;
    for (std::string word; words >> word;) w.push_back(word);
    std::string result = session.run(w, input);
    if (!result.empty() && result.back() != '\n') result += '\n';
    out += result;
    command.clear();
    input.clear();
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("$ ")) {
      flush();
      command = line.substr(2);
      out += line + "\n";
    } else if (line.starts_with("| ") && !command.empty()) {
      input += line.substr(2) + "\n";
      out += line + "\n";
    } else if (line.starts_with("#") || line.empty()) {
      flush();
      out += line + "\n";
    }
  }
  flush();
  return out;
}

}  // namespace
}  // namespace plimsoll::map

int main(int argc, char** argv) {
  using namespace plimsoll;
  return transcripts::run_all("qa/transcripts/crush", map::replay, argc, argv);
}
