// loom_array (4 rows of 16 lanes, 8 accumulators drained at a time, 32 bits) against plain loops,
// and one of minifloats against sums in units of the products' grid.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "Varray_minifloat.h"
#include "Vloom_array_mux.h"
#include "tests/rtl/minifloat_units.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kRows = 4, kLanes = 16, kChunk = 8;

/// Codes from the corners as often as from the middle.
int Code(Rng& rng) {
  switch (rng.UniformInt(0, 4)) {
    case 0:
      return -128;
    case 1:
      return 127;
    case 2:
      return static_cast<int>(rng.UniformInt(-1, 1));
    default:
      return static_cast<int>(rng.UniformInt(-128, 127));
  }
}

/// One accumulator of `bits` bits.
struct Accumulator {
  int64_t value = 0;

  /// Adds and returns whether the exact sum left the range.
  bool Step(int64_t from, int64_t sum, int bits, bool saturate) {
    const int64_t exact = from + sum;
    const int64_t half = int64_t{1} << (bits - 1);
    value = exact;
    if (exact >= -half && exact < half) return false;
    if (saturate) {
      value = exact < 0 ? -half : half - 1;
    } else {
      value = ((exact + half) % (2 * half) + 2 * half) % (2 * half) - half;
    }
    return true;
  }
};

/// What an operation leaves: the accumulators, by row and number, and their width.
struct Left {
  std::array<std::array<Accumulator, kLanes>, kRows> acc{};
  int narrow = 0;
};

/// One operation: `steps` steps per result, drained after the last. Now and then it goes on with
/// the accumulators of the one before, dense ones as depthwise ones or the other way round.
int64_t RunOperation(Vloom_array_mux& dut, Rng& rng, bool goes_on, Left& left) {
  const bool depthwise = rng.Bernoulli(0.5);
  const bool unit = depthwise && rng.Bernoulli(0.3);
  const bool saturate = rng.Bernoulli(0.5);
  if (!goes_on) left.narrow = rng.Bernoulli(0.3) ? 0 : static_cast<int>(rng.UniformInt(8, 24));
  const int narrow = left.narrow;
  const int bits = 32 - narrow;
  const int pixels = depthwise ? 1 : static_cast<int>(rng.UniformInt(1, 16));
  const int steps = static_cast<int>(rng.UniformInt(1, 9));
  std::array<std::array<int64_t, kLanes>, 2> starts{};
  for (auto& one : starts) {
    for (int64_t& value : one) {
      const int64_t half = int64_t{1} << (bits - 1);
      value = rng.Bernoulli(0.2)   ? half - 1
              : rng.Bernoulli(0.2) ? -half
                                   : rng.UniformInt(-half / 2, half / 2);
    }
  }
  for (int e = 0; e < 2 * kLanes; ++e) {
    const uint32_t word = static_cast<uint32_t>(
        starts[static_cast<size_t>(e / kLanes)][static_cast<size_t>(e % kLanes)]);
    std::memcpy(reinterpret_cast<uint8_t*>(&dut.starts_i) + 4 * e, &word, 4);
  }
  dut.saturate_i = saturate;
  dut.narrow_i = static_cast<uint8_t>(narrow);
  dut.valid_i = 0;
  dut.clear_i = 1;
  testing::Clock(dut);
  dut.clear_i = 0;

  auto& acc = left.acc;
  std::array<int8_t, kRows * kLanes> hold{};
  int64_t expected_events = 0, events = 0, captures = 0, wrong_busy = 0;
  // A step keeps the pipeline busy until its events are out.
  const int depth = depthwise ? 4 : 5;
  int since_step = depth;
  const auto tick = [&] {
    since_step = dut.valid_i ? 0 : since_step + 1;
    testing::Clock(dut);
    events += dut.events_o;
    captures += dut.captured_o;
    wrong_busy += (dut.pipe_busy_o != 0) != (since_step < depth);
  };
  for (int step = 0; step < steps; ++step) {
    for (int t = 0; t < pixels; ++t) {
      while (rng.Bernoulli(0.2)) {
        dut.valid_i = 0;
        tick();
      }
      const bool load = t == 0;
      const int sel = static_cast<int>(rng.UniformInt(0, kRows - 1));
      const bool maximum = unit && rng.Bernoulli(0.5);
      // Of the first step only, and of the step in the accumulator's cycle, not of its neighbours.
      const bool set = rng.Bernoulli(0.5);
      // The masks may change with every step.
      uint32_t row_valid = 0, lane_valid = 0;
      for (int m = 0; m < kRows; ++m) row_valid |= static_cast<uint32_t>(rng.Bernoulli(0.7)) << m;
      for (int l = 0; l < kLanes; ++l) lane_valid |= static_cast<uint32_t>(rng.Bernoulli(0.7)) << l;
      std::array<int8_t, kRows * kLanes> act{}, row{};
      for (size_t i = 0; i < act.size(); ++i) {
        act[i] = static_cast<int8_t>(Code(rng));
        row[i] = static_cast<int8_t>(Code(rng));
      }
      if (load) hold = row;
      dut.valid_i = 1;
      dut.depthwise_i = depthwise;
      const bool first = step == 0 && !goes_on;
      dut.first_i = first;
      dut.last_i = step + 1 == steps;
      dut.entry_i = static_cast<uint8_t>(t);
      std::memcpy(&dut.act_i, act.data(), act.size());
      dut.weight_load_i = load;
      std::memcpy(&dut.weight_row_i, row.data(), row.size());
      dut.weight_sel_i = static_cast<uint8_t>(sel);
      dut.unit_weights_i = unit;
      dut.maximum_i = maximum;
      dut.row_valid_i = static_cast<uint8_t>(row_valid);
      dut.lane_valid_i = static_cast<uint16_t>(lane_valid);
      dut.start_set_i = set;
      for (size_t m = 0; m < kRows; ++m) {
        int64_t tree = 0;
        for (size_t l = 0; l < kLanes; ++l) {
          if (depthwise) {
            const int64_t weight = unit ? 1 : hold[static_cast<size_t>(sel) * kLanes + l];
            const int64_t from = !first ? acc[m][l].value : unit ? 0 : starts[set][l];
            if (maximum) {
              const int64_t code = act[m * kLanes + l];
              acc[m][l].value = first ? code : std::max(acc[m][l].value, code);
              continue;
            }
            const bool event = acc[m][l].Step(from, act[m * kLanes + l] * weight, bits, saturate);
            expected_events += event && (row_valid >> m & 1) && (lane_valid >> l & 1);
          } else {
            tree += int64_t{act[m * kLanes + l]} * hold[m * kLanes + l];
          }
        }
        if (!depthwise) {
          Accumulator& one = acc[m][static_cast<size_t>(t)];
          const bool event = one.Step(first ? starts[set][m] : one.value, tree, bits, saturate);
          expected_events += event && (row_valid >> m & 1);
        }
      }
      tick();
    }
  }
  dut.valid_i = 0;
  for (int i = 0; i < 8; ++i) tick();
  int64_t mismatches =
      (events != expected_events) + (captures != (depthwise ? 1 : pixels)) + wrong_busy;

  dut.drain_depthwise_i = depthwise;
  const int entries = depthwise ? kRows : pixels;
  for (int entry = 0; entry < entries; ++entry) {
    for (int chunk = 0; chunk < (depthwise ? kLanes / kChunk : 1); ++chunk) {
      dut.drain_entry_i = static_cast<uint8_t>(entry);
      dut.drain_chunk_i = static_cast<uint8_t>(chunk);
      dut.eval();
      for (int r = 0; r < kChunk; ++r) {
        int32_t got = 0;
        std::memcpy(&got, reinterpret_cast<const uint8_t*>(&dut.drain_acc_o) + 4 * r, 4);
        int64_t want = 0;
        if (depthwise) {
          want = acc[static_cast<size_t>(entry)][static_cast<size_t>(chunk * kChunk + r)].value;
        } else if (r < kRows) {
          want = acc[static_cast<size_t>(r)][static_cast<size_t>(entry)].value;
        }
        mismatches += got != want;
      }
    }
  }
  return mismatches;
}

