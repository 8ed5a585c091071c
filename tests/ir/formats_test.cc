// Number formats, shapes, accumulation contracts, multipliers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "ir/accumulation.h"
#include "ir/number_format.h"
#include "ir/requantization.h"
#include "ir/tensor.h"

namespace macloom::ir {
namespace {

using ::testing::HasSubstr;

NumberFormat Integer(int bits, bool is_signed) {
  NumberFormat format;
  format.bits = bits;
  format.is_signed = is_signed;
  return format;
}

NumberFormat FixedPoint(int bits, bool is_signed, int fraction_bits) {
  return {NumberFamily::kFixedPoint, bits, is_signed, fraction_bits, 0, 0, 0};
}

NumberFormat Float(int bits) { return {NumberFamily::kFloat32, bits, true, 0, 0, 0, 0}; }

Accumulation Width(int width_bits) {
  Accumulation accumulation;
  accumulation.width_bits = width_bits;
  return accumulation;
}

Accumulation Products(int products_per_step, AccumulationOrder order) {
  return {20, Overflow::kWrap, products_per_step, order};
}

NumberFormat Minifloat(int bits, int exponent_bits, int mantissa_bits, int bias) {
  return {NumberFamily::kMinifloat, bits, true, 0, exponent_bits, mantissa_bits, bias};
}

TEST(NumberFormatTest, CodesSpanTheWidth) {
  EXPECT_EQ(NumberFormat::Int8().MinCode(), -128);
  EXPECT_EQ(NumberFormat::Int8().MaxCode(), 127);
  EXPECT_EQ(Integer(4, false).MinCode(), 0);
  EXPECT_EQ(Integer(4, false).MaxCode(), 15);
  EXPECT_EQ(Integer(2, true).MinCode(), -2);
  EXPECT_EQ(Integer(16, true).MinCode(), -32768);
  EXPECT_EQ(Integer(16, false).MaxCode(), 65535);
}

TEST(NumberFormatTest, HasShortNames) {
  EXPECT_EQ(ToString(NumberFormat::Int8()), "int8");
  EXPECT_EQ(ToString(Integer(4, false)), "uint4");
  EXPECT_EQ(ToString(FixedPoint(8, true, 6)), "q1.6");
  EXPECT_EQ(ToString(FixedPoint(8, false, 8)), "uq0.8");
  EXPECT_EQ(ToString(FixedPoint(4, true, 5)), "q-2.5");
  EXPECT_EQ(ToString(Minifloat(8, 4, 3, 7)), "e4m3");
  EXPECT_EQ(ToString(Float(32)), "float32");
}

TEST(NumberFormatTest, BadParametersAreNamed) {
  for (int bits : {2, 16}) EXPECT_TRUE(Validate(Integer(bits, true)).ok());
  for (int bits : {1, 17, 0, -1}) {
    EXPECT_EQ(Validate(Integer(bits, true)).error().message,
              "integer format has " + std::to_string(bits) + " bits; accepted are 2 to 16");
  }
  EXPECT_TRUE(Validate(FixedPoint(8, true, -64)).ok());
  EXPECT_THAT(Validate(FixedPoint(8, true, 65)).error().message,
              HasSubstr("has 65 fraction bits; accepted are -64 to 64"));
  EXPECT_TRUE(Validate(Minifloat(8, 5, 2, 15)).ok());
  EXPECT_TRUE(Validate(Minifloat(4, 2, 1, 1)).ok());
  EXPECT_THAT(Validate(Minifloat(8, 0, 7, 0)).error().message, HasSubstr("0 exponent bits"));
  EXPECT_THAT(Validate(Minifloat(8, 4, 11, 0)).error().message, HasSubstr("11 mantissa bits"));
  EXPECT_THAT(Validate(Minifloat(9, 4, 3, 0)).error().message, HasSubstr("accepted is 8"));
  EXPECT_THAT(Validate(Minifloat(8, 4, 3, 999)).error().message, HasSubstr("exponent bias 999"));
  EXPECT_TRUE(Validate(Float(32)).ok());
  EXPECT_THAT(Validate(Float(16)).error().message, HasSubstr("accepted is 32"));
}

TEST(NumberFormatDeathTest, FloatsHaveNoIntegerCodes) {
  EXPECT_EXIT(Minifloat(8, 4, 3, 7).MaxCode(), ::testing::ExitedWithCode(70), "IsInteger");
}

TEST(ShapeTest, CountsAndNames) {
  EXPECT_EQ(NumElements({49, 10, 1}), 490);
  EXPECT_EQ(NumElements({}), 1);
  EXPECT_EQ(ToString(Shape{49, 10, 1}), "49x10x1");
  EXPECT_EQ(ToString(Shape{12}), "12");
  EXPECT_EQ(ToString(Shape{}), "scalar");
}

TEST(AccumulationTest, ExactIsValid) {
  EXPECT_TRUE(Validate(Accumulation::Exact()).ok());
  EXPECT_EQ(ToString(Accumulation::Exact()), "64-bit wrap, 1 per step, block-tap");
  EXPECT_EQ(ToString(Accumulation{20, Overflow::kSaturate, 16, AccumulationOrder::kFlatTap}),
            "20-bit saturate, 16 per step, flat-tap");
  EXPECT_THAT(ToString(Products(1, AccumulationOrder::kTapSerial)), HasSubstr("tap-serial"));
  EXPECT_THAT(ToString(Products(1, AccumulationOrder::kTapSerialColumn)),
              HasSubstr("tap-serial-column"));
}

TEST(AccumulationTest, BadParametersAreNamed) {
  for (int width : {8, 80}) EXPECT_TRUE(Validate(Width(width)).ok());
  for (int width : {7, 81, 0}) {
    EXPECT_EQ(Validate(Width(width)).error().message,
              "accumulator width is " + std::to_string(width) + " bits; accepted are 8 to 80");
  }
  for (int products : {0, -1, 65537}) {
    EXPECT_THAT(Validate(Products(products, AccumulationOrder::kBlockTap)).error().message,
                HasSubstr("products per step is " + std::to_string(products)));
  }
  for (AccumulationOrder order :
       {AccumulationOrder::kTapSerial, AccumulationOrder::kTapSerialColumn}) {
    EXPECT_THAT(Validate(Products(2, order)).error().message,
                HasSubstr("adds one tap per step; accepted is 1"));
  }
}

TEST(QuantizeMultiplierTest, ReproducesTheRealNumber) {
  Rng rng(3);
  for (int i = 0; i < 10000; ++i) {
    const double real = std::exp2(rng.UniformDouble() * 58 - 30);
    const FixedPointMultiplier pair = *QuantizeMultiplier(real, Rounding::kDouble);
    ASSERT_GE(pair.multiplier, 1 << 30) << real;
    const double stored = std::ldexp(pair.multiplier, pair.shift - 31);
    ASSERT_LE(std::abs(stored - real), std::ldexp(0.5, pair.shift - 31)) << real;
  }
}

TEST(QuantizeMultiplierTest, HandlesEdges) {
  EXPECT_EQ(*QuantizeMultiplier(1.0, Rounding::kDouble), (FixedPointMultiplier{1 << 30, 1}));
  EXPECT_EQ(*QuantizeMultiplier(0.5, Rounding::kDouble), (FixedPointMultiplier{1 << 30, 0}));
  // The fraction rounds up to 2^31: halved, exponent raised.
  EXPECT_EQ(*QuantizeMultiplier(1.0 - 0x1p-33, Rounding::kDouble),
            (FixedPointMultiplier{1 << 30, 1}));
  // A tie, (2^30 + 1/2) / 2^31, goes away from zero.
  EXPECT_EQ(*QuantizeMultiplier((0x1p30 + 0.5) / 0x1p31, Rounding::kDouble),
            (FixedPointMultiplier{(1 << 30) + 1, 0}));
  EXPECT_EQ(*QuantizeMultiplier(0x1p-32, Rounding::kDouble), (FixedPointMultiplier{1 << 30, -31}));
  EXPECT_EQ(*QuantizeMultiplier(0x1p-33, Rounding::kDouble), (FixedPointMultiplier{0, 0}));
  EXPECT_EQ(*QuantizeMultiplier(5e-324, Rounding::kSingle), (FixedPointMultiplier{0, 0}));
  EXPECT_EQ(*QuantizeMultiplier(0x1p29, Rounding::kDouble), (FixedPointMultiplier{1 << 30, 30}));
  EXPECT_EQ(*QuantizeMultiplier(0x1p30, Rounding::kSingle), (FixedPointMultiplier{2147483647, 30}));
}

TEST(QuantizeMultiplierTest, BadScalesAreNamed) {
  for (double real : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(QuantizeMultiplier(real, Rounding::kSingle).error().message,
                HasSubstr("accepted are finite values above 0"));
  }
  EXPECT_THAT(QuantizeMultiplier(0x1p30, Rounding::kDouble).error().message,
              HasSubstr("accepted are values below 2^30 with double rounding"));
}

TEST(RequantizationTest, HasNames) {
  EXPECT_EQ(ToString(RequantizationKind::kNone), "none");
  EXPECT_EQ(ToString(RequantizationKind::kShift), "shift");
  EXPECT_EQ(ToString(RequantizationKind::kMultiplierDouble), "multiplier-double");
  EXPECT_EQ(ToString(RequantizationKind::kMultiplierSingle), "multiplier-single");
  EXPECT_EQ(ToString(RequantizationKind::kMean), "mean");
}

}  // namespace
}  // namespace macloom::ir
