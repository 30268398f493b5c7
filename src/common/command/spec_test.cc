// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/spec.h"

#include <gtest/gtest.h>

#include "common/command/format.h"

namespace plimsoll::command {

namespace {

constexpr const char* kPoolSet =
    "osd pool set name=pool,type=CephPoolname name=var,type=CephChoices,strings=size|min_size "
    "name=val,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false";

}  // namespace

TEST(Spec, SignatureIsParsed) {
  const Spec s = parse_spec(kPoolSet, "set pool parameter", "osd", "rw");
  EXPECT_EQ(s.prefix, "osd pool set");
  ASSERT_EQ(s.params.size(), 4u);
  EXPECT_EQ(s.params[0].type, ParamType::kPoolname);
  EXPECT_EQ(s.params[1].strings, (std::vector<std::string>{"size", "min_size"}));
  EXPECT_TRUE(s.params[2].required);
  EXPECT_FALSE(s.params[3].required);
  EXPECT_EQ(s.usage(), "osd pool set <pool> size|min_size <val> [--yes-i-really-mean-it]");
}

TEST(Spec, DescriptionsHaveCephsShape) {
  const Spec set = parse_spec(kPoolSet, "h", "osd", "rw", 0);
  const Spec ls =
      parse_spec("pg ls name=pool,type=CephInt,req=false name=states,type=CephString,n=N,req=false",
                 "list", "pg", "r", kFlagMgr);
  EXPECT_EQ(print(descriptions({&set, &ls}, true), Format::kJson),
            R"({"cmd000":{"sig":["osd","pool","set",{"name":"pool","type":"CephPoolname"},)"
            R"({"name":"var","strings":"size|min_size","type":"CephChoices"},)"
            R"({"name":"val","type":"CephString"},)"
            R"({"name":"yes_i_really_mean_it","req":"false","type":"CephBool"}],)"
            R"("help":"h","module":"osd","perm":"rw","flags":0},)"
            R"("cmd001":{"sig":["pg","ls",{"name":"pool","req":"false","type":"CephInt"},)"
            R"({"n":"N","name":"states","req":"false","type":"CephString"}],)"
            R"("help":"list","module":"pg","perm":"r","flags":8}})");
  EXPECT_EQ(print(descriptions({&ls}, false), Format::kJson).find("module"), std::string::npos);
}

TEST(Spec, MarkdownEscapesBars) {
  const Spec s = parse_spec(kPoolSet, "set a|b");
  const Spec hidden = parse_spec("0", "");
  const std::string text = markdown("Pools", {&s, &hidden});
  EXPECT_NE(text.find("size\\|min_size"), text.npos);
  EXPECT_NE(text.find("set a\\|b"), text.npos);
  EXPECT_EQ(text.find("`0`"), text.npos);
}

TEST(SpecDeathTest, MalformedSignaturesAreBugs) {
  EXPECT_DEATH(parse_spec("osd name=x,type=CephNonsense", ""), "CephNonsense");
  EXPECT_DEATH(parse_spec("name=x", ""), "name=x");
}

}  // namespace plimsoll::command
