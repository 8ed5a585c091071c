// Networks of minifloats: every operator against MPFR, contracts and inputs refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "base/rng.h"
#include "golden/reference/executor.h"
#include "ir/minifloat_range.h"
#include "ir/shape_inference.h"
#include "tests/golden/slow_minifloat_sum.h"
#include "tests/support/minifloat_layers.h"
#include "tests/support/setting.h"

namespace macloom::golden {
namespace {

using ir::Accumulation;
using ir::AccumulationOrder;
using ir::NumberFormat;
using ir::OperatorKind;
using ir::Overflow;
using ir::RequantizationKind;
using testing::AddTensor;
using testing::Big;
using testing::DrawInput;
using testing::DrawSummingLayer;
using ::testing::HasSubstr;
using testing::MinifloatLayer;
using testing::PickCode;
using testing::PickFormat;
using testing::SetClamp;
using testing::Setting;
using testing::SlowMinifloatSum;
using testing::SlowValue;

/// Codes of the finite values of a format, -0 left out; found once per format.
const std::map<double, int32_t>& CodesByValue(const NumberFormat& format) {
  static std::map<std::string, std::map<double, int32_t>> cache;
  std::map<double, int32_t>& codes = cache[ToString(format)];
  if (!codes.empty()) return codes;
  for (int64_t code = 0; code <= format.MaxCode(); ++code) {
    if (code == format.SignBit() || !format.IsFinite(code)) continue;
    codes[SlowValue(format, code).ToDouble()] = static_cast<int32_t>(code);
  }
  return codes;
}

/// The code of a value, saturated by the clamp: what section 9.5 says, by searching all codes.
int32_t SlowCode(const Big& value, const NumberFormat& format,
                 const ir::Requantization& requantization, LayerEvents& events) {
  const Big low = SlowValue(format, requantization.clamp_min);
  const Big high = SlowValue(format, requantization.clamp_max);
  const Big rounded = value.IsInfinity() ? value : testing::SlowRound(format, value);
  if (rounded < low) {
    ++events.clamped_low;
    return requantization.clamp_min;
  }
  if (rounded > high) {
    ++events.clamped_high;
    return requantization.clamp_max;
  }
  return CodesByValue(format).at(rounded.ToDouble());
}

struct SlowResult {
  std::vector<int32_t> codes;
  LayerEvents events;
};

using StepKey = std::tuple<int64_t, int64_t, int64_t>;

StepKey KeyOf(const Accumulation& accumulation, int64_t ky, int64_t kx, int64_t c, int64_t kernel_w,
              int64_t channels) {
  const int64_t per_step = accumulation.products_per_step;
  switch (accumulation.order) {
    case AccumulationOrder::kBlockTap:
      return {c / per_step, ky, kx};
    case AccumulationOrder::kFlatTap:
      return {((ky * kernel_w + kx) * channels + c) / per_step, 0, 0};
    case AccumulationOrder::kTapSerial:
      return {ky, kx, 0};
    case AccumulationOrder::kTapSerialColumn:
      break;
  }
  return {kx, ky, 0};
}

SlowResult RunSlowly(const MinifloatLayer& layer, const ir::TensorValue& x) {
  const ir::Graph& graph = layer.graph;
  const ir::Node& node = graph.nodes[0];
  const bool is_dense = node.kind == OperatorKind::kFullyConnected;
  const bool is_pool = node.kind == OperatorKind::kAveragePool2d;
  const bool is_depthwise = node.kind == OperatorKind::kDepthwiseConv2d;
  const ir::Shape in = is_dense ? ir::Shape{1, 1, ir::NumElements(x.shape)} : x.shape;
  const ir::Shape& node_shape = graph.tensor(node.output).shape;
  const ir::Shape out = is_dense ? ir::Shape{1, 1, node_shape[0]} : node_shape;
  const NumberFormat& in_format = graph.tensor(graph.input).format;
  const NumberFormat& out_format = graph.tensor(node.output).format;
  const NumberFormat weight_format = is_pool ? in_format : graph.constants[0].format;
  const int64_t channels = is_pool || is_depthwise ? 1 : in[2];
  int64_t one = 0;
  while (is_pool && !(SlowValue(in_format, one) == Big(1.0))) ++one;
  SlowResult result;
  for (int64_t i = 0; i < ir::NumElements(out); ++i) {
    const int64_t oc = i % out[2], ox = i / out[2] % out[1], oy = i / out[2] / out[1];
    std::map<StepKey, std::vector<std::pair<int64_t, int64_t>>> steps;
    int64_t num_inside = 0;
    for (int64_t ky = 0; ky < node.window.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < node.window.kernel_w; ++kx) {
        const int64_t iy = oy * node.window.stride_h + ky - node.window.pad_top;
        const int64_t ix = ox * node.window.stride_w + kx - node.window.pad_left;
        const bool is_inside = iy >= 0 && iy < in[0] && ix >= 0 && ix < in[1];
        num_inside += is_inside ? 1 : 0;
        if (is_pool && !is_inside) continue;
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t ic = is_pool ? oc : is_depthwise ? oc / node.depth_multiplier : c;
          const int64_t tap = ky * node.window.kernel_w + kx;
          const int64_t taps = int64_t{node.window.kernel_h} * node.window.kernel_w;
          const int64_t index = is_depthwise ? tap * out[2] + oc : (oc * taps + tap) * in[2] + c;
          steps[KeyOf(layer.accumulation, ky, kx, c, node.window.kernel_w, channels)].emplace_back(
              is_inside ? x.codes.at(static_cast<size_t>((iy * in[1] + ix) * in[2] + ic)) : 0,
              is_pool ? one : graph.constants[0].codes.at(static_cast<size_t>(index)));
        }
      }
    }
    const int64_t bias = node.bias < 0 ? 0 : graph.constants[1].codes.at(static_cast<size_t>(oc));
    SlowMinifloatSum sum(layer.accumulation, in_format, weight_format, bias);
    for (const auto& [key, codes] : steps) sum.Step(codes);
    result.events.overflow_events += sum.num_events();
    result.events.overflowed_outputs += sum.num_events() > 0 ? 1 : 0;
    result.events.wrong_outputs += sum.value() == sum.exact() ? 0 : 1;
    // 700 bits hold no exact third: a quotient is cut far below every tie, which it cannot reach.
    const Big scaled = node.requantization.kind == RequantizationKind::kMean
                           ? sum.value() / Big(static_cast<double>(num_inside))
                           : sum.value().Scaled(node.requantization.ForChannel(oc).shift);
    result.codes.push_back(SlowCode(scaled, out_format, node.requantization, result.events));
  }
  return result;
}

