// The second model of golden's roundings: exact fractions, rounded by comparing remainders.
#pragma once

#include "base/check.h"

namespace macloom::testing {

enum class Tie { kTowardPlusInfinity, kAwayFromZero };

/// numerator / denominator to the nearest integer. Works on quotient and remainder of the
/// magnitude: no shift, no added half. @pre denominator > 0.
inline __int128 RoundFraction(__int128 numerator, __int128 denominator, Tie tie) {
  MACLOOM_CHECK(denominator > 0);
  const bool is_negative = numerator < 0;
  const __int128 magnitude = is_negative ? -numerator : numerator;
  __int128 quotient = magnitude / denominator;
  const __int128 below = magnitude % denominator;
  const __int128 above = denominator - below;
  const bool tie_goes_out = tie == Tie::kAwayFromZero || !is_negative;
  if (below > above || (below == above && tie_goes_out)) ++quotient;
  return is_negative ? -quotient : quotient;
}

/// 2^exponent by repeated doubling. @pre 0 <= exponent <= 126.
inline __int128 PowerOfTwo(int exponent) {
  MACLOOM_CHECK(exponent >= 0 && exponent <= 126);
  __int128 power = 1;
  for (int i = 0; i < exponent; ++i) power += power;
  return power;
}

}  // namespace macloom::testing
