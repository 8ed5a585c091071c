#include "golden/reference/fixed_point_math.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/check.h"
#include "golden/reference/requantize.h"

namespace macloom::golden {
namespace {

constexpr int64_t kMaxInt32 = (int64_t{1} << 31) - 1;
constexpr int64_t kMinInt32 = -(int64_t{1} << 31);
constexpr int64_t kOneQ0_31 = kMaxInt32;  // The nearest Q0.31 number to 1.

int64_t Multiply(int64_t a, int64_t b) { return RoundingDoublingHighMultiply(a, b); }

int64_t SaturatingShiftLeft(int64_t x, int shift) {
  return std::clamp(x * (int64_t{1} << shift), kMinInt32, kMaxInt32);
}

// exp(b) in Q0.31 for b in [-1/4, 0), Q0.31: with x = b + 1/8,
// exp(-1/8) * (1 + x + x^2/2 + x^3/6 + x^4/24).
int64_t ExpOfSmall(int64_t b) {
  constexpr int64_t kExpOfMinusOneEighth = 1895147668;
  constexpr int64_t kOneThird = 715827883;
  const int64_t x = b + (int64_t{1} << 28);
  const int64_t x2 = Multiply(x, x);
  const int64_t x3 = Multiply(x2, x);
  const int64_t x4 = Multiply(x2, x2);
  const int64_t x4_over_4 = RoundingDivideByPowerOfTwo(x4, 2);
  const int64_t higher_terms =
      RoundingDivideByPowerOfTwo(Multiply(x4_over_4 + x3, kOneThird) + x2, 1);
  return kExpOfMinusOneEighth + Multiply(kExpOfMinusOneEighth, x + higher_terms);
}

}  // namespace

int64_t ExpOfNonPositive(int64_t a_q5_26) {
  MACLOOM_CHECK(a_q5_26 <= 0 && a_q5_26 >= kMinInt32);
  if (a_q5_26 == 0) return kOneQ0_31;
  constexpr int kFractionBits = 26;
  constexpr int64_t kOneQuarter = int64_t{1} << (kFractionBits - 2);
  const int64_t small = (a_q5_26 & (kOneQuarter - 1)) - kOneQuarter;
  int64_t result = ExpOfSmall(small * (int64_t{1} << 5));
  const int64_t remainder = small - a_q5_26;
  // exp(-2^exponent) in Q0.31.
  constexpr struct {
    int exponent;
    int64_t factor;
  } kFactors[] = {{-2, 1672461947}, {-1, 1302514674}, {0, 790015084}, {1, 290630308},
                  {2, 39332535},    {3, 720401},      {4, 242}};
  for (const auto& [exponent, factor] : kFactors) {
    if ((remainder >> (kFractionBits + exponent)) & 1) result = Multiply(result, factor);
  }
  return result;
}

Reciprocal ReciprocalOf(int64_t sum_q12_19) {
  MACLOOM_CHECK(sum_q12_19 > 0 && sum_q12_19 <= kMaxInt32);
  constexpr int kIntegerBits = 12;
  const int shift = std::countl_zero(static_cast<uint32_t>(sum_q12_19));
  // The sum normalised to [1, 2), less 1, in Q0.31.
  const int64_t above_one = (sum_q12_19 << shift) - (int64_t{1} << 31);
  // d = (1 + above_one) / 2 in [1/2, 1); x converges to 1 / d in Q2.29 from 48/17 - 32/17 d.
  const int64_t half_denominator = (above_one + kOneQ0_31 + 1) / 2;
  constexpr int64_t k48Over17 = 1515870810;
  constexpr int64_t kMinus32Over17 = -1010580540;
  constexpr int64_t kOneQ2_29 = int64_t{1} << 29;
  int64_t x = k48Over17 + Multiply(half_denominator, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const int64_t error = kOneQ2_29 - Multiply(half_denominator, x);
    // The product of two Q2.29 numbers is Q4.27.
    x += SaturatingShiftLeft(Multiply(x, error), 2);
  }
  // x / 2 is the same integer in Q1.30; in Q0.31 it is twice that.
  return {SaturatingShiftLeft(x, 1), kIntegerBits - shift};
}

}  // namespace macloom::golden