class SummingOperatorTest : public ::testing::TestWithParam<OperatorKind> {};

TEST_P(SummingOperatorTest, EqualsMpfr) {
  const int64_t count = Setting("MACLOOM_RANDOM_LAYERS", 60);
  const auto seed = static_cast<uint64_t>(Setting("MACLOOM_SEED", 5));
  LayerEvents total;
  for (int64_t n = 0; n < count; ++n) {
    Rng rng(seed + static_cast<uint64_t>(n));
    const MinifloatLayer layer = DrawSummingLayer(rng, GetParam());
    SCOPED_TRACE("MACLOOM_SEED=" + std::to_string(seed + static_cast<uint64_t>(n)) + "\n" +
                 ir::ToText(layer.graph) + ToString(layer.accumulation));
    const Status verified = ir::Verify(layer.graph);
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    const ir::TensorValue input = DrawInput(rng, layer.graph);
    const Result<Trace> trace = golden::Run(layer.graph, input, {{layer.accumulation}, true});
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    const SlowResult slow = RunSlowly(layer, input);
    const LayerEvents& events = trace->events[0];
    ASSERT_EQ(trace->tensors.back().codes, slow.codes);
    EXPECT_TRUE(events == slow.events)
        << events.overflow_events << " " << slow.events.overflow_events << ", "
        << events.wrong_outputs << " " << slow.events.wrong_outputs << ", " << events.clamped_low
        << " " << slow.events.clamped_low << ", " << events.clamped_high << " "
        << slow.events.clamped_high;
    EXPECT_EQ(trace->accumulators[0].size(), slow.codes.size());
    if (HasFailure()) return;
    total += events;
  }
  EXPECT_GT(total.wrong_outputs, 0);
  EXPECT_GT(total.clamped_low, 0);
  EXPECT_GT(total.clamped_high, 0);
}

INSTANTIATE_TEST_SUITE_P(Operators, SummingOperatorTest,
                         ::testing::Values(OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                                           OperatorKind::kFullyConnected,
                                           OperatorKind::kAveragePool2d),
                         [](const auto& info) {
                           std::string name = ToString(info.param);
                           std::erase(name, '_');
                           return name;
                         });

