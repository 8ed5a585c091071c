// loom_bit_heap (8 columns of 6 bits) against a count of the bits of every column.
#include <cstdint>

#include "Vloom_bit_heap_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kColumns = 8, kHeight = 6;

TEST(BitHeapTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_bit_heap_mux>(5, [](Vloom_bit_heap_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    for (int trial = 0; trial < 20000 && mismatches == 0; ++trial) {
      uint64_t bits = rng.Next();
      if (trial % 4 == 0) bits |= rng.Next();
      if (trial % 4 == 1) bits &= rng.Next();
      if (trial < 2) bits = trial == 0 ? 0 : ~uint64_t{0};
      bits &= (uint64_t{1} << kColumns * kHeight) - 1;
      uint32_t sum = 0;
      for (int i = 0; i < kColumns * kHeight; ++i) {
        sum += static_cast<uint32_t>(bits >> i & 1) << (i / kHeight);
      }
      dut.bits_i = bits;
      dut.eval();
      mismatches += dut.sum_o != sum % (1 << kColumns);
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
