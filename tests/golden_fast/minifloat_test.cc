// Minifloat sums in integers against the normative code: codes, accumulators and counts.
#include <gtest/gtest.h>

#include "golden/fast/minifloat_node.h"
#include "golden/fast/plan.h"
#include "golden/reference/operators.h"
#include "tests/support/minifloat_layers.h"
#include "tests/support/setting.h"

namespace macloom::golden::fast {
namespace {

using ir::Accumulation;
using ir::OperatorKind;
using ir::Overflow;
using testing::Setting;

/// The drawn contract, or one of the same order of another kind, some far too narrow.
Accumulation DrawContract(Rng& rng, const testing::MinifloatLayer& layer) {
  const Accumulation& drawn = layer.accumulation;
  const int per_step = drawn.products_per_step;
  const auto policy = rng.Bernoulli(0.5) ? Overflow::kWrap : Overflow::kSaturate;
  switch (rng.UniformInt(0, 5)) {
    case 0:
      return Accumulation::FixedPoint(static_cast<int>(rng.UniformInt(8, 80)), policy, per_step,
                                      drawn.order, static_cast<int>(rng.UniformInt(0, 63)),
                                      static_cast<int>(rng.UniformInt(-1, 40)));
    case 1:
      return Accumulation::Float(8, 23, Overflow::kInfinity, per_step, drawn.order);
    case 2:
      return Accumulation::Float(
          static_cast<int>(rng.UniformInt(2, 8)), static_cast<int>(rng.UniformInt(1, 23)),
          rng.Bernoulli(0.5) ? Overflow::kInfinity : Overflow::kSaturate, per_step, drawn.order);
    default:
      return drawn;
  }
}

class MinifloatNodeTest : public ::testing::TestWithParam<OperatorKind> {};

TEST_P(MinifloatNodeTest, EqualsTheReference) {
  const int64_t count = Setting("MACLOOM_RANDOM_LAYERS", 1500);
  const auto seed = static_cast<uint64_t>(Setting("MACLOOM_SEED", 9));
  int64_t num_fast = 0, num_refused = 0;
  LayerEvents total;
  for (int64_t n = 0; n < count; ++n) {
    Rng rng(seed + static_cast<uint64_t>(n));
    testing::MinifloatLayer layer = testing::DrawSummingLayer(rng, GetParam());
    const ir::Node& node = layer.graph.nodes[0];
    if (node.bias >= 0 && rng.Bernoulli(0.3)) {
      // Start values far beyond the products, and halves of dropped bits.
      for (int64_t& bias : layer.graph.constants[1].codes) {
        bias = bias * (int64_t{1} << rng.UniformInt(0, 45)) + rng.UniformInt(-1, 1);
      }
    }
    const Accumulation contract = DrawContract(rng, layer);
    SCOPED_TRACE("MACLOOM_SEED=" + std::to_string(seed + static_cast<uint64_t>(n)) + "\n" +
                 ir::ToText(layer.graph) + ToString(contract));
    if (!CheckAccumulation(layer.graph, node, contract).ok()) {
      ++num_refused;
      continue;
    }
    const auto fast = MinifloatNode::Create(layer.graph, node, contract);
    if (!fast) continue;
    ++num_fast;
    const ir::TensorValue input = testing::DrawInput(rng, layer.graph);
    std::vector<ir::TensorValue> tensors(layer.graph.tensors.size());
    tensors[static_cast<size_t>(layer.graph.input)] = input;
    const NodeRun expected = RunNode(layer.graph, node, tensors, contract);
    const NodeRun actual = fast->Run(input);
    ASSERT_EQ(actual.output, expected.output);
    ASSERT_EQ(actual.accumulators, expected.accumulators);
    ASSERT_TRUE(actual.events == expected.events)
        << actual.events.overflow_events << " " << expected.events.overflow_events << ", "
        << actual.events.wrong_outputs << " " << expected.events.wrong_outputs;
    total += expected.events;
  }
  EXPECT_GT(num_fast + num_refused, count * 9 / 10);
  EXPECT_GT(num_fast, count / 2);
  EXPECT_GT(total.overflow_events, 0);
  EXPECT_GT(total.wrong_outputs, 0);
}

INSTANTIATE_TEST_SUITE_P(Operators, MinifloatNodeTest,
                         ::testing::Values(OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                                           OperatorKind::kFullyConnected,
                                           OperatorKind::kAveragePool2d),
                         [](const auto& info) {
                           std::string name = ToString(info.param);
                           std::erase(name, '_');
                           return name;
                         });

// A float register whose largest value is no multiple of the products' unit stays with the
// reference, through Plan as well.
TEST(MinifloatNodeTest, LeavesCoarseGridsToTheReference) {
  Rng rng(4);
  testing::MinifloatLayer layer = testing::DrawSummingLayer(rng, OperatorKind::kFullyConnected);
  const ir::NumberFormat coarse = *ir::ParseMinifloat("e2m1b-32-finite");
  layer.graph.tensors[0].format = coarse;
  layer.graph.constants[0].format = coarse;
  for (int64_t& code : layer.graph.constants[0].codes) code &= coarse.MaxCode();
  layer.graph.nodes[0].requantization.channels = {{0, -64}};
  ASSERT_TRUE(ir::Verify(layer.graph).ok()) << ir::Verify(layer.graph).error().message;
  const Accumulation contract =
      Accumulation::Float(4, 2, Overflow::kSaturate, 2, ir::AccumulationOrder::kFlatTap);
  if (layer.graph.nodes[0].bias >= 0) layer.graph.nodes[0].bias = -1;
  layer.graph.constants.resize(1);
  EXPECT_FALSE(MinifloatNode::Create(layer.graph, layer.graph.nodes[0], contract));
  const auto plan = Plan::Create(layer.graph, {{contract}, std::nullopt});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->num_reference_nodes(), 1);
}

}  // namespace
}  // namespace macloom::golden::fast
