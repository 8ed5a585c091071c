#include "arch/minifloat.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/minifloat_range.h"

namespace macloom::arch {
namespace {

/// m / 2^shift to nearest, ties to even; shift >= 0.
uint64_t RoundToEven(uint64_t m, int shift) {
  if (shift == 0) return m;
  if (shift > 64) return 0;
  const uint64_t kept = shift == 64 ? 0 : m >> shift;
  const uint64_t rest = shift == 64 ? m : m & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  return kept + (rest > half || (rest == half && kept % 2 == 1) ? 1 : 0);
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

/// The register of a fixed-point start value; nullopt if it does not fit and may not wrap.
std::optional<int64_t> FixedStart(int64_t bias, const HardwareConfig& config, bool may_wrap) {
  const uint64_t rounded = RoundToEven(Magnitude(bias), config.accumulator_dropped_bits);
  const int64_t value = static_cast<int64_t>(bias < 0 ? uint64_t{0} - rounded : rounded);
  const int unused = 64 - config.accumulator_bits;
  if (unused <= 0) return value;
  const int64_t wrapped = static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused;
  if (wrapped != value && !may_wrap) return std::nullopt;
  return wrapped;
}

}  // namespace

ir::NumberFormat MinifloatOf(MacFormat format) {
  switch (format) {
    case MacFormat::kE5m2:
      return ir::NumberFormat::E5M2();
    case MacFormat::kE3m4:
      return ir::NumberFormat::Minifloat(3, 4, 3, ir::MinifloatSpecials::kFinite);
    case MacFormat::kE2m5:
      return ir::NumberFormat::Minifloat(2, 5, 1, ir::MinifloatSpecials::kFinite);
    default:
      return ir::NumberFormat::E4M3();
  }
}

ir::Accumulation MinifloatAccumulation(const HardwareConfig& config, ir::Overflow overflow,
                                       const ir::Accumulation& steps) {
  if (config.has_float_accumulator()) {
    const bool is_half = config.accumulator_kind == AccumulatorKind::kFp16;
    const bool saturates = overflow == ir::Overflow::kSaturate;
    return ir::Accumulation::Float(is_half ? 5 : 8, is_half ? 10 : 23,
                                   saturates ? ir::Overflow::kSaturate : ir::Overflow::kInfinity,
                                   steps.products_per_step, steps.order);
  }
  return ir::Accumulation::FixedPoint(config.accumulator_bits, overflow, steps.products_per_step,
                                      steps.order, config.accumulator_dropped_bits,
                                      config.accumulator_alignment_bits < 0
                                          ? ir::Accumulation::kNoAlignment
                                          : config.accumulator_alignment_bits);
}

std::optional<int64_t> FloatStart(int64_t bias, int lsb, int exponent_bits, int mantissa_bits) {
  const uint64_t m = Magnitude(bias);
  if (m == 0) return 0;
  const int least = 2 - (1 << (exponent_bits - 1)) - mantissa_bits;
  const int unit = std::max(static_cast<int>(std::bit_width(m)) - 1 + lsb - mantissa_bits, least);
  const int shift = unit - lsb;
  const uint64_t kept = shift >= 0 ? RoundToEven(m, shift) : m << -shift;
  // A hidden bit in `kept` counts as one exponent step, as it must.
  const uint64_t code = (static_cast<uint64_t>(unit - least) << mantissa_bits) + kept;
  if (code >= ((uint64_t{1} << exponent_bits) - 1) << mantissa_bits) return std::nullopt;
  const bool is_negative = bias < 0 && code != 0;
  return static_cast<int64_t>(code |
                              (is_negative ? uint64_t{1} << (exponent_bits + mantissa_bits) : 0));
}

Result<std::vector<ChannelParameters>> MinifloatParameters(const NodeContext& context) {
  const HardwareConfig& config = context.config;
  const int lsb = 2 * MinifloatOf(config.mac_format).LeastExponent();
  const bool is_half = config.accumulator_kind == AccumulatorKind::kFp16;
  const std::vector<ir::FixedPointMultiplier>& pairs = context.node.requantization.channels;
  std::vector<ChannelParameters> channels;
  for (size_t oc = 0; oc < static_cast<size_t>(context.output.image.channels); ++oc) {
    const int64_t bias =
        context.node.bias < 0 ? 0 : context.graph.constant(context.node.bias).codes[oc];
    const std::optional<int64_t> start =
        config.has_float_accumulator()
            ? FloatStart(bias, lsb, is_half ? 5 : 8, is_half ? 10 : 23)
            : FixedStart(bias, config, context.overflow == ir::Overflow::kWrap);
    if (!start) {
      return Unmappable(context, fmt::format("start value {} * 2^{} of output channel {} does not "
                                             "fit the accumulator of {} bits (acc.kind)",
                                             bias, lsb, oc, config.register_bits()));
    }
    channels.push_back({*start, pairs.size() == 1 ? pairs[0] : pairs[oc]});
  }
  return channels;
}

bool IsOrderFree(const NodeContext& context) {
  const HardwareConfig& config = context.config;
  if (!config.is_minifloat()) {
    return ir::RequiredAccumulatorBits(context.graph, context.node) <= context.accumulator_bits;
  }
  if (config.has_float_accumulator() || config.accumulator_alignment_bits >= 0) return false;
  // Cutting makes no magnitude larger; the start value may be rounded up.
  const int spare = config.accumulator_dropped_bits > 0 ? 1 : 0;
  return ir::MinifloatAccumulatorBits(context.graph, context.node) -
             config.accumulator_dropped_bits + spare <=
         config.accumulator_bits;
}

}  // namespace macloom::arch
