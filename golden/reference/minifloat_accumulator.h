// The accumulators of minifloat products: exact, fixed point with dropped bits, float.
#pragma once

#include <cstdint>
#include <span>

#include "golden/reference/minifloat.h"
#include "ir/accumulation.h"

namespace macloom::golden {

/// One product before summation: (is_negative ? -1 : 1) * significand * 2^steps on the grid
/// p = lsb_a + lsb_w.
struct ProductTerm {
  FloatClass float_class = FloatClass::kFinite;
  bool is_negative = false;
  int significand = 0;
  int steps = 0;
};

/// @pre Both significands are below 2^15.
ProductTerm TermOf(const DecodedMinifloat& a, const DecodedMinifloat& w);

/// One register of docs/numerics.md section 9.4; t is exact.
///
///   exact        acc = acc + sum of the step's products
///   fixed point  acc = policy(acc + sum of +-floor(m 2^t / 2^g) 2^(g-D)), g = max(D, T - A)
///   float        acc = RNE(acc + sum of the step's products); overflow: Inf, or +-max
///
/// Second model: tests/golden/minifloat_dot_test.cc (MPFR).
class MinifloatAccumulator {
 public:
  /// @param product_lsb  p.  @param bias  Start value on the grid p; rounded to nearest even.
  /// @pre ir::Validate(accumulation); kInteger only with 64 bits; HoldsStart().
  MinifloatAccumulator(const ir::Accumulation& accumulation, int product_lsb, int64_t bias);

  /// True if the rounded start value fits, or is reduced by wrap.
  static bool HoldsStart(const ir::Accumulation& accumulation, int product_lsb, int64_t bias);

  /// Adds one step's products. @pre At most 2^16 of them, of codes of at most 8 bits.
  void Step(std::span<const ProductTerm> products);

  /// What the register stands for.
  ExtendedReal value() const;
  /// Fixed point and exact: the register's low 64 bits; float: its bit pattern.
  int64_t register_bits() const;
  int64_t num_events() const { return num_events_; }

 private:
  void StepFixed(std::span<const ProductTerm> products);
  void StepFloat(std::span<const ProductTerm> products);

  ir::Accumulation accumulation_;
  int product_lsb_;
  ir::NumberFormat float_format_;  // kFloat only.
  __int128 fixed_ = 0;             // All kinds but kFloat, unit 2^(p + D).
  int64_t float_code_ = 0;         // kFloat.
  bool has_nan_ = false, has_plus_infinity_ = false, has_minus_infinity_ = false;
  int64_t num_events_ = 0;
};

}  // namespace macloom::golden
