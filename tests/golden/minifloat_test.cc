// Minifloat codes against MPFR: every code, every pair of codes, every float32 exponent, every tie.
#include "golden/reference/minifloat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "golden/reference/minifloat_requantize.h"
#include "tests/golden/slow_minifloat.h"

namespace macloom::golden {
namespace {

using ir::MinifloatSpecials;
using ir::NumberFormat;
using testing::Big;
using ::testing::HasSubstr;
using testing::SlowMaximum;
using testing::SlowRound;
using testing::SlowValue;

/// Every named format of at most 8 bits and some with other biases, sizes and specials.
std::vector<NumberFormat> AllFormats() {
  std::vector<NumberFormat> formats;
  for (const ir::NamedMinifloat& named : ir::NamedMinifloats()) {
    if (named.format.bits <= 8) formats.push_back(named.format);
  }
  for (const char* name : {"e4m3b11-finite", "e4m3b7-ieee", "e3m4b3-ieee", "e5m2b15-nan",
                           "e5m2b32-finite", "e5m2b-32-finite", "e1m6b0-finite", "e2m0b1-finite"}) {
    formats.push_back(*ir::ParseMinifloat(name));
  }
  return formats;
}

FloatClass ClassOf(const Big& value) {
  if (value.IsNan()) return FloatClass::kNan;
  return value.IsInfinity() ? FloatClass::kInfinity : FloatClass::kFinite;
}

void ExpectEqual(const ExtendedReal& got, const Big& expected) {
  ASSERT_EQ(got.float_class, ClassOf(expected));
  if (got.float_class == FloatClass::kNan) return;
  ASSERT_EQ(got.is_negative, expected.HasSign());
  if (got.float_class == FloatClass::kFinite) {
    ASSERT_EQ(got.value, expected.ToExact());
  }
}

/// Codes of the finite values above or equal to 0.
std::map<double, int64_t> FiniteCodes(const NumberFormat& format) {
  std::map<double, int64_t> codes;
  for (int64_t code = 0; code < format.SignBit(); ++code) {
    const Big value = SlowValue(format, code);
    if (ClassOf(value) == FloatClass::kFinite) codes[value.ToDouble()] = code;
  }
  return codes;
}

TEST(MinifloatTest, EveryCodeHasItsValue) {
  for (const NumberFormat& format : AllFormats()) {
    SCOPED_TRACE(ToString(format));
    for (int64_t code = 0; code <= format.MaxCode(); ++code) {
      const Big expected = SlowValue(format, code);
      ExpectEqual(ValueOf(format, code), expected);
      const float value = ToFloat(format, code);
      EXPECT_EQ(std::isnan(value), expected.IsNan());
      if (!expected.IsNan()) {
        EXPECT_EQ(static_cast<double>(value), expected.ToDouble()) << code;
        EXPECT_EQ(std::signbit(value), expected.HasSign()) << code;
        const DecodedMinifloat decoded = Decode(format, code);
        if (!expected.IsInfinity()) {
          EXPECT_EQ(ExactReal(decoded.grid_integer(), format.LeastExponent()), expected.ToExact());
        }
      }
      EXPECT_EQ(format.IsFinite(code), ClassOf(expected) == FloatClass::kFinite);
    }
    EXPECT_EQ(static_cast<double>(ToFloat(format, format.MaxFiniteCode())),
              SlowMaximum(format).ToDouble());
  }
}

TEST(MinifloatTest, KnownLimits) {
  const auto max = [](const char* name) {
    const NumberFormat format = *ir::ParseMinifloat(name);
    return ToFloat(format, format.MaxFiniteCode());
  };
  EXPECT_EQ(max("e4m3"), 448);
  EXPECT_EQ(max("e5m2"), 57344);
  EXPECT_EQ(max("e3m4"), 31);
  EXPECT_EQ(max("e2m5"), 7.875);
  EXPECT_EQ(max("e3m2"), 28);
  EXPECT_EQ(max("e2m3"), 7.5);
  EXPECT_EQ(max("e2m1"), 6);
  EXPECT_EQ(max("e5m10"), 65504);
}

TEST(MinifloatTest, EveryProductIsExact) {
  for (const NumberFormat& a : AllFormats()) {
    // Every format with itself, and with e5m2.
    for (const NumberFormat& b : {a, NumberFormat::E5M2()}) {
      SCOPED_TRACE(ToString(a) + " x " + ToString(b));
      std::vector<Big> b_values;
      for (int64_t y = 0; y <= b.MaxCode(); ++y) b_values.push_back(SlowValue(b, y));
      for (int64_t x = 0; x <= a.MaxCode(); ++x) {
        const Big x_value = SlowValue(a, x);
        for (int64_t y = 0; y <= b.MaxCode(); ++y) {
          ExpectEqual(Product(a, x, b, y), x_value * b_values[static_cast<size_t>(y)]);
          if (HasFatalFailure()) FAIL() << x << " " << y;
        }
      }
    }
  }
}

// x + y rounded to the same format, saturating: what ADD does with shifts 0.
TEST(MinifloatTest, EverySumIsRoundedOnce) {
  for (const NumberFormat& format : AllFormats()) {
    SCOPED_TRACE(ToString(format));
    const std::map<double, int64_t> codes = FiniteCodes(format);
    const Big max = SlowMaximum(format);
    ir::Requantization clamp;
    clamp.clamp_min = static_cast<int32_t>(format.SignBit() | format.MaxFiniteCode());
    clamp.clamp_max = format.MaxFiniteCode();
    for (int64_t x = 0; x <= format.MaxCode(); ++x) {
      for (int64_t y = 0; y <= format.MaxCode(); ++y) {
        if (!format.IsFinite(x) || !format.IsFinite(y)) continue;
        const ExactReal sum = ValueOf(format, x).value + ValueOf(format, y).value;
        const Requantized got =
            RoundAndClamp({FloatClass::kFinite, sum.IsNegative(), sum}, format, clamp);
        const Big rounded = SlowRound(format, SlowValue(format, x) + SlowValue(format, y));
        ASSERT_EQ(got.is_clamped_high, rounded > max) << x << " " << y;
        ASSERT_EQ(got.is_clamped_low, rounded < Big() - max) << x << " " << y;
        if (got.is_clamped_high || got.is_clamped_low) {
          ASSERT_EQ(got.code, got.is_clamped_high ? clamp.clamp_max : clamp.clamp_min);
          continue;
        }
        const double value = rounded.ToDouble();
        const int64_t sign = value < 0 ? format.SignBit() : 0;
        ASSERT_EQ(got.code, sign | codes.at(std::abs(value))) << x << " " << y;
      }
    }
  }
}

TEST(MinifloatTest, OrderIsThatOfValuesWithMinusZeroFirst) {
  for (const NumberFormat& format : AllFormats()) {
    for (int64_t x = 0; x <= format.MaxCode(); ++x) {
      for (int64_t y = 0; y <= format.MaxCode(); ++y) {
        const float a = ToFloat(format, x), b = ToFloat(format, y);
        if (std::isnan(a) || std::isnan(b)) continue;
        int expected = a < b ? -1 : a > b ? 1 : 0;
        if (a == 0 && b == 0) expected = int{std::signbit(b)} - int{std::signbit(a)};
        ASSERT_EQ(CompareCodes(format, x, y), expected) << ToString(format) << x << " " << y;
      }
    }
  }
}

class Converter {
 public:
  explicit Converter(const NumberFormat& format)
      : format_(format), codes_(FiniteCodes(format)), max_(SlowMaximum(format)) {}

