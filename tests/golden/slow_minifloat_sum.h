// Second model of the minifloat accumulators: MPFR values, steps of pairs of codes.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/golden/slow_minifloat.h"

namespace macloom::testing {

/// One accumulator of docs/numerics.md section 9.4, by values instead of grid integers.
class SlowMinifloatSum {
 public:
  SlowMinifloatSum(const ir::Accumulation& accumulation, const ir::NumberFormat& a,
                   const ir::NumberFormat& w, int64_t bias)
      : accumulation_(accumulation), a_(a), w_(w) {
    unit_exponent_ = 2 - a.exponent_bias - a.mantissa_bits - w.exponent_bias - w.mantissa_bits +
                     accumulation.dropped_bits;
    // Two halves: an int64 has more digits than a double.
    const Big start = (Big(static_cast<double>(bias >> 32)).Scaled(32) +
                       Big(static_cast<double>(bias & 0xffffffff)))
                          .Scaled(unit_exponent_ - accumulation.dropped_bits);
    if (IsFloat()) {
      value_ = RoundedToFloat(start);
      does_hold_start_ = !(value_ > Maximum()) && !(value_ < Big() - Maximum());
    } else {
      value_ = start.Scaled(-unit_exponent_).RoundedToInteger().Scaled(unit_exponent_);
      if (IsLimited() && IsOutside(value_)) {
        does_hold_start_ = accumulation.overflow == ir::Overflow::kWrap;
        value_ = Wrapped(value_);
      }
    }
    exact_ = start;
    if (value_.IsZero()) value_ = Big();
  }

  void Step(const std::vector<std::pair<int64_t, int64_t>>& codes) {
    Big sum;
    const Big grid = GridOf(codes);
    for (const auto& [a, w] : codes) {
      const Big product = SlowValue(a_, a) * SlowValue(w_, w);
      exact_ = exact_ + product;
      if (product.IsNan() || product.IsInfinity()) {
        special_ = special_ + product;
      } else if (IsFloat() || !IsLimited()) {
        sum = sum + product;
      } else {
        sum = sum + (product / grid).Truncated() * grid;
      }
    }
    // A float accumulator stays infinite; the others go on behind their flags.
    if (IsFloat() && (special_.IsNan() || special_.IsInfinity())) return;
    const Big t = value_ + sum;
    value_ = t;
    if (IsFloat()) {
      value_ = RoundedToFloat(t);
      const bool is_high = value_ > Maximum(), is_low = value_ < Big() - Maximum();
      if (is_high || is_low) {
        ++num_events_;
        value_ = Maximum() * Big(is_high ? 1.0 : -1.0);
        if (accumulation_.overflow == ir::Overflow::kInfinity) {
          special_ = Big(is_high ? HUGE_VAL : -HUGE_VAL);
        }
      }
    } else if (IsLimited() && IsOutside(t)) {
      ++num_events_;
      value_ = accumulation_.overflow == ir::Overflow::kWrap ? Wrapped(t)
               : t < Big()                                   ? Big() - Half()
                                                             : Half() - Unit();
    }
    if (value_.IsZero()) value_ = Big();
  }

  bool does_hold_start() const { return does_hold_start_; }
  Big value() const { return value_ + special_; }
  const Big& exact() const { return exact_; }  ///< bias + all products.
  int64_t num_events() const { return num_events_; }

 private:
  bool IsFloat() const { return accumulation_.kind == ir::AccumulationKind::kFloat; }
  bool IsLimited() const { return accumulation_.kind == ir::AccumulationKind::kFixedPoint; }

  Big Unit() const { return Big(1.0).Scaled(unit_exponent_); }
  Big Half() const { return Unit().Scaled(accumulation_.width_bits - 1); }
  bool IsOutside(const Big& v) const { return v < Big() - Half() || v > Half() - Unit(); }
  Big Wrapped(const Big& v) const {
    const Big modulus = Half().Scaled(1);
    return v - ((v + Half()) / modulus).Floor() * modulus;
  }

  int FloatBias() const { return (1 << (accumulation_.exponent_bits - 1)) - 1; }
  Big Maximum() const {
    return (Big(2.0) - Big(1.0).Scaled(-accumulation_.mantissa_bits)).Scaled(FloatBias());
  }
  Big RoundedToFloat(const Big& v) const {
    return v.Rounded(accumulation_.mantissa_bits + 1,
                     1 - FloatBias() - accumulation_.mantissa_bits);
  }

  static int StepsOf(const ir::NumberFormat& format, int64_t code) {
    const int64_t field = code >> format.mantissa_bits & ((1 << format.exponent_bits) - 1);
    return static_cast<int>(std::max<int64_t>(field, 1)) - 1;
  }

  /// 2^(p + g).
  Big GridOf(const std::vector<std::pair<int64_t, int64_t>>& codes) const {
    int grid = accumulation_.dropped_bits;
    if (accumulation_.alignment_bits >= 0) {
      for (const auto& [a, w] : codes) {
        if (!a_.IsFinite(a) || !w_.IsFinite(w)) continue;
        grid = std::max(grid, StepsOf(a_, a) + StepsOf(w_, w) - accumulation_.alignment_bits);
      }
    }
    return Unit().Scaled(grid - accumulation_.dropped_bits);
  }

  ir::Accumulation accumulation_;
  ir::NumberFormat a_, w_;
  int unit_exponent_ = 0;
  bool does_hold_start_ = true;
  Big value_;    // Of the register, finite.
  Big special_;  // The sum of what was not finite, 0 if nothing.
  Big exact_;
  int64_t num_events_ = 0;
};

}  // namespace macloom::testing
