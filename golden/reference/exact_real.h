// Exact arithmetic on the reals that minifloat networks meet: one very wide fixed-point number.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace macloom::golden {

/// A multiple of 2^-256 with magnitude below 2^255, sign and magnitude: every product, sum, scaled
/// accumulator and float32 of docs/numerics.md section 9 is one. Nothing is ever rounded; a result
/// outside is our bug and ends the program.
class ExactReal {
 public:
  static constexpr int kLeastExponent = -256;  ///< Unit 2^-256.
  static constexpr int kNumBits = 511;

  ExactReal() = default;
  /// significand * 2^exponent. @pre The result is representable.
  ExactReal(__int128 significand, int exponent);

  ExactReal operator+(const ExactReal& other) const;
  ExactReal operator-() const;
  /// this * 2^exponent. @pre The result is representable.
  ExactReal ScaledBy(int exponent) const;
  /// this / divisor cut toward zero at 2^-256, the last bit set if the quotient is not exact.
  ///
  /// The result compares with, and rounds like, the exact quotient wherever multiples of 2^-255 are
  /// the points compared with. @pre divisor > 0.
  ExactReal DividedBy(uint32_t divisor) const;

  bool IsZero() const;
  bool IsNegative() const { return is_negative_; }  ///< False for 0.
  ExactReal Magnitude() const;
  /// floor(log2 |this|). @pre Not 0.
  int Exponent() const;

  /// |this| / 2^exponent to the nearest integer, ties to the even one. @pre It fits 62 bits.
  int64_t MagnitudeRoundedTo(int exponent) const;

  std::strong_ordering operator<=>(const ExactReal& other) const;
  bool operator==(const ExactReal& other) const = default;

 private:
  bool Bit(int exponent) const;  // Of the magnitude, at the weight 2^exponent; false outside.

  static constexpr int kNumLimbs = 8;
  std::array<uint64_t, kNumLimbs> limbs_{};  // Magnitude in units of 2^-256, least first.
  bool is_negative_ = false;
};

}  // namespace macloom::golden
