// loom_fp_multiplier against golden::Decode() and Product(), for all pairs of codes.
#include <array>
#include <cstdint>

#include "Vfp_multiplier_grid.h"
#include "Vloom_fp_multiplier_mux.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

/// One product as the unit gives it.
struct Output {
  bool is_nan, is_infinite, is_negative;
  int significand, shift;
};

bool Agrees(const ir::NumberFormat& a_format, int64_t a, const ir::NumberFormat& b_format,
            int64_t b, const Output& output) {
  const golden::ExtendedReal product = golden::Product(a_format, a, b_format, b);
  if (output.is_nan) return product.float_class == golden::FloatClass::kNan;
  if (output.is_negative != product.is_negative &&
      product.float_class != golden::FloatClass::kFinite) {
    return false;
  }
  if (output.is_infinite) return product.float_class == golden::FloatClass::kInfinity;
  if (product.float_class != golden::FloatClass::kFinite) return false;
  const int lsb = a_format.LeastExponent() + b_format.LeastExponent() + output.shift;
  const int significand = output.is_negative ? -output.significand : output.significand;
  return golden::ExactReal(significand, lsb) == product.value &&
         output.shift == golden::Decode(a_format, a).steps + golden::Decode(b_format, b).steps;
}

TEST(FpMultiplierTest, IsExactForAllCodesAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_multiplier_mux>(4, [](Vloom_fp_multiplier_mux& dut, Rng&) {
    const ir::NumberFormat format = ir::NumberFormat::E4M3();
    int64_t mismatches = 0;
    for (int codes = 0; codes < 1 << 16 && mismatches == 0; ++codes) {
      dut.a_i = static_cast<uint8_t>(codes);
      dut.b_i = static_cast<uint8_t>(codes >> 8);
      dut.eval();
      mismatches += !Agrees(
          format, codes & 255, format, codes >> 8,
          {dut.nan_o != 0, dut.inf_o != 0, dut.sign_o != 0, dut.significand_o, dut.shift_o});
    }
    return mismatches;
  });
}

TEST(FpMultiplierTest, EveryFormatIsExactForAllCodes) {
  const auto formats = testing::GridFormats();
  Vfp_multiplier_grid dut;
  std::array<int64_t, 8> mismatches{};
  for (int codes = 0; codes < 1 << 16; ++codes) {
    dut.a_i = static_cast<uint8_t>(codes);
    dut.b_i = static_cast<uint8_t>(codes >> 8);
    dut.eval();
    for (size_t k = 0; k < mismatches.size(); ++k) {
      const ir::NumberFormat &a = formats[k % 7], &b = formats[k == 7 ? 1 : k];
      const int64_t a_code = codes & a.MaxCode(), b_code = (codes >> 8) & b.MaxCode();
      if (a_code != (codes & 255) || b_code != codes >> 8) continue;
      const uint32_t word = dut.product_o[k];
      mismatches[k] +=
          !Agrees(a, a_code, b, b_code,
                  {(word >> 26 & 1) != 0, (word >> 25 & 1) != 0, (word >> 24 & 1) != 0,
                   static_cast<int>(word & 0xffff), static_cast<int>(word >> 16 & 0xff)});
    }
  }
  EXPECT_EQ(mismatches, decltype(mismatches){});
}

}  // namespace
}  // namespace macloom
