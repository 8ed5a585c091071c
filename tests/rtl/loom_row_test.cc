// loom_row (16 lanes, 32-bit accumulators, policy by port, chunks of 8) against plain loops, one
// stage after the other; the strobes come at random.
#include <array>
#include <cstring>

#include "Vloom_row_mux.h"
#include "Vrow_shapes.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kLanes = 16, kChunk = 8;
constexpr int kAccWidth = 32;
using Codes = std::array<int8_t, kLanes>;
using Values = std::array<int32_t, kLanes>;

/// Codes of all lanes: equal or alternating corners, a single small one, or a mixture.
Codes RandomCodes(Rng& rng) {
  Codes codes{};
  const int kind = static_cast<int>(rng.UniformInt(0, 9));
  const size_t single = static_cast<size_t>(rng.UniformInt(0, kLanes - 1));
  for (size_t l = 0; l < kLanes; ++l) {
    const int64_t any = rng.UniformInt(-128, 127), corner = rng.UniformInt(0, 1) * 255 - 128;
    const int64_t code = kind == 0   ? -128
                         : kind == 1 ? 127
                         : kind == 2 ? (l % 2 == 0 ? -128 : 127)
                         : kind == 3 ? corner
                         : kind == 4 ? 0
                         : kind < 7  ? (l == single ? rng.UniformInt(-2, 2) : 0)
                                     : any;
    codes[l] = static_cast<int8_t>(code);
  }
  return codes;
}

/// Near the ends of `bits` bits, exactly at them, near 0 or anywhere in 32 bits.
int32_t RandomStart(Rng& rng, int bits) {
  const int64_t half = int64_t{1} << (bits - 1);
  const int64_t near = rng.UniformInt(0, 1) * rng.UniformInt(0, 1 << rng.UniformInt(0, 18));
  switch (rng.UniformInt(0, 4)) {
    case 0:
      return static_cast<int32_t>(half - 1 - near);
    case 1:
      return static_cast<int32_t>(-half + near);
    case 2:
      return static_cast<int32_t>(rng.UniformInt(-1, 1));
    case 3:
      return static_cast<int32_t>(rng.UniformInt(-half, half - 1));
    default:
      return static_cast<int32_t>(rng.UniformInt(INT32_MIN, INT32_MAX));
  }
}

/// Any number of 4 bits.
uint8_t RandomEntry(Rng& rng) { return static_cast<uint8_t>(rng.UniformInt(0, kLanes - 1)); }

/// One accumulation: the new value and whether the exact one did not fit.
struct Limited {
  int32_t value;
  bool event;
};

Limited Limit(int64_t exact, int bits, bool saturate) {
  const int64_t half = int64_t{1} << (bits - 1);
  if (exact >= -half && exact < half) return {static_cast<int32_t>(exact), false};
  if (saturate) return {static_cast<int32_t>(exact < 0 ? -half : half - 1), true};
  const int64_t residue = ((exact + half) % (2 * half) + 2 * half) % (2 * half);
  return {static_cast<int32_t>(residue - half), true};
}

/// The row's model: what every stage holds.
struct Row {
  Codes act{}, hold{};
  std::array<int64_t, kLanes> products{};
  int64_t sum = 0;
  Values acc{}, shadow{};
  int events = 0;
};

int64_t Compare(Vloom_row_mux& dut, const Row& row) {
  int64_t mismatches = std::memcmp(&dut.weight_hold_o, row.hold.data(), kLanes) != 0;
  mismatches += dut.event_count_o != row.events;
  mismatches += static_cast<int32_t>(dut.drain_entry_acc_o) != row.shadow[dut.drain_entry_i];
  const size_t chunk = dut.drain_chunk_i % (kLanes / kChunk);
  mismatches +=
      std::memcmp(&dut.drain_chunk_acc_o, row.shadow.data() + chunk * kChunk, kChunk * 4) != 0;
  return mismatches;
}

