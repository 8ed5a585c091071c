// loom_fp_accumulate: the default (fixed, 32 bits, 2 lanes of e4m3) with its mutants against wide
// sums; then every format with every accumulator against golden::MinifloatAccumulator.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "Vfp_accumulate_grid.h"
#include "Vloom_fp_accumulate_mux.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

TEST(FpAccumulateTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_accumulate_mux>(4, [](Vloom_fp_accumulate_mux& dut,
                                                              Rng& rng) {
    int64_t mismatches = 0, sum = 0;
    for (int trial = 0; trial < 30000 && mismatches == 0; ++trial) {
      dut.load_i = trial == 0 || rng.Bernoulli(0.7);
      dut.valid_i = static_cast<uint8_t>(rng.Bernoulli(0.8) ? 3 : rng.UniformInt(0, 3));
      dut.sign_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
      const int limit = rng.Bernoulli(0.5) ? 22 : 28;
      int64_t products = 0;
      dut.significand_i = 0;
      dut.shift_i = 0;
      for (int l = 0; l < 2; ++l) {
        const auto significand = static_cast<uint32_t>(rng.UniformInt(0, 225));
        const auto shift = static_cast<uint32_t>(rng.UniformInt(0, limit));
        dut.significand_i = static_cast<uint16_t>(dut.significand_i | significand << (8 * l));
        dut.shift_i = static_cast<uint16_t>(dut.shift_i | shift << (5 * l));
        const int64_t product = int64_t{significand} << shift;
        if ((dut.valid_i >> l & 1) != 0)
          products += (dut.sign_i >> l & 1) != 0 ? -product : product;
      }
      testing::Clock(dut);
      if (dut.load_i) sum = products;
      const int64_t base = rng.Bernoulli(0.3) ? (rng.Bernoulli(0.5) ? INT32_MIN : INT32_MAX)
                                              : rng.UniformInt(INT32_MIN, INT32_MAX);
      dut.base_i = static_cast<uint32_t>(base);
      dut.saturate_i = rng.Bernoulli(0.5);
      dut.eval();
      const int64_t exact = base + sum;
      const bool event = exact < INT32_MIN || exact > INT32_MAX;
      const int64_t wanted = !event || !dut.saturate_i ? exact : exact < 0 ? INT32_MIN : INT32_MAX;
      mismatches += dut.acc_o != static_cast<uint32_t>(wanted) || (dut.event_o != 0) != event;
    }
    return mismatches;
  });
}

/// A unit of tests/rtl/units/fp_accumulate_grid.sv.
struct Unit {
  ir::NumberFormat format;
  ir::Accumulation accumulation;
  std::string name;
};

std::vector<Unit> Units(bool saturate) {
  constexpr std::array<int, 7> kExact = {45, 75, 31, 25, 28, 21, 14};
  constexpr std::array<int, 7> kDropped = {13, 40, 9, 7, 6, 4, 2};
  constexpr auto kOrder = ir::AccumulationOrder::kFlatTap;
  const auto fixed = saturate ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  const auto real = saturate ? ir::Overflow::kSaturate : ir::Overflow::kInfinity;
  std::vector<Unit> units;
  const auto formats = testing::GridFormats();
  for (size_t k = 0; k < 28; ++k) {
    const size_t f = k / 4;
    const int lanes = std::array{1, 4, 16}[(k + f) % 3];
    const int cut = kExact[f] > 40 ? 32 : kExact[f] - kDropped[f] + 2;
    ir::Accumulation accumulation =
        k % 4 == 0   ? ir::Accumulation::FixedPoint(kExact[f], fixed, lanes, kOrder)
        : k % 4 == 1 ? ir::Accumulation::FixedPoint(cut, fixed, lanes, kOrder, kDropped[f],
                                                    f % 2 == 0 ? 3 : ir::Accumulation::kNoAlignment)
        : k % 4 == 2 ? ir::Accumulation::Float(5, 10, real, lanes, kOrder)
                     : ir::Accumulation::Float(8, 23, real, lanes, kOrder);
    units.push_back(
        {formats[f], accumulation, ir::ToString(formats[f]) + " " + ir::ToString(accumulation)});
  }
  return units;
}

/// The register of `unit` shows what `accumulator` holds.
bool Agrees(const Unit& unit, const golden::MinifloatAccumulator& accumulator,
            const uint32_t* words) {
  if (unit.accumulation.kind == ir::AccumulationKind::kFloat) {
    return accumulator.register_bits() == int64_t{words[0]};
  }
  const int unit_lsb = 2 * unit.format.LeastExponent() + unit.accumulation.dropped_bits;
  const __int128 bits = testing::SignedBits(words, unit.accumulation.width_bits);
  return accumulator.value().value == golden::ExactReal(bits, unit_lsb);
}

