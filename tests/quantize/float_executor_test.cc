#include "quantize/float_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/fold.h"
#include "tests/support/float_networks.h"

namespace macloom::quantize {
namespace {

using ::testing::ElementsAre;
using testing::FloatNetworkBuilder;
using ::testing::HasSubstr;
using enum ir::OperatorKind;

FloatValues Output(const ir::FloatGraph& graph, const FloatValues& input) {
  const Status status = ir::Verify(graph);
  EXPECT_TRUE(status.ok()) << status.error().message;
  const auto trace = RunFloat(graph, input);
  EXPECT_TRUE(trace.ok()) << trace.error().message;
  return trace->tensors[static_cast<size_t>(graph.output)];
}

// All values are small dyadic fractions: every sum below is exact in float32.
TEST(FloatExecutorTest, ConvolutionByHand) {
  FloatNetworkBuilder builder({2, 2, 2});
  // Channel 0 adds the left column's first channel; channel 1 takes the lower right second channel.
  const auto weights = builder.Constant({2, 2, 2, 2}, {1, 0, 0, 0, 1, 0, 0, 0,  //
                                                       0, 0, 0, 0, 0, 0, 0, 2});
  const auto bias = builder.Constant({2}, {0.5f, -1});
  ir::FloatNode& node = builder.Append(kConv2d, {2, 2, 2});
  node.weights = weights;
  node.bias = bias;
  node.window = {.kernel_h = 2, .kernel_w = 2, .pad_bottom = 1, .pad_right = 1};
  node.clamp_min = 0;
  node.clamp_max = 9;
  EXPECT_THAT(Output(builder.graph(), {1, 2, 3, 4, 5, 6, 7, -8}),
              ElementsAre(6.5f, 0, 9, 0, 5.5f, 0, 7.5f, 0));
}

TEST(FloatExecutorTest, DepthwiseWithMultiplierStrideAndDilationByHand) {
  FloatNetworkBuilder builder({3, 3, 1});
  const auto weights = builder.Constant({2, 2, 2}, {1, 10, 2, 20, 3, 30, 4, 40});
  ir::FloatNode& node = builder.Append(kDepthwiseConv2d, {1, 1, 2});
  node.weights = weights;
  node.depth_multiplier = 2;
  node.window = {.kernel_h = 2, .kernel_w = 2, .dilation_h = 2, .dilation_w = 2};
  EXPECT_THAT(Output(builder.graph(), {1, 0, 2, 0, 0, 0, 3, 0, 4}),
              ElementsAre(1 * 1 + 2 * 2 + 3 * 3 + 4 * 4, 300));
}

TEST(FloatExecutorTest, PoolsLeaveThePaddingOut) {
  for (const bool is_mean : {true, false}) {
    FloatNetworkBuilder builder({2, 2, 1});
    ir::FloatNode& node = builder.Append(is_mean ? kAveragePool2d : kMaxPool2d, {2, 2, 1});
    node.window = {.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_left = 1};
    const FloatValues output = Output(builder.graph(), {-4, -2, -8, -2});
    if (is_mean) {
      EXPECT_THAT(output, ElementsAre(-4, -3, -6, -4));
    } else {
      EXPECT_THAT(output, ElementsAre(-4, -2, -4, -2));
    }
  }
}

TEST(FloatExecutorTest, MovesAndAddByHand) {
  FloatNetworkBuilder builder({1, 2, 2});
  builder.Append(kPad, {2, 3, 2}).window = {.pad_top = 1, .pad_left = 1};
  EXPECT_THAT(Output(builder.graph(), {1, 2, 3, 4}),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4));
  builder.Append(kConcatenation, {2, 3, 4}, {1, 1}).axis = 2;
  EXPECT_THAT(Output(builder.graph(), {1, 2, 3, 4}),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 3, 4, 3, 4));
  builder.Append(kAdd, {2, 3, 4}, {2, 2}).clamp_max = 5;
  builder.Append(kReshape, {24});
  const FloatValues output = Output(builder.graph(), {1, 2, 3, 4});
  EXPECT_THAT(FloatValues(output.end() - 8, output.end()), ElementsAre(2, 4, 2, 4, 5, 5, 5, 5));
}

