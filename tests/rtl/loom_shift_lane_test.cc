// loom_shift_lane against divisions by powers of two, for every shift.
#include <deque>

#include "Vloom_shift_lane_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

struct Input {
  int64_t x = 0;
  bool is_mean = false;
  int shift = 0, mean_half = 0, zero = 0, low = -128, high = 127;
};

/// floor(a / 2^n) by definition.
int64_t FloorDivide(int64_t a, int n) {
  const int64_t unit = int64_t{1} << n;
  return a >= 0 ? a / unit : -((-a + unit - 1) / unit);
}

/// The value before the clamp.
int64_t Value(const Input& in) {
  if (in.is_mean) {
    const int64_t mean = ((in.x < 0 ? -in.x : in.x) + in.mean_half) / (int64_t{1} << in.shift);
    return in.x < 0 ? -mean : mean;
  }
  const int right = 1 - in.shift;
  const int64_t half = right == 0 ? 0 : int64_t{1} << (right - 1);
  return FloorDivide(in.x + half, right) + in.zero;
}

Input Draw(Rng& rng) {
  Input in;
  in.is_mean = rng.Bernoulli(0.4);
  in.shift = static_cast<int>(in.is_mean ? rng.UniformInt(0, 31) : rng.UniformInt(-30, 1));
  in.mean_half = static_cast<int>(rng.Bernoulli(0.2) ? 65535 : rng.UniformInt(0, 65535));
  if (in.is_mean && rng.Bernoulli(0.5)) in.mean_half &= (1 << std::min(in.shift, 16)) - 1;
  in.zero = static_cast<int>(rng.UniformInt(-128, 127));
  in.low = static_cast<int>(rng.UniformInt(-128, 20));
  in.high = static_cast<int>(rng.UniformInt(in.low, 127));
  const int right = in.is_mean ? in.shift : 1 - in.shift;
  switch (rng.UniformInt(0, 4)) {
    case 0:
      in.x = rng.Bernoulli(0.5) ? INT32_MIN : INT32_MAX;
      break;
    case 1:
      in.x = rng.UniformInt(INT32_MIN, INT32_MAX);
      break;
    default: {
      if (in.is_mean && rng.Bernoulli(0.7)) {
        // Around the sum at which the mean becomes the next code.
        const int64_t sum = rng.UniformInt(0, 130) * (int64_t{1} << right) - in.mean_half;
        const int64_t magnitude = std::max<int64_t>(sum + rng.UniformInt(-2, 2), 0);
        in.x =
            std::clamp<int64_t>(rng.Bernoulli(0.5) ? -magnitude : magnitude, INT32_MIN, INT32_MAX);
        break;
      }
      // Around a code: ties, and one less and more.
      const int64_t code = rng.UniformInt(-140, 140);
      const int64_t x = (2 * code + 1) * (int64_t{1} << right) / 2 + rng.UniformInt(-2, 2);
      in.x = std::clamp<int64_t>(x, INT32_MIN, INT32_MAX);
    }
  }
  return in;
}

TEST(ShiftLaneTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_shift_lane_mux>(6, [](Vloom_shift_lane_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    std::deque<Input> pipeline;
    for (int cycle = 0; cycle < 60000 && mismatches == 0; ++cycle) {
      const Input in = Draw(rng);
      dut.x_i = static_cast<uint32_t>(in.x);
      // All that is no mean is a rounding shift.
      dut.mode_i = in.is_mean ? 2 : static_cast<uint8_t>(rng.UniformInt(0, 1));
      dut.shift_i = static_cast<uint8_t>(in.shift);
      dut.mean_half_i = static_cast<uint16_t>(in.mean_half);
      dut.zero_i = static_cast<uint8_t>(in.zero);
      dut.clamp_min_i = static_cast<uint8_t>(in.low);
      dut.clamp_max_i = static_cast<uint8_t>(in.high);
      testing::Clock(dut);
      pipeline.push_back(in);
      if (pipeline.size() < 2) continue;
      const Input& out = pipeline.front();
      const int64_t value = Value(out);
      const int64_t code = value < out.low ? out.low : value > out.high ? out.high : value;
      mismatches += static_cast<int8_t>(dut.y_o) != code;
      mismatches += (dut.low_o != 0) != (value < out.low);
      mismatches += (dut.high_o != 0) != (value > out.high);
      pipeline.pop_front();
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
