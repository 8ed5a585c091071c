// Small networks through the whole training: the exported integer network computes in golden what
// the simulation computed, under every setting; runs repeat and resume; failures are named.
#include "train/qat/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/fast/plan.h"
#include "golden/reference/executor.h"
#include "tests/support/temporary_folder.h"

namespace macloom::train {
namespace {

using ::testing::HasSubstr;

Recipe SmallRecipe(const std::string& qat = "", const std::string& network = "") {
  const std::string text = "name = \"small\"\n[network]\nwidth = 8\ndepth = 1\n" + network +
                           "[float]\nepochs = 4\nbatch = 16\nlearning_rate = 1e-2\n"
                           "[qat]\nepochs = 3\nbatch = 16\nlearning_rate = 1e-3\n" +
                           qat;
  const Result<Recipe> recipe = ParseRecipe(text, "test");
  EXPECT_TRUE(recipe.ok()) << (recipe.ok() ? "" : recipe.error().message);
  return *recipe;
}

const Dataset& SmallData() {
  static const Dataset data = MakeSyntheticDataset(3, 40, 16, 5, 0.5, 1);
  return data;
}

// The width the worst activations need, at least 8: every product takes the code, among those that
// the producing clamp lets through, that moves its sum furthest.
int NeededBits(const ir::Graph& graph, const ir::Node& node) {
  int64_t low = graph.tensor(node.inputs[0]).format.MinCode();
  int64_t high = graph.tensor(node.inputs[0]).format.MaxCode();
  const int64_t zero = graph.tensor(node.inputs[0]).quantization.zero_point();
  for (const ir::Node& producer : graph.nodes) {
    if (producer.output != node.inputs[0]) continue;
    low = producer.requantization.clamp_min;
    high = producer.requantization.clamp_max;
  }
  std::vector<int64_t> above, below;
  if (node.weights < 0) {
    above = {node.window.kernel_h * node.window.kernel_w * high};
    below = {node.window.kernel_h * node.window.kernel_w * low};
  } else {
    above = below = graph.constant(node.bias).codes;
    const std::vector<int64_t>& weights = graph.constant(node.weights).codes;
    const size_t channels = above.size();
    const bool is_channel_last = node.kind == ir::OperatorKind::kDepthwiseConv2d;
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t oc = is_channel_last ? i % channels : i / (weights.size() / channels);
      above[oc] += std::max(weights[i] * (low - zero), weights[i] * (high - zero));
      below[oc] += std::min(weights[i] * (low - zero), weights[i] * (high - zero));
    }
  }
  const int64_t most = *std::max_element(above.begin(), above.end());
  const int64_t least = *std::min_element(below.begin(), below.end());
  int bits = 8;
  while (most > (int64_t{1} << (bits - 1)) - 1 || least < -(int64_t{1} << (bits - 1))) ++bits;
  return bits;
}

class TrainerTest : public ::testing::Test {
 protected:
  TrainOptions Options() const {
    TrainOptions options;
    options.directory = folder_.path();
    options.is_quiet = true;
    return options;
  }
  TrainResult Trained(const Recipe& recipe) {
    Result<TrainResult> result = Train(recipe, SmallData(), Options());
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return *std::move(result);
  }
  void ExpectGoldenEqual(const TrainResult& result) {
    ASSERT_EQ(result.inputs.size(), 30u);
    int different = 0;
    for (size_t n = 0; n < result.inputs.size(); ++n) {
      const auto trace = golden::Run(result.network, result.inputs[n]);
      ASSERT_TRUE(trace.ok()) << trace.error().message;
      const ir::TensorValue& output = trace->tensors[static_cast<size_t>(result.network.output)];
      EXPECT_EQ(output.codes, result.logits[n].codes) << "clip " << n;
      different += output.codes != result.logits[0].codes ? 1 : 0;
    }
    EXPECT_GT(different, 5) << "all logits alike: nothing was compared";
  }

