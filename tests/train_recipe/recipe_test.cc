// Recipes: strict reading, one message per mistake; topologies against the published shapes.
#include "train/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace macloom::train {
namespace {

using ::testing::HasSubstr;

void ExpectRefused(const std::string& text, const std::string& message) {
  const Result<Recipe> recipe = ParseRecipe(text, "r.toml");
  ASSERT_FALSE(recipe.ok()) << text;
  EXPECT_EQ(recipe.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(recipe.error().message, HasSubstr("r.toml"));
  EXPECT_THAT(recipe.error().message, HasSubstr(message));
}

TEST(RecipeTest, EveryKeyArrives) {
  const Result<Recipe> recipe = ParseRecipe(R"(
name = "n"
seed = 7
[data]
kind = "fsdd"
path = "p"
extra = "e"
rotation = 3
left_out_speaker = "theo"
validation = true
copies = 2
[network]
kind = "tcn"
width = 16
depth = 3
[float]
epochs = 5
batch = 32
optimizer = "sgd"
learning_rate = 0.5
weight_decay = 0.25
label_smoothing = 0.1
[qat]
epochs = 6
weight_bits = 4
activation_bits = 5
input_bits = 6
output_bits = 7
scales = "learned"
relu_codes = "offset"
equalize = true
cosine_weight = 2
accumulator_bits = 14
overflow_penalty = 3.5
weight_bound = "a2q+"
bound_penalty = 0.5
scale_learning_rate = 0.125
)",
                                            "r.toml");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message;
  EXPECT_EQ(recipe->name, "n");
  EXPECT_EQ(recipe->seed, 7u);
  EXPECT_EQ(recipe->data_kind, DataKind::kFsdd);
  EXPECT_EQ(recipe->data_path, "p");
  EXPECT_EQ(recipe->extra_path, "e");
  EXPECT_EQ(recipe->rotation, 3);
  EXPECT_EQ(recipe->left_out_speaker, "theo");
  EXPECT_TRUE(recipe->is_validation);
  EXPECT_EQ(recipe->copies, 2);
  EXPECT_EQ(recipe->network, (NetworkShape{NetworkKind::kTcn, 16, 3}));
  EXPECT_EQ(recipe->float_phase, (Phase{5, 32, OptimizerKind::kSgd, 0.5, 0.25, 0.1}));
  EXPECT_EQ(recipe->qat.phase.epochs, 6);
  EXPECT_EQ(recipe->qat.weight_bits, 4);
  EXPECT_EQ(recipe->qat.activation_bits, 5);
  EXPECT_EQ(recipe->qat.input_bits, 6);
  EXPECT_EQ(recipe->qat.output_bits, 7);
  EXPECT_EQ(recipe->qat.scales, ScaleChoice::kLearned);
  EXPECT_EQ(recipe->qat.relu_codes, ReluCodes::kOffset);
  EXPECT_EQ(recipe->qat.cosine_weight, 2);
  EXPECT_EQ(recipe->qat.accumulator_bits, 14);
  EXPECT_EQ(recipe->qat.overflow_penalty, 3.5);
  EXPECT_EQ(recipe->qat.bound, WeightBound::kA2qPlus);
  EXPECT_EQ(recipe->qat.bound_penalty, 0.5);
  EXPECT_EQ(recipe->qat.scale_learning_rate, 0.125);
}

TEST(RecipeTest, MistakesAreNamed) {
  ExpectRefused("colour = 1", "unknown key colour");
  ExpectRefused("[qat]\nbits = 8", "unknown key qat.bits; known: name");
  ExpectRefused("[qat]\nweight_bits = 1", "qat.weight_bits = 1: accepted: integers from 2 to 8");
  ExpectRefused("[qat]\nweight_bits = 9", "qat.weight_bits = 9");
  ExpectRefused("[qat]\nactivation_bits = 2.5", "qat.activation_bits = 2.5");
  ExpectRefused("[float]\nlearning_rate = nan", "float.learning_rate = nan");
  ExpectRefused("[float]\nlearning_rate = 0", "float.learning_rate = 0");
  ExpectRefused("[float]\noptimizer = \"lion\"", "optimizer = 'lion': accepted: adam, sgd");
  ExpectRefused("[network]\nkind = 3", "ds-cnn, cnn, tcn");
  ExpectRefused("[qat]\nsquashed_weights = 1", "accepted: true, false");
  ExpectRefused("name = 3", "accepted: a string");
  ExpectRefused("name = \"a/b\"", "a file name without folder");
  ExpectRefused("seed = -1", "integers from 0");
  ExpectRefused("[data]\nrotation = 5", "data.rotation = 5: accepted: integers from 0 to 4");
  ExpectRefused("[data]\nkind = \"arabic\"\nspeaker_groups = 2",
                "data.speaker_groups = 2: accepted: 0");
  ExpectRefused("[data]\nkind = \"fsdd\"\nspeaker_groups = 5",
                "data.speaker_groups = 5: accepted: 0");
  ExpectRefused("[qat]\nrelu_codes = \"unsigned\"", "accepted: signed, offset");
  ExpectRefused("[qat]\nrelu_codes = \"offset\"\nscales = \"network\"", "has no zero points");
  ExpectRefused("a = ", "r.toml:1");
  ExpectRefused("[qat]\nsquashed_weights = true\nweight_bound = \"a2q\"\naccumulator_bits = 16",
                "both re-parametrize the weights");
  ExpectRefused("[qat]\nweight_bound = \"a2q\"", "needs qat.accumulator_bits");
  ExpectRefused("[qat]\naccumulator_bits = 5", "0 (as wide as needed) or 8 to 32");
  ExpectRefused("[qat]\noverflow_penalty = 1", "qat.overflow_penalty needs");
}

TEST(RecipeTest, ShippedRecipesAreReadable) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(MACLOOM_SOURCE_DIR "/models/recipes")) {
    const Result<Recipe> recipe = LoadRecipe(entry.path());
    EXPECT_TRUE(recipe.ok()) << (recipe.ok() ? "" : recipe.error().message);
    ++count;
  }
  EXPECT_GE(count, 3);
}

