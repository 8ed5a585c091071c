// loom_fp_code_lane: every key under random limits, against the order of values of e4m3 codes.
#include <deque>

#include "Vloom_fp_code_lane_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

/// Position of a code in the order of values, -0 below +0.
int Rank(int code) { return code < 0x80 ? code : -(code & 0x7F) - 1; }

/// {high, low, code} of the code with rank `rank`.
uint32_t Clamped(int rank, int low, int high) {
  if (rank < Rank(low)) return 0x100u | static_cast<uint32_t>(low);
  if (rank > Rank(high)) return 0x200u | static_cast<uint32_t>(high);
  return static_cast<uint32_t>(rank >= 0 ? rank : 0x80 | (-rank - 1));
}

TEST(FpCodeLaneTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_code_lane_mux>(
      4, [](Vloom_fp_code_lane_mux& dut, Rng& rng) {
        int64_t mismatches = 0;
        std::deque<uint32_t> pipeline;
        for (int cycle = 0; cycle < 40 * 256 && mismatches == 0; ++cycle) {
          const int rank = cycle % 256 - 128;
          int low = static_cast<int>(rng.UniformInt(0, 255));
          int high = static_cast<int>(rng.UniformInt(0, 255));
          if (Rank(low) > Rank(high)) std::swap(low, high);
          dut.key_i = static_cast<uint8_t>(rank);
          dut.clamp_min_i = static_cast<uint8_t>(low);
          dut.clamp_max_i = static_cast<uint8_t>(high);
          testing::Clock(dut);
          pipeline.push_back(Clamped(rank, low, high));
          if (pipeline.size() < 3) continue;
          const uint32_t got = dut.y_o | (dut.low_o ? 0x100u : 0u) | (dut.high_o ? 0x200u : 0u);
          mismatches += got != pipeline.front();
          pipeline.pop_front();
        }
        return mismatches;
      });
}

}  // namespace
}  // namespace macloom
