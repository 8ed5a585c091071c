// loom_fp_add (FP16, summands of 8 bits on the grid 2^-18) against exact sums of golden::ExactReal.
#include <cstdint>

#include "Vloom_fp_add_mux.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kSign = 0x8000, kInf = 0x7c00, kMax = 0x7bff, kGridLsb = -18;

TEST(FpAddTest, RoundsOnceAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_add_mux>(7, [](Vloom_fp_add_mux& dut, Rng& rng) {
    const ir::NumberFormat half = testing::MinifloatNamed("e5m10");
    int64_t mismatches = 0;
    for (int trial = 0; trial < 40000 && mismatches == 0; ++trial) {
      int acc = static_cast<int>(rng.UniformInt(0, kMax));
      if (rng.Bernoulli(0.1)) acc = static_cast<int>(rng.UniformInt(0, 0x7ff));
      if (rng.Bernoulli(0.1)) acc &= 0x7c00 + static_cast<int>(rng.UniformInt(0, 3));
      if (rng.Bernoulli(0.1)) acc = static_cast<int>(rng.UniformInt(0x7a00, kInf));
      // Summands near the accumulator, so that they cancel; far below; anywhere.
      int sig = static_cast<int>(rng.UniformInt(128, 255));
      const int near = acc / 1024 - 15 - kGridLsb + static_cast<int>(rng.UniformInt(-13, 13));
      int top = rng.Bernoulli(0.7) && near >= 0 && near < 64 ? near
                                                             : static_cast<int>(rng.UniformInt(0, 63));
      if (rng.Bernoulli(0.1)) sig = 128;
      if (rng.Bernoulli(0.05)) sig = 0;
      if (acc > 0 && rng.Bernoulli(0.5)) acc |= kSign;
      const bool negative = rng.Bernoulli(0.5), saturate = rng.Bernoulli(0.5);
      dut.acc_i = static_cast<uint16_t>(acc);
      dut.sign_i = negative;
      dut.sig_i = static_cast<uint8_t>(sig);
      dut.top_i = static_cast<uint8_t>(top);
      dut.saturate_i = saturate;
      dut.eval();
      int wanted = acc;
      bool event = false;
      if ((acc & kInf) != kInf) {
        const golden::ExactReal t = golden::ValueOf(half, acc).value +
                                    golden::ExactReal(negative ? -sig : sig, top - 7 + kGridLsb);
        const golden::Rounded rounded = golden::RoundMagnitude(half, t.Magnitude());
        event = rounded.is_overflow;
        wanted = event ? (saturate ? kMax : kInf) : static_cast<int>(rounded.code);
        if (t.IsNegative() && wanted != 0) wanted |= kSign;
      }
      mismatches += dut.acc_o != wanted || (dut.event_o != 0) != event;
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
