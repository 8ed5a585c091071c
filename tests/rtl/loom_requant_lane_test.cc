// loom_requant_lane against exact 128-bit arithmetic.
#include <deque>

#include "Vloom_requant_lane_mux.h"
#include "tests/rtl/mutant_test.h"
#include "tests/rtl/requantization_model.h"

namespace macloom {
namespace {

using Input = testing::RequantInput;
using Output = testing::RequantOutput;

Input Draw(Rng& rng) {
  Input in;
  in.mode = static_cast<int>(rng.UniformInt(0, 2));
  in.zero = static_cast<int>(rng.UniformInt(-128, 127));
  in.low = static_cast<int>(rng.Bernoulli(0.3) ? -128 : rng.UniformInt(-128, 127));
  in.high = static_cast<int>(rng.Bernoulli(0.3) ? 127 : rng.UniformInt(in.low, 127));
  if (in.mode == 2 && rng.Bernoulli(0.5)) {
    // Any multiplier and shift; the mean near a code, or beyond 32 bits.
    in.shift = static_cast<int>(rng.UniformInt(0, 62));
    in.multiplier = rng.UniformInt(0, 0x7FFFFFFF) >> rng.UniformInt(0, 30);
    in.mean_half = static_cast<int>(rng.UniformInt(0, 65535));
    const int bits = static_cast<int>(rng.UniformInt(1, 32));
    in.x = rng.UniformInt(-(int64_t{1} << (bits - 1)), (int64_t{1} << (bits - 1)) - 1);
    return in;
  }
  if (in.mode == 2) {
    const int64_t n = rng.UniformInt(1, 4096);
    in.shift = 31;
    while ((int64_t{1} << in.shift) / n < (int64_t{1} << 30)) ++in.shift;
    in.multiplier = std::min<int64_t>(((int64_t{1} << in.shift) + n - 1) / n, 0x7FFFFFFF);
    in.mean_half = static_cast<int>(n / 2);
    in.x = rng.UniformInt(-128 * n, 127 * n);
    return in;
  }
  in.shift = static_cast<int>(rng.UniformInt(-31, 7));
  in.multiplier = rng.Bernoulli(0.2)   ? rng.UniformInt(0, 0x7FFFFFFF) >> rng.UniformInt(0, 30)
                  : rng.Bernoulli(0.2) ? (int64_t{1} << 30)
                                       : rng.UniformInt(int64_t{1} << 30, 0x7FFFFFFF);
  const int bits = static_cast<int>(rng.UniformInt(1, 32));
  in.x = rng.UniformInt(-(int64_t{1} << (bits - 1)), (int64_t{1} << (bits - 1)) - 1);
  switch (rng.UniformInt(0, 9)) {
    case 0:
      in.x = INT32_MIN;
      break;
    case 1:
      in.x = INT32_MAX;
      break;
    // Ties of the second rounding: odd multiples of half a unit.
    case 2:
      in.multiplier = int64_t{1} << 30;
      in.shift = static_cast<int>(rng.UniformInt(-12, -1));
      in.x = (2 * rng.UniformInt(-100, 100) + 1) * (int64_t{1} << -in.shift);
      break;
    default:
      break;
  }
  return in;
}

TEST(RequantLaneTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_requant_lane_mux>(
      5, [](Vloom_requant_lane_mux& dut, Rng& rng) {
        std::deque<Output> expected;
        int64_t mismatches = 0;
        for (int cycle = 0; cycle < 200000 && mismatches == 0; ++cycle) {
          const Input in = Draw(rng);
          dut.x_i = static_cast<uint32_t>(in.x);
          dut.mode_i = static_cast<uint8_t>(in.mode);
          dut.multiplier_i = static_cast<uint32_t>(in.multiplier);
          dut.shift_i = static_cast<uint8_t>(in.shift);
          dut.mean_half_i = static_cast<uint16_t>(in.mean_half);
          dut.zero_i = static_cast<uint8_t>(in.zero);
          dut.clamp_min_i = static_cast<uint8_t>(in.low);
          dut.clamp_max_i = static_cast<uint8_t>(in.high);
          testing::Clock(dut);
          expected.push_back(testing::Requantized(in));
          if (expected.size() < 5) continue;
          const Output want = expected.front();
          expected.pop_front();
          mismatches += static_cast<int8_t>(dut.y_o) != want.y || dut.low_o != want.is_low ||
                        dut.high_o != want.is_high;
        }
        return mismatches;
      });
}

}  // namespace
}  // namespace macloom
