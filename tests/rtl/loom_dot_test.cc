// loom_dot (2 signed 4x4 products and an addend, 12 bits) against sums of products, for all
// factors.
#include <cstdint>

#include "Vloom_dot_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

/// Four bits as two's complement.
int Signed(int bits) { return bits >= 8 ? bits - 16 : bits; }

TEST(DotTest, IsExactForAllFactorsAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_dot_mux>(5, [](Vloom_dot_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    for (int factors = 0; factors < 1 << 16 && mismatches == 0; ++factors) {
      const int a = factors & 0xff, b = factors >> 8;
      const auto addend = static_cast<int>(rng.UniformInt(0, 4095));
      const int sum = addend + Signed(a & 15) * Signed(b & 15) + Signed(a >> 4) * Signed(b >> 4);
      dut.a_i = static_cast<uint8_t>(a);
      dut.b_i = static_cast<uint8_t>(b);
      dut.addend_i = static_cast<uint16_t>(addend);
      dut.eval();
      mismatches += dut.sum_o != (sum + 4096) % 4096;
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