TEST(TopologyTest, DsCnnIsTheMlperfShape) {
  const Result<Topology> topology = MakeTopology({NetworkKind::kDsCnn, 64, 4}, 49, 10, 12);
  ASSERT_TRUE(topology.ok());
  ASSERT_EQ(topology->layers.size(), 11u);
  const Layer& first = topology->layers[0];
  EXPECT_EQ(first.window, (ir::Window{10, 4, 2, 2, 4, 5, 1, 1}));
  EXPECT_EQ(first.output, (ir::Shape{25, 5, 64}));
  EXPECT_EQ(topology->layers[1].kind, LayerKind::kDepthwise);
  EXPECT_EQ(topology->layers[1].window, (ir::Window{3, 3, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(topology->layers[9].pool_shift(), 7);
  EXPECT_EQ(topology->layers[10].output, (ir::Shape{1, 1, 12}));
}

TEST(TopologyTest, TcnDilatesOverTime) {
  const Result<Topology> topology = MakeTopology({NetworkKind::kTcn, 32, 4}, 49, 10, 10);
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(topology->input, (ir::Shape{49, 1, 10}));
  EXPECT_EQ(topology->layers[3].window.dilation_h, 8);
  EXPECT_EQ(topology->layers[3].window.pad_top, 8);
  EXPECT_EQ(topology->layers[3].output, (ir::Shape{49, 1, 32}));
}

TEST(TopologyTest, WhatCannotBeBuiltIsRefused) {
  EXPECT_THAT(MakeTopology({}, 49, 10, 1).error().message, HasSubstr("at least 2"));
  EXPECT_THAT(MakeTopology({}, 3, 10, 2).error().message, HasSubstr("3 frames"));
  EXPECT_THAT(MakeTopology({NetworkKind::kTcn, 8, 7}, 49, 10, 2).error().message,
              HasSubstr("network.depth = 7"));
}

}  // namespace
}  // namespace macloom::train
