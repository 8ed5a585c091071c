// What the verbs print and write when all is well. No RTL is simulated here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

class VerbsTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  nlohmann::json Json(const std::string& name) const {
    return nlohmann::json::parse(*ReadTextFile(Path(name)));
  }
  testing::TemporaryFolder folder_;
};

TEST_F(VerbsTest, ImportedNetworkIsTheSameNetwork) {
  ASSERT_EQ(RunTool("import ds-cnn-untrained -o " + Path("net.safetensors")).status, 0);
  ASSERT_EQ(RunTool("inspect ds-cnn-untrained --json " + Path("a.json")).status, 0);
  const ToolRun run = RunTool("inspect " + Path("net.safetensors") + " --json " + Path("b.json"));
  ASSERT_EQ(run.status, 0);
  EXPECT_THAT(run.text, HasSubstr("untrained"));
  EXPECT_EQ(Json("a.json"), Json("b.json"));
  EXPECT_EQ(Json("a.json")["macs"], 2656768);
}

TEST_F(VerbsTest, NetworkWrittenByTheExampleVerifies) {
  const std::string script = std::string(MACLOOM_SOURCE_DIR) + "/examples/write_network.py";
  ASSERT_EQ(std::system(("python3 " + script + " " + Path("h.safetensors")).c_str()), 0);
  const ToolRun run = RunTool("verify --no-rtl " + Path("h.safetensors"));
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("PASS"));
}

TEST_F(VerbsTest, VerifyHearsTheShippedSoundsByDefault) {
  const ToolRun run = RunTool("verify --no-rtl");
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("network digits-w8a8 on m4l16"));
  EXPECT_THAT(run.text, HasSubstr("10 inputs (sounds)"));
  EXPECT_THAT(run.text, HasSubstr("7_en-gb-scotland_f5.wav"));
  EXPECT_THAT(run.text, HasSubstr("PASS"));
  EXPECT_THAT(RunTool("verify --no-rtl --random 2").text, HasSubstr("2 inputs (random and corner"));
}

TEST_F(VerbsTest, RunWritesOutputsAndTrace) {
  const ToolRun run = RunTool("run ds-cnn-untrained --random 3 --outputs " + Path("y.npy") +
                              " --trace " + Path("trace"));
  ASSERT_EQ(run.status, 0) << run.text;
  const auto outputs = ReadNpy(Path("y.npy"));
  ASSERT_TRUE(outputs.ok());
  EXPECT_EQ(outputs->shape, (std::vector<int64_t>{3, 12}));
  EXPECT_TRUE(fs::exists(Path("trace/0002/pool.npy")));
}

TEST_F(VerbsTest, RunByTheReferenceGivesTheSame) {
  const std::string run = "run ds-cnn-untrained --random 12 --seed 3 ";
  ASSERT_EQ(RunTool(run + "--outputs " + Path("a.npy") + " --json " + Path("a.json")).status, 0);
  const ToolRun reference =
      RunTool(run + "--reference --outputs " + Path("b.npy") + " --json " + Path("b.json"));
  ASSERT_EQ(reference.status, 0) << reference.text;
  EXPECT_THAT(reference.text, HasSubstr("reference executor"));
  EXPECT_EQ(*ReadFile(Path("a.npy")), *ReadFile(Path("b.npy")));
  EXPECT_EQ(Json("a.json"), Json("b.json"));
}

TEST_F(VerbsTest, VerifyWithoutRtlPassesAndWritesJson) {
  const ToolRun run =
      RunTool("verify ds-cnn-untrained --no-rtl --random 6 --json " + Path("v.json"));
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("untrained: pseudo-random weights"));
  EXPECT_THAT(run.text, HasSubstr("SOFTMAX runs on the host"));
  EXPECT_THAT(run.text, HasSubstr("PASS"));
  const nlohmann::json json = Json("v.json");
  EXPECT_EQ(json["format"], "macloom.verify");
  EXPECT_EQ(json["passed"], true);
  EXPECT_EQ(json["samples"], 6);
  EXPECT_EQ(json["layers"].size(), 11u);
  EXPECT_EQ(json["total"]["macs"], 2656768);
  for (const auto& layer : json["layers"]) EXPECT_GT(layer["compared_elements"], 0) << layer;
}

