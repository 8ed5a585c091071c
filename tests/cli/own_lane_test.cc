// examples/own_lane: a hand-written MAC lane through vectors, Icarus Verilog and compare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/tool.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

testing::ToolRun RunExample(const testing::TemporaryFolder& folder, const std::string& option) {
  const std::string script = std::string(MACLOOM_SOURCE_DIR) + "/examples/own_lane/run.sh";
  return testing::RunShell("MACLOOM=" MACLOOM_TOOL " OUT=" + (folder / "out").string() + " " +
                           script + " " + option);
}

TEST(OwnLaneTest, RightLanePasses) {
  const testing::TemporaryFolder folder;
  const testing::ToolRun run = RunExample(folder, "");
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("PASS"));
}

TEST(OwnLaneTest, WrongRoundingOfNegativeTiesIsFound) {
  const testing::TemporaryFolder folder;
  const testing::ToolRun run = RunExample(folder, "--bug");
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, HasSubstr("layer `dense`: output element (sample"));
}

}  // namespace
}  // namespace macloom