  void Check(float value) {
    for (const Conversion conversion : {Conversion::kSaturating, Conversion::kNonSaturating}) {
      const Result<int64_t> got = FromFloat(format_, value, conversion);
      const int64_t expected = Expected(value, conversion);
      ASSERT_EQ(got.ok(), expected >= 0) << value;
      if (got.ok()) {
        ASSERT_EQ(*got, expected) << value << " to " << ToString(format_);
      }
    }
  }

  /// Values half way between neighbours, the last one between the maximum and what would follow.
  std::vector<float> Ties() const {
    std::vector<float> ties;
    double previous = -1;
    for (const auto& [value, code] : codes_) {
      if (previous >= 0) ties.push_back(static_cast<float>((previous + value) / 2));
      previous = value;
    }
    const double last_step = max_.ToDouble() - std::prev(codes_.end(), 2)->first;
    ties.push_back(static_cast<float>(max_.ToDouble() + last_step / 2));
    return ties;
  }

 private:
  int64_t Expected(float value, Conversion conversion) const {
    const int64_t sign = std::signbit(value) ? format_.SignBit() : 0;
    int64_t nan = -1;
    if (format_.specials == MinifloatSpecials::kNan) nan = format_.SignBit() - 1;
    if (format_.specials == MinifloatSpecials::kIeee) {
      // Exponent all ones, first mantissa bit.
      nan = format_.SignBit() - 1 - ((int64_t{1} << (format_.mantissa_bits - 1)) - 1);
    }
    if (std::isnan(value)) return nan < 0 ? -1 : sign | nan;
    const Big rounded = SlowRound(format_, Big(std::abs(static_cast<double>(value))));
    if (!(rounded > max_)) return sign | codes_.at(rounded.ToDouble());
    if (conversion == Conversion::kSaturating) return sign | codes_.at(max_.ToDouble());
    if (format_.specials == MinifloatSpecials::kIeee) {
      return sign | (codes_.at(max_.ToDouble()) + 1);
    }
    return nan < 0 ? -1 : sign | nan;
  }

