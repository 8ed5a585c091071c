// Certificates against enumeration, against each other, against random and adversarial inputs.
#include "explore/certificate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "explore/adversarial.h"
#include "golden/reference/accumulator.h"
#include "golden/reference/executor.h"
#include "golden/reference/operators.h"
#include "stimulus/random_graph.h"
#include "tests/support/setting.h"

namespace macloom::explore {
namespace {

using ir::Accumulation;
using ir::AccumulationOrder;
using ir::AccumulatorRange;
using ir::CodeRange;
using ir::OperatorKind;

constexpr uint64_t kCertificateSeed = 77;

Accumulation RandomOrder(Rng& rng, OperatorKind kind) {
  Accumulation accumulation{32, ir::Overflow::kWrap, 1, AccumulationOrder::kTapSerial};
  const bool is_serial =
      kind == OperatorKind::kDepthwiseConv2d || kind == OperatorKind::kAveragePool2d;
  if (is_serial) {
    if (rng.Bernoulli(0.5)) accumulation.order = AccumulationOrder::kTapSerialColumn;
    return accumulation;
  }
  accumulation.order =
      rng.Bernoulli(0.5) ? AccumulationOrder::kBlockTap : AccumulationOrder::kFlatTap;
  accumulation.products_per_step = static_cast<int>(rng.UniformInt(1, 16));
  return accumulation;
}

OperatorKind RandomKind(Rng& rng) {
  constexpr OperatorKind kKinds[] = {OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                                     OperatorKind::kFullyConnected, OperatorKind::kAveragePool2d};
  return kKinds[rng.UniformInt(0, 3)];
}

struct Bounds {
  int64_t low = std::numeric_limits<int64_t>::max();
  int64_t high = std::numeric_limits<int64_t>::min();
  void Include(int64_t value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  AccumulatorRange range() const { return {low, high, true}; }
};

// Prefixes after every step and final sums of one output, for every assignment of free codes. The
// step of a product is written out here: tap, then channel block, as docs/numerics.md section 2.3.
class Enumerator {
 public:
  Enumerator(const ir::Graph& graph, const Accumulation& accumulation, const CodeRange& codes)
      : graph_(graph), node_(graph.nodes.back()), accumulation_(accumulation), codes_(codes) {}

  void Add(int64_t oy, int64_t ox, int64_t oc) {
    taps_.clear();
    const ir::Shape& in = graph_.tensor(node_.inputs[0]).shape;
    const int64_t pad = graph_.tensor(node_.inputs[0]).quantization.zero_point();
    const bool is_dense = node_.kind == OperatorKind::kFullyConnected;
    const bool is_pool = node_.kind == OperatorKind::kAveragePool2d;
    const bool is_conv = node_.kind == OperatorKind::kConv2d;
    const int64_t channels = is_dense ? ir::NumElements(in) : is_conv ? in[2] : 1;
    const ir::Window& w = node_.window;
    const int64_t kernel_h = is_dense ? 1 : w.kernel_h, kernel_w = is_dense ? 1 : w.kernel_w;
    const int64_t outputs = graph_.tensor(node_.output).shape.back();
    const int64_t per_step = accumulation_.products_per_step;
    const int64_t blocks = (channels + per_step - 1) / per_step;
    for (int64_t ky = 0; ky < kernel_h; ++ky) {
      for (int64_t kx = 0; kx < kernel_w; ++kx) {
        for (int64_t c = 0; c < channels; ++c) {
          Tap tap;
          const int64_t flat = (ky * kernel_w + kx) * channels + c;
          const int64_t index = is_conv || is_dense ? oc * kernel_h * kernel_w * channels + flat
                                                    : flat * outputs + oc;
          tap.weight =
              is_pool ? 1 : graph_.constant(node_.weights).codes[static_cast<size_t>(index)];
          if (!is_dense) {
            const int64_t y = oy * w.stride_h - w.pad_top + ky * w.dilation_h;
            const int64_t x = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
            tap.is_free = y >= 0 && y < in[0] && x >= 0 && x < in[1];
            tap.fixed = is_pool ? 0 : tap.weight * pad;
          }
          switch (accumulation_.order) {
            case AccumulationOrder::kBlockTap:
              tap.step = (c / per_step) * kernel_h * kernel_w + ky * kernel_w + kx;
              break;
            case AccumulationOrder::kFlatTap:
              tap.step = flat / per_step;
              break;
            case AccumulationOrder::kTapSerial:
              tap.step = ky * kernel_w + kx;
              break;
            case AccumulationOrder::kTapSerialColumn:
              tap.step = kx * kernel_h + ky;
              break;
          }
          taps_.push_back(tap);
        }
      }
    }
    num_steps_ = std::max(blocks * kernel_h * kernel_w, static_cast<int64_t>(taps_.size()));
    step_sums_.assign(static_cast<size_t>(num_steps_), 0);
    start_ = is_pool ? 0 : ir::AccumulatorStart(graph_, node_, oc);
    Assign(0);
  }

