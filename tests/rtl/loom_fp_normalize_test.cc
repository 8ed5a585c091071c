// loom_fp_normalize (12 bits, limit of 5 bits) against a loop, for all inputs.
#include <cstdint>

#include "Vloom_fp_normalize_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

TEST(FpNormalizeTest, IsExactForAllInputsAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_normalize_mux>(3, [](Vloom_fp_normalize_mux& dut, Rng&) {
    int64_t mismatches = 0;
    for (int input = 0; input < 1 << 17 && mismatches == 0; ++input) {
      const int value = input & 0xfff, limit = input >> 12;
      dut.value_i = static_cast<uint16_t>(value);
      dut.limit_i = static_cast<uint8_t>(limit);
      dut.eval();
      if (value == 0) {
        mismatches += dut.value_o != 0;
        continue;
      }
      int shifted = value, zeros = 0;
      for (; zeros < limit && shifted < 0x800; ++zeros) shifted *= 2;
      mismatches += dut.value_o != shifted || dut.zeros_o != zeros;
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