/// e4m3 -> CONV (e5m2 weights) -> e5m2, ADD with itself -> e4m3, MAX_POOL, PAD, RESHAPE.
ir::Graph SmallNetwork() {
  Rng rng(11);
  ir::Graph graph;
  const NumberFormat e4m3 = NumberFormat::E4M3();
  graph.input = AddTensor(graph, {4, 4, 2}, e4m3);
  ir::Constant weights;
  weights.name = "w";
  weights.format = NumberFormat::E5M2();
  weights.shape = {3, 1, 1, 2};
  weights.quantization = {{1.0f, 0.5f, 2.0f}, {}, 0};
  for (int i = 0; i < 6; ++i) weights.codes.push_back(PickCode(rng, weights.format));
  graph.constants = {weights};
  const auto full = [&](RequantizationKind kind, const NumberFormat& format) {
    ir::Requantization requantization;
    requantization.kind = kind;
    requantization.clamp_min = static_cast<int32_t>(format.SignBit() | format.MaxFiniteCode());
    requantization.clamp_max = format.MaxFiniteCode();
    return requantization;
  };
  ir::Node conv;
  conv.name = "conv";
  conv.kind = OperatorKind::kConv2d;
  conv.inputs = {0};
  conv.weights = 0;
  conv.requantization = full(RequantizationKind::kToMinifloat, NumberFormat::E5M2());
  conv.requantization.channels = {{0, -10}, {0, -11}, {0, -9}};
  conv.output = AddTensor(graph, {4, 4, 3}, NumberFormat::E5M2());
  ir::Node add;
  add.name = "add";
  add.kind = OperatorKind::kAdd;
  add.inputs = {1, 1};
  add.add.input[0].shift = -2;
  add.add.input[1].shift = 1;
  add.requantization = full(RequantizationKind::kToMinifloat, e4m3);
  add.output = AddTensor(graph, {4, 4, 3}, e4m3);
  ir::Node pool;
  pool.name = "pool";
  pool.kind = OperatorKind::kMaxPool2d;
  pool.inputs = {2};
  pool.window.kernel_h = pool.window.kernel_w = pool.window.stride_h = pool.window.stride_w = 2;
  pool.window.pad_left = pool.window.pad_right = 1;
  pool.requantization = full(RequantizationKind::kNone, e4m3);
  pool.requantization.clamp_min = 0;
  pool.output = AddTensor(graph, {2, 3, 3}, e4m3);
  ir::Node pad;
  pad.name = "pad";
  pad.kind = OperatorKind::kPad;
  pad.inputs = {3};
  pad.window.pad_bottom = 1;
  pad.requantization = full(RequantizationKind::kNone, e4m3);
  pad.output = AddTensor(graph, {3, 3, 3}, e4m3);
  ir::Node reshape;
  reshape.name = "reshape";
  reshape.inputs = {4};
  reshape.requantization = full(RequantizationKind::kNone, e4m3);
  reshape.output = AddTensor(graph, {27}, e4m3);
  graph.output = reshape.output;
  graph.nodes = {conv, add, pool, pad, reshape};
  return graph;
}

TEST(MinifloatNetworkTest, MovesAndAddEqualTheirDefinition) {
  const ir::Graph graph = SmallNetwork();
  ASSERT_TRUE(ir::Verify(graph).ok()) << ir::Verify(graph).error().message;
  Rng rng(3);
  const ir::TensorValue input = DrawInput(rng, graph);
  const Trace trace = *golden::Run(graph, input);
  const NumberFormat e5m2 = NumberFormat::E5M2(), e4m3 = NumberFormat::E4M3();
  LayerEvents add_events;
  for (size_t i = 0; i < trace.tensors[1].codes.size(); ++i) {
    const Big x = SlowValue(e5m2, trace.tensors[1].codes[i]);
    ASSERT_EQ(trace.tensors[2].codes[i], SlowCode(x.Scaled(-2) + x.Scaled(1), e4m3,
                                                  graph.nodes[1].requantization, add_events));
  }
  EXPECT_EQ(trace.events[1], add_events);
  int64_t num_raised = 0;
  for (int64_t y = 0; y < 2; ++y) {
    for (int64_t x = 0; x < 3; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        double largest = -1000;
        for (int64_t iy = 2 * y; iy < 2 * y + 2; ++iy) {
          for (int64_t ix = 2 * x - 1; ix < 2 * x + 1; ++ix) {
            if (ix < 0 || ix > 3) continue;
            const int32_t code = trace.tensors[2].codes[static_cast<size_t>((iy * 4 + ix) * 3 + c)];
            largest = std::max(largest, SlowValue(e4m3, code).ToDouble());
          }
        }
        num_raised += largest < 0 ? 1 : 0;
        const int32_t got = trace.tensors[3].codes[static_cast<size_t>((y * 3 + x) * 3 + c)];
        EXPECT_EQ(SlowValue(e4m3, got).ToDouble(), std::max(largest, 0.0));
      }
    }
  }
  EXPECT_EQ(trace.events[2].clamped_low, num_raised);
  std::vector<int32_t> padded = trace.tensors[3].codes;
  padded.resize(27, 0);
  EXPECT_EQ(trace.tensors[4].codes, padded);
  EXPECT_EQ(trace.tensors[5].codes, padded);
}

