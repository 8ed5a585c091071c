// The second model of golden's requantization, in exact fractions.
#pragma once

#include <cstdint>

#include "ir/requantization.h"
#include "tests/golden/rational.h"

namespace macloom::testing {

inline int64_t SlowDouble(int64_t x, const ir::FixedPointMultiplier& pair) {
  const int left = pair.shift > 0 ? pair.shift : 0;
  const int right = pair.shift < 0 ? -pair.shift : 0;
  const __int128 high = RoundFraction(x * PowerOfTwo(left) * pair.multiplier, PowerOfTwo(31),
                                      Tie::kTowardPlusInfinity);
  return static_cast<int64_t>(RoundFraction(high, PowerOfTwo(right), Tie::kAwayFromZero));
}

inline int64_t SlowSingle(int64_t x, const ir::FixedPointMultiplier& pair) {
  return static_cast<int64_t>(RoundFraction(static_cast<__int128>(x) * pair.multiplier,
                                            PowerOfTwo(31 - pair.shift), Tie::kTowardPlusInfinity));
}

/// The value before zero point and clamp.
inline int64_t SlowRound(int64_t x, ir::RequantizationKind kind,
                         const ir::FixedPointMultiplier& pair, int64_t num_positions) {
  switch (kind) {
    case ir::RequantizationKind::kMultiplierDouble:
      return SlowDouble(x, pair);
    case ir::RequantizationKind::kMultiplierSingle:
      return SlowSingle(x, pair);
    case ir::RequantizationKind::kShift:
      return static_cast<int64_t>(
          RoundFraction(x, PowerOfTwo(pair.shift), Tie::kTowardPlusInfinity));
    case ir::RequantizationKind::kMean:
      return static_cast<int64_t>(RoundFraction(x, num_positions, Tie::kAwayFromZero));
    case ir::RequantizationKind::kMultiplyAddDivide:  // multiply_add_divide_test.cc
    case ir::RequantizationKind::kToMinifloat:        // minifloat_network_test.cc
    case ir::RequantizationKind::kNone:
      break;
  }
  return x;
}

}  // namespace macloom::testing
