#include "golden/fast/fixed_point.h"

#include <algorithm>
#include <bit>

namespace macloom::golden::fast {
namespace {

constexpr int64_t kHalf = int64_t{1} << 30;

// Every product here is below 2^62 in magnitude.
int64_t HighProduct(int64_t a, int64_t b) { return (a * b + kHalf) >> 31; }

int64_t To32Bits(int64_t x) { return std::clamp<int64_t>(x, INT32_MIN, INT32_MAX); }

}  // namespace

int64_t DivideByPowerOfTwo(int64_t x, int exponent) {
  if (exponent == 0) return x;
  const int64_t half = int64_t{1} << (exponent - 1);
  return x < 0 ? -((half - x) >> exponent) : (x + half) >> exponent;
}

int64_t ScaleByMultiplier(int64_t x, const ir::FixedPointMultiplier& pair, ir::Rounding rounding) {
  if (rounding == ir::Rounding::kDouble) {
    const int64_t shifted = x * (int64_t{1} << std::max(pair.shift, 0));
    return DivideByPowerOfTwo(HighProduct(shifted, pair.multiplier), std::max(-pair.shift, 0));
  }
  const int shift = 31 - pair.shift;
  const int64_t half = (int64_t{1} << shift) >> 1;
  return (x * pair.multiplier + half) >> shift;
}

int64_t Exponential(int64_t a) {
  if (a == 0) return INT32_MAX;
  constexpr int64_t kQuarter = int64_t{1} << 24;
  const int64_t t = (a & (kQuarter - 1)) - kQuarter;
  const int64_t x = t * 32 + (int64_t{1} << 28);
  const int64_t square = HighProduct(x, x);
  const int64_t cube = HighProduct(square, x);
  const int64_t fourth = DivideByPowerOfTwo(HighProduct(square, square), 2);
  const int64_t tail = HighProduct(fourth + cube, 715827883) + square;
  int64_t e = 1895147668 + HighProduct(1895147668, x + DivideByPowerOfTwo(tail, 1));
  constexpr int64_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308,
                                  39332535,   720401,     242};
  const int64_t quarters = (t - a) >> 24;
  for (int i = 0; i < 7; ++i) {
    if ((quarters >> i) % 2 != 0) e = HighProduct(e, kFactors[i]);
  }
  return e;
}

int64_t RowScale::Apply(int64_t exponential) const {
  return DivideByPowerOfTwo(HighProduct(mantissa, exponential), shift);
}

RowScale ReciprocalScale(int64_t sum) {
  const int zeros = std::countl_zero(static_cast<uint32_t>(sum));
  const int64_t d = (sum << zeros) / 2;
  int64_t x = 1515870810 + HighProduct(d, -1010580540);
  for (int i = 0; i < 3; ++i) {
    x += To32Bits(4 * HighProduct(x, (int64_t{1} << 29) - HighProduct(d, x)));
  }
  return {To32Bits(2 * x), 12 - zeros + 23};
}

}  // namespace macloom::golden::fast
