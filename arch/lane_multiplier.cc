#include "arch/lane_multiplier.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/accumulator_range.h"

namespace macloom::arch {
namespace {

using Wide = __int128;

/// floor(value / 2^n + 1/2).
Wide RoundShift(Wide value, int n) { return n == 0 ? value : (value + (Wide{1} << (n - 1))) >> n; }

/// value / 2^n to nearest, ties away from zero.
Wide RoundShiftAway(Wide value, int n) {
  return value < 0 ? -RoundShift(-value, n) : RoundShift(value, n);
}

/// Smallest x in [range.low, range.high + 1] whose code is at least `code`.
template <typename CodeOf>
int64_t Threshold(const OperandRange& range, int64_t code, CodeOf code_of) {
  int64_t low = range.low, high = range.high + 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (code_of(middle) >= code) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// What the accumulators of output channel c can hold when they are drained.
OperandRange DrainedRange(const NodeContext& context, const ir::AccumulatorRange& proved) {
  if (proved.RequiredBits() <= context.accumulator_bits) return {proved.low, proved.high};
  const int64_t half = int64_t{1} << (context.accumulator_bits - 1);
  return {-half, half - 1};
}

Error RefuseChannel(const NodeContext& context, size_t channel,
                    const ir::FixedPointMultiplier& pair, const std::string& reason) {
  return Unmappable(context, fmt::format("output channel {} (multiplier {}, shift {}): {}", channel,
                                         pair.multiplier, pair.shift, reason));
}

}  // namespace

int64_t LaneCode(int64_t x, const ir::FixedPointMultiplier& pair, int multiplier_bits,
                 const LaneRounding& rounding) {
  const Wide product = Wide{x} * pair.multiplier;
  Wide value = 0;
  if (rounding.is_double) {
    value = RoundShiftAway(RoundShift(product, multiplier_bits - std::max(pair.shift, 0)),
                           std::max(-pair.shift, 0));
  } else {
    value = RoundShift(product, multiplier_bits - pair.shift);
  }
  return static_cast<int64_t>(
      std::clamp<Wide>(value + rounding.zero_point, rounding.clamp_min, rounding.clamp_max));
}

std::optional<ir::FixedPointMultiplier> NarrowMultiplier(const ir::FixedPointMultiplier& pair,
                                                         int bits, const LaneRounding& rounding,
                                                         const OperandRange& range) {
  constexpr int kWideBits = 31;
  // One code more on either side: the lanes count what they clamp.
  LaneRounding counted = rounding;
  --counted.clamp_min;
  ++counted.clamp_max;
  const auto wide = [&](int64_t x) { return LaneCode(x, pair, kWideBits, counted); };
  std::vector<int64_t> thresholds;
  for (int64_t code = rounding.clamp_min; code <= counted.clamp_max; ++code) {
    thresholds.push_back(Threshold(range, code, wide));
  }
  const int32_t nearest = static_cast<int32_t>(RoundShift(pair.multiplier, kWideBits - bits));
  for (const int32_t offset : {0, -1, 1, -2, 2, -3, 3}) {
    ir::FixedPointMultiplier candidate = {nearest + offset, pair.shift};
    if (candidate.multiplier >= int32_t{1} << bits) {
      candidate = {candidate.multiplier >> 1, candidate.shift + 1};
    }
    if (candidate.multiplier < 0 || candidate.shift > 7) continue;
    const auto narrow = [&](int64_t x) { return LaneCode(x, candidate, bits, counted); };
    bool is_equal = true;
    for (size_t i = 0; i < thresholds.size() && is_equal; ++i) {
      const int64_t code = rounding.clamp_min + static_cast<int64_t>(i);
      const int64_t x = thresholds[i];
      is_equal = (x > range.high || narrow(x) >= code) && (x <= range.low || narrow(x - 1) < code);
    }
    if (is_equal) return candidate;
  }
  return std::nullopt;
}

Result<std::vector<ir::FixedPointMultiplier>> LaneMultipliers(const NodeContext& context) {
  const ir::Requantization& requantization = context.node.requantization;
  const int bits = context.config.multiplier_bits();
  LaneRounding rounding;
  rounding.is_double = requantization.kind == ir::RequantizationKind::kMultiplierDouble;
  rounding.zero_point = requantization.zero_point;
  rounding.clamp_min = requantization.clamp_min;
  rounding.clamp_max = requantization.clamp_max;
  const bool is_shift = requantization.kind == ir::RequantizationKind::kShift;
  std::vector<ir::FixedPointMultiplier> pairs;
  for (size_t c = 0; c < requantization.channels.size(); ++c) {
    ir::FixedPointMultiplier pair = requantization.channels[c];
    // (x + 2^(s-1)) >> s is the single-rounding form of the multiplier 2^30.
    if (is_shift) pair = {1 << 30, 1 - pair.shift};
    if (bits == 0 && (rounding.is_double || pair.multiplier != 1 << 30 || pair.shift > 1)) {
      return RefuseChannel(context, c, requantization.channels[c],
                           "the lanes only shift (requant.kind); accepted are rounding right "
                           "shifts by 0 to 31");
    }
    pairs.push_back(pair);
  }
  if (bits != 24) return pairs;
  // A pair for all channels must serve every channel's range.
  const std::vector<ir::AccumulatorRange> ranges = ir::AccumulatorRanges(
      context.graph, context.node, ir::InputCodeRange(context.graph, context.node));
  for (size_t c = 0; c < pairs.size(); ++c) {
    OperandRange range = DrainedRange(context, ranges[c]);
    for (size_t i = 1; pairs.size() == 1 && i < ranges.size(); ++i) {
      const OperandRange other = DrainedRange(context, ranges[i]);
      range = {std::min(range.low, other.low), std::max(range.high, other.high)};
    }
    const auto narrow = NarrowMultiplier(pairs[c], bits, rounding, range);
    if (!narrow) {
      return RefuseChannel(context, c, pairs[c],
                           fmt::format("no 24-bit multiplier gives the same codes and clamps for "
                                       "every accumulator from {} to {}",
                                       range.low, range.high));
    }
    pairs[c] = *narrow;
  }
  return pairs;
}

std::optional<ir::FixedPointMultiplier> MeanMultiplier(int64_t n, int lane_bits) {
  if ((n & (n - 1)) == 0) {
    int shift = 0;
    while ((int64_t{1} << shift) < n) ++shift;
    return ir::FixedPointMultiplier{1, shift};
  }
  if (lane_bits == 0) return std::nullopt;
  int shift = lane_bits - 1;
  while ((int64_t{1} << shift) / n < (int64_t{1} << (lane_bits - 1)) && shift < lane_bits + 15)
    ++shift;
  const int64_t multiplier = ((int64_t{1} << shift) + n - 1) / n;
  if (multiplier >= int64_t{1} << lane_bits) return std::nullopt;
  for (int64_t mag = 0; mag <= 128 * n; ++mag) {
    const int64_t x = mag + n / 2;
    if ((x * multiplier) >> shift != x / n) return std::nullopt;
  }
  return ir::FixedPointMultiplier{static_cast<int32_t>(multiplier), shift};
}

}  // namespace macloom::arch