/// One cycle with the strobes set by the caller and everything else at random.
int64_t Cycle(Vloom_row_mux& dut, Rng& rng, Row& row, int narrow, bool compare) {
  const int bits = kAccWidth - narrow;
  const Codes act = RandomCodes(rng), weight = RandomCodes(rng), broadcast = RandomCodes(rng);
  const int32_t dense_start = RandomStart(rng, bits);
  Values lane_starts{};
  for (int32_t& start : lane_starts) start = RandomStart(rng, bits);
  if (rng.Bernoulli(0.2)) lane_starts.fill(RandomStart(rng, bits));
  uint32_t lane_valid = static_cast<uint32_t>(rng.UniformInt(0, 0xffff));
  if (rng.Bernoulli(0.4)) lane_valid = rng.Bernoulli(0.8) ? 0xffff : 0;
  std::memcpy(&dut.act_i, act.data(), kLanes);
  std::memcpy(&dut.weight_i, weight.data(), kLanes);
  std::memcpy(&dut.broadcast_weight_i, broadcast.data(), kLanes);
  dut.broadcast_i = rng.Bernoulli(0.4);
  dut.unit_weights_i = rng.Bernoulli(0.2);
  dut.maximum_i = rng.Bernoulli(0.2);
  dut.dense_start_i = static_cast<uint32_t>(dense_start);
  std::memcpy(&dut.lane_starts_i, lane_starts.data(), sizeof lane_starts);
  dut.entry_i = RandomEntry(rng);
  dut.shadow_entry_i = RandomEntry(rng);
  dut.row_valid_i = rng.Bernoulli(0.8);
  dut.lane_valid_i = static_cast<uint16_t>(lane_valid);
  dut.narrow_i = static_cast<uint8_t>(narrow);
  dut.drain_entry_i = RandomEntry(rng);
  dut.drain_chunk_i = RandomEntry(rng);
  dut.clk_i = 0;
  dut.eval();
  int64_t mismatches = compare ? Compare(dut, row) : 0;
  dut.clk_i = 1;
  dut.eval();

  // The last stage first: each takes what the stage before held.
  const auto limit = [&](int32_t before, int32_t start, int64_t summand) {
    return Limit((dut.first_i ? start : before) + summand, bits, dut.saturate_i);
  };
  row.events = 0;
  if (dut.dense_i) {
    const Limited limited = limit(row.acc[dut.entry_i], dense_start, row.sum);
    row.acc[dut.entry_i] = limited.value;
    if (dut.last_i) row.shadow[dut.shadow_entry_i] = limited.value;
    row.events += limited.event && dut.row_valid_i;
  }
  for (size_t l = 0; dut.depthwise_i && l < kLanes; ++l) {
    Limited limited = limit(row.acc[l], lane_starts[l], row.products[l]);
    if (dut.maximum_i) {
      const int32_t code = static_cast<int8_t>(row.products[l]);
      limited = {dut.first_i ? code : std::max(code, row.acc[l]), false};
    }
    row.acc[l] = limited.value;
    if (dut.last_i) row.shadow[l] = limited.value;
    row.events += limited.event && dut.row_valid_i && (lane_valid >> l & 1);
  }
  if (dut.tree_i) {
    row.sum = 0;
    for (const int64_t product : row.products) row.sum += product;
  }
  for (size_t l = 0; dut.multiply_i && l < kLanes; ++l) {
    const int own = dut.broadcast_i ? broadcast[l] : row.hold[l];
    row.products[l] = row.act[l] * (dut.unit_weights_i ? 1 : own);
  }
  if (dut.operand_i) row.act = act;
  if (dut.weight_load_i) row.hold = weight;
  return mismatches + (compare ? Compare(dut, row) : 0);
}

/// Gives every register known content; before that nothing can be compared.
void Fill(Vloom_row_mux& dut, Rng& rng, Row& row) {
  dut.operand_i = dut.weight_load_i = dut.multiply_i = dut.tree_i = 1;
  dut.depthwise_i = dut.first_i = dut.last_i = 1;
  dut.dense_i = 0;
  for (int cycle = 0; cycle < 4; ++cycle) Cycle(dut, rng, row, 0, false);
}

/// The count of events is 0 at once and stays 0 under clocks; the other registers are not looked
/// at.
int64_t Reset(Vloom_row_mux& dut) {
  int64_t mismatches = 0;
  dut.rst_ni = 0;
  dut.eval();
  mismatches += dut.event_count_o != 0;
  for (int cycle = 0; cycle < 2; ++cycle) {
    testing::Clock(dut);
    mismatches += dut.event_count_o != 0;
  }
  dut.clk_i = 0;
  dut.eval();
  dut.rst_ni = 1;
  dut.eval();
  return mismatches + (dut.event_count_o != 0);
}

