// The second model of golden's accumulator.
#pragma once

#include <cstdint>

#include "ir/accumulation.h"
#include "tests/golden/rational.h"

namespace macloom::testing {

/// Walks into the range by whole moduli instead of taking a residue.
struct SlowAccumulator {
  int width_bits = 8;
  ir::Overflow overflow = ir::Overflow::kWrap;
  __int128 value = 0;
  int64_t num_events = 0;

  __int128 Low() const { return -PowerOfTwo(width_bits - 1); }
  __int128 High() const { return PowerOfTwo(width_bits - 1) - 1; }
  __int128 Wrapped(__int128 x) const {
    const __int128 modulus = PowerOfTwo(width_bits);
    // Whole moduli first (any rounding), then at most one more either way.
    x -= x / modulus * modulus;
    while (x < Low()) x += modulus;
    while (x > High()) x -= modulus;
    return x;
  }
  void Step(__int128 sum) {
    const __int128 exact = value + sum;
    if (exact < Low() || exact > High()) ++num_events;
    if (overflow == ir::Overflow::kWrap) {
      value = Wrapped(exact);
    } else if (exact > High()) {
      value = High();
    } else if (exact < Low()) {
      value = Low();
    } else {
      value = exact;
    }
  }
};

}  // namespace macloom::testing
