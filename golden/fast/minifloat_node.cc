#include "golden/fast/minifloat_node.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "golden/reference/minifloat.h"
#include "golden/reference/minifloat_requantize.h"
#include "golden/reference/operators.h"
#include "golden/reference/window.h"
#include "ir/minifloat_range.h"
#include "ir/shape_inference.h"

namespace macloom::golden::fast {
namespace {

using ir::OperatorKind;

int BitLength(uint64_t value) { return static_cast<int>(std::bit_width(value)); }
int BitLength(unsigned __int128 value) {
  const auto high = static_cast<uint64_t>(value >> 64);
  return high != 0 ? 64 + BitLength(high) : BitLength(static_cast<uint64_t>(value));
}

template <typename Wide>
using Magnitude = std::conditional_t<sizeof(Wide) == sizeof(int64_t), uint64_t, unsigned __int128>;

template <typename Wide>
Magnitude<Wide> MagnitudeOf(Wide value) {
  return static_cast<Magnitude<Wide>>(value < 0 ? -value : value);
}

/// value / 2^bits to the nearest integer, ties to even. @pre bits >= 1.
template <typename Unsigned>
Unsigned RoundedShift(Unsigned value, int bits) {
  if (bits > BitLength(value)) return 0;
  const Unsigned kept = value >> (bits - 1) >> 1;
  const bool has_half = (value >> (bits - 1) & 1) != 0;
  const bool has_rest = (value & ((Unsigned{1} << (bits - 1)) - 1)) != 0;
  return kept + (has_half && (has_rest || (kept & 1) != 0) ? 1 : 0);
}

/// Code of RNE(value * 2^exponent), exponent unlimited above (docs/numerics.md section 9.2).
template <typename Unsigned>
int64_t RoundedCode(Unsigned value, int exponent, const ir::NumberFormat& format) {
  if (value == 0) return 0;
  const int lsb = format.LeastExponent();
  const int quantum = std::max(BitLength(value) - 1 + exponent - format.mantissa_bits, lsb);
  const int shift = quantum - exponent;
  const Unsigned significand = shift > 0 ? RoundedShift(value, shift) : value << -shift;
  return (int64_t{quantum - lsb} << format.mantissa_bits) + static_cast<int64_t>(significand);
}

template <typename Wide>
bool Fits(int width_bits, Wide value) {
  return BitLength(static_cast<Magnitude<Wide>>(value < 0 ? -(value + 1) : value)) < width_bits;
}

template <typename Wide>
Wide Wrapped(int width_bits, Wide value) {
  const int unused = static_cast<int>(8 * sizeof(Wide)) - width_bits;
  return static_cast<Wide>(static_cast<Magnitude<Wide>>(value) << unused) >> unused;
}

}  // namespace

/// The register and, beside it, the exact sum; both in units of 2^p, kFixedPoint's of 2^(p + D).
template <typename Wide>
struct MinifloatNode::Register {
  Wide value = 0, exact = 0;
  int infinity = 0;  // The sign of an infinity.
  int64_t num_events = 0;
};

std::optional<MinifloatNode> MinifloatNode::Create(const ir::Graph& graph, const ir::Node& node,
                                                   const ir::Accumulation& accumulation) {
  const ir::NumberFormat& in = graph.tensor(node.inputs[0]).format;
  const bool is_pool = node.kind == OperatorKind::kAveragePool2d;
  if (!in.IsMinifloat() || !(ir::HasWeights(node.kind) || is_pool)) return std::nullopt;
  MinifloatNode result;
  const ir::NumberFormat& weight_format = is_pool ? in : graph.constant(node.weights).format;
  result.kind_ = node.kind;
  result.window_ = node.window;
  result.depth_multiplier_ = node.depth_multiplier;
  result.output_shape_ = graph.tensor(node.output).shape;
  result.accumulation_ = accumulation;
  result.requantization_ = node.requantization;
  result.output_format_ = graph.tensor(node.output).format;
  result.order_ = MakeStepOrder(accumulation, ExtentOf(graph, node));
  result.product_lsb_ = in.LeastExponent() + weight_format.LeastExponent();
  for (int64_t code = 0; code <= in.MaxCode(); ++code) {
    const DecodedMinifloat decoded = Decode(in, code);
    const bool is_finite = decoded.float_class == FloatClass::kFinite;
    result.input_values_.push_back(is_finite ? decoded.grid_integer() : 0);
    result.input_steps_.push_back(decoded.steps);
  }
  const auto num_positions = static_cast<int64_t>(result.order_.positions.size());
  const int64_t num_channels = result.output_shape_.back();
  const int64_t one = int64_t{in.exponent_bias} << in.mantissa_bits;
  for (int64_t c = 0; c < num_channels; ++c) {
    for (const int64_t i : result.order_.positions) {
      int64_t code = one;
      if (!is_pool) {
        const bool is_last = node.kind == OperatorKind::kDepthwiseConv2d;
        const int64_t index = is_last ? i * num_channels + c : c * num_positions + i;
        code = graph.constant(node.weights).codes[static_cast<size_t>(index)];
      }
      const DecodedMinifloat decoded = Decode(weight_format, code);
      result.weight_values_.push_back(decoded.grid_integer());
      result.weight_steps_.push_back(decoded.steps);
    }
  }
  result.starts_.assign(static_cast<size_t>(num_channels), 0);
  if (!is_pool) result.starts_ = StartValues(graph, node);
  // A register beside the exact sum: rounded up at most to twice it, or as wide as it is.
  int bits = ir::MinifloatAccumulatorBits(graph, node) + 2;
  if (accumulation.kind == ir::AccumulationKind::kFixedPoint) {
    bits = std::max({bits, accumulation.width_bits, accumulation.dropped_bits}) + 2;
  }
  if (accumulation.kind == ir::AccumulationKind::kFloat) {
    const int bias = (1 << (accumulation.exponent_bits - 1)) - 1;
    result.register_format_ = ir::NumberFormat::Minifloat(
        accumulation.exponent_bits, accumulation.mantissa_bits, bias, ir::MinifloatSpecials::kIeee);
    // The last bit of the largest value.
    if (bias - accumulation.mantissa_bits < result.product_lsb_) return std::nullopt;
    // Rounding step by step may raise the register further: half a unit per step.
    bits += BitLength(static_cast<uint64_t>(result.order_.step_ends.size()));
    // A start value below the register's unit may round up to that unit.
    bits = std::max(bits, result.register_format_.LeastExponent() - result.product_lsb_ + 2);
  }
  constexpr int kMaxBits = 125;
  if (bits > kMaxBits) return std::nullopt;
  result.is_narrow_ = bits <= 62;
  return result;
}

NodeRun MinifloatNode::Run(const ir::TensorValue& x) const {
  return is_narrow_ ? RunIn<int64_t>(x) : RunIn<__int128>(x);
}

template <typename Wide>
NodeRun MinifloatNode::RunIn(const ir::TensorValue& x) const {
  NodeRun run;
  run.output.shape = output_shape_;
  const int64_t num_outputs = output_shape_.back();
  const size_t num_positions = order_.positions.size();
  Operands operands{std::vector<int64_t>(num_positions), std::vector<int>(num_positions)};
  const auto gather = [&](const std::vector<int32_t>& from, int64_t first, int64_t stride) {
    for (size_t i = 0; i < num_positions; ++i) {
      const auto code =
          static_cast<size_t>(from[static_cast<size_t>(first + order_.positions[i] * stride)]);
      operands.values[i] = input_values_[code];
      operands.steps[i] = input_steps_[code];
    }
  };
  if (kind_ == OperatorKind::kFullyConnected) {
    gather(x.codes, 0, 1);
    for (int64_t oc = 0; oc < num_outputs; ++oc) Append<Wide>(run, operands, oc, 1);
    return run;
  }
  for (int64_t out_y = 0; out_y < output_shape_[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < output_shape_[1]; ++out_x) {
      const WindowCodes window = GatherWindow(x, window_, out_y, out_x, 0);
      if (kind_ == OperatorKind::kConv2d) gather(window.codes, 0, 1);
      for (int64_t oc = 0; oc < num_outputs; ++oc) {
        if (kind_ != OperatorKind::kConv2d) {
          gather(window.codes, oc / depth_multiplier_, x.shape[2]);
        }
        Append<Wide>(run, operands, oc, window.num_inside_taps);
      }
    }
  }
  return run;
}

template <typename Wide>
void MinifloatNode::Append(NodeRun& run, const Operands& operands, int64_t channel,
                           int64_t num_positions) const {
  Register<Wide> acc;
  const int64_t start = starts_[static_cast<size_t>(channel)];
  const int64_t* weights =
      weight_values_.data() + channel * static_cast<int64_t>(operands.values.size());
  acc.value = acc.exact = start;
  const bool is_fixed = accumulation_.kind == ir::AccumulationKind::kFixedPoint;
  const int dropped = is_fixed ? accumulation_.dropped_bits : 0;
  if (accumulation_.kind == ir::AccumulationKind::kInteger) {
    for (size_t i = 0; i < operands.values.size(); ++i) {
      acc.exact += static_cast<Wide>(operands.values[i]) * weights[i];
    }
    acc.value = acc.exact;
  } else {
    AddSteps<Wide>(acc, operands, weights);
  }
  run.accumulators.push_back(0);
  if (accumulation_.kind == ir::AccumulationKind::kFloat) {
    const int64_t code = acc.infinity != 0
                             ? register_format_.MaxFiniteCode() + 1
                             : RoundedCode(MagnitudeOf(acc.value), product_lsb_, register_format_);
    const bool is_negative = acc.infinity < 0 || acc.value < 0;
    run.accumulators.back() = is_negative ? code | register_format_.SignBit() : code;
  } else {
    run.accumulators.back() = static_cast<int64_t>(acc.value);
  }
  const bool is_right = acc.infinity == 0 && acc.value == acc.exact >> dropped &&
                        (acc.exact & ((Wide{1} << dropped) - 1)) == 0;
  run.events.overflow_events += acc.num_events;
  run.events.overflowed_outputs += acc.num_events > 0 ? 1 : 0;
  run.events.wrong_outputs += is_right ? 0 : 1;
  run.Append(RoundAndClampSum<Wide>(acc, channel, num_positions));
}

template <typename Wide>
void MinifloatNode::AddSteps(Register<Wide>& acc, const Operands& operands,
                             const int64_t* weights) const {
  const bool is_float = accumulation_.kind == ir::AccumulationKind::kFloat;
  const int dropped = accumulation_.dropped_bits;
  const bool is_aligned = !is_float && accumulation_.alignment_bits >= 0;
  const int width_bits = accumulation_.width_bits;
  const int* weight_steps = weight_steps_.data() + (weights - weight_values_.data());
  const auto round = [&](Wide value) {
    const Magnitude<Wide> magnitude = MagnitudeOf(value);
    const int shift = std::max(BitLength(magnitude) - 1 - register_format_.mantissa_bits,
                               register_format_.LeastExponent() - product_lsb_);
    if (shift <= 0) return value;
    const auto rounded = static_cast<Wide>(RoundedShift(magnitude, shift) << shift);
    return value < 0 ? -rounded : rounded;
  };
  if (is_float) {
    acc.value = round(acc.value);
  } else if (dropped > 0) {
    const auto rounded = static_cast<Wide>(RoundedShift(MagnitudeOf(acc.value), dropped));
    acc.value = acc.value < 0 ? -rounded : rounded;
  }
  if (!is_float && accumulation_.overflow == ir::Overflow::kWrap) {
    acc.value = Wrapped(width_bits, acc.value);
  }
  int64_t next = 0;
  for (const int64_t end : order_.step_ends) {
    Wide sum = 0, cut = 0;
    int grid = dropped;
    if (is_aligned) {
      int largest = 0;
      for (int64_t i = next; i < end; ++i) {
        largest = std::max(largest, operands.steps[static_cast<size_t>(i)] + weight_steps[i]);
      }
      grid = std::max(dropped, largest - accumulation_.alignment_bits);
    }
    for (int64_t i = next; i < end; ++i) {
      const Wide product = static_cast<Wide>(operands.values[static_cast<size_t>(i)]) * weights[i];
      sum += product;
      if (grid == 0) continue;
      const auto kept = static_cast<Wide>(MagnitudeOf(product) >> grid << (grid - dropped));
      cut += product < 0 ? -kept : kept;
    }
    next = end;
    acc.exact += sum;
    if (is_float) {
      if (acc.infinity != 0) continue;
      const Wide total = acc.value + sum;
      acc.value = round(total);
      const Magnitude<Wide> magnitude = MagnitudeOf(acc.value);
      const int emax = register_format_.exponent_bias;
      if (BitLength(magnitude) - 1 + product_lsb_ <= emax) continue;
      ++acc.num_events;
      const int last = emax - register_format_.mantissa_bits - product_lsb_;
      const Wide largest = ((Wide{2} << register_format_.mantissa_bits) - 1) << last;
      acc.value = total < 0 ? -largest : largest;
      if (accumulation_.overflow == ir::Overflow::kInfinity) acc.infinity = total < 0 ? -1 : 1;
      continue;
    }
    const Wide total = acc.value + (grid == 0 ? sum : cut);
    acc.value = total;
    if (Fits(width_bits, total)) continue;
    ++acc.num_events;
    if (accumulation_.overflow == ir::Overflow::kWrap) {
      acc.value = Wrapped(width_bits, total);
    } else {
      const Wide largest = (Wide{1} << (width_bits - 1)) - 1;
      acc.value = total < 0 ? -largest - 1 : largest;
    }
  }
}

template <typename Wide>
Requantized MinifloatNode::RoundAndClampSum(const Register<Wide>& acc, int64_t channel,
                                            int64_t num_positions) const {
  const bool is_fixed = accumulation_.kind == ir::AccumulationKind::kFixedPoint;
  const int unit = product_lsb_ + (is_fixed ? accumulation_.dropped_bits : 0);
  if (acc.infinity != 0 || requantization_.kind == ir::RequantizationKind::kMean) {
    const bool is_infinite = acc.infinity != 0;
    const ExactReal value = is_infinite ? ExactReal() : ExactReal(acc.value, unit);
    const ExtendedReal real{is_infinite ? FloatClass::kInfinity : FloatClass::kFinite,
                            is_infinite ? acc.infinity < 0 : value.IsNegative(), value};
    return RequantizeToMinifloat(real, output_format_, requantization_, channel, num_positions);
  }
  const int exponent = unit + requantization_.ForChannel(channel).shift;
  const int64_t magnitude = RoundedCode(MagnitudeOf(acc.value), exponent, output_format_);
  const int64_t sign_bit = output_format_.SignBit();
  const auto key = [&](int32_t code) {
    return (code & sign_bit) != 0 ? -(code - sign_bit) : int64_t{code};
  };
  const int64_t rounded = acc.value < 0 ? -magnitude : magnitude;
  if (rounded < key(requantization_.clamp_min)) return {requantization_.clamp_min, true, false};
  if (rounded > key(requantization_.clamp_max)) return {requantization_.clamp_max, false, true};
  return {static_cast<int32_t>(rounded < 0 ? magnitude | sign_bit : magnitude), false, false};
}

}  // namespace macloom::golden::fast