int64_t RunCampaign(Vloom_row_mux& dut, Rng& rng) {
  Row row;
  dut.rst_ni = 1;
  Fill(dut, rng, row);
  int64_t mismatches = Reset(dut);
  Fill(dut, rng, row);
  for (int phase = 0; phase < 500; ++phase) {
    // Width and policy stay for some steps; in a drive the operands pass the stages without gaps
    // and the accumulators run towards their ends.
    const int narrow = rng.Bernoulli(0.3)   ? 0
                       : rng.Bernoulli(0.2) ? static_cast<int>(rng.UniformInt(24, kAccWidth - 1))
                                            : static_cast<int>(rng.UniformInt(0, kAccWidth - 1));
    const bool drive = rng.Bernoulli(0.4);
    const double often = drive ? 0.95 : 0.6, firsts = drive ? 0.1 : 0.4;
    const int mode = static_cast<int>(rng.UniformInt(0, 2));
    dut.saturate_i = rng.Bernoulli(0.5);
    const int64_t cycles = rng.UniformInt(5, 45);
    for (int64_t cycle = 0; cycle < cycles; ++cycle) {
      dut.operand_i = rng.Bernoulli(often);
      dut.weight_load_i = rng.Bernoulli(0.5);
      dut.multiply_i = rng.Bernoulli(often);
      dut.tree_i = rng.Bernoulli(often);
      const bool accumulate = rng.Bernoulli(often);
      const bool depthwise = mode == 0 || (mode == 1 && rng.Bernoulli(0.5));
      dut.dense_i = accumulate && !depthwise;
      dut.depthwise_i = accumulate && depthwise;
      dut.first_i = rng.Bernoulli(firsts);
      dut.last_i = rng.Bernoulli(0.5);
      mismatches += Cycle(dut, rng, row, narrow, true);
      if (mismatches > 0) return mismatches;
    }
    if (phase % 10 == 9) {
      mismatches += Reset(dut);
      Fill(dut, rng, row);
    }
  }
  return mismatches;
}

TEST(RowTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_row_mux>(12, RunCampaign);
}

TEST(RowTest, EverySizeAndBodyIsExact) {
  // As in units/row_shapes.sv.
  constexpr std::array<std::array<int, 2>, 4> kShapes = {{{1, 48}, {1, 16}, {4, 24}, {16, 40}}};
  Vrow_shapes dut;
  Rng rng(3);
  dut.rst_ni = 0;
  testing::Clock(dut);
  dut.rst_ni = 1;
  std::array<int64_t, 8> acc{}, mismatches{};
  for (int step = 0; step < 4000; ++step) {
    const Codes act = RandomCodes(rng), weight = RandomCodes(rng);
    std::memcpy(&dut.act_i, act.data(), kLanes);
    std::memcpy(&dut.weight_i, weight.data(), kLanes);
    const auto start = static_cast<int64_t>(rng.Next());
    dut.start_i = static_cast<uint64_t>(start) & ((uint64_t{1} << 48) - 1);
    dut.first_i = step == 0 || rng.Bernoulli(0.1);
    dut.saturate_i = rng.Bernoulli(0.5);
    for (uint8_t stage = 0; stage < 4; ++stage) {
      dut.stage_i = static_cast<uint8_t>(1 << stage);
      testing::Clock(dut);
    }
    for (size_t k = 0; k < 8; ++k) {
      const auto [lanes, bits] = kShapes[k % 4];
      const int64_t half = int64_t{1} << (bits - 1);
      int64_t exact = dut.first_i ? (start % (2 * half) + 3 * half) % (2 * half) - half : acc[k];
      for (size_t l = 0; l < static_cast<size_t>(lanes); ++l) exact += act[l] * weight[l];
      const bool event = exact < -half || exact >= half;
      acc[k] = !event           ? exact
               : dut.saturate_i ? (exact < 0 ? -half : half - 1)
                                : exact + (exact < 0 ? 2 * half : -2 * half);
      const auto got =
          static_cast<int64_t>(dut.acc_o[2 * k] | uint64_t{dut.acc_o[2 * k + 1]} << 32);
      mismatches[k] += got != acc[k] || (dut.event_o >> k & 1) != static_cast<int>(event);
    }
  }
  EXPECT_EQ(mismatches, decltype(mismatches){});
}

}  // namespace
}  // namespace macloom
