// loom_fp_requant_lane: 45-bit fixed point to e4m3 with its mutants, then every format from fixed
// point, FP16 (all codes) and FP32, against golden::RoundAndClamp().
#include <array>
#include <cstdint>
#include <deque>

#include "Vfp_requant_grid.h"
#include "Vloom_fp_requant_lane_mux.h"
#include "golden/reference/minifloat_requantize.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

constexpr int kUnitLsb = -18;

/// {high, low, code} as the grid packs them.
uint32_t Packed(const golden::Requantized& y) {
  return static_cast<uint32_t>(y.code) | (y.is_clamped_low ? 0x100u : 0u) |
         (y.is_clamped_high ? 0x200u : 0u);
}

/// Limits: the whole range, ReLU, or any two finite codes in order, none of them -0.
ir::Requantization RandomClamp(const ir::NumberFormat& format, Rng& rng) {
  ir::Requantization clamp;
  const int32_t largest = format.MaxFiniteCode();
  const auto sign = static_cast<int32_t>(format.SignBit());
  const auto code = [&](int64_t value) {
    return static_cast<int32_t>(value < 0 ? sign - value : value);
  };
  int64_t low = -largest, high = largest;
  if (rng.Bernoulli(0.3)) low = 0;
  if (rng.Bernoulli(0.2)) {
    low = rng.UniformInt(-largest, largest);
    high = rng.UniformInt(low, largest);
  }
  clamp.clamp_min = code(low);
  clamp.clamp_max = code(high);
  return clamp;
}

/// A number of up to `bits` bits with sign: any size, near a tie of few bits, or a corner.
int64_t RandomFixed(int bits, Rng& rng) {
  const int width = static_cast<int>(rng.UniformInt(1, bits - 1));
  int64_t x = rng.UniformInt(0, (int64_t{1} << width) - 1);
  if (rng.Bernoulli(0.6) && width > 8) {
    const int cut = static_cast<int>(rng.UniformInt(1, width - 2));
    x = (x >> cut << cut) + rng.UniformInt(-1, 1);
  }
  if (rng.Bernoulli(0.02)) return -(int64_t{1} << (bits - 1));
  return rng.Bernoulli(0.5) ? x : -x;
}

golden::ExtendedReal FixedValue(int64_t x, int shift) {
  golden::ExtendedReal v;
  v.value = golden::ExactReal(x, kUnitLsb + shift);
  v.is_negative = v.value.IsNegative();
  return v;
}

TEST(FpRequantLaneTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_requant_lane_mux>(
      6, [](Vloom_fp_requant_lane_mux& dut, Rng& rng) {
        const ir::NumberFormat format = ir::NumberFormat::E4M3();
        int64_t mismatches = 0;
        std::deque<uint32_t> pipeline;
        for (int cycle = 0; cycle < 40000 && mismatches == 0; ++cycle) {
          const int64_t x = RandomFixed(45, rng);
          const int shift = static_cast<int>(rng.Bernoulli(0.7) ? rng.UniformInt(-30, 10)
                                                                : rng.UniformInt(-64, 64));
          const ir::Requantization clamp = RandomClamp(format, rng);
          dut.x_i = static_cast<uint64_t>(x) & ((uint64_t{1} << 45) - 1);
          dut.shift_i = static_cast<uint8_t>(shift);
          dut.clamp_min_i = static_cast<uint8_t>(clamp.clamp_min);
          dut.clamp_max_i = static_cast<uint8_t>(clamp.clamp_max);
          testing::Clock(dut);
          pipeline.push_back(Packed(golden::RoundAndClamp(FixedValue(x, shift), format, clamp)));
          if (pipeline.size() < 3) continue;
          const uint32_t got = dut.y_o | (dut.low_o ? 0x100u : 0u) | (dut.high_o ? 0x200u : 0u);
          mismatches += got != pipeline.front();
          pipeline.pop_front();
        }
        return mismatches;
      });
}

TEST(FpRequantLaneTest, EveryFormatFromEveryAccumulatorEqualsGolden) {
  const auto formats = testing::GridFormats();
  const ir::NumberFormat half = testing::MinifloatNamed("e5m10");
  const ir::NumberFormat single = ir::NumberFormat::Minifloat(8, 23, 127, ir::MinifloatSpecials::kIeee);
  // All FP16 codes come once in 65,536 cycles.
  const int64_t cycles = testing::Setting("MACLOOM_FP_CONVERSIONS", 1 << 16);
  Rng rng(5);
  Vfp_requant_grid dut;
  std::array<int64_t, 21> mismatches{};
  std::deque<std::array<uint32_t, 21>> pipeline;
  for (int64_t cycle = 0; cycle < cycles; ++cycle) {
    const int64_t fixed = RandomFixed(48, rng);
    const auto half_code = cycle % 65536;
    // Of FP32: any code, and values of few bits near the formats' ranges.
    int64_t single_code = static_cast<int64_t>(rng.Next() & 0xffffffff);
    if (rng.Bernoulli(0.7)) {
      single_code = rng.UniformInt(0, 1) << 31 | rng.UniformInt(95, 150) << 23 |
                    rng.UniformInt(0, 255) << 15 | rng.UniformInt(0, 1);
    }
    if (rng.Bernoulli(0.02)) single_code = rng.UniformInt(0, 1) << 31 | int64_t{255} << 23;
    const int shift = static_cast<int>(rng.UniformInt(-24, 16));
    dut.fixed_i = static_cast<uint64_t>(fixed) & ((uint64_t{1} << 48) - 1);
    dut.half_i = static_cast<uint16_t>(half_code);
    dut.single_i = static_cast<uint32_t>(single_code);
    dut.shift_i = static_cast<uint8_t>(shift);
    dut.clamp_min_i = dut.clamp_max_i = 0;
    std::array<uint32_t, 21> wanted{};
    for (size_t f = 0; f < formats.size(); ++f) {
      const ir::NumberFormat& format = formats[f];
      const ir::Requantization clamp = RandomClamp(format, rng);
      dut.clamp_min_i |= static_cast<uint64_t>(clamp.clamp_min) << (8 * f);
      dut.clamp_max_i |= static_cast<uint64_t>(clamp.clamp_max) << (8 * f);
      for (size_t a = 0; a < 3; ++a) {
        golden::ExtendedReal v = FixedValue(fixed, shift);
        if (a > 0) {
          v = golden::ValueOf(a == 1 ? half : single, a == 1 ? half_code : single_code);
          v.value = v.value.ScaledBy(shift);
        }
        if (v.float_class != golden::FloatClass::kNan) {
          wanted[3 * f + a] = Packed(golden::RoundAndClamp(v, format, clamp));
        } else if (format.specials == ir::MinifloatSpecials::kFinite) {
          v.float_class = golden::FloatClass::kInfinity;
          wanted[3 * f + a] = Packed(golden::RoundAndClamp(v, format, clamp));
        } else {
          wanted[3 * f + a] = static_cast<uint32_t>(golden::NanCode(format, false));
        }
      }
    }
    testing::Clock(dut);
    pipeline.push_back(wanted);
    if (pipeline.size() < 3) continue;
    for (size_t k = 0; k < 21; ++k) {
      mismatches[k] += (dut.y_o[k / 2] >> (k % 2 * 16) & 0xffff) != pipeline.front()[k];
    }
    pipeline.pop_front();
  }
  EXPECT_EQ(mismatches, decltype(mismatches){});
}

}  // namespace
}  // namespace macloom