TEST(FloatExecutorTest, FullyConnectedWithBatchNormalizationByHand) {
  FloatNetworkBuilder builder({2, 1, 1});
  const auto weights = builder.Constant({2, 2}, {1, 2, 3, 4});
  ir::FloatNode& node = builder.Append(kFullyConnected, {2});
  node.weights = weights;
  // variance + epsilon = 4 and 1/4: the roots are 2 and 1/2.
  node.batch_norm.gamma = builder.Constant({2}, {1, 2});
  node.batch_norm.beta = builder.Constant({2}, {0, -3});
  node.batch_norm.mean = builder.Constant({2}, {1, 0});
  node.batch_norm.variance = builder.Constant({2}, {3.75f, 0});
  node.batch_norm.epsilon = 0.25;
  EXPECT_THAT(Output(builder.graph(), {1, -1}), ElementsAre((1 * 1 - 2 - 1) / 2.0f, -4 - 3));
}

TEST(FloatExecutorTest, SoftmaxByHand) {
  FloatNetworkBuilder builder({2, 2});
  builder.Append(kSoftmax, {2, 2});
  const FloatValues output = Output(builder.graph(), {1000, 1000, 0, std::log(3.0f)});
  EXPECT_EQ(output[0], 0.5f);
  EXPECT_EQ(output[1], 0.5f);
  EXPECT_FLOAT_EQ(output[2], 0.25f);
  EXPECT_FLOAT_EQ(output[3], 0.75f);
}

TEST(FloatExecutorTest, BadInputsAreRefused) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork();
  EXPECT_THAT(RunFloat(graph, {1, 2}).error().message,
              HasSubstr("input has 2 values; accepted are 96 (`input`, 8x6x2)"));
  FloatValues input(96, 0.0f);
  input[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(RunFloat(graph, input).error().message, HasSubstr("input value 7 is inf"));
}

// The folded network differs by the rounding of its weights to float32: 2^-24 of each product, of
// which the largest layer sums 36 of a magnitude below 16.
TEST(FoldTest, KeepsTheFunctionToFloat32Rounding) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork(7);
  const auto folded = FoldBatchNormalization(graph);
  ASSERT_TRUE(folded.ok());
  ASSERT_TRUE(ir::Verify(*folded).ok());
  for (const ir::FloatNode& node : folded->nodes) EXPECT_FALSE(node.batch_norm.is_present());
  EXPECT_EQ(folded->constants.size(), graph.constants.size() - 4);
  Rng random(3);
  FloatValues input(96);
  for (float& value : input) value = static_cast<float>(random.UniformInt(-64, 64)) / 64;
  const auto a = RunFloat(graph, input), b = RunFloat(*folded, input);
  ASSERT_TRUE(a.ok() && b.ok());
  const FloatValues &x = a->tensors[1], &y = b->tensors[1];
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_LE(std::abs(x[i] - y[i]), 36 * 16 * std::ldexp(1.0, -24)) << i;
    largest = std::max(largest, std::abs(double{x[i]}));
  }
  EXPECT_GT(largest, 0.1);
}

TEST(FoldTest, IsExactWhereEveryStepIs) {
  FloatNetworkBuilder builder({1});
  const auto weights = builder.Constant({2, 1}, {3, 5});
  ir::FloatNode& node = builder.Append(kFullyConnected, {2});
  node.weights = weights;
  node.batch_norm.gamma = builder.Constant({2}, {2, 1});
  node.batch_norm.beta = builder.Constant({2}, {7, 0.5f});
  node.batch_norm.mean = builder.Constant({2}, {1, -4});
  node.batch_norm.variance = builder.Constant({2}, {0, 15});
  node.batch_norm.epsilon = 1;
  const auto folded = FoldBatchNormalization(builder.graph());
  ASSERT_TRUE(folded.ok());
  EXPECT_THAT(folded->constant(folded->nodes[0].weights).values, ElementsAre(6, 1.25f));
  EXPECT_THAT(folded->constant(folded->nodes[0].bias).values, ElementsAre(5, 1.5f));
}

TEST(FoldTest, RefusesValuesBeyondFloat32) {
  ir::FloatGraph graph = testing::SmallFloatNetwork();
  graph.constants[2].values[0] = 3e38f;
  graph.constants[5].values[0] = 0;
  EXPECT_THAT(FoldBatchNormalization(graph).error().message, HasSubstr("node \"node0\""));
}

}  // namespace
}  // namespace macloom::quantize
