#include "campaign/random_case.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "campaign/random_networks.h"
#include "ir/accumulator_range.h"
#include "ir/shape_inference.h"

namespace macloom::campaign {
namespace {

using P = Property;
using ir::OperatorKind;
using ir::RequantizationKind;

constexpr OperatorKind kLayers[] = {OperatorKind::kConv2d,         OperatorKind::kDepthwiseConv2d,
                                    OperatorKind::kFullyConnected, OperatorKind::kAveragePool2d,
                                    OperatorKind::kMaxPool2d,      OperatorKind::kAdd,
                                    OperatorKind::kConcatenation,  OperatorKind::kPad,
                                    OperatorKind::kReshape};

bool IsBetween(P property, P first, P last) { return property >= first && property <= last; }

/// Makes the window fit whatever happened to it and to the input's size.
void FitWindow(stimulus::LayerSpec& spec) {
  ir::Window& w = spec.window;
  if (!ir::HasWindow(spec.kind) || spec.kind == OperatorKind::kPad) return;
  const auto axis = [](int64_t size, int& kernel, int& dilation, int& before, int& after) {
    // Padding is shorter than the window.
    before = std::min(before, (kernel - 1) * dilation);
    after = std::min(after, (kernel - 1) * dilation);
    if (int64_t{kernel - 1} * dilation + 1 > size + before + after) {
      kernel = dilation = 1;
      before = after = 0;
    }
  };
  axis(spec.input[0], w.kernel_h, w.dilation_h, w.pad_top, w.pad_bottom);
  axis(spec.input[1], w.kernel_w, w.dilation_w, w.pad_left, w.pad_right);
}

/// Image so large that input and output do not fit the activation memory together.
void MakeStriped(Rng& rng, const arch::HardwareConfig& config, stimulus::LayerSpec& spec) {
  const int64_t pixels = config.activation_words() * rng.UniformInt(9, 14) / 10;
  const int64_t blocks = rng.UniformInt(1, 2);
  const int64_t side = std::max<int64_t>(
      8, static_cast<int64_t>(std::sqrt(static_cast<double>(pixels / (2 * blocks)))));
  spec.input = {side + rng.UniformInt(1, 8), side + rng.UniformInt(0, 6),
                (blocks - 1) * config.lanes + rng.UniformInt(1, config.lanes)};
  spec.output_channels = rng.UniformInt(1, config.lanes);
  spec.window.stride_h = spec.window.stride_w = 1;
  spec.depth_multiplier = 1;
}

void AimAtShape(Rng& rng, const arch::HardwareConfig& config, P property,
                stimulus::LayerSpec& spec) {
  ir::Window& w = spec.window;
  switch (property) {
    case P::kOnePixel:
      spec.input[0] = rng.UniformInt(1, 4);
      spec.input[1] = rng.UniformInt(1, 4);
      if (spec.kind == OperatorKind::kAdd || spec.kind == OperatorKind::kConcatenation ||
          spec.kind == OperatorKind::kPad) {
        spec.input[0] = spec.input[1] = 1;
        spec.axis = 2;
        w = {};
      } else {
        w = {};
        w.kernel_h = static_cast<int>(spec.input[0]);
        w.kernel_w = static_cast<int>(spec.input[1]);
      }
      break;
    case P::kOddSizes:
      spec.input[0] = 2 * rng.UniformInt(1, 5) + 1;
      spec.input[1] = 2 * rng.UniformInt(1, 5) + 1;
      break;
    case P::kOneChannel:
      spec.input[2] = 1;
      spec.output_channels = 1;
      spec.depth_multiplier = 1;
      spec.axis = static_cast<int>(rng.UniformInt(0, 1));
      break;
    case P::kMoreChannelsThanLanes:
      spec.input[2] = config.lanes + rng.UniformInt(1, 2 * config.lanes);
      spec.output_channels = config.lanes + rng.UniformInt(1, 2 * config.lanes);
      break;
    case P::kSeveralTiles:
      spec.input[0] = rng.UniformInt(6, 14);
      spec.input[1] = rng.UniformInt(6, 14);
      break;
    case P::kStriped:
    case P::kStallDmaWrite:
      MakeStriped(rng, config, spec);
      break;
    case P::kIm2col:
    case P::kStallActivation:
      if (spec.kind != OperatorKind::kConv2d && property != P::kIm2col) break;
      spec.input[2] = spec.kind == OperatorKind::kConv2d ? rng.UniformInt(1, 4) : 1;
      w = {3, 3, 1, 1, 1, 1, 1, 1};
      w.kernel_w = static_cast<int>(rng.UniformInt(2, 5));
      spec.depth_multiplier = 1;
      break;
    case P::kRingWrap: {
      const int64_t bytes = config.weight_ring_bytes;
      spec.input = {rng.UniformInt(1, 4), rng.UniformInt(1, 4), rng.UniformInt(8, 64)};
      w = {};
      w.kernel_h = static_cast<int>(rng.UniformInt(1, spec.input[0]));
      w.kernel_w = static_cast<int>(rng.UniformInt(1, spec.input[1]));
      if (spec.kind == OperatorKind::kDepthwiseConv2d) {
        spec.depth_multiplier = 1;
        const int64_t per_channel = 16 + int64_t{w.kernel_h} * w.kernel_w;
        spec.input[2] = std::min<int64_t>(900, bytes * 11 / 10 / per_channel + 1);
      } else {
        const int64_t per_channel = spec.kind == OperatorKind::kConv2d
                                        ? int64_t{w.kernel_h} * w.kernel_w * spec.input[2]
                                        : spec.input[0] * spec.input[1] * spec.input[2];
        spec.output_channels = std::min<int64_t>(700, bytes * 11 / 10 / per_channel + 1);
      }
      break;
    }
    case P::kWeightsKept:
      spec.input = {rng.UniformInt(8, 14), rng.UniformInt(8, 14), rng.UniformInt(1, config.lanes)};
      spec.output_channels = rng.UniformInt(config.rows + 1, 4 * config.rows);
      break;
    case P::kRowsReleased:
      spec.input = {rng.UniformInt(1, 3), rng.UniformInt(1, 3),
                    config.weight_ring_bytes / config.rows / 2 + rng.UniformInt(1, 64)};
      w = {};
      if (spec.kind == OperatorKind::kConv2d) {
        w.kernel_h = static_cast<int>(spec.input[0]);
        w.kernel_w = static_cast<int>(spec.input[1]);
      }
      spec.output_channels = rng.UniformInt(1, 2 * config.rows);
      break;
    case P::kOneScale:
      spec.is_per_channel = false;
      break;
    case P::kAlongY:
      spec.input[0] = rng.UniformInt(8, 14);
      spec.input[1] = rng.UniformInt(1, 4);
      break;
    case P::kWindowChunks:
      spec.input = {rng.UniformInt(1, 40), rng.UniformInt(8, 40), rng.UniformInt(1, 8)};
      w = {};
      w.kernel_h = static_cast<int>(rng.UniformInt(1, spec.input[0]));
      w.kernel_w = static_cast<int>(rng.UniformInt(4, spec.input[1]));
      break;
    case P::kStride:
      spec.input[0] = rng.UniformInt(4, 12);
      w.stride_h = static_cast<int>(rng.UniformInt(2, 3));
      break;
    case P::kDilation:
      spec.input[0] = rng.UniformInt(5, 12);
      w.kernel_h = static_cast<int>(rng.UniformInt(2, 3));
      w.dilation_h = 2;
      break;
    case P::kDepthMultiplier:
      spec.depth_multiplier = static_cast<int>(rng.UniformInt(2, 3));
      break;
    case P::kAxis0:
    case P::kAxis1:
      spec.axis = property == P::kAxis0 ? 0 : 1;
      break;
    case P::kAxis2:
      spec.axis = 2;
      break;
    default:
      break;
  }
}

void AimAtPadding(Rng& rng, P property, stimulus::LayerSpec& spec) {
  ir::Window& w = spec.window;
  const bool is_pad = spec.kind == OperatorKind::kPad;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 0;
  if (property == P::kNoPadding) return;
  if (!is_pad) {
    w.kernel_h = w.kernel_w = static_cast<int>(rng.UniformInt(2, 4));
    spec.input[0] = rng.UniformInt(w.kernel_h, 9);
    spec.input[1] = rng.UniformInt(w.kernel_w, 9);
  }
  const auto draw = [&] { return is_pad ? static_cast<int>(rng.UniformInt(1, 3)) : 1; };
  if (property != P::kPadAfter) (rng.Bernoulli(0.5) ? w.pad_top : w.pad_left) = draw();
  if (property != P::kPadBefore && property != P::kPadUneven) {
    (rng.Bernoulli(0.5) ? w.pad_bottom : w.pad_right) = draw();
  }
  if (property == P::kPadCode && spec.input_zero_point == 0) spec.input_zero_point = 1;
}

/// Start values at the end of the accumulator's range: the first steps decide.
void ForceStarts(Rng& rng, ir::Graph& graph, int bits) {
  for (ir::Node& node : graph.nodes) {
    if (node.bias < 0) continue;
    ir::Constant& bias = graph.constants[static_cast<size_t>(node.bias)];
    const int64_t half = int64_t{1} << (bits - 1);
    const bool is_high = rng.Bernoulli(0.5);
    for (size_t oc = 0; oc < bias.codes.size(); ++oc) {
      const int64_t start = ir::AccumulatorStart(graph, node, static_cast<int64_t>(oc));
      const int64_t wanted =
          (is_high ? half - 1 : -half) + (is_high ? -1 : 1) * rng.UniformInt(0, 3);
      bias.codes[oc] += wanted - start;
    }
  }
}

bool IsOverflow(P property) { return IsBetween(property, P::kWrapHigh, P::kNarrowedSaturate); }

/// Weights, input and clamp that lead to the events aimed at.
void AimAtEvents(Rng& rng, P property, ir::Graph& graph, ir::TensorValue& input) {
  const bool is_low = property == P::kWrapLow || property == P::kSaturateLow;
  const ir::NumberFormat& format = graph.tensor(graph.input).format;
  const auto low = static_cast<int32_t>(format.MinCode());
  const auto high = static_cast<int32_t>(format.MaxCode());
  if (IsOverflow(property)) {
    // Positive weights, codes far from the zero point: sums of one sign.
    for (const ir::Node& node : graph.nodes) {
      if (node.weights < 0) continue;
      ir::Constant& weights = graph.constants[static_cast<size_t>(node.weights)];
      const int64_t code = rng.Bernoulli(0.3) ? weights.format.MinCode() : weights.format.MaxCode();
      weights.codes.assign(weights.codes.size(), code);
    }
    input.codes.assign(input.codes.size(), is_low == rng.Bernoulli(0.8) ? low : high);
  }
  if (property == P::kClampLow || property == P::kClampHigh) {
    ir::Node& node = graph.nodes.back();
    const ir::NumberFormat& out = graph.tensor(node.output).format;
    const auto middle = static_cast<int32_t>(
        std::clamp<int64_t>(node.requantization.zero_point, out.MinCode(), out.MaxCode()));
    node.requantization.clamp_min =
        property == P::kClampLow ? middle : static_cast<int32_t>(out.MinCode());
    node.requantization.clamp_max =
        property == P::kClampHigh ? middle : static_cast<int32_t>(out.MaxCode());
  }
}

arch::CompileOptions RandomOptions(Rng& rng, const arch::HardwareConfig& config,
                                   const ir::Graph& graph, const std::optional<Bin>& aim) {
  arch::CompileOptions options;
  const bool can_saturate = config.accumulator_policy != arch::AccumulatorPolicy::kWrap;
  const bool can_wrap = config.accumulator_policy != arch::AccumulatorPolicy::kSaturate;
  bool saturates = rng.Bernoulli(0.4);
  if (aim && IsOverflow(aim->property)) {
    saturates = aim->property == P::kSaturateHigh || aim->property == P::kSaturateLow ||
                aim->property == P::kNarrowedSaturate;
  }
  options.overflow =
      !can_wrap || (can_saturate && saturates) ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  int required_bits = 8;
  for (const ir::Node& node : graph.nodes) {
    required_bits = std::max(required_bits, ir::RequiredAccumulatorBits(graph, node));
  }
  const int most = std::min(required_bits, config.accumulator_bits);
  const bool is_narrowed = (aim && IsOverflow(aim->property)) || rng.Bernoulli(0.7);
  options.effective_accumulator_bits =
      is_narrowed ? static_cast<int>(rng.UniformInt(8, most)) : config.accumulator_bits;
  return options;
}

/// RESHAPE needs neighbours: flattened in front of a fully connected layer, or one pixel behind a
/// layer. Zero points and formats are those of `spec`.
ir::Graph ReshapeChain(Rng& rng, const stimulus::LayerSpec& spec, P property) {
  ir::Graph graph = stimulus::StartGraph(spec);
  const auto layer = [&](OperatorKind kind) {
    stimulus::LayerSpec next = stimulus::RandomLayerSpec(rng, kind);
    next.window = {};
    next.depth_multiplier = 1;
    next.output_channels = spec.output_channels;
    next.weight_format = spec.weight_format;
    next.output_format = spec.output_format;
    next.output_zero_point = spec.output_zero_point;
    next.requantization = spec.requantization;
    return next;
  };
  const bool flattens = property != P::kKeepsLayout && rng.Bernoulli(0.7);
  if (!flattens || rng.Bernoulli(0.6)) {
    stimulus::LayerSpec first = layer(OperatorKind::kConv2d);
    if (!flattens) {
      first.window.kernel_h = static_cast<int>(spec.input[0]);
      first.window.kernel_w = static_cast<int>(spec.input[1]);
    }
    stimulus::AppendLayer(rng, graph, first, graph.input);
  }
  stimulus::AppendLayer(rng, graph, layer(OperatorKind::kReshape), graph.output);
  if (flattens || rng.Bernoulli(0.5)) {
    stimulus::AppendLayer(rng, graph, layer(OperatorKind::kFullyConnected), graph.output);
  }
  return graph;
}

stimulus::LayerSpec RandomSpec(Rng& rng, const arch::HardwareConfig& config,
                               const std::optional<Bin>& aim) {
  const bool has_operator = aim && aim->column != kNetworkColumn;
  const OperatorKind kind =
      kLayers[has_operator ? aim->column : rng.UniformInt(0, std::ssize(kLayers) - 1)];
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kind);
  if (rng.Bernoulli(0.3)) spec.input.back() = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.3)) spec.output_channels = rng.UniformInt(1, 70);
  if (ir::HasWeights(kind) && rng.Bernoulli(0.1)) {
    const P shapes[] = {P::kOnePixel, P::kOneChannel, P::kIm2col, P::kWeightsKept, P::kRingWrap};
    AimAtShape(rng, config, shapes[rng.UniformInt(0, std::ssize(shapes) - 1)], spec);
  }
  Fit(rng, config, spec);
  if (!aim) return spec;
  const P property = aim->property;
  AimAtShape(rng, config, property, spec);
  if (IsBetween(property, P::kNoPadding, P::kPadCode)) AimAtPadding(rng, property, spec);
  if (property == P::kDoubleRounding) spec.requantization = RequantizationKind::kMultiplierDouble;
  if (property == P::kSingleRounding) spec.requantization = RequantizationKind::kMultiplierSingle;
  if (property == P::kMean) spec.requantization = RequantizationKind::kMultiplierDouble;
  if (property == P::kShift) spec.requantization = RequantizationKind::kShift;
  if (IsBetween(property, P::kActivationBits2, P::kActivationBits8)) {
    const int bits = 2 + static_cast<int>(property) - static_cast<int>(P::kActivationBits2);
    spec.output_format.bits = std::min(bits, config.activation_bits);
    spec.output_zero_point = 0;
    // The mean of codes stays on the input's grid.
    if (kind == OperatorKind::kAveragePool2d) {
      spec.input_format = spec.output_format;
      spec.input_zero_point = 0;
    }
  }
  if (IsBetween(property, P::kWeightBits2, P::kWeightBits8)) {
    const int bits = 2 + static_cast<int>(property) - static_cast<int>(P::kWeightBits2);
    spec.weight_format.bits = std::min(bits, config.weight_bits);
  }
  return spec;
}

}  // namespace

