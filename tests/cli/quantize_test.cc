// The verb quantize: a float network to integer networks that run and verify through RTL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/npy.h"
#include "base/rng.h"
#include "ir/float_network_file.h"
#include "ir/network_file.h"
#include "tests/cli/tool.h"
#include "tests/support/data_pack.h"
#include "tests/support/float_networks.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;
using testing::RunTool;
using testing::ToolRun;

class QuantizeVerbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ir::SaveFloatNetwork(testing::SmallFloatNetwork(), Path("f.safetensors")).ok());
    NpyArray inputs{"<f4", {6, 8, 6, 2}, std::vector<uint8_t>(6 * 96 * sizeof(float))};
    Rng random(2);
    for (size_t i = 0; i < 6 * 96; ++i) {
      const float value = static_cast<float>(random.UniformInt(-100, 100)) / 64;
      std::memcpy(inputs.bytes.data() + i * sizeof value, &value, sizeof value);
    }
    ASSERT_TRUE(WriteNpy(Path("x.npy"), inputs).ok());
    ASSERT_TRUE(WriteNpy(Path("y.npy"), FromInt32({6}, std::vector<int32_t>(6, 0))).ok());
  }
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string Quantize(const std::string& options) const {
    return "quantize " + Path("f.safetensors") + " --calibrate " + Path("x.npy") + " " + options;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(QuantizeVerbTest, BothKindsOfScalesVerifyThroughRtl) {
  const std::string cases[] = {"--weights 8 --activations 8",
                               "--weights 4 --activations 4 --per-channel --ranges mse",
                               "--weights 4 --activations 8 --scales affine --per-channel",
                               "--weights 6 --activations 5 --scales affine --correct-bias"};
  for (const std::string& options : cases) {
    const ToolRun made =
        RunTool(Quantize(options + " --evaluate " + Path("x.npy") + " --labels " + Path("y.npy") +
                         " --save-inputs " + Path("codes.npy") + " --json " + Path("q.json") +
                         " -o " + Path("q.safetensors")));
    ASSERT_EQ(made.status, 0) << made.text;
    EXPECT_THAT(made.text, HasSubstr("SOFTMAX \"node8\" taken off"));
    const auto json = nlohmann::json::parse(*ReadTextFile(Path("q.json")));
    EXPECT_EQ(json["layers"].size(), 8u);
    const ToolRun verified =
        RunTool("verify " + Path("q.safetensors") + " --inputs " + Path("codes.npy"));
    EXPECT_EQ(verified.status, 0) << options << "\n" << verified.text;
    EXPECT_THAT(verified.text, HasSubstr("golden = descriptor device = RTL: PASS"));
    // The accuracy that run finds on the saved codes is the one quantize printed.
    const ToolRun run = RunTool("run " + Path("q.safetensors") + " --inputs " + Path("codes.npy") +
                                " --labels " + Path("y.npy") + " --json " + Path("r.json"));
    ASSERT_EQ(run.status, 0) << run.text;
    EXPECT_EQ(nlohmann::json::parse(*ReadTextFile(Path("r.json")))["correct"], json["correct"]);
  }
}

TEST_F(QuantizeVerbTest, MinifloatsRunUnderEveryAccumulator) {
  const std::string cases[][2] = {{"e4m3", "exact"},
                                  {"e5m2 --activation-format e4m3 --per-channel", "fp16,step4"},
                                  {"e2m1 --ranges mse", "fixed24,saturate,drop2"},
                                  {"e3m4 --output-format e3m4 --equalize", "fp32"}};
  for (const auto& [format, accumulator] : cases) {
    const ToolRun made = RunTool(
        Quantize("--format " + format + " --accumulator " + accumulator + " --evaluate " +
                 Path("x.npy") + " --labels " + Path("y.npy") + " --save-inputs " +
                 Path("codes.npy") + " --json " + Path("q.json") + " -o " + Path("q.safetensors")));
    ASSERT_EQ(made.status, 0) << made.text;
    EXPECT_THAT(made.text, HasSubstr(format.substr(0, 4) + " weights"));
    const auto json = nlohmann::json::parse(*ReadTextFile(Path("q.json")));
    EXPECT_EQ(json["layers"].size(), 8u);
    EXPECT_EQ(json["weight_format"], format.substr(0, 4));
    // run on the saved codes, by either executor, finds the same classes and overflows.
    for (const std::string executor : {"", " --reference"}) {
      const ToolRun run = RunTool(
          "run " + Path("q.safetensors") + " --inputs " + Path("codes.npy") + " --labels " +
          Path("y.npy") + " --accumulator " + accumulator + " --json " + Path("r.json") + executor);
      ASSERT_EQ(run.status, 0) << run.text;
      EXPECT_EQ(nlohmann::json::parse(*ReadTextFile(Path("r.json")))["correct"], json["correct"]);
    }
    const ToolRun again = RunTool("quantize " + Path("q.safetensors") + " --calibrate " +
                                  Path("codes.npy") + " -o " + Path("again.safetensors"));
    EXPECT_EQ(again.status, 2) << again.text;
    EXPECT_THAT(again.text, HasSubstr("supported are integer networks"));
    EXPECT_FALSE(std::filesystem::exists(Path("again.safetensors")));
  }
}

// The order of the preset matters to float registers only; integers are counted, too.
TEST_F(QuantizeVerbTest, EvaluatesInTheOrderOfAPreset) {
  const ToolRun exact = RunTool(Quantize("--format e4m3 --preset m4l16 --evaluate " +
                                         Path("x.npy") + " --json " + Path("e.json")));
  ASSERT_EQ(exact.status, 0) << exact.text;
  const ToolRun half =
      RunTool(Quantize("--format e4m3 --accumulator fp16 --preset m4l16 --evaluate " +
                       Path("x.npy") + " --json " + Path("h.json")));
  ASSERT_EQ(half.status, 0) << half.text;
  EXPECT_THAT(half.text, HasSubstr("accumulators: fp16, order of m4l16"));
  const auto layer = [&](const char* file) {
    return nlohmann::json::parse(*ReadTextFile(Path(file)))["layers"][0];
  };
  EXPECT_EQ(layer("e.json")["wrong_outputs"], 0);
  EXPECT_GT(layer("h.json")["wrong_outputs"], 0);
  const ToolRun narrow = RunTool(Quantize("--accumulator int12,wrap --preset m4l16 --evaluate " +
                                          Path("x.npy") + " --json " + Path("n.json")));
  ASSERT_EQ(narrow.status, 0) << narrow.text;
  EXPECT_GT(layer("n.json")["overflow_events"], 0);
}

TEST_F(QuantizeVerbTest, AKeywordNetworkOfShiftsRunsOnLanesThatOnlyShift) {
  MACLOOM_DATA_PACK(model, "mlperf-tiny-models/kws_ref_model.tflite");
  MACLOOM_DATA_PACK(clips, "speech-commands-v2-test-sample");
  const std::string inputs = (clips / "mfcc_int8.tar").string();
  const ToolRun made = RunTool("quantize " + model.string() + " --calibrate " + inputs +
                               " --calibration-samples 8 -o " + Path("kws.safetensors"));
  ASSERT_EQ(made.status, 0) << made.text;
  EXPECT_THAT(made.text, HasSubstr("divides its 125 values by 128"));
  const ToolRun verified =
      RunTool("verify " + Path("kws.safetensors") + " --random 1 --set requant.kind=shift");
  EXPECT_EQ(verified.status, 0) << verified.text;
  EXPECT_THAT(verified.text, HasSubstr("golden = descriptor device = RTL: PASS"));
}

TEST_F(QuantizeVerbTest, AKeywordNetworkOfMinifloatsFitsTheAccelerator) {
  MACLOOM_DATA_PACK(model, "mlperf-tiny-models/kws_ref_model.tflite");
  MACLOOM_DATA_PACK(clips, "speech-commands-v2-test-sample/mfcc_int8.tar");
  const std::string common = "quantize " + model.string() + " --calibrate " + clips.string() +
                             " --calibration-samples 8 --per-channel --format e4m3 -o ";
  const auto verify = [&](const std::string& name) {
    return RunTool("verify " + Path(name) +
                   " --no-rtl --random 1 --set mac.format=e4m3 --set acc.width_bits=46");
  };
  ASSERT_EQ(RunTool(common + Path("fits.safetensors") + " --accelerator").status, 0);
  const ToolRun verified = verify("fits.safetensors");
  EXPECT_EQ(verified.status, 0) << verified.text;
  EXPECT_THAT(verified.text, HasSubstr("golden = descriptor device: PASS"));
  ASSERT_EQ(RunTool(common + Path("exact.safetensors")).status, 0);
  const ToolRun refused = verify("exact.safetensors");
  EXPECT_EQ(refused.status, 2) << refused.text;
  EXPECT_THAT(refused.text, HasSubstr("the lanes take e4m3 (mac.format)"));
}

TEST_F(QuantizeVerbTest, InspectShowsAFloatNetwork) {
  const ToolRun run = RunTool("inspect " + Path("f.safetensors") + " --json " + Path("i.json"));
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("float network small"));
  EXPECT_THAT(run.text, HasSubstr("node1"));
  EXPECT_EQ(nlohmann::json::parse(*ReadTextFile(Path("i.json")))["layers"].size(), 9u);
  EXPECT_THAT(RunTool("inspect --text " + Path("f.safetensors")).text, HasSubstr("batch_norm="));
}

