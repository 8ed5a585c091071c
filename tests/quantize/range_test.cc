#include "quantize/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "quantize/equalize.h"
#include "tests/support/float_networks.h"

namespace macloom::quantize {
namespace {

const RangeOptions kMinMax, kMse = {RangeMethod::kMse};

int Bits(std::vector<float> values, int bits, const RangeOptions& options = kMinMax) {
  return FractionBits(Observe(values), bits, options);
}

TEST(RangeTest, FractionBitsAreTheMostWithoutClipping) {
  EXPECT_EQ(Bits({1.0f}, 8), 6) << "128 is no code, 64 is one";
  EXPECT_EQ(Bits({-1.0f}, 8), 7) << "-128 is a code";
  EXPECT_EQ(Bits({127.0f / 128}, 8), 7);
  EXPECT_EQ(Bits({127.4f / 128}, 8), 7) << "rounds to 127";
  EXPECT_EQ(Bits({127.5f / 128}, 8), 6) << "the tie rounds to 128";
  EXPECT_EQ(Bits({-128.5f / 128}, 8), 7) << "the tie rounds to -128";
  EXPECT_EQ(Bits({1000.0f}, 4), -8);
  EXPECT_EQ(Bits({0.0f}, 4), 3);
}

// The one large value costs less than the step of all others.
TEST(RangeTest, MseClipsAnOutlierAndKeepsEvenValues) {
  std::vector<float> values(800);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 1000 - 0.4f;
  EXPECT_EQ(Bits(values, 4), 4);
  EXPECT_EQ(Bits(values, 4, kMse), 4);
  values.push_back(1.8f);
  EXPECT_EQ(Bits(values, 4), 2);
  // Mean square errors with 2, 3, 4 fraction bits: 0.0052, 0.0024, 0.0026.
  EXPECT_EQ(Bits(values, 4, kMse), 3);
  EXPECT_EQ(Bits(values, 4, {RangeMethod::kPercentile, 99.5}), 4);
}

TEST(RangeTest, MseIsTheLeastOfTheGridsItTries) {
  Rng random(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<float> values(64);
    for (float& value : values) {
      const double unit = static_cast<double>(random.UniformInt(-1000, 1000)) / 1000;
      value = static_cast<float>(unit * unit * unit);
    }
    const int chosen = Bits(values, 3, kMse), widest = Bits(values, 3);
    const auto error = [&](int n) {
      return MeanSquareError({std::ldexp(1.0, -n), 0, -4, 3}, values);
    };
    for (int n = widest; n <= widest + 8; ++n) EXPECT_LE(error(chosen), error(n));
    const Observation observation = Observe(values);
    EXPECT_LE(MeanSquareError(AffineGrid(observation, 3, kMse), values),
              MeanSquareError(AffineGrid(observation, 3, kMinMax), values));
    EXPECT_LE(MeanSquareError(SymmetricGrid(values, 3, kMse), values),
              MeanSquareError(SymmetricGrid(values, 3, kMinMax), values));
  }
}

TEST(RangeTest, AffineGridCoversTheRangeAndHasACodeForZero) {
  Rng random(6);
  for (int round = 0; round < 200; ++round) {
    const int bits = static_cast<int>(random.UniformInt(2, 8));
    const float low = static_cast<float>(random.UniformInt(-1000, 0)) / 128;
    const float high = static_cast<float>(random.UniformInt(1, 1000)) / 128;
    const std::vector<float> values = {low, high};
    const Grid grid = AffineGrid(Observe(values), bits, kMinMax);
    EXPECT_EQ(CodeOf(grid, 0), grid.zero_point);
    for (const float value : values) {
      EXPECT_LE(std::abs(grid.step * (CodeOf(grid, value) - grid.zero_point) - value),
                grid.step * 1.0001);
    }
    EXPECT_LE(grid.low, grid.zero_point);
    EXPECT_GE(grid.high, grid.zero_point);
  }
  // After a ReLU the smallest code is 0, so that all codes serve.
  EXPECT_EQ(AffineGrid(Observe(std::vector<float>{0, 3}), 4, kMinMax).zero_point, -8);
  EXPECT_EQ(AffineGrid(Observe(std::vector<float>{0}), 4, kMinMax).step, 1);
}

TEST(RangeTest, SymmetricGridLeavesTheSmallestCodeOut) {
  const Grid grid = SymmetricGrid(std::vector<float>{-3.5f, 1}, 4, kMinMax);
  EXPECT_EQ(grid.step, 0.5);
  EXPECT_EQ(grid.low, -7);
  EXPECT_EQ(CodeOf(grid, -100), -7);
  EXPECT_EQ(CodeOf(grid, 0.25), 1) << "ties go up";
  EXPECT_EQ(CodeOf(grid, -0.25), 0);
  EXPECT_EQ(SymmetricGrid(std::vector<float>{0, 0}, 4, kMinMax).step, 1);
}

TEST(CalibrationTest, SeesTheExtremesAndAtMostAsManyValuesAsItKeeps) {
  testing::FloatNetworkBuilder builder({1, 100, 64});
  builder.Append(ir::OperatorKind::kReshape, {6400});
  std::vector<FloatValues> inputs(20, FloatValues(6400, 0.5f));
  inputs[13][6399] = 9;
  inputs[4][1] = -3;
  const auto observations = Calibrate(builder.graph(), inputs);
  ASSERT_TRUE(observations.ok());
  EXPECT_EQ((*observations)[0].low, -3);
  EXPECT_EQ((*observations)[1].high, 9);
  EXPECT_LE((*observations)[1].values.size(), static_cast<size_t>(kMaxObservedValues));
  EXPECT_GE((*observations)[1].values.size(), 128000u / 3);
  EXPECT_FALSE(Calibrate(builder.graph(), {}).ok());
  EXPECT_THAT(Calibrate(builder.graph(), {{1}}).error().message,
              ::testing::HasSubstr("calibration sample 0: input has 1 values"));
}

/// Largest |weight| of each channel, at the output or at the input of a node.
std::vector<double> Ranges(const ir::FloatGraph& graph, size_t n, size_t channels, bool is_input) {
  std::vector<double> ranges(channels, 0.0);
  const auto& values = graph.constant(graph.nodes[n].weights).values;
  const bool is_last_axis = is_input || graph.nodes[n].kind == ir::OperatorKind::kDepthwiseConv2d;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = is_last_axis ? i % channels : i / (values.size() / channels);
    ranges[c] = std::max(ranges[c], std::abs(double{values[i]}));
  }
  return ranges;
}

TEST(EqualizeTest, KeepsTheFunctionAndMakesTheRangesEqual) {
  using enum ir::OperatorKind;
  testing::FloatNetworkBuilder builder({5, 4, 3});
  const auto append = [&](ir::OperatorKind kind, ir::Shape weights, int64_t channels, int kernel) {
    const auto w = builder.RandomConstant(weights);
    const auto b = builder.RandomConstant({channels});
    ir::FloatNode& node = builder.Append(kind, {5, 4, channels});
    node.weights = w;
    node.bias = b;
    node.clamp_min = 0;
    if (kernel == 3) {
      node.window = {.kernel_h = 3,
                     .kernel_w = 3,
                     .pad_top = 1,
                     .pad_bottom = 1,
                     .pad_left = 1,
                     .pad_right = 1};
    }
  };
  append(kConv2d, {6, 1, 1, 3}, 6, 1);
  append(kDepthwiseConv2d, {3, 3, 6}, 6, 3);
  append(kConv2d, {4, 1, 1, 6}, 4, 1);
  append(kConv2d, {2, 3, 3, 4}, 2, 3);
  const ir::FloatGraph original = builder.graph();
  ir::FloatGraph graph = original;
  EXPECT_EQ(EqualizeCrossLayer(graph), 2) << "a triple and a pair";
  ASSERT_TRUE(ir::Verify(graph).ok());
  const std::vector<double> last_in = Ranges(graph, 3, 4, true),
                            mid_out = Ranges(graph, 2, 4, false);
  for (size_t c = 0; c < 4; ++c) EXPECT_NEAR(mid_out[c] / last_in[c], 1, 1e-6);
  Rng random(8);
  FloatValues input(60);
  for (float& value : input) value = static_cast<float>(random.UniformInt(-64, 64)) / 64;
  const FloatValues a = RunFloat(original, input)->tensors.back();
  const FloatValues b = RunFloat(graph, input)->tensors.back();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4) << i;
  EXPECT_NE(graph.constant(graph.nodes[0].weights).values,
            original.constant(original.nodes[0].weights).values);
}

}  // namespace
}  // namespace macloom::quantize
