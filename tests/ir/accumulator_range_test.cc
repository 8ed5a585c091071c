// Certificates against exhaustive enumeration: every output position, every assignment of codes,
// every order of summation of small channels.
#include "ir/accumulator_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "stimulus/random_graph.h"

namespace macloom::ir {
namespace {

using ::macloom::stimulus::LayerSpec;
using ::macloom::stimulus::RandomLayerGraph;
using ::macloom::stimulus::RandomLayerSpec;

constexpr uint64_t kRangeSeed = 77;

struct Bounds {
  int64_t low = std::numeric_limits<int64_t>::max();
  int64_t high = std::numeric_limits<int64_t>::min();
  void Include(int64_t value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// One tap of one output: its weight, and the code it is fed (fixed for padding, free otherwise).
struct Tap {
  int64_t weight = 0;
  bool is_padding = false;
};

std::vector<Tap> TapsAt(const Graph& graph, const Node& node, int64_t oy, int64_t ox, int64_t oc) {
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  const std::vector<int64_t>& codes = graph.constant(node.weights).codes;
  const Window& w = node.window;
  std::vector<Tap> taps;
  if (node.kind == OperatorKind::kFullyConnected) {
    const int64_t count = NumElements(in);
    for (int64_t i = 0; i < count; ++i) taps.push_back({codes[oc * count + i], false});
    return taps;
  }
  const int64_t num_outputs = graph.tensor(node.output).shape[2];
  for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
      const int64_t y = oy * w.stride_h - w.pad_top + ky * w.dilation_h;
      const int64_t x = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
      const bool is_padding = y < 0 || y >= in[0] || x < 0 || x >= in[1];
      if (node.kind == OperatorKind::kDepthwiseConv2d) {
        taps.push_back({codes[(ky * w.kernel_w + kx) * num_outputs + oc], is_padding});
        continue;
      }
      for (int64_t ic = 0; ic < in[2]; ++ic) {
        taps.push_back(
            {codes[((oc * w.kernel_h + ky) * w.kernel_w + kx) * in[2] + ic], is_padding});
      }
    }
  }
  return taps;
}

// All subset sums (= all prefixes of all orders) of all code assignments, starting from `sum`.
void Enumerate(const std::vector<Tap>& taps, size_t index, int64_t sum, const CodeRange& range,
               int64_t pad_code, Bounds& bounds) {
  bounds.Include(sum);
  if (index == taps.size()) return;
  Enumerate(taps, index + 1, sum, range, pad_code, bounds);  // The tap comes later in the order.
  if (taps[index].is_padding) {
    Enumerate(taps, index + 1, sum + taps[index].weight * pad_code, range, pad_code, bounds);
    return;
  }
  for (int64_t code = range.min; code <= range.max; ++code) {
    Enumerate(taps, index + 1, sum + taps[index].weight * code, range, pad_code, bounds);
  }
}

void ExpectRangesAreTight(const Graph& graph, const CodeRange& codes) {
  const Node& node = graph.nodes.back();
  const std::vector<AccumulatorRange> ranges = AccumulatorRanges(graph, node, codes);
  const Shape& out = graph.tensor(node.output).shape;
  const bool has_map = out.size() == 3;
  const int64_t pad_code = graph.tensor(node.inputs[0]).quantization.zero_point();
  for (int64_t oc = 0; oc < out.back(); ++oc) {
    Bounds bounds;
    for (int64_t oy = 0; oy < (has_map ? out[0] : 1); ++oy) {
      for (int64_t ox = 0; ox < (has_map ? out[1] : 1); ++ox) {
        Enumerate(TapsAt(graph, node, oy, ox, oc), 0, AccumulatorStart(graph, node, oc), codes,
                  pad_code, bounds);
      }
    }
    ASSERT_EQ(ranges[static_cast<size_t>(oc)], (AccumulatorRange{bounds.low, bounds.high, true}))
        << ToText(graph) << "channel " << oc << ", seed " << kRangeSeed;
  }
}

LayerSpec TinySpec(Rng& rng, OperatorKind kind) {
  LayerSpec spec;
  spec.kind = kind;
  spec.input = {rng.UniformInt(1, 3), rng.UniformInt(1, 3), rng.UniformInt(1, 2)};
  spec.window = stimulus::RandomWindow(rng, spec.input[0], spec.input[1]);
  while (spec.window.kernel_h * spec.window.kernel_w > 4) {
    spec.window = stimulus::RandomWindow(rng, spec.input[0], spec.input[1]);
  }
  if (kind != OperatorKind::kDepthwiseConv2d && spec.window.kernel_h * spec.window.kernel_w > 2) {
    spec.input[2] = 1;
  }
  if (kind == OperatorKind::kFullyConnected) spec.input = {rng.UniformInt(1, 4)};
  spec.output_channels = 2;
  spec.input_format.bits = 2;
  spec.input_format.is_signed = rng.Bernoulli(0.5);
  spec.input_zero_point = static_cast<int32_t>(
      rng.UniformInt(spec.input_format.MinCode(), spec.input_format.MaxCode()));
  spec.weight_style = stimulus::RandomStyle(rng);
  return spec;
}

TEST(AccumulatorRangeTest, EqualsEnumerationOfEveryPrefixOfEveryOrder) {
  Rng rng(kRangeSeed);
  for (OperatorKind kind :
       {OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d, OperatorKind::kFullyConnected}) {
    for (int i = 0; i < 120; ++i) {
      const Graph graph = RandomLayerGraph(rng, TinySpec(rng, kind));
      ExpectRangesAreTight(graph, InputCodeRange(graph, graph.nodes[0]));
      // Narrower and one-sided code ranges, as clamps and observations give them.
      const NumberFormat& format = graph.tensor(graph.input).format;
      const int64_t low = rng.UniformInt(format.MinCode(), format.MaxCode());
      ExpectRangesAreTight(graph, {low, rng.UniformInt(low, format.MaxCode())});
    }
  }
}

TEST(AccumulatorRangeTest, BordersCountWhenNoWindowIsInside) {
  // A 1x1 image under a 3x3 kernel: one free tap, eight padding taps.
  LayerSpec spec;
  spec.input = {1, 1, 1};
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  spec.output_channels = 1;
  spec.input_zero_point = 10;
  spec.has_bias = false;
  Rng rng(kRangeSeed);
  Graph graph = RandomLayerGraph(rng, spec);
  graph.constants[0].codes = {1, 1, 1, 1, 100, 1, 1, 1, -1};
  const AccumulatorRange range =
      AccumulatorRanges(graph, graph.nodes[0], InputCodeRange(graph, graph.nodes[0]))[0];
  const int64_t start = -10 * 106;
  EXPECT_EQ(AccumulatorStart(graph, graph.nodes[0], 0), start);
  EXPECT_EQ(range.high, start + 100 * 127 + 7 * 10);
  EXPECT_EQ(range.low, start - 100 * 128 - 10);
}

TEST(AccumulatorRangeTest, RequiredBitsIsTheSmallestWidth) {
  EXPECT_EQ((AccumulatorRange{0, 0, true}.RequiredBits()), 1);
  EXPECT_EQ((AccumulatorRange{-1, 0, true}.RequiredBits()), 1);
  EXPECT_EQ((AccumulatorRange{0, 1, true}.RequiredBits()), 2);
  EXPECT_EQ((AccumulatorRange{-128, 127, true}.RequiredBits()), 8);
  EXPECT_EQ((AccumulatorRange{-129, 0, true}.RequiredBits()), 9);
  EXPECT_EQ((AccumulatorRange{0, 128, true}.RequiredBits()), 9);
  EXPECT_EQ((AccumulatorRange{-(int64_t{1} << 62), 0}.RequiredBits()), 63);
  EXPECT_EQ((AccumulatorRange{0, 0, false}.RequiredBits()), 64);
}

TEST(AccumulatorRangeTest, DatatypeBoundIsReachedByExtremeWeights) {
  // 64 inputs of int8 with weights -128: 64 * 128 * 128 = 2^20 does not fit 21 bits.
  LayerSpec spec;
  spec.input = {64};
  spec.kind = OperatorKind::kFullyConnected;
  spec.output_channels = 1;
  spec.has_bias = false;
  Rng rng(kRangeSeed);
  Graph graph = RandomLayerGraph(rng, spec);
  graph.constants[0].codes.assign(64, -128);
  EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes[0]), 22);
  graph.constants[0].codes.assign(64, 127);
  EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes[0]), 21);
}

