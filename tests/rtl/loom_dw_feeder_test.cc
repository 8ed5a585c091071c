// loom_dw_feeder (4 rows, 16 lanes, chunks of 8, 2 banks, 256 ring rows) against its loops, written
// as numbered chunks of taps, cycle by cycle. Kernels, groups and counts go beyond what this array
// size would be given, to the width of their descriptor fields.
#include <algorithm>
#include <array>
#include <cstring>

#include "Vloom_dw_feeder_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kRows = 4, kLanes = 16, kDrainCycles = 2, kBanks = 2, kRingRows = 256;
enum { kIdle, kBusy, kStallActivation, kStallWeight, kStallOutput };  // cycle_o

struct Operation {
  bool unit_weights = true;
  int64_t weight_rows = 0, origin = 0, x_step = 0, y_step = 0, col_pitch = 1, row_pitch = 0,
          plane_pitch = 0, in_w = 1, in_h = 1, out_w = 1, out_h = 1, kernel_w = 1, kernel_h = 1,
          stride_w = 1, stride_h = 1, pad_left = 0, pad_top = 0, blocks = 1, last_lanes = kLanes,
          taps = 1, group = 1;
  int64_t base_row = 0, param_rows = 1;
  double ring_speed = 1, fresh_speed = 1;  ///< Probability of progress per cycle.

  int64_t ChunksPerLine() const { return (kernel_w + taps - 1) / taps; }
  int64_t Groups() const { return (out_w + group - 1) / group; }
  int64_t Chunks() const { return ChunksPerLine() * kernel_h * Groups() * out_h * blocks; }
  int64_t Steps() const { return kernel_w * kernel_h * Groups() * out_h * blocks; }
};

/// Taps kx to kx + taps - 1 of line ky for output pixels x to x + rows - 1.
struct Chunk {
  int64_t block, y, x, ky, kx, rows, taps, words;

  Chunk(const Operation& op, int64_t n) {
    kx = n % op.ChunksPerLine() * op.taps;
    n /= op.ChunksPerLine();
    ky = n % op.kernel_h;
    n /= op.kernel_h;
    x = n % op.Groups() * op.group;
    n /= op.Groups();
    y = n % op.out_h;
    block = n / op.out_h;
    rows = std::min(op.group, op.out_w - x);
    taps = std::min(op.taps, op.kernel_w - kx);
    words = taps + (rows - 1) * op.stride_w;
  }
};

struct Fill {
  bool valid = false;
  int64_t buffer = 0, slot = 0, bank0 = 0, step = 0, mask = 0, pad = 0;
};

struct Step {
  bool valid = false, unit_weights = false;
  int64_t buffer = 0, first = 0, last = 0, load = 0, select = 0, set = 0, rows = 0, lanes = 0;
};

class Bench {
 public:
  Bench(Vloom_dw_feeder_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }
  int64_t cycles() const { return cycle_; }

