#include <gtest/gtest.h>

#include "golden/reference/executor.h"
#include "golden/reference/operators.h"
#include "stimulus/random_graph.h"
#include "tests/golden/slow_requantize.h"

namespace macloom::golden {
namespace {

constexpr uint64_t kAddSeed = 20261124;

// Every pair of int8 codes, for random scales, zero points and clamps of both roundings.
TEST(AddTest, EqualsExactFractionsForAllPairsOfCodes) {
  SCOPED_TRACE(kAddSeed);
  Rng rng(kAddSeed);
  int64_t num_low = 0, num_high = 0;
  for (int round = 0; round < 16; ++round) {
    stimulus::LayerSpec spec;
    spec.input = {256, 256, 1};
    spec.input_zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
    spec.output_zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
    spec.requantization = round % 2 == 0 ? ir::RequantizationKind::kMultiplierDouble
                                         : ir::RequantizationKind::kMultiplierSingle;
    spec.kind = ir::OperatorKind::kAdd;
    ir::Graph graph = stimulus::StartGraph(spec);
    const int32_t zero_b = static_cast<int32_t>(rng.UniformInt(-128, 127));
    const ir::TensorId other =
        stimulus::AddTensor(graph, spec.input, ir::NumberFormat::Int8(), zero_b);
    stimulus::AppendLayer(rng, graph, spec, graph.input, other);
    const ir::Node& node = graph.nodes.back();
    const ir::Requantization& requantization = node.requantization;

    ir::TensorValue a{spec.input, {}}, b{spec.input, {}};
    for (int32_t i = 0; i < 65536; ++i) {
      a.codes.push_back(i / 256 - 128);
      b.codes.push_back(i % 256 - 128);
    }
    const NodeRun run = Add(graph, node, a, b);
    ASSERT_EQ(run.output.codes.size(), 65536u);
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < 65536; ++i) {
      const auto scale = [&](int64_t x, const ir::FixedPointMultiplier& pair) {
        return testing::SlowRound(x, requantization.kind, pair, 1);
      };
      const int64_t sum =
          scale((a.codes[i] - spec.input_zero_point) * int64_t{1048576}, node.add.input[0]) +
          scale((b.codes[i] - zero_b) * int64_t{1048576}, node.add.input[1]);
      int64_t value = scale(sum, node.add.output) + requantization.zero_point;
      if (value < requantization.clamp_min) value = requantization.clamp_min, ++low;
      if (value > requantization.clamp_max) value = requantization.clamp_max, ++high;
      ASSERT_EQ(run.output.codes[i], value) << a.codes[i] << " + " << b.codes[i];
    }
    ASSERT_EQ(run.events.clamped_low, low);
    ASSERT_EQ(run.events.clamped_high, high);
    num_low += low;
    num_high += high;
  }
  EXPECT_GT(num_low, 0);
  EXPECT_GT(num_high, 0);
}

TEST(AddTest, AddsATensorToItself) {
  SCOPED_TRACE(kAddSeed);
  Rng rng(kAddSeed);
  stimulus::LayerSpec spec;
  spec.input = {256};
  spec.kind = ir::OperatorKind::kAdd;
  const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
  ASSERT_EQ(graph.nodes.size(), 1u);
  ir::TensorValue input{{256}, {}};
  for (int32_t code = -128; code <= 127; ++code) input.codes.push_back(code);
  const auto trace = golden::Run(graph, input);
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace->tensors[static_cast<size_t>(graph.output)],
            Add(graph, graph.nodes[0], input, input).output);
}

}  // namespace
}  // namespace macloom::golden