TEST(AccumulatorRangeTest, PoolingSumsThePositionsInsideTheImage) {
  LayerSpec spec;
  spec.kind = OperatorKind::kAveragePool2d;
  spec.input = {25, 5, 3};
  spec.window = {25, 5, 1, 1, 0, 0, 0, 0};
  Rng rng(kRangeSeed);
  const Graph graph = RandomLayerGraph(rng, spec);
  const auto ranges =
      AccumulatorRanges(graph, graph.nodes[0], InputCodeRange(graph, graph.nodes[0]));
  EXPECT_EQ(ranges, (std::vector<AccumulatorRange>{{-125 * 128, 125 * 127, true}}));
  EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes[0]), 14 + 1);
  // 3x3 with padding 2 on a 2x2 image: at most 4 positions at once.
  spec.input = {2, 2, 1};
  spec.window = {3, 3, 1, 1, 2, 2, 2, 2};
  const Graph padded = RandomLayerGraph(rng, spec);
  EXPECT_EQ(AccumulatorRanges(padded, padded.nodes[0], {-3, 5})[0],
            (AccumulatorRange{-12, 20, true}));
}

TEST(AccumulatorRangeTest, OtherOperatorsHaveNoAccumulator) {
  Rng rng(kRangeSeed);
  for (OperatorKind kind : {OperatorKind::kAdd, OperatorKind::kReshape, OperatorKind::kSoftmax}) {
    const Graph graph = RandomLayerGraph(rng, RandomLayerSpec(rng, kind));
    EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes.back()), 0) << ToString(kind);
  }
}

}  // namespace
}  // namespace macloom::ir
