#include "stimulus/random_graph.h"

#include <gtest/gtest.h>

#include <set>

namespace macloom::stimulus {
namespace {

using ir::OperatorKind;

constexpr uint64_t kGraphSeed = 20240501;

TEST(RandomGraphTest, EveryOperatorGivesVerifiedGraphs) {
  Rng rng(kGraphSeed);
  for (OperatorKind kind : {OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                            OperatorKind::kFullyConnected, OperatorKind::kAveragePool2d,
                            OperatorKind::kAdd, OperatorKind::kReshape, OperatorKind::kSoftmax}) {
    for (int i = 0; i < 150; ++i) {
      const ir::Graph graph = RandomLayerGraph(rng, RandomLayerSpec(rng, kind));
      EXPECT_EQ(graph.nodes.back().kind, kind) << "seed " << kGraphSeed;
    }
  }
}

TEST(RandomGraphTest, NarrowWideAndShiftedFormatsGiveVerifiedGraphs) {
  Rng rng(kGraphSeed);
  for (int i = 0; i < 200; ++i) {
    LayerSpec spec = RandomLayerSpec(
        rng, rng.Bernoulli(0.5) ? OperatorKind::kConv2d : OperatorKind::kFullyConnected);
    spec.requantization = ir::RequantizationKind::kShift;
    spec.input_zero_point = 0;
    spec.output_zero_point = 0;
    for (ir::NumberFormat* format :
         {&spec.input_format, &spec.weight_format, &spec.output_format}) {
      format->family = ir::NumberFamily::kFixedPoint;
      format->bits = static_cast<int>(rng.UniformInt(2, 16));
      format->is_signed = rng.Bernoulli(0.7);
    }
    EXPECT_EQ(RandomLayerGraph(rng, spec).nodes.size(), 1u) << "seed " << kGraphSeed;
  }
}

TEST(RandomGraphTest, ChainsUseEveryOperator) {
  Rng rng(kGraphSeed);
  std::set<OperatorKind> kinds;
  for (int i = 0; i < 50; ++i) {
    const ir::Graph graph = RandomChain(rng);
    for (const ir::Node& node : graph.nodes) kinds.insert(node.kind);
  }
  EXPECT_EQ(kinds.size(), 9u) << "all but CONCATENATION; seed " << kGraphSeed;
}

TEST(RandomGraphTest, RequantizationMeetsEveryCornerCase) {
  Rng rng(kGraphSeed);
  bool has_zero = false, has_left = false, has_none = false, has_deepest = false;
  for (int i = 0; i < 200; ++i) {
    const ir::Graph graph = RandomLayerGraph(rng, RandomLayerSpec(rng, OperatorKind::kConv2d));
    for (const ir::FixedPointMultiplier& pair : graph.nodes[0].requantization.channels) {
      has_zero |= pair.multiplier == 0;
      has_left |= pair.shift > 0;
      has_none |= pair.shift == 0;
      has_deepest |= pair.shift == -31;
    }
  }
  EXPECT_TRUE(has_zero && has_left && has_none && has_deepest) << "seed " << kGraphSeed;
}

TEST(RandomGraphTest, InputsLieInTheirFormat) {
  Rng rng(kGraphSeed);
  const ir::Graph graph = RandomConvGraph(rng, LayerSpec{});
  for (int i = 0; i < 100; ++i) {
    const ir::TensorValue value = RandomInput(rng, graph);
    ASSERT_EQ(value.shape, graph.tensor(graph.input).shape);
    ASSERT_EQ(static_cast<int64_t>(value.codes.size()), ir::NumElements(value.shape));
    for (int32_t code : value.codes)
      ASSERT_TRUE(code >= -128 && code <= 127) << "seed " << kGraphSeed;
  }
}

}  // namespace
}  // namespace macloom::stimulus
