#include "golden/reference/exact_real.h"

#include <cstddef>

#include "base/check.h"

namespace macloom::golden {
namespace {

using Limbs = std::array<uint64_t, 8>;
constexpr int kLimbBits = 64;

int Compare(const Limbs& a, const Limbs& b) {
  for (size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

Limbs Sum(const Limbs& a, const Limbs& b) {
  Limbs sum{};
  unsigned __int128 carry = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    carry += static_cast<unsigned __int128>(a[i]) + b[i];
    sum[i] = static_cast<uint64_t>(carry);
    carry >>= kLimbBits;
  }
  MACLOOM_CHECK(sum.back() >> (kLimbBits - 1) == 0 && carry == 0);
  return sum;
}

/// a - b. @pre a >= b.
Limbs Difference(const Limbs& a, const Limbs& b) {
  Limbs difference{};
  uint64_t borrow = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const uint64_t partial = a[i] - b[i];
    difference[i] = partial - borrow;
    borrow = (a[i] < b[i] || partial < borrow) ? 1 : 0;
  }
  return difference;
}

}  // namespace

ExactReal::ExactReal(__int128 significand, int exponent) {
  if (significand == 0) return;
  is_negative_ = significand < 0;
  auto magnitude = static_cast<unsigned __int128>(significand);
  if (is_negative_) magnitude = -magnitude;
  int low = exponent - kLeastExponent;
  // Trailing zeros may lie below the unit, nothing else.
  for (; low < 0; ++low, magnitude >>= 1) MACLOOM_CHECK((magnitude & 1) == 0);
  auto limb = static_cast<size_t>(low / kLimbBits);
  const int shift = low % kLimbBits;
  // 128 bits shifted by less than a limb take three limbs.
  const uint64_t words[2] = {static_cast<uint64_t>(magnitude),
                             static_cast<uint64_t>(magnitude >> kLimbBits)};
  uint64_t spill = 0;
  for (const uint64_t word : words) {
    const uint64_t value = shift == 0 ? word : (word << shift | spill);
    spill = shift == 0 ? 0 : word >> (kLimbBits - shift);
    MACLOOM_CHECK(limb < limbs_.size() || value == 0);
    if (limb < limbs_.size()) limbs_[limb] = value;
    ++limb;
  }
  MACLOOM_CHECK(limb < limbs_.size() || spill == 0);
  if (limb < limbs_.size()) limbs_[limb] = spill;
  MACLOOM_CHECK(limbs_.back() >> (kLimbBits - 1) == 0);
}

ExactReal ExactReal::operator+(const ExactReal& other) const {
  ExactReal sum;
  if (is_negative_ == other.is_negative_) {
    sum.limbs_ = Sum(limbs_, other.limbs_);
    sum.is_negative_ = is_negative_;
    return sum;
  }
  const int order = Compare(limbs_, other.limbs_);
  if (order == 0) return sum;
  sum.limbs_ = order > 0 ? Difference(limbs_, other.limbs_) : Difference(other.limbs_, limbs_);
  sum.is_negative_ = order > 0 ? is_negative_ : other.is_negative_;
  return sum;
}

ExactReal ExactReal::operator-() const {
  ExactReal negated = *this;
  negated.is_negative_ = !IsZero() && !is_negative_;
  return negated;
}

ExactReal ExactReal::Magnitude() const { return is_negative_ ? -*this : *this; }

ExactReal ExactReal::ScaledBy(int exponent) const {
  if (IsZero()) return *this;
  ExactReal scaled;
  scaled.is_negative_ = is_negative_;
  for (int i = 0; i < kLimbBits * kNumLimbs; ++i) {
    const int from = i - exponent;
    const bool is_inside = from >= 0 && from < kLimbBits * kNumLimbs;
    const uint64_t bit =
        is_inside ? limbs_[static_cast<size_t>(from / kLimbBits)] >> (from % kLimbBits) & 1 : 0;
    scaled.limbs_[static_cast<size_t>(i / kLimbBits)] |= bit << (i % kLimbBits);
  }
  MACLOOM_CHECK(Exponent() + exponent < kNumBits + kLeastExponent);
  // Every bit below the new unit must be 0.
  for (int i = 0; i < -exponent; ++i) MACLOOM_CHECK(!Bit(kLeastExponent + i));
  return scaled;
}

ExactReal ExactReal::DividedBy(uint32_t divisor) const {
  MACLOOM_CHECK(divisor > 0);
  ExactReal quotient;
  uint64_t remainder = 0;
  for (size_t i = limbs_.size(); i-- > 0;) {
    const unsigned __int128 dividend =
        static_cast<unsigned __int128>(remainder) << kLimbBits | limbs_[i];
    quotient.limbs_[i] = static_cast<uint64_t>(dividend / divisor);
    remainder = static_cast<uint64_t>(dividend % divisor);
  }
  if (remainder != 0) quotient.limbs_[0] |= 1;
  quotient.is_negative_ = is_negative_;
  return quotient;
}

bool ExactReal::IsZero() const { return limbs_ == std::array<uint64_t, kNumLimbs>{}; }

bool ExactReal::Bit(int exponent) const {
  const int i = exponent - kLeastExponent;
  if (i < 0 || i >= kLimbBits * kNumLimbs) return false;
  return (limbs_[static_cast<size_t>(i / kLimbBits)] >> (i % kLimbBits) & 1) != 0;
}

int ExactReal::Exponent() const {
  MACLOOM_CHECK(!IsZero());
  size_t limb = limbs_.size() - 1;
  while (limbs_[limb] == 0) --limb;
  int bit = kLimbBits - 1;
  while ((limbs_[limb] >> bit & 1) == 0) --bit;
  return kLeastExponent + static_cast<int>(limb) * kLimbBits + bit;
}

int64_t ExactReal::MagnitudeRoundedTo(int exponent) const {
  if (IsZero()) return 0;
  const int top = Exponent();
  MACLOOM_CHECK(top - exponent < 61);
  int64_t rounded = 0;
  for (int e = top; e >= exponent; --e) rounded = 2 * rounded + (Bit(e) ? 1 : 0);
  if (!Bit(exponent - 1)) return rounded;
  bool is_tie = true;
  for (int e = kLeastExponent; e < exponent - 1; ++e) is_tie = is_tie && !Bit(e);
  return is_tie && rounded % 2 == 0 ? rounded : rounded + 1;
}

std::strong_ordering ExactReal::operator<=>(const ExactReal& other) const {
  if (is_negative_ != other.is_negative_) {
    return is_negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  const int order = Compare(limbs_, other.limbs_);
  return (is_negative_ ? -order : order) <=> 0;
}

}  // namespace macloom::golden
