// loom_burst over every beat address of two pages, all short transfers and every large power of 2.
#include "Vloom_burst_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

TEST(BurstTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_burst_mux>(3, [](Vloom_burst_mux& dut, Rng&) {
    int64_t mismatches = 0;
    for (uint32_t address = 0x7000; address < 0x9000; address += 8) {
      for (int index = 0; index < 40 + 2 * 26; ++index) {
        // 1 to 40, then 2^n and one beat more for n = 6 to 31.
        const int large = index - 40;
        const uint32_t left = large < 0 ? static_cast<uint32_t>(index) + 1
                                        : (uint32_t{1} << (6 + large / 2)) + large % 2;
        // The longest burst by trying: one beat more would break a rule.
        uint32_t beats = 1;
        while (beats < 16 && beats < left && (address + 8 * beats) % 4096 != 0) ++beats;
        dut.addr_i = address;
        dut.left_i = left;
        dut.eval();
        mismatches += dut.beats_o != beats;
        if (mismatches > 0) return mismatches;
      }
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
