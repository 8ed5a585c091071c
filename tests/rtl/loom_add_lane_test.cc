// loom_add_lane over all pairs of codes for random parameters, against TFLite's 20-bit form.
#include <deque>

#include "Vloom_add_lane_mux.h"
#include "tests/rtl/mutant_test.h"
#include "tests/rtl/requantization_model.h"

namespace macloom {
namespace {

TEST(AddLaneTest, IsExactOverAllPairsAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_add_lane_mux>(4, [](Vloom_add_lane_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    for (int set = 0; set < 16; ++set) {
      const int zero_a = static_cast<int>(rng.UniformInt(-128, 127));
      const int zero_b = static_cast<int>(rng.UniformInt(-128, 127));
      const bool is_single = set % 2 == 1;
      const int shift = set < 12 ? -static_cast<int>(rng.UniformInt(0, 6))
                                 : -static_cast<int>(rng.UniformInt(7, 31));
      const int64_t multiplier = set % 4 < 2 ? rng.UniformInt(int64_t{1} << 30, 0x7FFFFFFF)
                                             : (int64_t{1} << 30) + (rng.UniformInt(0, 3) << 9);
      dut.zero_a_i = static_cast<uint8_t>(zero_a);
      dut.zero_b_i = static_cast<uint8_t>(zero_b);
      dut.multiplier_i = static_cast<uint32_t>(multiplier);
      dut.shift_i = static_cast<uint8_t>(shift);
      dut.single_i = is_single;
      std::deque<int64_t> expected;
      for (int pair = 0; pair < 65536; ++pair) {
        const int a = pair / 256 - 128, b = pair % 256 - 128;
        dut.qa_i = static_cast<uint8_t>(a);
        dut.qb_i = static_cast<uint8_t>(b);
        testing::Clock(dut);
        expected.push_back(
            testing::AdditionSum(a - zero_a, b - zero_b, multiplier, shift,
                                 is_single ? testing::kSingleRounding : testing::kDoubleRounding));
        if (expected.size() < 2) continue;
        mismatches += static_cast<int32_t>(dut.x_o) != expected.front();
        expected.pop_front();
      }
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
