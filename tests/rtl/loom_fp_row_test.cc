// loom_fp_row (4 lanes of e4m3, 45-bit fixed point, depthwise) against plain sums, one stage after
// the other; the strobes come at random.
#include <algorithm>
#include <array>
#include <cstring>

#include "Vloom_fp_row_mux.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kLanes = 4;
constexpr size_t kChunk = 2;
constexpr int kAccWidth = 45;
constexpr int64_t kHalf = int64_t{1} << (kAccWidth - 1);
constexpr uint8_t kOne = 0x38;
using Codes = std::array<uint8_t, kLanes>;
using Values = std::array<int64_t, kLanes>;

Codes RandomCodes(Rng& rng) {
  const ir::NumberFormat format = ir::NumberFormat::E4M3();
  Codes codes{};
  for (uint8_t& code : codes) code = static_cast<uint8_t>(testing::RandomFiniteCode(format, rng));
  return codes;
}

uint32_t Word(const Codes& codes) {
  uint32_t word = 0;
  std::memcpy(&word, codes.data(), kLanes);
  return word;
}

int64_t RandomStart(Rng& rng) {
  const int64_t near = rng.UniformInt(0, int64_t{1} << rng.UniformInt(0, 38));
  return rng.Bernoulli(0.3) ? kHalf - 1 - near : rng.Bernoulli(0.5) ? near - kHalf : near;
}

/// The row's model: what every stage holds.
struct Row {
  Codes act{}, hold{};
  Values products{}, keys{}, acc{}, shadow{};
  int64_t sum = 0;
  int events = 0;
};

/// One accumulation: the new value; `event` tells that the exact one did not fit.
int64_t Limit(int64_t exact, bool saturate, bool& event) {
  event = exact < -kHalf || exact >= kHalf;
  if (!event) return exact;
  if (saturate) return exact < 0 ? -kHalf : kHalf - 1;
  return exact < 0 ? exact + 2 * kHalf : exact - 2 * kHalf;
}

int64_t Product(uint8_t a, uint8_t w) {
  const ir::NumberFormat format = ir::NumberFormat::E4M3();
  return golden::Decode(format, a).grid_integer() * golden::Decode(format, w).grid_integer();
}

int64_t Compare(Vloom_fp_row_mux& dut, const Row& row) {
  const auto shadow = static_cast<uint64_t>(row.shadow[dut.drain_entry_i]);
  int64_t mismatches = (dut.weight_hold_o != Word(row.hold)) + (dut.event_count_o != row.events) +
                       (dut.drain_acc_o != (shadow & (2 * kHalf - 1)));
  for (size_t r = 0; r < kChunk; ++r) {
    const size_t lane = (dut.drain_chunk_i * kChunk + r) % kLanes;
    for (size_t bit = 0; bit < kAccWidth; ++bit) {
      const size_t at = r * kAccWidth + bit;
      const auto got = dut.drain_chunk_acc_o[at / 32] >> (at % 32) & 1;
      mismatches += got != (static_cast<uint64_t>(row.shadow[lane]) >> bit & 1);
    }
  }
  return mismatches;
}