/// Random dot products of 1 to 24 steps on all units at once, from random start values. All values
/// of a dot product have exponents near each other, or not.
std::vector<int64_t> RunGrid(bool saturate, int64_t num_steps, Rng& rng) {
  const std::vector<Unit> units = Units(saturate);
  std::vector<int64_t> mismatches(units.size()), events(units.size());
  std::vector<golden::MinifloatAccumulator> accumulators;
  Vfp_accumulate_grid dut;
  dut.saturate_i = saturate;
  int64_t left = 0;
  for (int64_t step = 0; step < num_steps; ++step, --left) {
    dut.first_i = left == 0;
    if (left == 0) {
      left = rng.UniformInt(1, 24);
      accumulators.clear();
      for (size_t k = 0; k < units.size(); ++k) {
        const int width = static_cast<int>(rng.UniformInt(1, 62));
        int64_t bias = rng.Bernoulli(0.3) ? 0 : rng.UniformInt(0, (int64_t{1} << width) - 1);
        const ir::Accumulation& accumulation = units[k].accumulation;
        const int dropped = accumulation.dropped_bits, end = accumulation.width_bits - 1 + dropped;
        if (rng.Bernoulli(0.3) && accumulation.kind == ir::AccumulationKind::kFixedPoint &&
            end < 63) {
          // Near the end of the range.
          const int64_t last =
              static_cast<int64_t>((uint64_t{1} << end) - (uint64_t{1} << dropped));
          bias = last - rng.UniformInt(0, last >> rng.UniformInt(2, 30));
        }
        if (rng.Bernoulli(0.5)) bias = -bias;
        const int lsb = 2 * units[k].format.LeastExponent();
        if (!golden::MinifloatAccumulator::HoldsStart(units[k].accumulation, lsb, bias)) bias = 0;
        accumulators.emplace_back(units[k].accumulation, lsb, bias);
        // The low 64 bits, sign-extended; a start value has no more.
        const int64_t start = accumulators.back().register_bits();
        for (size_t w = 0; w < 3; ++w) {
          dut.start_i[3 * k + w] = static_cast<uint32_t>(start >> (w < 2 ? 32 * w : 63));
        }
      }
    }
    const bool low = rng.Bernoulli(0.3);
    dut.valid_i = static_cast<uint16_t>(rng.Bernoulli(0.7) ? 0xffff : rng.UniformInt(0, 0xffff));
    std::array<std::array<int64_t, 16>, 2> raw{};
    for (auto& side : raw) {
      for (int64_t& code : side) code = rng.UniformInt(0, 255) & (low ? 0x9f : 0xff);
    }
    for (size_t l = 0; l < 16; ++l) {
      // A code must be finite in every format of the grid, whatever its size: not all ones.
      for (auto& side : raw) {
        if ((side[l] & 0x7f) >= 0x7c) side[l] &= 0xbb;
      }
      const size_t word = l / 4, shift = l % 4 * 8;
      dut.act_i[word] = (l % 4 == 0 ? 0 : dut.act_i[word]) | static_cast<uint32_t>(raw[0][l])
                                                                 << shift;
      dut.weight_i[word] = (l % 4 == 0 ? 0 : dut.weight_i[word]) | static_cast<uint32_t>(raw[1][l])
                                                                       << shift;
    }
    dut.clk_i = 0;
    dut.eval();
    dut.clk_i = 1;
    dut.eval();
    for (size_t k = 0; k < units.size(); ++k) {
      const Unit& unit = units[k];
      std::vector<golden::ProductTerm> terms;
      for (size_t l = 0; l < static_cast<size_t>(unit.accumulation.products_per_step); ++l) {
        if ((dut.valid_i >> l & 1) == 0) continue;
        terms.push_back(
            golden::TermOf(golden::Decode(unit.format, raw[0][l] & unit.format.MaxCode()),
                           golden::Decode(unit.format, raw[1][l] & unit.format.MaxCode())));
      }
      const int64_t before = accumulators[k].num_events();
      accumulators[k].Step(terms);
      const bool event = accumulators[k].num_events() != before;
      events[k] += event;
      mismatches[k] += !Agrees(unit, accumulators[k], &dut.acc_o[3 * k]) ||
                       (dut.event_o >> k & 1) != static_cast<uint32_t>(event);
    }
  }
  for (size_t k = 0; k < units.size(); ++k) {
    std::printf("%s: %lld steps, %lld events, %lld mismatches\n", units[k].name.c_str(),
                static_cast<long long>(num_steps), static_cast<long long>(events[k]),
                static_cast<long long>(mismatches[k]));
  }
  return mismatches;
}

TEST(FpAccumulateTest, EveryFormatAndAccumulatorEqualsGolden) {
  constexpr uint64_t kSeed = 11;
  Rng rng(kSeed);
  const int64_t steps = testing::Setting("MACLOOM_FP_DOT_PRODUCTS", 40000);
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  for (const bool saturate : {false, true}) {
    EXPECT_EQ(RunGrid(saturate, steps / 2, rng), std::vector<int64_t>(28)) << saturate;
  }
}

}  // namespace
}  // namespace macloom
