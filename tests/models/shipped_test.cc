// Shipped networks: the logits that training simulated, golden's and the RTL's are equal.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/npy.h"
#include "flow/clip_inputs.h"
#include "flow/run.h"
#include "flow/verify.h"
#include "networks/model.h"

namespace macloom::flow {
namespace {

const std::filesystem::path kModels = MACLOOM_SOURCE_DIR "/models";

std::vector<int64_t> Codes(const std::filesystem::path& path) {
  const Result<NpyArray> array = ReadNpy(path);
  EXPECT_TRUE(array.ok()) << path;
  return *ToInt64(*array);
}

class ShippedTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    Result<ir::Graph> graph = networks::LoadModel(GetParam(), ir::Rounding::kDouble);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    graph_ = *std::move(graph);
    const Result<std::string> text = ReadTextFile(kModels / GetParam() / "expected.json");
    ASSERT_TRUE(text.ok());
    expected_ = nlohmann::json::parse(*text);
    const bool is_narrow = graph_.tensor(graph_.input).format.bits == 4;
    Result<Samples> samples =
        LoadInputs(kModels / (is_narrow ? "inputs-4bit.npy" : "inputs-8bit.npy"), graph_);
    ASSERT_TRUE(samples.ok()) << samples.error().message;
    samples_ = *std::move(samples);
  }

  ir::Graph graph_;
  nlohmann::json expected_;
  Samples samples_;
};

TEST_P(ShippedTest, IsTheNetworkItsCardNames) {
  EXPECT_EQ(ir::Digest(graph_), expected_.at("network_digest").get<std::string>());
  EXPECT_EQ(graph_.class_labels.size(), 10u);
  EXPECT_FALSE(graph_.is_untrained);
  EXPECT_NE(graph_.licence.find("CC BY-SA 4.0"), std::string::npos);
  for (const ir::Node& node : graph_.nodes) {
    EXPECT_EQ(node.requantization.kind, ir::RequantizationKind::kShift) << node.name;
  }
}

TEST_P(ShippedTest, GoldenEqualsTheSimulationOnEveryTestClip) {
  const std::vector<int64_t> logits = Codes(kModels / GetParam() / "logits.npy");
  const std::vector<int64_t> labels = Codes(kModels / "labels.npy");
  ASSERT_EQ(logits.size(), samples_.inputs.size() * 10);
  ASSERT_EQ(labels.size(), samples_.inputs.size());
  ASSERT_GE(samples_.inputs.size(), 500u);
  const Result<RunResult> result = RunBatch(
      graph_, samples_, std::vector<int>(labels.begin(), labels.end()), false, Executor::kFast);
  ASSERT_TRUE(result.ok()) << result.error().message;
  int mismatches = 0;
  for (size_t n = 0; n < samples_.inputs.size(); ++n) {
    for (size_t c = 0; c < 10; ++c) {
      mismatches += result->outputs[n].codes[c] != logits[n * 10 + c] ? 1 : 0;
    }
  }
  EXPECT_EQ(mismatches, 0);
  EXPECT_EQ(result->num_correct, expected_.at("correct").get<int64_t>());
}

TEST_P(ShippedTest, RtlEqualsTheSimulation) {
  const char* count_text = std::getenv("MACLOOM_SHIPPED_CLIPS");
  const size_t count = count_text != nullptr ? static_cast<size_t>(std::atoi(count_text)) : 4;
  Samples few;
  for (size_t i = 0; i < std::min(count, samples_.inputs.size()); ++i) {
    few.inputs.push_back(samples_.inputs[i * samples_.inputs.size() / count]);
  }
  ASSERT_FALSE(few.inputs.empty());
  const Result<VerifyResult> result = Verify(graph_, *arch::Preset("m4l16"), few, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->mismatches(), 0) << result->first_mismatch;
  EXPECT_EQ(result->host_mismatches, 0);
}

TEST_P(ShippedTest, SoundsGetTheWordsOfTheCard) {
  const Result<Samples> sounds = ShippedSounds(graph_);
  ASSERT_TRUE(sounds.ok()) << sounds.error().message;
  ASSERT_EQ(sounds->names.size(), 10u);
  const Result<RunResult> result = RunBatch(graph_, *sounds, {}, false, Executor::kFast);
  ASSERT_TRUE(result.ok()) << result.error().message;
  for (size_t n = 0; n < sounds->names.size(); ++n) {
    const size_t index = static_cast<size_t>(result->predictions[n]);
    EXPECT_EQ(graph_.class_labels[index],
              expected_.at("sounds").at(sounds->names[n]).get<std::string>())
        << sounds->names[n];
  }
}

INSTANTIATE_TEST_SUITE_P(Digits, ShippedTest,
                         ::testing::Values("digits-w8a8", "digits-w4a8", "digits-w4a4"),
                         [](const auto& info) {
                           std::string name = info.param;
                           name.erase(name.find('-'), 1);
                           return name;
                         });

}  // namespace
}  // namespace macloom::flow