  NumberFormat format_;
  std::map<double, int64_t> codes_;
  Big max_;
};

TEST(MinifloatTest, EveryFloatExponentIsConverted) {
  std::vector<uint32_t> mantissas = {0, 0x7fffff, 0x7ffffe, 0x555555, 0x2aaaaa};
  for (int bit = 0; bit < 23; ++bit) {
    const uint32_t power = uint32_t{1} << bit;
    for (const uint32_t mantissa : {power, power - 1, 0x7fffff ^ power, 0x7fffff & ~(power - 1)}) {
      mantissas.push_back(mantissa);
    }
  }
  for (const NumberFormat& format : AllFormats()) {
    Converter converter(format);
    for (uint32_t high = 0; high < 512; ++high) {  // Sign and exponent, Inf and NaN included.
      for (const uint32_t mantissa : mantissas) {
        converter.Check(std::bit_cast<float>(high << 23 | mantissa));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(MinifloatTest, EveryTieGoesToTheEvenCode) {
  for (const NumberFormat& format : AllFormats()) {
    Converter converter(format);
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float tie : converter.Ties()) {
      for (const float near : {tie, std::nextafter(tie, 0.0f), std::nextafter(tie, infinity)}) {
        converter.Check(near);
        converter.Check(-near);
        if (HasFatalFailure()) return;
      }
    }
    for (int64_t code = 0; code <= format.MaxCode(); ++code) {
      if (!format.IsFinite(code)) continue;
      EXPECT_EQ(*FromFloat(format, ToFloat(format, code)), code) << ToString(format);
      EXPECT_EQ(*FromFloat(format, ToFloat(format, code), Conversion::kNonSaturating), code);
    }
  }
}

// Cases that other libraries agree upon (OCP FP8): overflow is decided after rounding.
TEST(MinifloatTest, KnownConversions) {
  const NumberFormat e4m3 = NumberFormat::E4M3(), e5m2 = NumberFormat::E5M2();
  EXPECT_EQ(*FromFloat(e4m3, 464.0f, Conversion::kNonSaturating), 0x7e);  // Tie to even: 448.
  EXPECT_EQ(*FromFloat(e4m3, 464.1f, Conversion::kNonSaturating), 0x7f);
  EXPECT_EQ(*FromFloat(e4m3, -1e9f), 0xfe);
  EXPECT_EQ(*FromFloat(e5m2, 61439.0f, Conversion::kNonSaturating), 0x7b);
  EXPECT_EQ(*FromFloat(e5m2, 61440.0f, Conversion::kNonSaturating), 0x7c);  // Tie: Inf.
  EXPECT_EQ(*FromFloat(e5m2, -61440.0f), 0xfb);
  EXPECT_EQ(*FromFloat(e4m3, -0.0f), 0x80);
  EXPECT_EQ(*FromFloat(e4m3, -1e-9f), 0x80);
  EXPECT_EQ(*FromFloat(e4m3, 0x1p-10f), 0);  // Half of the smallest subnormal.
  EXPECT_EQ(*FromFloat(e5m2, NAN), 0x7e);
}

TEST(MinifloatTest, BadConversionsAreNamed) {
  const NumberFormat e2m1 = *ir::ParseMinifloat("e2m1");
  EXPECT_THAT(FromFloat(e2m1, NAN).error().message,
              HasSubstr("NaN has no code in e2m1; accepted are finite values"));
  EXPECT_THAT(FromFloat(e2m1, 7.5f, Conversion::kNonSaturating).error().message,
              HasSubstr("value 7.5 overflows e2m1, which has neither Inf nor NaN"));
  EXPECT_THAT(FromFloat(e2m1, -HUGE_VALF, Conversion::kNonSaturating).error().message,
              HasSubstr("accepted without saturation are values that round to at most 6"));
}

}  // namespace
}  // namespace macloom::golden
