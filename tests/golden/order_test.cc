// Accumulation orders: hand-made cases, and whole layers against the second model.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/reference/step_order.h"
#include "ir/graph.h"
#include "stimulus/random_graph.h"
#include "tests/golden/slow_layer.h"

namespace macloom::golden {
namespace {

using ir::AccumulationOrder;
using ir::OperatorKind;
using ::testing::TestWithParam;
using ::testing::Values;

constexpr uint64_t kOrderSeed = 20261123;

std::vector<std::vector<int64_t>> Steps(const ir::Accumulation& accumulation,
                                        const WindowExtent& extent) {
  const StepOrder order = MakeStepOrder(accumulation, extent);
  std::vector<std::vector<int64_t>> steps;
  int64_t first = 0;
  for (const int64_t end : order.step_ends) {
    steps.emplace_back(order.positions.begin() + first, order.positions.begin() + end);
    first = end;
  }
  return steps;
}

using StepList = std::vector<std::vector<int64_t>>;

// 1x2 taps of 3 channels: indices 0 1 2 | 3 4 5.
TEST(StepOrderTest, BlockTapTakesChannelBlocksOutermost) {
  EXPECT_EQ(Steps({32, ir::Overflow::kWrap, 2, AccumulationOrder::kBlockTap}, {1, 2, 3}),
            (StepList{{0, 1}, {3, 4}, {2}, {5}}));
}

TEST(StepOrderTest, FlatTapIgnoresTapBoundaries) {
  EXPECT_EQ(Steps({32, ir::Overflow::kWrap, 4, AccumulationOrder::kFlatTap}, {1, 2, 3}),
            (StepList{{0, 1, 2, 3}, {4, 5}}));
}

TEST(StepOrderTest, TapSerialGoesAlongRowsAndColumnVariantAlongColumns) {
  EXPECT_EQ(Steps({32, ir::Overflow::kWrap, 1, AccumulationOrder::kTapSerial}, {2, 3, 1}),
            (StepList{{0}, {1}, {2}, {3}, {4}, {5}}));
  EXPECT_EQ(Steps({32, ir::Overflow::kWrap, 1, AccumulationOrder::kTapSerialColumn}, {2, 3, 1}),
            (StepList{{0}, {3}, {1}, {4}, {2}, {5}}));
}

TEST(StepOrderTest, BlockWiderThanTheChannelsIsOneStepPerTap) {
  EXPECT_EQ(Steps({32, ir::Overflow::kWrap, 16, AccumulationOrder::kBlockTap}, {2, 1, 3}),
            (StepList{{0, 1, 2}, {3, 4, 5}}));
}

std::vector<ir::Accumulation> Contracts(OperatorKind kind, int width_bits) {
  std::vector<ir::Accumulation> contracts;
  const bool is_single_channel =
      kind == OperatorKind::kDepthwiseConv2d || kind == OperatorKind::kAveragePool2d;
  for (const ir::Overflow policy : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
    for (int per_step : {1, 3, 16}) {
      contracts.push_back({width_bits, policy, per_step, AccumulationOrder::kBlockTap});
      contracts.push_back({width_bits, policy, per_step, AccumulationOrder::kFlatTap});
    }
    if (is_single_channel) {
      contracts.push_back({width_bits, policy, 1, AccumulationOrder::kTapSerial});
      contracts.push_back({width_bits, policy, 1, AccumulationOrder::kTapSerialColumn});
    }
  }
  return contracts;
}

// Any width and signedness, affine or Q format, with shift requantization. Sums of 16-bit products
// pass 32 bits.
void SetRandomFormats(Rng& rng, stimulus::LayerSpec& spec) {
  const bool is_wide = rng.Bernoulli(0.3);
  for (ir::NumberFormat* format : {&spec.input_format, &spec.weight_format, &spec.output_format}) {
    format->bits = is_wide ? 16 : static_cast<int>(rng.UniformInt(2, 16));
    format->is_signed = rng.Bernoulli(0.5);
  }
  spec.requantization = ir::RequantizationKind::kShift;
  if (rng.Bernoulli(0.5)) {
    for (ir::NumberFormat* format :
         {&spec.input_format, &spec.weight_format, &spec.output_format}) {
      format->family = ir::NumberFamily::kFixedPoint;
      format->fraction_bits = format->bits - 1;
    }
    spec.input_zero_point = spec.output_zero_point = 0;
    return;
  }
  spec.input_zero_point = static_cast<int32_t>(
      rng.UniformInt(spec.input_format.MinCode(), spec.input_format.MaxCode()));
  spec.output_zero_point = static_cast<int32_t>(
      rng.UniformInt(spec.output_format.MinCode(), spec.output_format.MaxCode()));
}

bool HasFittingStarts(const ir::Graph& graph, const ir::Node& node, int width_bits) {
  if (node.weights < 0) return true;
  const int64_t limit = int64_t{1} << (width_bits - 1);
  for (int64_t oc = 0; oc < ir::NumOutputChannels(graph, node); ++oc) {
    const int64_t start = ir::AccumulatorStart(graph, node, oc);
    if (start < -limit || start > limit - 1) return false;
  }
  return true;
}

class LayerTest : public TestWithParam<OperatorKind> {};

TEST_P(LayerTest, EqualsSecondModelInEveryOrderAndPolicy) {
  SCOPED_TRACE(kOrderSeed);
  Rng rng(kOrderSeed);
  LayerEvents total;
  int64_t num_runs = 0, num_refused = 0;
  int widest_bits = 0;
  for (int round = 0; round < 150; ++round) {
    stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, GetParam());
    spec.input = {rng.UniformInt(1, 6), rng.UniformInt(1, 6), rng.UniformInt(1, 18)};
    if (ir::HasWindow(spec.kind)) {
      spec.window = stimulus::RandomWindow(rng, spec.input[0], spec.input[1]);
    }
    spec.output_channels = rng.UniformInt(1, 5);
    if (rng.Bernoulli(0.3)) spec.requantization = ir::RequantizationKind::kShift;
    const bool has_other_formats = rng.Bernoulli(0.4) && ir::HasWeights(spec.kind);
    if (has_other_formats) SetRandomFormats(rng, spec);
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    const ir::Node& node = graph.nodes[0];
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    const int needed_bits = std::max(8, ir::RequiredAccumulatorBits(graph, node));
    const int max_bits = spec.requantization == ir::RequantizationKind::kShift ? 63 : 32;
    const int width_bits =
        static_cast<int>(std::clamp<int64_t>(needed_bits - rng.UniformInt(-1, 6), 8, max_bits));
    widest_bits = std::max(widest_bits, width_bits);
    for (const ir::Accumulation& accumulation : Contracts(GetParam(), width_bits)) {
      SCOPED_TRACE(ir::ToString(accumulation));
      const auto trace = golden::Run(graph, input, {{accumulation}, true});
      if (accumulation.overflow == ir::Overflow::kSaturate &&
          !HasFittingStarts(graph, node, width_bits)) {
        ASSERT_FALSE(trace.ok());
        ++num_refused;
        continue;
      }
      ASSERT_TRUE(trace.ok()) << trace.error().message;
      const testing::SlowLayer slow = testing::RunSlowLayer(graph, node, input, accumulation);
      ASSERT_EQ(trace->accumulators[0], slow.accumulators);
      ASSERT_EQ(trace->tensors[static_cast<size_t>(node.output)].codes, slow.codes);
      ASSERT_EQ(trace->events[0], slow.events);
      total += slow.events;
      ++num_runs;
    }
  }
  // The comparison means something only if both sides of every count occurred.
  EXPECT_GT(num_runs, 1200);
  EXPECT_EQ(widest_bits > 32, GetParam() != OperatorKind::kAveragePool2d);
  EXPECT_GT(total.overflow_events, 0);
  EXPECT_GT(total.wrong_outputs, 0);
  EXPECT_GT(total.clamped_low, 0);
  EXPECT_GT(total.clamped_high, 0);
  EXPECT_EQ(num_refused > 0, GetParam() != OperatorKind::kAveragePool2d);
}

TEST_P(LayerTest, StepOrderedSumsEqualTheExactPathWhenNoEventHappens) {
  SCOPED_TRACE(kOrderSeed);
  Rng rng(kOrderSeed + 1);
  for (int round = 0; round < 60; ++round) {
    stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, GetParam());
    spec.input = {rng.UniformInt(1, 6), rng.UniformInt(1, 6), rng.UniformInt(1, 18)};
    if (ir::HasWindow(spec.kind)) {
      spec.window = stimulus::RandomWindow(rng, spec.input[0], spec.input[1]);
    }
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    const auto exact = golden::Run(graph, input, {{}, true});
    ASSERT_TRUE(exact.ok());
    ASSERT_EQ(exact->events[0].overflow_events, 0);
    const int enough_bits = std::max(8, ir::RequiredAccumulatorBits(graph, graph.nodes[0]));
    for (const ir::Accumulation& accumulation : Contracts(GetParam(), enough_bits)) {
      const auto stepped = golden::Run(graph, input, {{accumulation}, true});
      ASSERT_TRUE(stepped.ok()) << stepped.error().message;
      ASSERT_EQ(stepped->tensors, exact->tensors);
      ASSERT_EQ(stepped->events, exact->events);
      ASSERT_EQ(stepped->accumulators, exact->accumulators);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, LayerTest,
                         Values(OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                                OperatorKind::kFullyConnected, OperatorKind::kAveragePool2d),
                         [](const auto& info) { return ir::ToString(info.param); });

}  // namespace
}  // namespace macloom::golden