  testing::TemporaryFolder folder_;
};

class SettingTest : public TrainerTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(SettingTest, SimulationEqualsGolden) { ExpectGoldenEqual(Trained(SmallRecipe(GetParam()))); }

INSTANTIATE_TEST_SUITE_P(
    All, SettingTest,
    ::testing::Values("", "weight_bits = 4\n",
                      "weight_bits = 4\nactivation_bits = 4\ninput_bits = 4\n",
                      "weight_bits = 2\nactivation_bits = 3\ninput_bits = 5\n",
                      "squashed_weights = true\ncosine_weight = 1\nweight_bits = 3\n",
                      "scales = \"learned\"\nweight_bits = 4\nactivation_bits = 4\n",
                      "scales = \"network\"\nweight_bits = 5\n", "relu_codes = \"offset\"\n",
                      "relu_codes = \"offset\"\nscales = \"learned\"\nweight_bits = 4\n"
                      "activation_bits = 4\ninput_bits = 4\n",
                      "relu_codes = \"offset\"\nsquashed_weights = true\nactivation_bits = 3\n",
                      "relu_codes = \"offset\"\naccumulator_bits = 16\nweight_bound = \"a2q\"\n",
                      "accumulator_bits = 14\noverflow_penalty = 0.01\nweight_bits = 4\n",
                      "accumulator_bits = 16\nweight_bound = \"a2q\"\n",
                      "accumulator_bits = 16\nweight_bound = \"a2q+\"\nactivation_bits = 6\n"));

TEST_F(TrainerTest, OtherTopologiesToo) {
  ExpectGoldenEqual(Trained(SmallRecipe("", "kind = \"cnn\"\n")));
  std::filesystem::remove(folder_ / "checkpoint.safetensors");
  ExpectGoldenEqual(Trained(SmallRecipe("", "kind = \"tcn\"\n")));
}

TEST_F(TrainerTest, LearnsAndExportsShiftsOnly) {
  const TrainResult result = Trained(SmallRecipe());
  EXPECT_GT(result.curves[3].test_accuracy, 0.8);
  EXPECT_GT(result.curves.back().test_accuracy, 0.8);
  for (const ir::Node& node : result.network.nodes) {
    EXPECT_EQ(node.requantization.kind, ir::RequantizationKind::kShift) << node.name;
    EXPECT_EQ(node.required_accumulator_bits, NeededBits(result.network, node)) << node.name;
  }
  EXPECT_EQ(result.twin.nodes.size(), result.network.nodes.size());
}

TEST_F(TrainerTest, BoundedWeightsKeepTheirAccumulator) {
  for (const char* bound : {"a2q", "a2q+"}) {
    std::filesystem::remove(folder_ / "checkpoint.safetensors");
    const TrainResult result = Trained(
        SmallRecipe(std::string("accumulator_bits = 12\nweight_bound = \"") + bound + "\"\n"));
    for (const ir::Node& node : result.network.nodes) {
      if (node.weights < 0) continue;
      EXPECT_LE(NeededBits(result.network, node), 12) << bound << node.name;
      EXPECT_EQ(node.required_accumulator_bits, NeededBits(result.network, node)) << node.name;
    }
  }
}

TEST_F(TrainerTest, OneFormatHasOneShift) {
  const TrainResult result =
      Trained(SmallRecipe("scales = \"network\"\nweight_bits = 6\nactivation_bits = 7\n"));
  for (const ir::Node& node : result.network.nodes) {
    // The input's scale is the front end's, the pool divides and the logits have their own width.
    if (node.weights < 0 || node.inputs[0] == result.network.input) continue;
    if (node.output == result.network.output) continue;
    EXPECT_EQ(node.requantization.channels[0].shift, 5) << node.name;
  }
}

TEST_F(TrainerTest, RepeatsAndResumes) {
  const Recipe recipe = SmallRecipe("scales = \"learned\"\n");
  const TrainResult whole = Trained(recipe);
  for (const int stop : {2, 4, 6, 9}) {
    testing::TemporaryFolder folder;
    TrainOptions options = Options();
    options.directory = folder.path();
    options.max_epochs = stop;
    const Result<TrainResult> stopped = Train(recipe, SmallData(), options);
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().kind, ErrorKind::kInterrupted);
    options.max_epochs = 0;
    options.is_resumed = true;
    const Result<TrainResult> resumed = Train(recipe, SmallData(), options);
    ASSERT_TRUE(resumed.ok()) << resumed.error().message;
    EXPECT_EQ(ir::Digest(resumed->network), ir::Digest(whole.network)) << "stopped after " << stop;
    EXPECT_EQ(CurvesCsv(resumed->curves), CurvesCsv(whole.curves));
  }
}

