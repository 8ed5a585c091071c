// A two's-complement accumulator of limited width: one policy application per step.
#pragma once

#include <cstdint>

#include "ir/accumulation.h"

namespace macloom::golden {

/// Accumulates step sums in a register of `width_bits` (docs/numerics.md section 2).
///
///   t = acc + sum (exact);  acc = t                      if -2^(P-1) <= t <= 2^(P-1) - 1,
///                           acc = t mod 2^P, signed      otherwise, kWrap,
///                           acc = the nearer range end   otherwise, kSaturate.
/// Each step whose t lies outside the range is one event.
///
/// Second model: tests/golden/accumulator_test.cc.
class Accumulator {
 public:
  /// @param start  kWrap: reduced modulo 2^P, which is no event. kSaturate: must satisfy Holds().
  /// @pre width_bits is in 8..64.
  Accumulator(int width_bits, ir::Overflow overflow, int64_t start);

  /// Adds the exact sum of one step's products.
  void Step(int64_t sum);

  int64_t value() const { return value_; }
  int64_t num_events() const { return num_events_; }

  /// -2^(P-1) and 2^(P-1) - 1 for P = width_bits in 8..64.
  static int64_t Min(int width_bits);
  static int64_t Max(int width_bits);
  /// True if `value` needs at most `width_bits` bits.
  static bool Holds(int width_bits, int64_t value);

 private:
  int width_bits_;
  ir::Overflow overflow_;
  int64_t value_ = 0;
  int64_t num_events_ = 0;
};

}  // namespace macloom::golden
