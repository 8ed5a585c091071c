// loom_multiplier: 8x8 signed with its mutants, then a grid of widths and signs, each for all
// factors; wider ones against the other body at random.
#include <array>
#include <cstdint>

#include "Vloom_multiplier_mux.h"
#include "Vmultiplier_grid.h"
#include "Vmultiplier_wide.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

/// The low `width` bits of `bits`, as two's complement if `is_signed`.
int Value(int bits, int width, bool is_signed) {
  const int value = bits % (1 << width);
  return is_signed && value >> (width - 1) != 0 ? value - (1 << width) : value;
}

TEST(MultiplierTest, IsExactForAllFactorsAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_multiplier_mux>(3, [](Vloom_multiplier_mux& dut, Rng&) {
    int64_t mismatches = 0;
    for (int factors = 0; factors < 1 << 16 && mismatches == 0; ++factors) {
      dut.a_i = static_cast<uint8_t>(factors);
      dut.b_i = static_cast<uint8_t>(factors >> 8);
      dut.eval();
      const int product = Value(factors, 8, true) * Value(factors >> 8, 8, true);
      mismatches += dut.product_o != static_cast<uint16_t>(product);
    }
    return mismatches;
  });
}

TEST(MultiplierTest, EveryWidthOfTheGridIsExactForAllFactors) {
  // As in units/multiplier_grid.sv.
  constexpr std::array<std::array<int, 2>, 7> kWidths = {
      {{2, 2}, {3, 5}, {4, 4}, {4, 8}, {8, 4}, {7, 6}, {8, 8}}};
  Vmultiplier_grid dut;
  std::array<int64_t, 28> mismatches{};
  for (int factors = 0; factors < 1 << 16; ++factors) {
    dut.a_i = static_cast<uint8_t>(factors);
    dut.b_i = static_cast<uint8_t>(factors >> 8);
    dut.eval();
    for (size_t k = 0; k < mismatches.size(); ++k) {
      const auto [a_width, b_width] = kWidths[k / 4];
      const int product =
          Value(factors & 255, a_width, k & 1) * Value(factors >> 8, b_width, k >> 1 & 1);
      const auto wanted = static_cast<uint32_t>(product) % (1u << (a_width + b_width));
      const uint32_t got = dut.product_o[k / 2] >> (k % 2 * 16) & 0xffff;
      mismatches[k] += got != wanted;
    }
  }
  EXPECT_EQ(mismatches, decltype(mismatches){});
}

TEST(MultiplierTest, TheRequantizationMultiplierIsExact) {
  Vmultiplier_wide dut;
  Rng rng(7);
  int64_t mismatches = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    // Signed 33 x unsigned 31 bits: any, corners, few bits.
    const auto draw = [&](int width) {
      const uint64_t all = (uint64_t{1} << width) - 1, bits = rng.Next() & all;
      const int kind = static_cast<int>(rng.UniformInt(0, 5));
      return kind == 0   ? all
             : kind == 1 ? uint64_t{1} << (width - 1)
             : kind == 2 ? all >> 1
             : kind == 3 ? bits & rng.Next() & rng.Next()
                         : bits;
    };
    dut.a_i = draw(33);
    dut.b_i = static_cast<uint32_t>(draw(31));
    dut.eval();
    const auto a = static_cast<int64_t>(dut.a_i << 31) >> 31;
    mismatches += dut.product_o != static_cast<uint64_t>(a * static_cast<int64_t>(dut.b_i));
  }
  EXPECT_EQ(mismatches, 0);
}

}  // namespace
}  // namespace macloom
