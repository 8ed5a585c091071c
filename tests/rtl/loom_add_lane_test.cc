// loom_add_lane against TFLite's 20-bit form: random parameters in every cycle, then all pairs of
// codes for some.
#include <deque>

#include "Vloom_add_lane_mux.h"
#include "tests/rtl/mutant_test.h"
#include "tests/rtl/requantization_model.h"

namespace macloom {
namespace {

struct Parameters {
  int zero_a = 0, zero_b = 0, shift = 0;
  int64_t multiplier = 0;
  bool is_single = false;
};

Parameters Draw(Rng& rng) {
  Parameters out;
  out.zero_a = static_cast<int>(rng.Bernoulli(0.2) ? -128 : rng.UniformInt(-128, 127));
  out.zero_b = static_cast<int>(rng.Bernoulli(0.2) ? -128 : rng.UniformInt(-128, 127));
  out.is_single = rng.Bernoulli(0.5);
  out.shift = -static_cast<int>(rng.Bernoulli(0.3) ? rng.UniformInt(0, 6) : rng.UniformInt(0, 31));
  switch (rng.UniformInt(0, 5)) {
    case 0:
      out.multiplier = rng.UniformInt(0, 0x7FFFFFFF);
      break;
    case 1:
      out.multiplier = 0x7FFFFFFF - rng.UniformInt(0, 3);
      break;
    // Few bits set: the first rounding has ties.
    case 2:
      out.multiplier = int64_t{1} << rng.UniformInt(0, 30);
      break;
    case 3:
      out.multiplier = (int64_t{1} << 30) + (rng.UniformInt(0, 3) << 9);
      break;
    default:
      out.multiplier = rng.UniformInt(int64_t{1} << 30, 0x7FFFFFFF);
  }
  return out;
}

/// Compares the outputs with those of the inputs two cycles before.
class Bench {
 public:
  explicit Bench(Vloom_add_lane_mux& dut) : dut_(dut) {}
  int64_t mismatches() const { return mismatches_; }

  void Step(int a, int b, const Parameters& parameters) {
    dut_.zero_a_i = static_cast<uint8_t>(parameters.zero_a);
    dut_.zero_b_i = static_cast<uint8_t>(parameters.zero_b);
    dut_.multiplier_i = static_cast<uint32_t>(parameters.multiplier);
    dut_.shift_i = static_cast<uint8_t>(parameters.shift);
    dut_.single_i = parameters.is_single;
    dut_.qa_i = static_cast<uint8_t>(a);
    dut_.qb_i = static_cast<uint8_t>(b);
    testing::Clock(dut_);
    expected_.push_back(testing::AdditionSum(
        a - parameters.zero_a, b - parameters.zero_b, parameters.multiplier, parameters.shift,
        parameters.is_single ? testing::kSingleRounding : testing::kDoubleRounding));
    if (expected_.size() < 2) return;
    mismatches_ += static_cast<int32_t>(dut_.x_o) != expected_.front();
    expected_.pop_front();
  }

 private:
  Vloom_add_lane_mux& dut_;
  std::deque<int64_t> expected_;
  int64_t mismatches_ = 0;
};

TEST(AddLaneTest, IsExactOverAllPairsAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_add_lane_mux>(4, [](Vloom_add_lane_mux& dut, Rng& rng) {
    Bench bench(dut);
    for (int cycle = 0; cycle < 200000 && bench.mismatches() == 0; ++cycle) {
      const int a = static_cast<int>(rng.UniformInt(-128, 127));
      const int b = static_cast<int>(rng.Bernoulli(0.3) ? 127 : rng.UniformInt(-128, 127));
      bench.Step(a, b, Draw(rng));
    }
    for (int set = 0; set < 8; ++set) {
      const Parameters parameters = Draw(rng);
      for (int pair = 0; pair < 65536 && bench.mismatches() == 0; ++pair) {
        bench.Step(pair / 256 - 128, pair % 256 - 128, parameters);
      }
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