TEST_F(QuantizeVerbTest, BadInput) {
  const auto expect_fails = [&](const std::string& arguments, const std::string& message) {
    const ToolRun run = RunTool(arguments);
    EXPECT_EQ(run.status, 2) << arguments << "\n" << run.text;
    EXPECT_THAT(run.text, HasSubstr(message)) << arguments;
    EXPECT_FALSE(std::filesystem::exists(Path("out.safetensors")));
  };
  const std::string out = " -o " + Path("out.safetensors");
  expect_fails("run " + Path("f.safetensors") + " --random 1", "a float network; accepted here");
  expect_fails("quantize " + Path("f.safetensors") + out, "--calibrate is required");
  expect_fails(Quantize("--weights 9" + out), "--weights");
  expect_fails(Quantize("--scales fine" + out), "--scales");
  expect_fails(Quantize("--format e9m9" + out), "e9m9");
  expect_fails(Quantize("--format e5m10" + out), "format e5m10 is not supported as an operand");
  expect_fails(Quantize("--format e4m3 --activation-format e8m7" + out),
               "format e8m7 is not supported as an operand");
  expect_fails(Quantize("--format e4m3 --weights 4" + out),
               "--weights: not accepted with --format e4m3");
  expect_fails(Quantize("--format e4m3 --correct-bias" + out),
               "--correct-bias: not accepted with --format e4m3");
  expect_fails(Quantize("--accelerator" + out), "--accelerator: not accepted with --format int");
  expect_fails(Quantize("--format e4m3 --accelerator --output-format e4m3" + out), "--accelerator");
  expect_fails(Quantize("--activation-format e4m3" + out),
               "--activation-format: not accepted with --format int");
  expect_fails(Quantize("--format e4m3 --accumulator int24" + out),
               "accepted are exact, fixed point and float");
  expect_fails(Quantize("--accumulator fp17" + out + " --evaluate " + Path("x.npy")), "fp17");
  expect_fails(Quantize("--preset m4l16" + out), "--preset");
  expect_fails(Quantize("--preset m4l17" + out + " --evaluate " + Path("x.npy")), "m4l17");
  expect_fails(Quantize("--percentile 10" + out), "percentile is 10");
  expect_fails(Quantize("--accumulator-bits 8" + out), "accumulator needs");
  expect_fails(Quantize("--labels " + Path("y.npy") + out), "--labels");
  expect_fails("quantize " + Path("f.safetensors") + " --calibrate " + Path("y.npy") + out,
               "accepted is a .npy array of float32 or float64");
  NpyArray wrong{"<f4", {1, 5}, std::vector<uint8_t>(20)};
  ASSERT_TRUE(WriteNpy(Path("w.npy"), wrong).ok());
  expect_fails("quantize " + Path("f.safetensors") + " --calibrate " + Path("w.npy") + out,
               "shape 1x5; expected N x 8x6x2");
  expect_fails("quantize missing --calibrate " + Path("x.npy") + out, "no such file");
}

}  // namespace
}  // namespace macloom
