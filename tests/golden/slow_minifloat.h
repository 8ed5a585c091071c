// Second model of minifloats: MPFR numbers of 700 bits, rounded by MPFR. Shares no arithmetic with
// golden/.
#pragma once

#include <gmp.h>
#include <mpfr.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "golden/reference/exact_real.h"
#include "ir/accumulation.h"
#include "ir/number_format.h"

namespace macloom::testing {

/// An MPFR number that every value of docs/numerics.md section 9 fits exactly.
class Big {
 public:
  Big() {
    mpfr_init2(x_, 700);
    mpfr_set_zero(x_, 1);
  }
  explicit Big(double value) : Big() { mpfr_set_d(x_, value, MPFR_RNDN); }
  Big(const Big& other) : Big() { mpfr_set(x_, other.x_, MPFR_RNDN); }
  Big& operator=(const Big& other) {
    mpfr_set(x_, other.x_, MPFR_RNDN);
    return *this;
  }
  ~Big() { mpfr_clear(x_); }

  Big operator+(const Big& b) const { return Apply(mpfr_add, b); }
  Big operator-(const Big& b) const { return Apply(mpfr_sub, b); }
  Big operator*(const Big& b) const { return Apply(mpfr_mul, b); }
  Big operator/(const Big& b) const { return Apply(mpfr_div, b); }
  /// this * 2^exponent.
  Big Scaled(int exponent) const {
    Big result;
    mpfr_mul_2si(result.x_, x_, exponent, MPFR_RNDN);
    return result;
  }
  Big Floor() const {
    Big result;
    mpfr_floor(result.x_, x_);
    return result;
  }
  Big Truncated() const {
    Big result;
    mpfr_trunc(result.x_, x_);
    return result;
  }
  Big RoundedToInteger() const {  ///< Ties to even.
    Big result;
    mpfr_roundeven(result.x_, x_);
    return result;
  }
  bool IsNan() const { return mpfr_nan_p(x_) != 0; }
  bool IsInfinity() const { return mpfr_inf_p(x_) != 0; }
  bool IsZero() const { return mpfr_zero_p(x_) != 0; }
  bool HasSign() const { return mpfr_signbit(x_) != 0; }
  double ToDouble() const { return mpfr_get_d(x_, MPFR_RNDN); }
  bool operator<(const Big& b) const { return mpfr_less_p(x_, b.x_) != 0; }
  bool operator>(const Big& b) const { return b < *this; }
  bool operator==(const Big& b) const { return mpfr_equal_p(x_, b.x_) != 0; }

  /// To `precision` significant bits and not below the unit 2^least, ties to even.
  Big Rounded(int precision, int least) const {
    Big result;
    mpfr_t narrow;
    mpfr_init2(narrow, precision);
    const mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
    // MPFR's mantissa is in [1/2, 1).
    mpfr_set_emin(least + 1);
    int ternary = mpfr_set(narrow, x_, MPFR_RNDN);
    ternary = mpfr_check_range(narrow, ternary, MPFR_RNDN);
    mpfr_subnormalize(narrow, ternary, MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
    mpfr_set(result.x_, narrow, MPFR_RNDN);
    mpfr_clear(narrow);
    return result;
  }

  /// The same number in golden's type. @pre Finite.
  golden::ExactReal ToExact() const {
    golden::ExactReal exact;
    if (IsZero()) return exact;
    mpz_t significand;
    mpz_init(significand);
    const auto exponent = static_cast<int>(mpfr_get_z_2exp(significand, x_));
    std::vector<uint32_t> words((mpz_sizeinbase(significand, 2) + 31) / 32);
    mpz_export(words.data(), nullptr, -1, sizeof(uint32_t), 0, 0, significand);
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == 0) continue;
      exact = exact + golden::ExactReal(words[i], exponent + 32 * static_cast<int>(i));
    }
    mpz_clear(significand);
    return HasSign() ? -exact : exact;
  }

 private:
  template <typename Function>
  Big Apply(Function function, const Big& b) const {
    Big result;
    function(result.x_, x_, b.x_, MPFR_RNDN);
    return result;
  }
  mpfr_t x_;
};

/// The value of a code, written as IEEE describes it: (-1)^s 2^(e-bias) (1 + f/2^M).
inline Big SlowValue(const ir::NumberFormat& format, int64_t code) {
  const int64_t fractions = int64_t{1} << format.mantissa_bits;
  const int64_t exponents = int64_t{1} << format.exponent_bits;
  const int64_t fraction = code % fractions;
  const int64_t exponent = code / fractions % exponents;
  const double sign = code / (fractions * exponents) == 1 ? -1.0 : 1.0;
  const bool is_last = exponent == exponents - 1;
  const double infinity = HUGE_VAL;
  if (format.specials == ir::MinifloatSpecials::kIeee && is_last) {
    return fraction == 0 ? Big(sign * infinity) : Big(infinity) - Big(infinity);
  }
  if (format.specials == ir::MinifloatSpecials::kNan && is_last && fraction == fractions - 1) {
    return Big(infinity) - Big(infinity);
  }
  const Big part = Big(static_cast<double>(fraction)) / Big(static_cast<double>(fractions));
  const Big one(exponent == 0 ? 0.0 : 1.0);
  const int power = static_cast<int>(exponent == 0 ? 1 : exponent) - format.exponent_bias;
  return Big(sign) * (one + part).Scaled(power);
}

/// The largest finite value, by looking at all codes.
inline Big SlowMaximum(const ir::NumberFormat& format) {
  Big largest;
  for (int64_t code = 0; code <= format.MaxCode(); ++code) {
    const Big value = SlowValue(format, code);
    if (!value.IsNan() && !value.IsInfinity() && value > largest) largest = value;
  }
  return largest;
}

inline Big SlowRound(const ir::NumberFormat& format, const Big& value) {
  return value.Rounded(format.mantissa_bits + 1, 1 - format.exponent_bias - format.mantissa_bits);
}

}  // namespace macloom::testing