TEST_F(TrainerTest, AFloatNetworkTakenFromAnotherRunGivesTheSameResult) {
  Trained(SmallRecipe("weight_bits = 4\n"));
  const Recipe recipe = SmallRecipe("scales = \"learned\"\n");
  testing::TemporaryFolder alone, sharing;
  TrainOptions options = Options();
  options.directory = alone.path();
  const Result<TrainResult> whole = Train(recipe, SmallData(), options);
  ASSERT_TRUE(whole.ok());
  options.directory = sharing.path();
  options.float_from = folder_.path();
  const Result<TrainResult> shared = Train(recipe, SmallData(), options);
  ASSERT_TRUE(shared.ok()) << shared.error().message;
  EXPECT_EQ(ir::Digest(shared->network), ir::Digest(whole->network));
  EXPECT_EQ(CurvesCsv(shared->curves), CurvesCsv(whole->curves));
  EXPECT_EQ(shared->twin_predictions, whole->twin_predictions);

  // A twin of other extra epochs is trained, on the same float network.
  Recipe longer = recipe;
  longer.qat.phase.epochs = 5;
  const Result<TrainResult> more = Train(longer, SmallData(), options);
  ASSERT_TRUE(more.ok()) << more.error().message;
  EXPECT_EQ(more->float_predictions, whole->float_predictions);
  EXPECT_EQ(more->curves.size(), 4u + 5u + 5u);
}

TEST_F(TrainerTest, AnotherFloatNetworkIsRefused) {
  TrainOptions options = Options();
  options.max_epochs = 2;
  EXPECT_FALSE(Train(SmallRecipe(), SmallData(), options).ok());
  testing::TemporaryFolder sharing;
  options.max_epochs = 0;
  options.float_from = folder_.path();
  options.directory = sharing.path();
  const auto message = [&](const Recipe& recipe, const Dataset& data) {
    const Result<TrainResult> result = Train(recipe, data, options);
    EXPECT_FALSE(result.ok());
    return result.ok() ? "" : result.error().message;
  };
  EXPECT_THAT(message(SmallRecipe(), SmallData()), HasSubstr("is not finished"));
  Recipe other = SmallRecipe();
  other.seed = 2;
  EXPECT_THAT(message(other, SmallData()), HasSubstr("its float network is not this recipe's"));
  other = SmallRecipe();
  other.float_phase.learning_rate = 2e-2;
  EXPECT_THAT(message(other, SmallData()), HasSubstr("its float network is not this recipe's"));
  Dataset data = SmallData();
  std::swap(data.train.labels.front(), data.train.labels.back());
  EXPECT_THAT(message(SmallRecipe(), data), HasSubstr("its float network is not this recipe's"));
  options.float_from = sharing / "nowhere";
  EXPECT_THAT(message(SmallRecipe(), SmallData()), HasSubstr("nowhere/checkpoint.safetensors"));
}

TEST_F(TrainerTest, AnotherSeedIsAnotherNetwork) {
  Recipe recipe = SmallRecipe();
  const std::string first = ir::Digest(Trained(recipe).network);
  recipe.seed = 2;
  EXPECT_NE(ir::Digest(Trained(recipe).network), first);
}

TEST_F(TrainerTest, LossThatIsNotFiniteNamesTheLastGoodCheckpoint) {
  Recipe recipe = SmallRecipe();
  recipe.float_phase.optimizer = OptimizerKind::kSgd;
  recipe.float_phase.learning_rate = 1e30;
  const Result<TrainResult> at_once = Train(recipe, SmallData(), Options());
  ASSERT_FALSE(at_once.ok());
  EXPECT_EQ(at_once.error().kind, ErrorKind::kCheckFailed);
  EXPECT_THAT(at_once.error().message, HasSubstr("phase float, epoch 1"));
  EXPECT_THAT(at_once.error().message, HasSubstr("no checkpoint"));

  recipe = SmallRecipe();
  recipe.qat.phase.optimizer = OptimizerKind::kSgd;
  recipe.qat.phase.learning_rate = 1e30;
  const Result<TrainResult> later = Train(recipe, SmallData(), Options());
  ASSERT_FALSE(later.ok());
  EXPECT_THAT(later.error().message,
              HasSubstr("last good checkpoint: " + (folder_ / "checkpoint.safetensors").string()));
}

TEST_F(TrainerTest, AForeignCheckpointIsRefused) {
  Trained(SmallRecipe());
  TrainOptions options = Options();
  options.is_resumed = true;
  const Result<TrainResult> other = Train(SmallRecipe("weight_bits = 4\n"), SmallData(), options);
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message, HasSubstr("another recipe or other data"));
}

TEST_F(TrainerTest, AnEmptyClassIsNamed) {
  Dataset data = SmallData();
  data.class_labels.push_back("ghost");
  const Result<TrainResult> result = Train(SmallRecipe(), data, Options());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(result.error().message, HasSubstr("class ghost has no clip in the training set"));
}

}  // namespace
}  // namespace macloom::train