// MAX_POOL_2D orders -0 below +0, and its limits may be -0.
TEST(MinifloatNetworkTest, MaxPoolPrefersPlusZero) {
  ir::Graph graph;
  const NumberFormat e4m3 = NumberFormat::E4M3();
  graph.input = AddTensor(graph, {1, 2, 2}, e4m3);
  ir::Node pool;
  pool.kind = OperatorKind::kMaxPool2d;
  pool.inputs = {0};
  pool.window.kernel_w = 2;
  pool.requantization.clamp_min = 0xfe;
  pool.requantization.clamp_max = 0x7e;
  pool.output = graph.output = AddTensor(graph, {1, 1, 2}, e4m3);
  graph.nodes = {pool};
  const ir::TensorValue input{{1, 2, 2}, {0x80, 0x80, 0x00, 0x81}};
  EXPECT_THAT(golden::Run(graph, input)->tensors[1].codes, ::testing::ElementsAre(0x00, 0x80));
  graph.nodes[0].requantization.clamp_min = 0;
  const Trace trace = *golden::Run(graph, input);
  EXPECT_THAT(trace.tensors[1].codes, ::testing::ElementsAre(0x00, 0x00));
  EXPECT_EQ(trace.events[0].clamped_low, 1);
}

TEST(MinifloatNetworkTest, BadContractsAndInputsAreNamed) {
  const ir::Graph graph = SmallNetwork();
  Rng rng(4);
  const ir::TensorValue input = DrawInput(rng, graph);
  const auto message = [&](const Accumulation& first) {
    RunOptions options;
    options.accumulation.resize(graph.nodes.size());
    options.accumulation[0] = first;
    const Result<Trace> trace = golden::Run(graph, input, options);
    return trace.ok() ? std::string() : trace.error().message;
  };
  EXPECT_EQ(message(Accumulation::Exact()), "");
  EXPECT_THAT(message({32, Overflow::kWrap, 1}),
              HasSubstr("node 0 \"conv\" (CONV_2D): accumulation is 32-bit wrap"));
  EXPECT_THAT(message({32, Overflow::kWrap, 1}), HasSubstr("accepted are fixed point, float, or"));
  EXPECT_THAT(message(Accumulation::Float(5, 10, Overflow::kWrap, 1, AccumulationOrder::kFlatTap)),
              HasSubstr("policy is wrap"));
  for (const int32_t nan : {0x7f, 0xff}) {
    ir::TensorValue bad = input;
    bad.codes[3] = nan;
    EXPECT_THAT(golden::Run(graph, bad).error().message,
                HasSubstr("input code 3 is " + std::to_string(nan) + ", Inf or NaN; accepted are"));
  }
  ir::TensorValue bad = input;
  bad.codes[0] = 256;
  EXPECT_THAT(golden::Run(graph, bad).error().message,
              HasSubstr("input code 0 is 256; accepted by e4m3"));
  ir::Graph biased = graph;
  ir::Constant bias;
  bias.name = "b";
  bias.format.bits = 64;
  bias.shape = {3};
  bias.codes = {0, int64_t{1} << 62, 0};
  biased.constants.push_back(bias);
  biased.nodes[0].bias = 1;
  ASSERT_TRUE(ir::Verify(biased).ok());
  RunOptions options;
  options.accumulation.resize(graph.nodes.size());
  options.accumulation[0] =
      Accumulation::Float(5, 10, Overflow::kInfinity, 1, AccumulationOrder::kFlatTap);
  EXPECT_THAT(golden::Run(biased, input, options).error().message,
              HasSubstr("start value of output channel 1 is 4611686018427387904 * 2^-25"));
}

}  // namespace
}  // namespace macloom::golden
