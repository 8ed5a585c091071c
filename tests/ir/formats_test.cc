// Number formats, shapes, accumulation contracts, multipliers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

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
  EXPECT_EQ(ToString(NumberFormat::E4M3()), "e4m3");
  EXPECT_EQ(ToString(Minifloat(8, 4, 3, 7)), "e4m3b7-finite");
  EXPECT_EQ(ToString(NumberFormat::Minifloat(3, 4, -2, MinifloatSpecials::kIeee)), "e3m4b-2-ieee");
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

// docs/numerics.md section 9.1: largest finite code, smallest exponent, largest exponent.
TEST(NumberFormatTest, NamedMinifloatsHaveTheirLimits) {
  const std::vector<std::tuple<std::string, int32_t, int, int>> expected = {
      {"e4m3", 0x7e, -9, 8}, {"e5m2", 0x7b, -16, 15},    {"e3m4", 0x7f, -6, 4},
      {"e2m5", 0x7f, -5, 2}, {"e3m2", 0x1f, -4, 4},      {"e2m3", 0x1f, -3, 2},
      {"e2m1", 0x07, -1, 2}, {"e5m10", 0x7bff, -24, 15}, {"e8m7", 0x7f7f, -133, 127}};
  ASSERT_EQ(NamedMinifloats().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, max_code, least, greatest] = expected[i];
    const NumberFormat format = NamedMinifloats()[i].format;
    EXPECT_EQ(NamedMinifloats()[i].name, name);
    EXPECT_TRUE(Validate(format).ok()) << name;
    EXPECT_EQ(format.MaxFiniteCode(), max_code) << name;
    EXPECT_EQ(format.LeastExponent(), least) << name;
    EXPECT_EQ(format.MaxExponent(), greatest) << name;
    EXPECT_EQ(format.MaxCode(), (int64_t{1} << format.bits) - 1) << name;
    EXPECT_TRUE(format.IsFinite(format.SignBit() | max_code)) << name;
    EXPECT_EQ(format.IsFinite(max_code + 1), name == "e3m4" || name == "e2m5" || format.bits < 8)
        << name;
    EXPECT_EQ(ToString(format), name);
  }
}

TEST(NumberFormatTest, MinifloatNamesAreParsed) {
  for (const NamedMinifloat& named : NamedMinifloats()) {
    EXPECT_EQ(*ParseMinifloat(named.name), named.format);
  }
  EXPECT_EQ(*ParseMinifloat("E4M3"), NumberFormat::E4M3());
  const NumberFormat other = NumberFormat::Minifloat(4, 3, 11, MinifloatSpecials::kFinite);
  EXPECT_EQ(*ParseMinifloat(ToString(other)), other);
  for (const char* bad : {"", "int8", "e4m3b11", "e4m3b11-fn", "e4m3b7-finite ", "e4m3-finite"}) {
    EXPECT_THAT(ParseMinifloat(bad).error().message, HasSubstr("accepted are e4m3, e5m2")) << bad;
  }
  EXPECT_THAT(ParseMinifloat("e9m3b7-finite").error().message, HasSubstr("9 exponent bits"));
  EXPECT_THAT(ParseMinifloat("e3m0b1-ieee").error().message, HasSubstr("0 mantissa bits"));
  EXPECT_THAT(ParseMinifloat("e1m0b1-nan").error().message, HasSubstr("no finite value above 0"));
}

