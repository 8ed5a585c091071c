// How an accumulator becomes the next activation code: integer parameters only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::ir {

/// Formulas are normative in docs/numerics.md section 4. x = accumulator, m = multiplier, sh =
/// shift.
enum class RequantizationKind {
  kNone,               ///< Codes are moved or chosen; MAX_POOL_2D still clamps.
  kShift,              ///< (x + 2^(s-1)) >> s, s = shifts[c] in 0..31 (fixed-point networks).
  kMultiplierDouble,   ///< TFLite default: SRDHM(x * 2^max(sh,0), m), then RDPOT by max(-sh,0).
  kMultiplierSingle,   ///< (x*m + 2^(30-sh)) >> (31-sh).
  kMultiplyAddDivide,  ///< floor((x*m + b) / d), integers; m, b per channel, d per layer (PULP,
                       ///< QONNX).
  kToMinifloat,  ///< Minifloats: x * 2^k rounded to nearest even, clamped; k = shifts[c], -64..64.
  kMean,         ///< x > 0 ? (x + n/2)/n : (x - n/2)/n, C division, n positions inside the image.
                 ///< Minifloats: x / n rounded once to nearest even.
};

/// Rounding arithmetic a foreign file is read with (`--rounding double|single`).
enum class Rounding { kDouble, kSingle };

/// The multiplier pair of one output channel or of one ADD operand.
///
/// multiplier is 0 or in [2^30, 2^31 - 1]; shift is in [-31, 7], > 0 is a left shift.
struct FixedPointMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;
  bool operator==(const FixedPointMultiplier&) const = default;
};

/// y = clamp(round(x) + zero_point, clamp_min, clamp_max). Minifloats: the limits are codes
/// compared by value, zero_point is 0 (docs/numerics.md section 9.5).
struct Requantization {
  RequantizationKind kind = RequantizationKind::kNone;
  /// One per output channel, or exactly one for the whole layer. kShift uses `shift` as s >= 0,
  /// kToMinifloat as k, and both leave `multiplier` 0; kMultiplyAddDivide uses `multiplier` as m,
  /// any 32-bit integer, and leaves `shift` 0. Empty for kNone and kMean.
  std::vector<FixedPointMultiplier> channels;
  int32_t zero_point = 0;
  int32_t clamp_min = -128;
  int32_t clamp_max = 127;
  std::vector<int64_t> addends = {};  ///< kMultiplyAddDivide only: b, as many as `channels`.
  int64_t divisor = 1;                ///< kMultiplyAddDivide only: d >= 1.

  /// The pair of output channel c.
  const FixedPointMultiplier& ForChannel(int64_t c) const {
    return channels.size() == 1 ? channels[0] : channels[static_cast<size_t>(c)];
  }
  /// The addend of output channel c. @pre kMultiplyAddDivide.
  int64_t AddendOf(int64_t c) const {
    return addends.size() == 1 ? addends[0] : addends[static_cast<size_t>(c)];
  }
};

/// ADD, TFLite's three-multiplier form with 20 bits of headroom:
///   a_i = MBQM((q_i - z_i) * 2^20, input[i]);  y = clamp(MBQM(a_0 + a_1, output) + zero_point).
/// Zero points and clamp: the operands' tensors and the node's Requantization, whose kind
/// (kMultiplierDouble or kMultiplierSingle) is the rounding of all three MBQM. Fixed-point networks
/// (kShift) align the points instead: a_i = (q_i - z_i) << input[i].shift, 0 to 19, multiplier 0;
///   y = clamp(((a_0 + a_1 + 2^(s-1)) >> s) + zero_point) with s = output.shift.
/// kMultiplyAddDivide weights them with integers, a_i = (q_i - z_i) * input[i].multiplier, shifts
/// and `output` 0: y = clamp(floor((a_0 + a_1 + b) / d) + zero_point), no channel pairs, one b.
/// kToMinifloat: y = clamp(x_0 * 2^input[0].shift + x_1 * 2^input[1].shift), rounded once, shifts
/// -64 to 64, `output` 0.
struct AddParameters {
  FixedPointMultiplier input[2];
  FixedPointMultiplier output;
  static constexpr int kLeftShift = 20;
};

/// SOFTMAX over the last axis, TFLite int8 integer form (docs/numerics.md section 4).
struct SoftmaxParameters {
  int32_t input_multiplier = 0;
  int32_t input_left_shift = 0;
  int32_t diff_min = 0;
  Rounding rounding = Rounding::kDouble;
};

/// TFLite's QuantizeMultiplier: real = multiplier * 2^(shift - 31), for real > 0.
///
/// (f, sh) = frexp(real); m = round_half_away(f * 2^31); m == 2^31 -> m /= 2, sh += 1;
/// sh < -31 -> (0, 0). Single rounding: sh > 30 -> (2^31 - 1, 30).
/// @return kInvalidInput if real is not finite or not > 0, or if sh > 30 under double rounding.
Result<FixedPointMultiplier> QuantizeMultiplier(double real, Rounding rounding);

std::string ToString(RequantizationKind kind);

}  // namespace macloom::ir
