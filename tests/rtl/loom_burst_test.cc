// loom_burst over every beat address of two pages and all short transfers.
#include "Vloom_burst_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

TEST(BurstTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_burst_mux>(3, [](Vloom_burst_mux& dut, Rng&) {
    int64_t mismatches = 0;
    for (uint32_t address = 0x7000; address < 0x9000; address += 8) {
      for (uint32_t left = 1; left <= 40; ++left) {
        // The longest burst by trying: one beat more would break a rule.
        uint32_t beats = 1;
        while (beats < 16 && beats < left && (address + 8 * beats) % 4096 != 0) ++beats;
        dut.addr_i = address;
        dut.left_i = left;
        dut.eval();
        mismatches += dut.beats_o != beats;
      }
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