TEST(NumberFormatDeathTest, FloatsHaveNoIntegerCodes) {
  EXPECT_EXIT(Float(32).MaxCode(), ::testing::ExitedWithCode(70), "IsInteger");
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

TEST(AccumulationTest, MinifloatKindsAreNamed) {
  const AccumulationOrder order = AccumulationOrder::kBlockTap;
  EXPECT_EQ(ToString(Accumulation::FixedPoint(46, Overflow::kWrap, 16, order)),
            "46-bit fixed point wrap, 16 per step, block-tap");
  EXPECT_EQ(ToString(Accumulation::FixedPoint(32, Overflow::kSaturate, 4, order, 9, 20)),
            "32-bit fixed point -9 aligned to 20 saturate, 4 per step, block-tap");
  EXPECT_EQ(ToString(Accumulation::Float(5, 10, Overflow::kInfinity, 1, order)),
            "16-bit float e5m10 infinity, 1 per step, block-tap");
  EXPECT_TRUE(Validate(Accumulation::FixedPoint(80, Overflow::kWrap, 16, order, 63, 127)).ok());
  EXPECT_TRUE(Validate(Accumulation::Float(8, 23, Overflow::kSaturate, 16, order)).ok());
  EXPECT_FALSE(Accumulation::Float(8, 23, Overflow::kSaturate, 16, order).IsExact());
  EXPECT_TRUE(Accumulation::Exact().IsExact());
}

TEST(AccumulationTest, ContractsAreParsed) {
  const AccumulationOrder block = AccumulationOrder::kBlockTap;
  EXPECT_EQ(*ParseAccumulation("exact"), Accumulation::Exact());
  EXPECT_EQ(*ParseAccumulation("int24,saturate,step16,flat-tap"),
            (Accumulation{24, Overflow::kSaturate, 16, AccumulationOrder::kFlatTap}));
  EXPECT_EQ(*ParseAccumulation("fixed32,saturate,drop9,align12,step4"),
            Accumulation::FixedPoint(32, Overflow::kSaturate, 4, block, 9, 12));
  EXPECT_EQ(*ParseAccumulation("fp16"), Accumulation::Float(5, 10, Overflow::kInfinity, 1, block));
  EXPECT_EQ(*ParseAccumulation("fp32,saturate,step16"),
            Accumulation::Float(8, 23, Overflow::kSaturate, 16, block));
  EXPECT_EQ(*ParseAccumulation("e6m9"), Accumulation::Float(6, 9, Overflow::kInfinity, 1, block));
  for (const char* bad : {"", "int", "int24x", "fp8", "em", "e5", "e5m", "e99999m1", "float"}) {
    EXPECT_THAT(ParseAccumulation(bad).error().message, HasSubstr("register is \"")) << bad;
  }
  EXPECT_THAT(ParseAccumulation("fp16,step").error().message,
              HasSubstr("word is \"step\"; accepted are wrap, saturate"));
  EXPECT_THAT(ParseAccumulation("fixed90").error().message,
              HasSubstr("accumulator \"fixed90\": accumulator width is 90 bits"));
}

TEST(AccumulationTest, BadMinifloatKindsAreNamed) {
  const auto message = [](const Accumulation& accumulation) {
    const Status status = Validate(accumulation);
    return status.ok() ? std::string() : status.error().message;
  };
  const AccumulationOrder order = AccumulationOrder::kBlockTap;
  EXPECT_THAT(message(Accumulation::FixedPoint(81, Overflow::kWrap, 1, order)),
              HasSubstr("width is 81 bits"));
  EXPECT_THAT(message(Accumulation::FixedPoint(32, Overflow::kInfinity, 1, order)),
              HasSubstr("policy is infinity; accepted by integer accumulators are wrap"));
  EXPECT_THAT(message(Accumulation::FixedPoint(32, Overflow::kWrap, 1, order, 64)),
              HasSubstr("dropped bits of the accumulator are 64; accepted are 0 to 63"));
  EXPECT_THAT(message(Accumulation::FixedPoint(32, Overflow::kWrap, 1, order, 0, 128)),
              HasSubstr("alignment bits of the accumulator are 128; accepted are -1 to 127"));
  EXPECT_THAT(message(Accumulation::Float(8, 23, Overflow::kWrap, 1, order)),
              HasSubstr("policy is wrap; accepted by float accumulators are infinity"));
  EXPECT_THAT(message(Accumulation::Float(9, 10, Overflow::kInfinity, 1, order)),
              HasSubstr("exponent bits of the accumulator are 9; accepted are 2 to 8"));
  EXPECT_THAT(message(Accumulation::Float(5, 24, Overflow::kInfinity, 1, order)),
              HasSubstr("mantissa bits of the accumulator are 24; accepted are 1 to 23"));
  Accumulation wide = Accumulation::Float(5, 10, Overflow::kInfinity, 1, order);
  wide.width_bits = 32;
  EXPECT_THAT(message(wide), HasSubstr("width is 32 bits; accepted is 16"));
  Accumulation integer = Accumulation::Exact();
  integer.dropped_bits = 1;
  EXPECT_THAT(message(integer), HasSubstr("dropped bits of the accumulator are 1; accepted are 0"));
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
