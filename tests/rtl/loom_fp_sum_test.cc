// loom_fp_sum (4 lanes, e4m3, nothing dropped) against sums of shifted significands.
#include <cstdint>

#include "Vloom_fp_sum_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

TEST(FpSumTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_sum_mux>(4, [](Vloom_fp_sum_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    for (int trial = 0; trial < 20000 && mismatches == 0; ++trial) {
      dut.valid_i = static_cast<uint8_t>(rng.Bernoulli(0.5) ? 15 : rng.UniformInt(0, 15));
      dut.sign_i = static_cast<uint8_t>(rng.UniformInt(0, 15));
      dut.significand_i = 0;
      dut.shift_i = 0;
      int64_t sum = 0;
      for (int l = 0; l < 4; ++l) {
        const auto significand =
            static_cast<uint32_t>(rng.Bernoulli(0.2) ? 225 : rng.UniformInt(0, 225));
        const auto shift = static_cast<uint32_t>(rng.Bernoulli(0.2) ? 28 : rng.UniformInt(0, 28));
        dut.significand_i |= significand << (8 * l);
        dut.shift_i |= shift << (5 * l);
        const int64_t product = int64_t{significand} << shift;
        if ((dut.valid_i >> l & 1) != 0) sum += (dut.sign_i >> l & 1) != 0 ? -product : product;
      }
      dut.eval();
      mismatches += dut.sum_o != (static_cast<uint64_t>(sum) & ((uint64_t{1} << 39) - 1));
      mismatches += dut.carry_o != 0;
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
