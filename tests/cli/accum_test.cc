// The verb accum: its output files, and what a user can get wrong. No RTL is simulated here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/npy.h"
#include "tests/cli/tool.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::RunTool;
using testing::ToolRun;

class AccumVerbTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }

  static void ExpectFails(const std::string& arguments, const std::string& message) {
    const ToolRun run = RunTool("accum " + arguments);
    EXPECT_EQ(run.status, 2) << arguments << "\n" << run.text;
    EXPECT_THAT(run.text, HasSubstr(message)) << arguments;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AccumVerbTest, WritesResultPlotsVectorsAndAHardwareFileThatGenerateTakes) {
  const ToolRun run = RunTool("accum ds-cnn-untrained --random 6 --no-layers --json " +
                              Path("accum.json") + " --svg " + Path("plots") + " --vectors " +
                              Path("vectors") + " --emit " + Path("hw.toml") + " --rule observed");
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("ds-cnn-untrained (untrained: pseudo-random weights)"));
  EXPECT_THAT(run.text,
              HasSubstr("adversarial inputs, hardware order: 652; at P 652 hold, at P - 1 "
                        "652 fail"));
  EXPECT_THAT(*ReadTextFile(Path("accum.json")), HasSubstr("\"format\": \"macloom.accum\""));
  EXPECT_TRUE(fs::exists(Path("plots/accuracy.svg")));
  EXPECT_THAT(*ReadTextFile(Path("vectors/index.json")), HasSubstr("macloom.adversarial"));
  const auto vectors = ReadNpy(Path("vectors/layer_000/input.npy"));
  ASSERT_TRUE(vectors.ok()) << vectors.error().message;
  EXPECT_EQ(vectors->shape, (std::vector<int64_t>{128, 49, 10, 1}));
  const ToolRun generated = RunTool("generate --config " + Path("hw.toml") + " -o " + Path("rtl"));
  EXPECT_EQ(generated.status, 0) << generated.text;
  const ToolRun applied =
      RunTool("accum ds-cnn-untrained --random 6 --no-layers --no-sweep --no-rtl --apply " +
              Path("applied"));
  EXPECT_EQ(applied.status, 0) << applied.text;
  EXPECT_THAT(applied.text, HasSubstr("PASS"));
  EXPECT_TRUE(fs::exists(Path("applied/hw.toml")));
  EXPECT_TRUE(fs::exists(Path("applied/rtl/macloom.f")));
}

TEST_F(AccumVerbTest, SeveralNetworksShareOneTable) {
  const ToolRun run =
      RunTool("accum ds-cnn-untrained ds-cnn-untrained --random 4 --no-layers --min-bits 16");
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("baseline"));
}

TEST_F(AccumVerbTest, HeldOutSamplesJudge) {
  const ToolRun run = RunTool(
      "accum ds-cnn-untrained --random 8 --no-layers --choose-on 0.25 --min-bits 16 --json " +
      Path("accum.json"));
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("chosen on 2 samples, judged on 6 others"));
  EXPECT_THAT(*ReadTextFile(Path("accum.json")), HasSubstr("\"held_out\": {"));
}

TEST_F(AccumVerbTest, BadCommandLines) {
  ExpectFails("missing.tflite", "missing.tflite");
  ExpectFails("--min-bits 7", "--min-bits");
  ExpectFails("--max-bits 33", "--max-bits");
  ExpectFails("--min-bits 20 --max-bits 10", "--min-bits 20 is above --max-bits 10");
  ExpectFails("--policy sorted", "--policy");
  ExpectFails("--rule best", "--rule");
  ExpectFails("--margin -1", "--margin");
  ExpectFails("--max-loss 101", "--max-loss");
  ExpectFails("--labels x.csv", "--labels");
  ExpectFails("--choose-on 1", "--choose-on");
  ExpectFails("ds-cnn-untrained --random 1 --choose-on 0.5", "1 samples with 0 labels");
  ExpectFails("ds-cnn-untrained ds-cnn-untrained --emit " + Path("hw.toml"),
              "2 networks are given; --vectors, --emit, --apply and --rtl take one");
  ExpectFails("ds-cnn-untrained --inputs a.npy --inputs b.npy",
              "--inputs is given 2 times for 1 networks");
  ExpectFails("--random 2 --no-layers --no-sweep --rule accuracy --emit " + Path("hw.toml"),
              "rule `accuracy` gives no width");
  EXPECT_FALSE(fs::exists(Path("hw.toml")));
}

TEST_F(AccumVerbTest, UnwritableOutput) {
  const ToolRun run =
      RunTool("accum --random 2 --no-layers --no-sweep --json " + Path("missing/accum.json"));
  EXPECT_EQ(run.status, 74) << run.text;
}

}  // namespace
}  // namespace macloom