  Bounds prefixes, finals;

 private:
  struct Tap {
    int64_t weight = 0, fixed = 0, step = 0;
    bool is_free = true;
  };

  void Assign(size_t index) {
    if (index == taps_.size()) {
      int64_t sum = start_;
      prefixes.Include(sum);
      for (const int64_t step : step_sums_) prefixes.Include(sum += step);
      finals.Include(sum);
      return;
    }
    const Tap& tap = taps_[index];
    int64_t& step = step_sums_[static_cast<size_t>(tap.step)];
    for (int64_t code = codes_.min; code <= (tap.is_free ? codes_.max : codes_.min); ++code) {
      const int64_t product = tap.is_free ? tap.weight * code : tap.fixed;
      step += product;
      Assign(index + 1);
      step -= product;
    }
  }

  const ir::Graph& graph_;
  const ir::Node& node_;
  Accumulation accumulation_;
  CodeRange codes_;
  std::vector<Tap> taps_;
  std::vector<int64_t> step_sums_;
  int64_t num_steps_ = 0, start_ = 0;
};

stimulus::LayerSpec TinySpec(Rng& rng, OperatorKind kind) {
  stimulus::LayerSpec spec;
  spec.kind = kind;
  spec.input = {rng.UniformInt(1, 3), rng.UniformInt(1, 3), rng.UniformInt(1, 2)};
  do {
    spec.window = stimulus::RandomWindow(rng, spec.input[0], spec.input[1]);
  } while (spec.window.kernel_h * spec.window.kernel_w > 4);
  if (spec.window.kernel_h * spec.window.kernel_w > 2) spec.input[2] = 1;
  if (kind == OperatorKind::kFullyConnected) spec.input = {rng.UniformInt(1, 5)};
  spec.output_channels = 2;
  spec.input_format.bits = 2;
  spec.input_format.is_signed = rng.Bernoulli(0.5);
  spec.output_format = spec.input_format;
  spec.input_zero_point = static_cast<int32_t>(
      rng.UniformInt(spec.input_format.MinCode(), spec.input_format.MaxCode()));
  spec.output_zero_point = spec.input_zero_point;
  spec.weight_format.bits = static_cast<int>(rng.UniformInt(2, 8));
  spec.weight_style = stimulus::RandomStyle(rng);
  return spec;
}

/// Pooling has one range for all channels.
const AccumulatorRange& Of(const std::vector<AccumulatorRange>& ranges, int64_t channel) {
  return ranges[ranges.size() == 1 ? 0 : static_cast<size_t>(channel)];
}

TEST(CertificateTest, EveryFormEqualsEnumeration) {
  Rng rng(kCertificateSeed);
  for (int i = 0; i < 400; ++i) {
    const OperatorKind kind = RandomKind(rng);
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, TinySpec(rng, kind));
    const ir::Node& node = graph.nodes.back();
    const Accumulation accumulation = RandomOrder(rng, kind);
    LayerCertificate layer = Certify(graph, {accumulation})[0];
    const ir::NumberFormat& format = graph.tensor(graph.input).format;
    CodeRange codes{format.MinCode(), format.MaxCode()};
    if (rng.Bernoulli(0.6)) {
      codes.min = rng.UniformInt(format.MinCode(), format.MaxCode());
      codes.max = rng.UniformInt(codes.min, format.MaxCode());
    }
    SetRange(graph, accumulation, RangeKind::kClamp, codes, layer);
    const auto any_order = ir::AccumulatorRanges(graph, node, codes);
    const ir::Shape& out = graph.tensor(node.output).shape;
    for (int64_t oc = 0; oc < out.back(); ++oc) {
      Enumerator enumerator(graph, accumulation, codes);
      for (int64_t y = 0; y < (out.size() == 3 ? out[0] : 1); ++y) {
        for (int64_t x = 0; x < (out.size() == 3 ? out[1] : 1); ++x) enumerator.Add(y, x, oc);
      }
      const ChannelBounds& bounds = layer.channels[static_cast<size_t>(oc)].bounds[1];
      SCOPED_TRACE(ir::ToText(graph) + ir::ToString(accumulation));
      ASSERT_EQ(bounds.hardware_order, enumerator.prefixes.range()) << "channel " << oc;
      ASSERT_EQ(bounds.final_sum, enumerator.finals.range()) << "channel " << oc;
      ASSERT_EQ(bounds.any_order, Of(any_order, oc)) << "channel " << oc;
    }
  }
}

void ExpectNested(const AccumulatorRange& inner, const AccumulatorRange& outer) {
  ASSERT_LE(outer.low, inner.low);
  ASSERT_GE(outer.high, inner.high);
}

/// No event and no wrong sum at the certificate; inputs of all codes, certificate of `layer`.
void ExpectCertificatesHold(const ir::Graph& graph, Accumulation accumulation,
                            const LayerCertificate& layer, const ir::TensorValue& input) {
  const auto run = [&](int width_bits, ir::Overflow overflow) {
    accumulation.width_bits = std::max(width_bits, 8);
    accumulation.overflow = overflow;
    const auto trace = golden::Run(graph, input, {{accumulation}, true});
    EXPECT_TRUE(trace.ok()) << trace.error().message;
    return *trace;
  };
  const auto exact = golden::Run(graph, input, {{}, true});
  ASSERT_TRUE(exact.ok());
  for (const ir::Overflow overflow : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
    const golden::Trace trace = run(layer.widths.hardware_order[0], overflow);
    ASSERT_EQ(trace.accumulators, exact->accumulators);
    ASSERT_EQ(trace.events[0].overflow_events, 0);
  }
  const golden::Trace wrapped = run(layer.widths.final_sum[0], ir::Overflow::kWrap);
  ASSERT_EQ(wrapped.accumulators, exact->accumulators);
}

// MACLOOM_RANDOM_CHANNELS=100000 is the count docs/accumulator.md states.
TEST(CertificateTest, HoldsForRandomChannelsAndIsReached) {
  const int64_t num_channels = testing::Setting("MACLOOM_RANDOM_CHANNELS", 4000);
  Rng rng(static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", kCertificateSeed)));
  int64_t channels = 0;
  AdversarialSummary hardware_order, final_sum;
  while (channels < num_channels) {
    const OperatorKind kind = RandomKind(rng);
    const stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kind);
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    const Accumulation accumulation = RandomOrder(rng, kind);
    LayerCertificate layer = Certify(graph, {accumulation})[0];
    if (layer.widths.hardware_order[0] > 32) continue;
    const ir::NumberFormat& format = graph.tensor(graph.input).format;
    const int64_t low = rng.UniformInt(format.MinCode(), format.MaxCode());
    SetRange(graph, accumulation, RangeKind::kClamp, {low, rng.UniformInt(low, format.MaxCode())},
             layer);
    const auto any_order =
        ir::AccumulatorRanges(graph, graph.nodes[0], ir::InputCodeRange(graph, graph.nodes[0]));
    for (size_t c = 0; c < layer.channels.size(); ++c) {
      const ChannelCertificate& channel = layer.channels[c];
      ASSERT_EQ(channel.bounds[0].any_order, Of(any_order, static_cast<int64_t>(c)));
      ASSERT_LE(channel.bounds[0].any_order.RequiredBits(), channel.l1_bits);
      ASSERT_LE(channel.l1_bits, channel.data_type_bits);
      for (const RangeKind range : {RangeKind::kBitWidth, RangeKind::kClamp}) {
        const ChannelBounds& bounds = channel.bounds[static_cast<size_t>(range)];
        ExpectNested(bounds.final_sum, bounds.hardware_order);
        ExpectNested(bounds.hardware_order, bounds.any_order);
        for (const BoundForm form : {BoundForm::kHardwareOrder, BoundForm::kFinalSum}) {
          const AdversarialInput input = MakeAdversarialInput(graph, accumulation, layer,
                                                              static_cast<int64_t>(c), form, range);
          const auto [smallest, largest] =
              std::minmax_element(input.input.codes.begin(), input.input.codes.end());
          ASSERT_GE(*smallest, layer.codes[static_cast<size_t>(range)].min);
          ASSERT_LE(*largest, layer.codes[static_cast<size_t>(range)].max);
          CheckAdversarialInput(graph, accumulation, input,
                                form == BoundForm::kFinalSum ? final_sum : hardware_order);
        }
      }
    }
    ExpectCertificatesHold(graph, accumulation, layer, stimulus::RandomInput(rng, graph));
    if (HasFatalFailure()) FAIL() << ir::ToText(graph);
    channels += static_cast<int64_t>(layer.channels.size());
  }
  for (const AdversarialSummary& summary : {hardware_order, final_sum}) {
    EXPECT_EQ(summary.held_at_width, summary.num_inputs);
    EXPECT_EQ(summary.failed_below + summary.num_below_minimum, summary.num_inputs);
    EXPECT_GT(summary.failed_below, num_channels / 2);
  }
}

TEST(CertificateTest, DatatypeAndL1BoundsByHand) {
  // 64 int8 inputs, int8 weights, b = 5: 64 * 128 * 128 + 5 > 2^20 - 1.
  stimulus::LayerSpec spec;
  spec.kind = OperatorKind::kFullyConnected;
  spec.input = {64};
  spec.output_channels = 2;
  Rng rng(kCertificateSeed);
  ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
  graph.constants[0].codes.assign(128, 0);
  graph.constants[0].codes[0] = -3;
  graph.constants[1].codes = {5, -1000};
  const LayerCertificate layer =
      Certify(graph, {{32, ir::Overflow::kWrap, 16, AccumulationOrder::kBlockTap}})[0];
  EXPECT_EQ(layer.channels[0].data_type_bits, 22);
  EXPECT_EQ(layer.channels[0].l1_norm, 3);
  EXPECT_EQ(layer.channels[0].l1_bits, 10);  // 3 * 128 + 5 = 389 <= 511.
  EXPECT_EQ(layer.channels[0].bounds[0].final_sum, (AccumulatorRange{5 - 3 * 127, 5 + 3 * 128}));
  EXPECT_FALSE(layer.channels[0].is_dead);
  EXPECT_TRUE(layer.channels[1].is_dead);
  EXPECT_TRUE(layer.channels[1].is_outlier_bias);
  EXPECT_EQ(layer.widths.start, 11);
  EXPECT_EQ(layer.widths.hardware_order[0], 11);
  EXPECT_EQ(layer.widths.hardware_order_without_outliers, 10);
}

TEST(CertificateTest, ClampRangesFollowTheTensors) {
  stimulus::LayerSpec spec;
  spec.input = {4, 4, 2};
  spec.output_channels = 2;
  spec.output_zero_point = -10;
  Rng rng(kCertificateSeed);
  ir::Graph graph = stimulus::StartGraph(spec);
  const ir::TensorId first = stimulus::AppendLayer(rng, graph, spec, graph.input);
  graph.nodes[0].requantization.clamp_min = -5;
  graph.nodes[0].requantization.clamp_max = 100;
  stimulus::LayerSpec pad = spec;
  pad.kind = OperatorKind::kPad;
  pad.input = graph.tensor(first).shape;
  pad.input_zero_point = -10;
  pad.window = {1, 1, 1, 1, 1, 1, 1, 1};
  const ir::TensorId padded = stimulus::AppendLayer(rng, graph, pad, first);
  const std::vector<CodeRange> ranges = ClampRanges(graph);
  EXPECT_EQ(ranges[static_cast<size_t>(graph.input)], (CodeRange{-128, 127}));
  EXPECT_EQ(ranges[static_cast<size_t>(first)], (CodeRange{-5, 100}));
  EXPECT_EQ(ranges[static_cast<size_t>(padded)], (CodeRange{-10, 100}));
}

}  // namespace
}  // namespace macloom::explore