TEST(ArrayTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_array_mux>(7, [](Vloom_array_mux& dut, Rng& rng) {
    dut.rst_ni = 0;
    testing::Clock(dut);
    dut.rst_ni = 1;
    int64_t mismatches = 0;
    Left left;
    for (int operation = 0; operation < 300 && mismatches == 0; ++operation) {
      // The first few name every accumulator.
      mismatches += RunOperation(dut, rng, operation > 10 && rng.Bernoulli(0.3), left);
    }
    return mismatches;
  });
}

/// One operation of units/array_minifloat.sv.
int64_t RunMinifloats(Varray_minifloat& dut, Rng& rng) {
  constexpr size_t kFewRows = 2, kFewLanes = 8, kFewDrained = 4;
  constexpr int kBits = 45, kOne = 0x38;
  const ir::NumberFormat format = ir::NumberFormat::E4M3();
  const auto value = [&](int64_t code) { return golden::Decode(format, code).grid_integer(); };
  const bool depthwise = rng.Bernoulli(0.5), unit = depthwise && rng.Bernoulli(0.4);
  const bool maximum = unit && rng.Bernoulli(0.5), saturate = rng.Bernoulli(0.5);
  const int pixels = depthwise ? 1 : static_cast<int>(rng.UniformInt(1, kFewLanes));
  const int steps = static_cast<int>(rng.UniformInt(1, 6));
  std::array<std::array<int64_t, kFewLanes>, 2> starts{};
  std::fill_n(&dut.starts_i[0], 23, 0);
  for (size_t e = 0; e < 2 * kFewLanes; ++e) {
    const int64_t half = int64_t{1} << (kBits - 1), near = rng.UniformInt(0, 1 << 20);
    const int64_t start = rng.Bernoulli(0.3)   ? half - 1 - near
                          : rng.Bernoulli(0.3) ? near - half
                                               : rng.UniformInt(-half, half - 1);
    starts[e / kFewLanes][e % kFewLanes] = start;
    for (size_t bit = 0; bit < kBits; ++bit) {
      const size_t at = e * kBits + bit;
      dut.starts_i[at / 32] |= static_cast<uint32_t>(start >> bit & 1) << (at % 32);
    }
  }
  int64_t events = 0, wanted_events = 0, captures = 0;
  const auto tick = [&](bool valid) {
    dut.valid_i = valid;
    testing::Clock(dut);
    events += dut.events_o;
    captures += dut.captured_o;
  };
  dut.clear_i = 1;
  tick(false);
  dut.clear_i = 0;
  dut.depthwise_i = dut.drain_depthwise_i = depthwise;
  dut.unit_weights_i = unit;
  dut.maximum_i = maximum;
  dut.saturate_i = saturate;
  std::array<std::array<Accumulator, kFewLanes>, kFewRows> acc{};
  for (int step = 0; step < steps; ++step) {
    for (int t = 0; t < pixels; ++t) {
      const bool first = step == 0;
      std::array<uint8_t, kFewRows * kFewLanes> act{}, weight{};
      for (size_t i = 0; i < act.size(); ++i) {
        act[i] = static_cast<uint8_t>(testing::RandomFiniteCode(format, rng));
        weight[i] = static_cast<uint8_t>(testing::RandomFiniteCode(format, rng));
      }
      std::memcpy(&dut.act_i, act.data(), act.size());
      std::memcpy(&dut.weight_row_i, weight.data(), weight.size());
      dut.first_i = first;
      dut.last_i = step + 1 == steps;
      dut.entry_i = static_cast<uint8_t>(t);
      dut.weight_sel_i = rng.Bernoulli(0.5);
      dut.row_valid_i = static_cast<uint8_t>(rng.UniformInt(0, 3));
      dut.lane_valid_i = static_cast<uint8_t>(rng.UniformInt(0, 255));
      dut.start_set_i = rng.Bernoulli(0.5);
      const auto& start = starts[dut.start_set_i];
      for (size_t m = 0; m < kFewRows; ++m) {
        int64_t sum = 0;
        for (size_t l = 0; l < kFewLanes; ++l) {
          const uint8_t code = act[m * kFewLanes + l];
          const bool lane_valid = (dut.lane_valid_i >> l & 1) != 0;
          if (!depthwise) {
            if (lane_valid) sum += value(code) * value(weight[m * kFewLanes + l]);
            continue;
          }
          Accumulator& one = acc[m][l];
          const int64_t key = code < 0x80 ? code : -(code & 0x7f) - 1;
          if (maximum) {
            one.value = first ? key : std::max(one.value, key);
            continue;
          }
          const int64_t factor = value(unit ? kOne : weight[dut.weight_sel_i * kFewLanes + l]);
          const int64_t from = !first ? one.value : unit ? 0 : start[l];
          const bool event = one.Step(from, value(code) * factor, kBits, saturate);
          wanted_events += event && lane_valid && (dut.row_valid_i >> m & 1) != 0;
        }
        if (depthwise) continue;
        Accumulator& one = acc[m][static_cast<size_t>(t)];
        const bool event = one.Step(first ? start[m] : one.value, sum, kBits, saturate);
        wanted_events += event && (dut.row_valid_i >> m & 1) != 0;
      }
      tick(true);
      while (rng.Bernoulli(0.2)) tick(false);
    }
  }
  for (int i = 0; i < 8; ++i) tick(false);
  int64_t mismatches = (events != wanted_events) + (captures != (depthwise ? 1 : pixels));
  for (size_t entry = 0; entry < (depthwise ? kFewRows : static_cast<size_t>(pixels)); ++entry) {
    for (size_t chunk = 0; chunk < (depthwise ? kFewLanes / kFewDrained : 1); ++chunk) {
      dut.drain_entry_i = static_cast<uint8_t>(entry);
      dut.drain_chunk_i = static_cast<uint8_t>(chunk);
      dut.eval();
      for (size_t r = 0; r < (depthwise ? kFewDrained : kFewRows); ++r) {
        const int64_t got = static_cast<int64_t>(dut.drain_acc_o[2 * r] |
                                                 uint64_t{dut.drain_acc_o[2 * r + 1]} << 32);
        mismatches +=
            got != (depthwise ? acc[entry][chunk * kFewDrained + r] : acc[r][entry]).value;
      }
    }
  }
  return mismatches;
}

TEST(ArrayTest, MinifloatsAreExact) {
  Varray_minifloat dut;
  Rng rng(5);
  dut.rst_ni = 0;
  testing::Clock(dut);
  dut.rst_ni = 1;
  int64_t mismatches = 0;
  for (int operation = 0; operation < 2000; ++operation) mismatches += RunMinifloats(dut, rng);
  EXPECT_EQ(mismatches, 0);
}

}  // namespace
}  // namespace macloom
