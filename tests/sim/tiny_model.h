// Naive arithmetic for hand-made jobs: wide integers and division, one value at a time.
#pragma once

#include <vector>

#include "arch/descriptor.h"
#include "base/rng.h"
#include "ir/tensor.h"

namespace macloom::testing {

struct TinyMultiplier {
  int64_t multiplier = 0;
  int shift = 0;
};

/// Everything about a layer but its weights and sizes.
struct TinyParameters {
  arch::RequantMode mode = arch::RequantMode::kDouble;
  std::vector<TinyMultiplier> channels;  ///< One per channel, or one.
  std::vector<int64_t> starts;
  TinyMultiplier add;  ///< ADD: the scaled operand.
  int zero_a = 0, zero_b = 0, pad_code = 0, zero_out = 0, clamp_min = -128, clamp_max = 127;
  int mean_half = 0;
  int64_t mean_count = 0;
  bool saturate = false;

  const TinyMultiplier& Channel(size_t c) const {
    return channels.size() == 1 ? channels[0] : channels[c];
  }
};

/// int8 with a preference for the ends of the range.
inline int RandomTinyCode(Rng& rng) {
  if (rng.Bernoulli(0.2)) return rng.Bernoulli(0.5) ? -128 : 127;
  return static_cast<int>(rng.UniformInt(-128, 127));
}

inline ir::TensorValue RandomTinyImage(Rng& rng, const ir::Shape& shape) {
  ir::TensorValue value{shape, {}};
  for (int64_t i = 0; i < ir::NumElements(shape); ++i) value.codes.push_back(RandomTinyCode(rng));
  return value;
}

inline TinyParameters RandomTinyParameters(Rng& rng, int64_t channels, bool per_layer, int bits) {
  TinyParameters p;
  p.mode = rng.Bernoulli(0.5) ? arch::RequantMode::kDouble : arch::RequantMode::kSingle;
  const auto multiplier = [&] {
    return TinyMultiplier{
        rng.UniformInt(int64_t{1} << 30, (int64_t{1} << 31) - 1),
        static_cast<int>(rng.Bernoulli(0.1) ? rng.UniformInt(-31, 7) : rng.UniformInt(-12, -5))};
  };
  for (int64_t c = 0; c < (per_layer ? 1 : channels); ++c) p.channels.push_back(multiplier());
  const int64_t half = int64_t{1} << (bits - 1);
  for (int64_t c = 0; c < channels; ++c) {
    p.starts.push_back(rng.Bernoulli(0.2) ? (rng.Bernoulli(0.5) ? half - 1 : -half)
                                          : rng.UniformInt(-std::min<int64_t>(half, 20000),
                                                           std::min<int64_t>(half - 1, 20000)));
  }
  p.add = {rng.UniformInt(int64_t{1} << 30, (int64_t{1} << 31) - 1),
           static_cast<int>(rng.Bernoulli(0.2) ? rng.UniformInt(-31, 0) : rng.UniformInt(-4, 0))};
  p.zero_a = RandomTinyCode(rng), p.zero_b = RandomTinyCode(rng);
  p.pad_code = RandomTinyCode(rng), p.zero_out = RandomTinyCode(rng);
  p.clamp_min = static_cast<int>(rng.Bernoulli(0.5) ? -128 : rng.UniformInt(-128, 0));
  p.clamp_max = static_cast<int>(rng.Bernoulli(0.5) ? 127 : rng.UniformInt(0, 127));
  p.saturate = rng.Bernoulli(0.5);
  return p;
}

/// Turns the layer into a mean over n <= 16 positions; the reciprocal ceil(2^30 / n) is exact for
/// every sum of n codes.
inline void SetMean(TinyParameters& p, int64_t n) {
  const int shift = 30;
  p.mode = arch::RequantMode::kMean;
  p.channels = {{((int64_t{1} << shift) + n - 1) / n, shift}};
  p.mean_count = n;
  p.mean_half = static_cast<int>(n / 2);
}

/// floor(value / 2^n).
inline __int128 FloorDivide(__int128 value, int n) {
  const __int128 divisor = __int128{1} << n;
  const __int128 quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// TFLite's MultiplyByQuantizedMultiplier, literally: left shift, SRDHM, rounding right shift.
inline int64_t TinyMbqm(arch::RequantMode mode, __int128 x, const TinyMultiplier& m) {
  if (mode == arch::RequantMode::kSingle) {
    const int total = 31 - m.shift;
    return static_cast<int64_t>(
        FloorDivide(x * m.multiplier + (__int128{1} << (total - 1)), total));
  }
  const __int128 shifted = m.shift > 0 ? x * (1 << m.shift) : x;
  const __int128 high = FloorDivide(shifted * m.multiplier + (__int128{1} << 30), 31);
  if (m.shift >= 0) return static_cast<int64_t>(high);
  // Nearest, ties away from zero.
  const __int128 divisor = __int128{1} << -m.shift;
  const __int128 twice = 2 * (high < 0 ? -high : high);
  const __int128 magnitude = (twice + divisor) / (2 * divisor);
  return static_cast<int64_t>(high < 0 ? -magnitude : magnitude);
}

/// Sums steps on `bits` bits; counts steps whose exact value leaves the range.
inline int64_t TinyAccumulate(int64_t start, const std::vector<int64_t>& sums, int bits,
                              bool saturate, int64_t& events) {
  const int64_t low = -(int64_t{1} << (bits - 1)), high = -low - 1, span = high - low + 1;
  int64_t value = start;
  for (int64_t sum : sums) {
    value += sum;
    if (value >= low && value <= high) continue;
    ++events;
    if (saturate) {
      value = value < low ? low : high;
    } else {
      while (value > high) value -= span;
      while (value < low) value += span;
    }
  }
  return value;
}

/// The sum of the two scaled operands of q + q: TFLite's form, the first multiplier being 1/2.
inline int64_t TinyAdd(const TinyParameters& p, int64_t q) {
  const TinyMultiplier one_half{int64_t{1} << 30, 0};
  return TinyMbqm(p.mode, __int128{q - p.zero_a} * (1 << 20), one_half) +
         TinyMbqm(p.mode, __int128{q - p.zero_b} * (1 << 20), p.add);
}

inline int TinyRequantize(const TinyParameters& p, size_t channel, int64_t x, int64_t& clamped_low,
                          int64_t& clamped_high) {
  int64_t y = 0;
  if (p.mode == arch::RequantMode::kMean) {
    y = x > 0 ? (x + p.mean_count / 2) / p.mean_count : (x - p.mean_count / 2) / p.mean_count;
  } else {
    y = TinyMbqm(p.mode, x, p.Channel(channel)) + p.zero_out;
  }
  if (y < p.clamp_min) return ++clamped_low, p.clamp_min;
  if (y > p.clamp_max) return ++clamped_high, p.clamp_max;
  return static_cast<int>(y);
}

}  // namespace macloom::testing