TEST_F(VerbsTest, EstimatePredictsCyclesPerLayer) {
  const ToolRun run = RunTool("estimate ds-cnn-untrained --json " + Path("e.json"));
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("untrained: pseudo-random weights"));
  EXPECT_THAT(run.text, HasSubstr("predicted by the cycle model, no RTL simulated"));
  const nlohmann::json json = Json("e.json");
  EXPECT_EQ(json["format"], "macloom.estimate");
  EXPECT_EQ(json["layers"].size(), 11u);
  int64_t layers = 0;
  for (const auto& layer : json["layers"]) layers += layer["counters"]["total_cycles"].get<int>();
  const int64_t total = json["total"]["total_cycles"];
  EXPECT_LT(layers, total);
  EXPECT_GT(layers, total * 9 / 10);
  ASSERT_EQ(RunTool("estimate ds-cnn-untrained --preset m8l16 --json " + Path("f.json")).status, 0);
  EXPECT_LT(Json("f.json")["total"]["total_cycles"], total * 6 / 10);
  ASSERT_EQ(
      RunTool("estimate ds-cnn-untrained --set bus.outstanding_bursts=1 --latency 100 --json " +
              Path("g.json"))
          .status,
      0);
  EXPECT_GT(Json("g.json")["total"]["total_cycles"], total);
}

TEST_F(VerbsTest, CompileWritesAJob) {
  ASSERT_EQ(RunTool("compile ds-cnn-untrained --preset m8l16 -o " + Path("job")).status, 0);
  for (const char* file : {"manifest.json", "memory.bin", "memory.hex", "hardware.toml",
                           "descriptors.txt", "network.safetensors"}) {
    EXPECT_TRUE(fs::exists(Path("job") + "/" + file)) << file;
  }
  EXPECT_EQ(Json("job/manifest.json")["configuration"], "m8l16");
  EXPECT_EQ(RunTool("compile ds-cnn-untrained -o " + Path("job")).status, 0)
      << "a folder of our own is replaced";
}

TEST_F(VerbsTest, ReplayChecksTheExpectedTensors) {
  ASSERT_EQ(RunTool("compile ds-cnn-untrained --random 2 -o " + Path("job")).status, 0);
  const std::string replay = "replay --device descriptor " + Path("job");
  EXPECT_EQ(RunTool(replay).status, 0);
  const fs::path expected = fs::path(Path("job")) / "expected" / "011_dense.npy";
  auto array = ReadNpy(expected);
  ASSERT_TRUE(array.ok());
  array->bytes[0] ^= 1;
  ASSERT_TRUE(WriteNpy(expected, *array).ok());
  const ToolRun run = RunTool(replay);
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, HasSubstr("first mismatch: sample 0: layer `dense`"));
  ASSERT_EQ(RunTool("compile ds-cnn-untrained -o " + Path("job")).status, 0);
  EXPECT_EQ(RunTool(replay).status, 2) << "no inputs";
}

TEST_F(VerbsTest, CampaignRunsAndNamesMissingBins) {
  const std::string campaign = "campaign --presets --networks 4 --json " + Path("campaign.json");
  const ToolRun run = RunTool(campaign + " --require-coverage");
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, HasSubstr("golden = descriptor device = RTL: PASS"));
  EXPECT_THAT(run.text, HasSubstr("\n  missing: "));
  const auto json = Json("campaign.json");
  EXPECT_EQ(json["executed"], 4);
  EXPECT_EQ(json["mismatches"], 0);
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(json["configurations"].size(), 2u);
  EXPECT_LT(json["coverage"]["hit"], json["coverage"]["required"]);
  EXPECT_EQ(RunTool(campaign).status, 0) << "bins are required only on demand";
}

TEST_F(VerbsTest, GenerateIsReproducible) {
  ASSERT_EQ(RunTool("generate -o " + Path("a")).status, 0);
  ASSERT_EQ(RunTool("generate -o " + Path("b")).status, 0);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(Path("a"))) {
    ++files;
    EXPECT_EQ(*ReadTextFile(entry.path()),
              *ReadTextFile(fs::path(Path("b")) / entry.path().filename()));
  }
  EXPECT_GT(files, 30);
}

TEST_F(VerbsTest, PresetsAreListedAndReadBack) {
  EXPECT_THAT(RunTool("preset list").text, HasSubstr("m8l16"));
  ASSERT_EQ(RunTool("preset show m8l16 > " + Path("hw.toml")).status, 0);
  EXPECT_EQ(RunTool("verify --no-rtl --random 1 --config " + Path("hw.toml")).status, 0);
}

TEST_F(VerbsTest, CostClaimCountsAndPlots) {
  const ToolRun run = RunTool("cost claim --levels mac --formats e4m3/fp16 --json " +
                              Path("claim.json") + " --svg " + Path("claim.svg"));
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("mac: area against int8/24 by accumulator: FP16"));
  const nlohmann::json json = Json("claim.json");
  EXPECT_EQ(json["units"].size(), 3u);
  const nlohmann::json& line = json["claim"][0];
  EXPECT_EQ(line["below"].get<int>() + line["within"].get<int>() + line["above"].get<int>(), 1);
  EXPECT_THAT(*ReadTextFile(Path("claim.svg")), HasSubstr("mac e4m3/fp16, gates: "));
}

}  // namespace
}  // namespace macloom