Case RandomCase(Rng& rng, const arch::HardwareConfig& config, const std::optional<Bin>& aim) {
  Case result;
  result.config = config;
  const P property = aim ? aim->property : P::kCount;
  const bool is_wide = config.activation_bits == 8 && config.weight_bits == 8;
  if (is_wide && (property == P::kChain || (!aim && rng.Bernoulli(0.15)))) {
    stimulus::ChainOptions options;
    options.num_layers = static_cast<int>(rng.UniformInt(1, 4));
    options.input = {rng.UniformInt(1, 14), rng.UniformInt(1, 12), rng.UniformInt(1, 24)};
    options.requantization = config.multiplier_bits() == 0 || rng.Bernoulli(0.2)
                                 ? RequantizationKind::kShift
                             : rng.Bernoulli(0.5) ? RequantizationKind::kMultiplierDouble
                                                  : RequantizationKind::kMultiplierSingle;
    result.graph = stimulus::RandomChain(rng, options);
  } else {
    stimulus::LayerSpec spec = RandomSpec(rng, config, aim);
    if (spec.kind == OperatorKind::kConcatenation && spec.axis == 2) {
      spec.input.back() = rng.UniformInt(1, 2) * config.lanes;
    }
    FitWindow(spec);
    result.graph = spec.kind == OperatorKind::kReshape ? ReshapeChain(rng, spec, property)
                                                       : stimulus::RandomLayerGraph(rng, spec);
  }
  result.input = stimulus::RandomInput(rng, result.graph);
  if (aim) AimAtEvents(rng, property, result.graph, result.input);
  result.compile = RandomOptions(rng, config, result.graph, aim);
  // A start value may exceed what the multipliers of the layer allow; then it stays as it was.
  if (rng.Bernoulli(0.1)) {
    ir::Graph forced = result.graph;
    ForceStarts(rng, forced, result.compile.effective_accumulator_bits);
    if (ir::Verify(forced).ok()) result.graph = std::move(forced);
  }
  result.timing = rng.Bernoulli(1.0 / 3)
                      ? sim::MemoryTiming::Ideal()
                      : sim::MemoryTiming::Random(static_cast<uint64_t>(rng.UniformInt(1, 3)));
  return result;
}

}  // namespace macloom::campaign