  /// Runs `op`; `limit` cycles after the start (if it comes to that) the reset ends it.
  void Run(const Operation& op, int64_t limit) {
    // The MACs of the last step follow in its second cycle, by the descriptor.
    for (int64_t i = rng_.UniformInt(op.unit_weights == op_.unit_weights ? 0 : 1, 3); i > 0; --i) {
      Cycle();
      SetInputs({}, true);
    }
    SetInputs(op, false);
    dut_.start_i = 1;
    Cycle();
    dut_.start_i = 0;
    op_ = op;
    chunks_ = op.Chunks();
    filling_ = issuing_ = slot_ = index_ = shadow_free_ = 0;
    fresh_ = {false, false};
    written_ = op.base_row + op.param_rows -
               (rng_.Bernoulli(0.5) ? 0 : int64_t{1} << rng_.UniformInt(0, 15));
    for (int64_t k = 0; issuing_ < chunks_ && mismatches_ == 0; ++k) {
      if (k == limit) {
        Reset();
      } else {
        Cycle();
      }
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  void SetInputs(const Operation& op, bool garbage) {
    std::array<uint8_t, 128> bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng_.Next());
    dut_.base_row_i = static_cast<uint16_t>(garbage ? rng_.Next() : uint64_t(op.base_row));
    dut_.param_rows_i = static_cast<uint16_t>(garbage ? rng_.Next() : uint64_t(op.param_rows));
    if (!garbage) {
      const auto put = [&](size_t bit, int64_t value, size_t size) {
        std::memcpy(&bytes[bit / 8], &value, size);
      };
      put(176, op.weight_rows, 2);
      bytes[26] = static_cast<uint8_t>((bytes[26] & ~2) | (op.unit_weights ? 2 : 0));
      const int64_t halves[] = {op.x_step, op.y_step, op.col_pitch, op.row_pitch, op.plane_pitch};
      for (size_t i = 0; i < 5; ++i) put(256 + 16 * i, halves[i], 2);
      const int64_t sizes[] = {op.in_w, op.in_h, op.out_w, op.out_h};
      for (size_t i = 0; i < 4; ++i) put(384 + 16 * i, sizes[i], 2);
      const int64_t window[] = {op.kernel_w, op.kernel_h, op.stride_w,
                                op.stride_h, op.pad_left, op.pad_top};
      for (size_t i = 0; i < 6; ++i) put(448 + 8 * i, window[i], 1);
      put(224, op.origin, 2);
      put(512, op.blocks, 2);
      put(528, op.last_lanes, 2);
      put(560, op.taps, 1);
      put(568, op.group, 1);
    }
    std::memcpy(&dut_.desc_i, bytes.data(), sizeof bytes);
  }

  /// In the middle of a cycle: the reset is asynchronous.
  void Reset() {
    dut_.start_i = 0;
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    chunks_ = 0;
    filling_ = issuing_ = 0;
    fill_ = {};
    step_ = older_step_ = {};
    Cycle();
    dut_.rst_ni = 1;
  }

  /// First ring row that the step after `written_` rows may need.
  int64_t RowOf(const Chunk& chunk, int64_t tap) const {
    return op_.base_row + chunk.block * (op_.param_rows + op_.weight_rows) + op_.param_rows +
           tap / kRows;
  }

  /// Ring and parameter loader: never back, never more than half the numbers away.
  void Drive(int64_t row) {
    if (issuing_ >= chunks_ || op_.unit_weights) {
      dut_.ring_write_ptr_i = static_cast<uint16_t>(rng_.Next());
      dut_.fresh_i = static_cast<uint8_t>(rng_.UniformInt(0, 3));
      return;
    }
    if (rng_.Bernoulli(op_.ring_speed)) {
      const int64_t power = int64_t{1} << rng_.UniformInt(0, 14);
      const int64_t aheads[] = {0, 0, 1, 1, 1, 1, -power, power};
      written_ = std::max(written_, row + aheads[rng_.UniformInt(0, 7)]);
    }
    written_ = std::max(written_, row - 32768);
    dut_.ring_write_ptr_i = static_cast<uint16_t>(written_);
    for (bool& fresh : fresh_) fresh = fresh || rng_.Bernoulli(op_.fresh_speed);
    dut_.fresh_i = static_cast<uint8_t>(fresh_[0] + 2 * fresh_[1]);
  }

  void Cycle() {
    const Chunk chunk(op_, issuing_);
    const int64_t kx = chunk.kx + index_, tap = chunk.ky * op_.kernel_w + kx;
    const int64_t row = RowOf(chunk, tap);
    Drive(row);
    dut_.clk_i = 0;
    dut_.eval();
    CheckRegistered();
    const Fill fill = CheckFill();

    const bool active = issuing_ < chunks_;
    const bool last_tap = tap + 1 == op_.kernel_w * op_.kernel_h;
    const bool reads_row = !op_.unit_weights && tap % kRows == 0;
    const size_t set = static_cast<size_t>(chunk.block % 2);
    int reason = kBusy;
    if (last_tap && cycle_ < shadow_free_) reason = kStallOutput;
    if (issuing_ >= filling_) reason = kStallActivation;
    if (!op_.unit_weights && (!fresh_[set] || (reads_row && written_ <= row)))
      reason = kStallWeight;
    if (!active) reason = kIdle;
    const bool issue = reason == kBusy;
    const bool block_end =
        issue && last_tap && chunk.x + chunk.rows == op_.out_w && chunk.y + 1 == op_.out_h;
    Expect(dut_.active_o == active);
    Expect(dut_.cycle_o == reason);
    Expect(dut_.used_o == block_end);
    if (block_end) Expect(dut_.used_set_o == set);
    Expect(dut_.release_o == (block_end && !op_.unit_weights));
    if (dut_.release_o) {
      Expect(dut_.release_row_o == static_cast<uint16_t>(RowOf(chunk, 0) + op_.weight_rows));
    }
    Expect(dut_.ring_re_o == (issue && reads_row));
    if (dut_.ring_re_o) Expect(dut_.ring_addr_o == row % kRingRows);
    dut_.clk_i = 1;
    dut_.eval();

    older_step_ = step_;
    step_ = {};
    if (issue) {
      const bool last_block = chunk.block + 1 == op_.blocks;
      step_ = {true,         op_.unit_weights,
               issuing_ % 2, tap == 0,
               last_tap,     reads_row,
               tap % kRows,  chunk.block % 2,
               chunk.rows,   last_block ? op_.last_lanes : kLanes};
    }
    fill_ = fill;
    if (fill.valid && (slot_ += kBanks) >= Chunk(op_, filling_).words) {
      slot_ = 0;
      ++filling_;
    }
    if (issue && last_tap) shadow_free_ = cycle_ + chunk.rows * kDrainCycles;
    if (issue && ++index_ == chunk.taps) {
      index_ = 0;
      ++issuing_;
    }
    if (block_end) fresh_[set] = false;
    ++cycle_;
  }

  /// Control of the previous cycle's fill and step, MACs of the step before.
  void CheckRegistered() {
    Expect(dut_.fill_valid_o == fill_.valid);
    if (fill_.valid) {
      Expect(dut_.fill_buffer_o == fill_.buffer && dut_.fill_slot_o == fill_.slot);
      Expect(dut_.fill_bank0_o == fill_.bank0 && dut_.fill_step_o == fill_.step);
      Expect(dut_.fill_mask_o == fill_.mask && (dut_.fill_pad_o & fill_.mask) == fill_.pad);
    }
    Expect(dut_.op_valid_o == step_.valid);
    if (step_.valid) {
      Expect(dut_.op_buffer_o == step_.buffer && dut_.op_first_o == step_.first);
      Expect(dut_.op_last_o == step_.last && dut_.op_weight_load_o == step_.load);
      Expect(step_.unit_weights || dut_.op_weight_sel_o == step_.select);
      Expect(dut_.op_set_o == step_.set);
      Expect(dut_.op_row_valid_o == (1 << std::min(step_.rows, kRows)) - 1);
      Expect(dut_.op_lane_valid_o == (1 << std::min(step_.lanes, kLanes)) - 1);
    }
    const bool counts = older_step_.valid && !older_step_.unit_weights;
    // No array has more than 32 rows or lanes.
    if (!counts || (older_step_.rows < 64 && older_step_.lanes < 64)) {
      Expect(dut_.macs_o == (counts ? older_step_.rows * older_step_.lanes : 0));
    }
  }

  /// Reads of this cycle: the next words of a chunk, if the chunk two before it is consumed.
  Fill CheckFill() {
    Fill fill;
    int64_t reads = 0;
    if (filling_ < chunks_ && (slot_ > 0 || filling_ < issuing_ + 2)) {
      const Chunk chunk(op_, filling_);
      const int64_t line = op_.origin + chunk.block * op_.plane_pitch + chunk.y * op_.y_step +
                           chunk.x * op_.x_step + chunk.ky * op_.row_pitch;
      const int64_t iy = chunk.y * op_.stride_h + chunk.ky - op_.pad_top;
      for (int64_t j = 0; j < kBanks; ++j) {
        const int64_t at = chunk.kx + slot_ + j, ix = chunk.x * op_.stride_w + at - op_.pad_left;
        const int64_t address = (line + at * op_.col_pitch) & 0xffff;
        if (j == 0) fill.bank0 = address % kBanks;
        if (slot_ + j >= chunk.words) continue;
        fill.mask |= 1 << j;
        if (ix < 0 || ix >= op_.in_w || iy < 0 || iy >= op_.in_h) {
          fill.pad |= 1 << j;
          continue;
        }
        const int64_t bank = address % kBanks;
        reads |= 1 << bank;
        Expect((dut_.act_addr_o >> (16 * bank) & 0xffff) == address / kBanks);
      }
      fill.valid = true;
      fill.buffer = filling_ % 2;
      fill.slot = slot_;
      fill.step = op_.col_pitch % kBanks;
    }
    Expect(dut_.act_re_o == reads);
    return fill;
  }

  Vloom_dw_feeder_mux& dut_;
  Rng& rng_;
  Operation op_;
  int64_t mismatches_ = 0, cycle_ = 0;
  int64_t chunks_ = 0;               ///< Of the operation; 0: idle.
  int64_t filling_ = 0, slot_ = 0;   ///< Chunk and first slot of the next fill.
  int64_t issuing_ = 0, index_ = 0;  ///< Chunk and tap in it of the next step.
  int64_t shadow_free_ = 0;          ///< First cycle in which a last tap may be issued.
  int64_t written_ = 0;
  std::array<bool, 2> fresh_{};
  Fill fill_;
  Step step_, older_step_;
};

/// Mostly small, up to `most`.
int64_t Count(Rng& rng, int64_t most) {
  const double kind = rng.UniformDouble();
  if (kind < 0.75) return rng.UniformInt(1, std::min<int64_t>(most, 4));
  if (kind < 0.9) return rng.UniformInt(1, most);
  const int64_t low = rng.UniformInt(1, 4);
  return std::min(most, low | int64_t{1} << rng.UniformInt(2, 15));
}

Operation RandomOperation(Rng& rng) {
  Operation op;
  const auto half = [&] { return rng.Bernoulli(0.1) ? 0 : rng.UniformInt(0, 0xffff); };
  op.unit_weights = rng.Bernoulli(0.3);
  op.origin = half();
  op.x_step = half();
  op.y_step = half();
  op.row_pitch = half();
  op.plane_pitch = half();
  op.kernel_w = Count(rng, 255);
  op.kernel_h = Count(rng, 255);
  op.taps = rng.Bernoulli(0.1) ? Count(rng, 255) : rng.UniformInt(1, op.kernel_w);
  op.stride_w = rng.UniformInt(1, 2);
  const int64_t taps = std::min(op.taps, op.kernel_w);
  op.group = Count(rng, rng.Bernoulli(0.9) ? kRows : 255);
  if (rng.Bernoulli(0.05)) op.group = 255;
  op.group = std::min(op.group, (255 - taps) / op.stride_w + 1);
  if (op.group == 1) op.stride_w = Count(rng, 255);
  op.stride_h = Count(rng, 255);
  op.out_w = Count(rng, rng.Bernoulli(0.5) ? 12 : 0xffff);
  op.out_h = Count(rng, rng.Bernoulli(0.5) ? 5 : 0xffff);
  op.blocks = Count(rng, rng.Bernoulli(0.5) ? 4 : 0xffff);
  op.pad_left = Count(rng, 256) - 1;
  op.pad_top = Count(rng, 256) - 1;
  op.in_w = Count(rng, 0xffff) - 1 + Count(rng, 2);
  op.in_h = rng.Bernoulli(0.5) ? 0xffff : Count(rng, 0xffff);
  if (rng.Bernoulli(0.3)) op.in_w = 0xffff;
  op.in_w = std::min<int64_t>(op.in_w, 0xffff);
  // Neighbouring words lie in different banks.
  op.col_pitch = half() | (taps == 1 && op.group == 1 ? 0 : 1);
  op.last_lanes = rng.Bernoulli(0.8)   ? rng.UniformInt(1, kLanes)
                  : rng.Bernoulli(0.5) ? rng.UniformInt(kLanes, 63)
                                       : Count(rng, 0xffff);
  op.base_row = half();
  const int64_t rows = (op.kernel_w * op.kernel_h + kRows - 1) / kRows;
  op.weight_rows = rng.Bernoulli(0.5) ? rows : rng.UniformInt(rows, 0xffff);
  op.param_rows = rng.Bernoulli(0.5) ? rng.UniformInt(1, 4) : half();
  op.ring_speed = rng.Bernoulli(0.5) ? 1 : rng.UniformDouble() * 0.9 + 0.1;
  op.fresh_speed = rng.Bernoulli(0.5) ? 1 : rng.UniformDouble() * 0.9 + 0.1;
  return op;
}

void RunRandom(Bench& bench, Rng& rng, int64_t cycles) {
  const int64_t end = bench.cycles() + cycles;
  while (bench.cycles() < end && bench.mismatches() == 0) {
    const Operation op = RandomOperation(rng);
    const bool is_short = op.Steps() + kDrainCycles * op.out_w * op.out_h * op.blocks < 600;
    bench.Run(op, is_short && rng.Bernoulli(0.85) ? -1 : rng.UniformInt(0, 250));
  }
}

TEST(DwFeederTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_dw_feeder_mux>(10, [](Vloom_dw_feeder_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    RunRandom(bench, rng, 60000);
    // Every counter to its end.
    for (int64_t Operation::*longest :
         {&Operation::out_w, &Operation::out_h, &Operation::blocks, &Operation::kernel_w}) {
      Operation op = RandomOperation(rng);
      const int64_t pitch = op.col_pitch | 1, last_lanes = op.last_lanes;
      const Operation fields = op;
      op = {};
      op.unit_weights = false;
      op.origin = fields.origin;
      op.x_step = fields.x_step;
      op.y_step = fields.y_step;
      op.col_pitch = pitch;
      op.row_pitch = fields.row_pitch;
      op.plane_pitch = fields.plane_pitch;
      op.last_lanes = last_lanes;
      op.stride_w = op.stride_h = 2;
      op.in_w = op.in_h = 0xfffe;
      // Not two cycles for each, as the drain would have it: of two errors the second undoes the
      // first.
      op.kernel_w = op.taps = longest == &Operation::out_h ? 3 : 1;
      op.*longest = 0xffff;
      if (op.kernel_w > 255) op.kernel_w = op.kernel_h = op.taps = 255;
      op.weight_rows = (op.kernel_w * op.kernel_h + kRows - 1) / kRows;
      if (bench.mismatches() == 0) bench.Run(op, -1);
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