/// One cycle with the strobes set by the caller and everything else at random.
int64_t Cycle(Vloom_fp_row_mux& dut, Rng& rng, Row& row, bool compare) {
  const Codes act = RandomCodes(rng), weight = RandomCodes(rng), broadcast = RandomCodes(rng);
  const int64_t dense_start = RandomStart(rng);
  Values lane_starts{};
  uint32_t words[6] = {};
  // In all lanes at the end that the next product leaves.
  const bool ends = rng.Bernoulli(0.1);
  for (size_t l = 0; l < kLanes; ++l) {
    lane_starts[l] = !ends ? RandomStart(rng) : row.products[l] < 0 ? -kHalf : kHalf - 1;
    for (size_t bit = 0; bit < kAccWidth; ++bit) {
      const size_t at = l * kAccWidth + bit;
      words[at / 32] |= static_cast<uint32_t>(lane_starts[l] >> bit & 1) << (at % 32);
    }
  }
  dut.act_i = Word(act);
  dut.weight_i = Word(weight);
  dut.broadcast_weight_i = Word(broadcast);
  dut.broadcast_i = rng.Bernoulli(0.4);
  dut.unit_weights_i = rng.Bernoulli(0.2);
  dut.product_valid_i = static_cast<uint8_t>(rng.Bernoulli(0.7) ? 15 : rng.UniformInt(0, 15));
  dut.dense_start_i = static_cast<uint64_t>(dense_start) & (2 * kHalf - 1);
  std::memcpy(&dut.lane_starts_i, words, sizeof words);
  dut.entry_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
  dut.shadow_entry_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
  dut.drain_entry_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
  dut.row_valid_i = rng.Bernoulli(0.8);
  dut.lane_valid_i = static_cast<uint8_t>(rng.Bernoulli(0.3) ? 15 : rng.UniformInt(0, 15));
  dut.saturate_i = rng.Bernoulli(0.5);
  dut.maximum_i = rng.Bernoulli(0.3);
  dut.drain_chunk_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
  dut.clk_i = 0;
  dut.eval();
  // The reset clears the count of events at once and holds it; nothing else has one.
  if (!dut.rst_ni) row.events = 0;
  int64_t mismatches = compare ? Compare(dut, row) : 0;
  dut.clk_i = 1;
  dut.eval();

  // The last stage first: each takes what the stage before held.
  row.events = 0;
  bool event = false;
  if (dut.dense_i) {
    int64_t& acc = row.acc[dut.entry_i];
    acc = Limit((dut.first_i ? dense_start : acc) + row.sum, dut.saturate_i, event);
    if (dut.last_i) row.shadow[dut.shadow_entry_i] = acc;
    row.events += event && dut.row_valid_i;
  }
  for (size_t l = 0; dut.depthwise_i && l < kLanes; ++l) {
    if (dut.maximum_i) {
      row.acc[l] = dut.first_i ? row.keys[l] : std::max(row.acc[l], row.keys[l]);
      if (dut.last_i) row.shadow[l] = row.acc[l];
      continue;
    }
    const int64_t product = (dut.product_valid_i >> l & 1) != 0 ? row.products[l] : 0;
    row.acc[l] =
        Limit((dut.first_i ? lane_starts[l] : row.acc[l]) + product, dut.saturate_i, event);
    if (dut.last_i) row.shadow[l] = row.acc[l];
    row.events += event && dut.row_valid_i && (dut.lane_valid_i >> l & 1) != 0;
  }
  if (!dut.rst_ni) row.events = 0;
  if (dut.tree_i) {
    row.sum = 0;
    for (size_t l = 0; l < kLanes; ++l) {
      row.sum += (dut.product_valid_i >> l & 1) != 0 ? row.products[l] : 0;
    }
  }
  for (size_t l = 0; dut.multiply_i && l < kLanes; ++l) {
    row.keys[l] = row.act[l] < 0x80 ? row.act[l] : -(row.act[l] & 0x7F) - 1;
    row.products[l] = Product(row.act[l], dut.unit_weights_i ? kOne
                                          : dut.broadcast_i  ? broadcast[l]
                                                             : row.hold[l]);
  }
  if (dut.operand_i) row.act = act;
  if (dut.weight_load_i) row.hold = weight;
  return mismatches + (compare ? Compare(dut, row) : 0);
}

int64_t RunCampaign(Vloom_fp_row_mux& dut, Rng& rng) {
  Row row;
  dut.rst_ni = 0;
  testing::Clock(dut);
  dut.rst_ni = 1;
  // Gives every register known content; before that nothing can be compared.
  dut.operand_i = dut.weight_load_i = dut.multiply_i = dut.tree_i = 1;
  dut.depthwise_i = dut.first_i = dut.last_i = 1;
  for (int cycle = 0; cycle < 4; ++cycle) Cycle(dut, rng, row, false);
  int64_t mismatches = 0;
  for (int cycle = 0; cycle < 12000 && mismatches == 0; ++cycle) {
    dut.rst_ni = !rng.Bernoulli(0.02);
    dut.operand_i = rng.Bernoulli(0.8);
    dut.weight_load_i = rng.Bernoulli(0.5);
    dut.multiply_i = rng.Bernoulli(0.8);
    dut.tree_i = rng.Bernoulli(0.8);
    const int mode = static_cast<int>(rng.UniformInt(0, 2));
    dut.dense_i = mode == 1;
    dut.depthwise_i = mode == 2;
    dut.first_i = rng.Bernoulli(0.3);
    dut.last_i = rng.Bernoulli(0.5);
    mismatches += Cycle(dut, rng, row, true);
  }
  return mismatches;
}

TEST(FpRowTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_fp_row_mux>(9, RunCampaign);
}

}  // namespace
}  // namespace macloom
