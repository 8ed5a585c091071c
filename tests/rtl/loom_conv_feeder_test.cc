// loom_conv_feeder (4 rows, 16 lanes, tiles of 16 pixels, 256 ring rows) against the list of its
// steps, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_conv_feeder_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kRows = 4, kLanes = 16, kTilePixels = 16, kRingRows = 256;
/// A row is at most this far from the write pointer, so that 16 bits tell their order.
constexpr int64_t kFar = 0x7fff;
enum Cycle { kIdle, kBusy, kStallActivation, kStallWeight, kStallOutput };

/// The descriptor fields the unit reads, and where its stream starts.
struct Job {
  int64_t groups, weight_rows, in_origin, x_step, y_step, col_pitch, row_pitch, plane_pitch;
  int64_t in_w, in_h, out_w, out_h, kernel_w, kernel_h, stride_w, stride_h, pad_left, pad_top;
  int64_t blocks, last_lanes, out_channels;
  bool pixel_outer, im2col, release_rows;
  int64_t base_row, param_rows;

  /// The descriptor by half words (arch/descriptor.h); the other fields are random.
  std::array<uint16_t, 64> Descriptor(Rng& rng) const {
    std::array<uint16_t, 64> halves;
    for (uint16_t& half : halves) half = static_cast<uint16_t>(rng.Next());
    const auto set = [&](size_t at, int64_t value) { halves[at] = static_cast<uint16_t>(value); };
    set(10, groups);
    set(11, weight_rows);
    set(13, (halves[13] & ~0x2c) | pixel_outer << 2 | im2col << 3 | release_rows << 5);
    set(14, in_origin);
    set(16, x_step);
    set(17, y_step);
    set(18, col_pitch);
    set(19, row_pitch);
    set(20, plane_pitch);
    set(24, in_w);
    set(25, in_h);
    set(26, out_w);
    set(27, out_h);
    set(28, kernel_w | kernel_h << 8);
    set(29, stride_w | stride_h << 8);
    set(30, pad_left | pad_top << 8);
    set(32, blocks);
    set(33, last_lanes);
    set(34, out_channels);
    return halves;
  }
};

/// One pixel of one step. Ring rows are counted without a limit; `lowest_row` is the lowest that is
/// still to be read.
struct Step {
  int64_t row, lowest_row, release_row, pixels_needed;
  uint16_t address;
  bool pad, first, last, loads, uses, releases;
  int set, entry, rows, lanes;
};

/// The first `limit` steps of a job, or all, by the loops of docs/accelerator.md.
void Expand(const Job& job, size_t limit, std::vector<Step>& steps) {
  steps.clear();
  const int64_t pixels = job.out_w * job.out_h;
  const int64_t tiles = (pixels + kTilePixels - 1) / kTilePixels;
  const int64_t group_rows = job.param_rows + job.weight_rows;
  int64_t visit = 0;
  const auto add_visit = [&](int64_t group, int64_t tile) {
    int64_t step = 0;
    const int64_t begin = tile * kTilePixels, end = std::min(pixels, begin + kTilePixels);
    const int64_t group_row = job.base_row + group * group_rows;
    for (int64_t block = 0; block < job.blocks; ++block) {
      for (int64_t ky = 0; ky < job.kernel_h; ++ky) {
        for (int64_t kx = 0; kx < job.kernel_w; ++kx, ++step) {
          for (int64_t pixel = begin; pixel < end; ++pixel) {
            if (steps.size() >= limit) return;
            const int64_t ox = pixel % job.out_w, oy = pixel / job.out_w;
            const int64_t ix = ox * job.stride_w + kx - job.pad_left;
            const int64_t iy = oy * job.stride_h + ky - job.pad_top;
            Step one{};
            one.row = group_row + job.param_rows + step;
            one.lowest_row = tiles == 1
                                 ? one.row
                                 : job.param_rows + (job.pixel_outer ? job.base_row : group_row);
            one.release_row = job.release_rows ? one.row + 1 : group_row + group_rows;
            one.pixels_needed = end;
            one.address = static_cast<uint16_t>(job.in_origin + ox * job.x_step + oy * job.y_step +
                                                block * job.plane_pitch + ky * job.row_pitch +
                                                kx * job.col_pitch);
            one.pad = ix < 0 || ix >= job.in_w || iy < 0 || iy >= job.in_h;
            one.first = step == 0;
            one.last = step + 1 == job.blocks * job.kernel_h * job.kernel_w;
            one.loads = pixel == begin;
            const bool ends_visit = one.last && pixel + 1 == end;
            const bool ends_group = ends_visit && tile + 1 == tiles;
            one.uses = job.pixel_outer ? ends_visit : ends_group;
            one.releases = job.release_rows  ? one.loads
                           : job.pixel_outer ? ends_group && group + 1 == job.groups
                                             : ends_group;
            one.entry = static_cast<int>(pixel - begin);
            one.rows = static_cast<int>(std::min(kRows, job.out_channels - group * kRows));
            one.lanes = static_cast<int>(block + 1 == job.blocks ? job.last_lanes : kLanes);
            one.set = static_cast<int>(visit % 2);
            steps.push_back(one);
          }
        }
      }
    }
    // A parameter set serves a group, or a group of a tile.
    visit += job.pixel_outer || tile + 1 == tiles;
  };
  for (int64_t outer = 0; outer < (job.pixel_outer ? tiles : job.groups); ++outer) {
    for (int64_t inner = 0; inner < (job.pixel_outer ? job.groups : tiles); ++inner) {
      if (steps.size() >= limit) return;
      if (job.pixel_outer) {
        add_visit(inner, outer);
      } else {
        add_visit(outer, inner);
      }
    }
  }
}

/// How often the neighbours are ready.
struct Pace {
  double fresh, ring, pixels, consume;
  double jump = 0.3;  ///< How often im2col is suddenly far ahead.
};

class Bench {
 public:
  Bench(Vloom_conv_feeder_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }
  int64_t cycles() const { return cycles_; }

  /// Runs `job`; after `abandon_after` cycles (if not -1) it is left, by a reset or for the next
  /// start.
  void Run(const Job& job, int64_t abandon_after, const Pace& pace) {
    const auto halves = job.Descriptor(rng_);
    std::memcpy(&dut_.desc_i, halves.data(), sizeof halves);
    dut_.base_row_i = static_cast<uint16_t>(job.base_row);
    dut_.param_rows_i = static_cast<uint16_t>(job.param_rows);
    // The cycle of the start: an operation that is left issues nothing.
    fresh_ = 0;
    starting_ = true;
    Tick(job, pace);
    starting_ = false;
    Expand(job, abandon_after < 0 ? SIZE_MAX : static_cast<size_t>(abandon_after) + 1, steps_);
    next_ = 0;
    shadow_ = 0;
    pixels_ = 0;
    fresh_ = static_cast<unsigned>(rng_.UniformInt(0, 3));
    written_ = job.base_row - rng_.UniformInt(0, rng_.Bernoulli(0.1) ? 0x3fff : 5);
    for (int64_t k = 0; k != abandon_after && mismatches_ == 0; ++k) {
      if (next_ == steps_.size() && rng_.Bernoulli(0.3)) return;
      Tick(job, pace);
    }
    if (rng_.Bernoulli(0.5)) Reset();
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  /// In the middle of a cycle: the reset is asynchronous.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.start_i = 0;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    steps_.clear();
    next_ = 0;
    shadow_ = 0;
    has_control_ = false;
    macs_ = 0;
    CheckIssue(kIdle);
    CheckControl();
    dut_.clk_i = 1;
    dut_.eval();
    dut_.rst_ni = 1;
  }

  /// Lets the neighbours advance, at most as far as their contracts allow.
  void Advance(const Job& job, const Pace& pace) {
    for (unsigned set = 0; set < 2 && !starting_; ++set) {
      if (rng_.Bernoulli(pace.fresh)) fresh_ |= 1u << set;
    }
    if (next_ == steps_.size()) return;
    const Step& step = steps_[next_];
    written_ = std::max(written_, step.row - kFar);
    if (rng_.Bernoulli(pace.ring)) {
      int64_t ahead = rng_.UniformInt(-3, 6);
      if (rng_.Bernoulli(0.1)) ahead = rng_.UniformInt(-kFar, kFar);
      if (rng_.Bernoulli(0.1)) ahead = int64_t{1} << rng_.UniformInt(0, 14);
      if (rng_.Bernoulli(0.2)) ahead = kRingRows;
      written_ = std::max(written_, step.row + ahead);
    }
    written_ = std::min(written_, step.lowest_row + kFar);
    if (rng_.Bernoulli(pace.pixels)) {
      int64_t pixels = step.pixels_needed + rng_.UniformInt(-2, 2);
      if (rng_.Bernoulli(pace.jump)) pixels = step.pixels_needed + rng_.UniformInt(0, 0x1ffff);
      pixels_ = std::max(pixels_, std::min({pixels, job.out_w * job.out_h, int64_t{0x1ffff}}));
    }
  }

  /// One cycle, all outputs compared.
  void Tick(const Job& job, const Pace& pace) {
    Advance(job, pace);
    const bool consumed = shadow_ > 0 && rng_.Bernoulli(pace.consume);
    dut_.start_i = starting_;
    dut_.fresh_i = static_cast<uint8_t>(fresh_);
    dut_.ring_write_ptr_i = static_cast<uint16_t>(written_);
    dut_.consumed_i = consumed;
    if (job.im2col) {
      dut_.im2col_pixels_i = static_cast<uint32_t>(pixels_);
      dut_.im2col_done_i = pixels_ == job.out_w * job.out_h;
    } else {
      dut_.im2col_pixels_i = static_cast<uint32_t>(rng_.UniformInt(0, 0x1ffff));
      dut_.im2col_done_i = rng_.Bernoulli(0.5);
    }
    dut_.clk_i = 0;
    dut_.eval();
    Cycle cycle = kIdle;
    if (next_ < steps_.size()) {
      const Step& step = steps_[next_];
      cycle = job.im2col && pixels_ < step.pixels_needed ? kStallActivation
              : (fresh_ >> step.set & 1) == 0            ? kStallWeight
              : step.loads && written_ <= step.row       ? kStallWeight
              : step.last && shadow_ == kLanes           ? kStallOutput
                                                         : kBusy;
    }
    // The descriptor of the start is not that of the operation that is left.
    if (!starting_ || cycle == kIdle) CheckIssue(cycle);
    CheckControl();
    const bool issued = !starting_ && cycle == kBusy;

    dut_.clk_i = 1;
    dut_.eval();
    ++cycles_;
    macs_ = has_control_ ? control_.rows * control_.lanes : 0;
    has_control_ = issued;
    shadow_ -= consumed;
    if (issued) {
      control_ = steps_[next_++];
      shadow_ += control_.last;
      if (control_.uses) fresh_ &= ~(1u << control_.set);
    }
  }

  /// The outputs of the cycle in which a step is issued or not.
  void CheckIssue(Cycle cycle) {
    Expect(dut_.cycle_o == cycle);
    Expect(dut_.active_o == (cycle != kIdle));
    const Step step = cycle == kBusy ? steps_[next_] : Step{};
    Expect(dut_.act_re_o == (cycle == kBusy));
    Expect(dut_.ring_re_o == step.loads);
    Expect(dut_.used_o == step.uses);
    Expect(dut_.release_o == step.releases);
    if (cycle == kBusy) Expect(dut_.act_addr_o == step.address);
    if (step.loads) Expect(dut_.ring_addr_o == step.row % kRingRows);
    if (step.uses) Expect(dut_.used_set_o == step.set);
    if (step.releases) Expect(dut_.release_row_o == static_cast<uint16_t>(step.release_row));
  }

  /// The outputs that belong to the steps of the last two cycles.
  void CheckControl() {
    Expect(dut_.macs_o == macs_);
    Expect(dut_.op_valid_o == has_control_);
    if (!has_control_) return;
    Expect(dut_.op_pad_o == control_.pad);
    Expect(dut_.op_first_o == control_.first);
    Expect(dut_.op_last_o == control_.last);
    Expect(dut_.op_weight_load_o == control_.loads);
    Expect(dut_.op_set_o == control_.set);
    Expect(dut_.op_entry_o == control_.entry);
    Expect(dut_.op_row_valid_o == (1 << control_.rows) - 1);
    Expect(dut_.op_lane_valid_o == (uint32_t{1} << std::min(control_.lanes, int{kLanes})) - 1);
  }

  Vloom_conv_feeder_mux& dut_;
  Rng& rng_;
  std::vector<Step> steps_;
  size_t next_ = 0;
  /// The step of the last cycle, if one was issued, and the work of the one before.
  Step control_{};
  bool has_control_ = false, starting_ = false;
  int64_t macs_ = 0;
  unsigned fresh_ = 0;
  int64_t shadow_ = 0, written_ = 0, pixels_ = 0;
  int64_t mismatches_ = 0, cycles_ = 0;
};

int64_t Either(Rng& rng, std::initializer_list<int64_t> corners, int64_t low, int64_t high) {
  if (rng.Bernoulli(0.7)) return rng.UniformInt(low, high);
  return corners.begin()[rng.UniformInt(0, static_cast<int64_t>(corners.size()) - 1)];
}

/// Small in its low bits, with one of the bits up to `top` set if `huge`.
int64_t Count(Rng& rng, bool huge, int64_t small, int top) {
  const int64_t low = rng.UniformInt(1, small);
  return huge && rng.Bernoulli(0.3) ? low | int64_t{1} << rng.UniformInt(3, top) : low;
}

/// A job of few steps, or (`huge`) one of which the first 400 steps are of interest.
Job RandomJob(Rng& rng, bool huge) {
  Job job{};
  for (int64_t* field : {&job.in_origin, &job.x_step, &job.y_step, &job.col_pitch, &job.row_pitch,
                         &job.plane_pitch, &job.base_row}) {
    *field = Either(rng, {0, 1, 0x8000, 0xffff}, 0, 0xffff);
  }
  const bool wide = rng.Bernoulli(0.3);
  job.groups = Count(rng, huge, 3, 13);
  job.out_channels = job.groups * kRows - rng.UniformInt(0, kRows - 1);
  job.out_w = Count(rng, huge, wide ? 24 : 5, 15);
  job.out_h = Count(rng, huge, wide ? 3 : 5, 15);
  job.kernel_w = Count(rng, huge, wide ? 1 : 3, 7);
  job.kernel_h = Count(rng, huge, wide ? 1 : 3, 7);
  job.blocks = Count(rng, huge, 2, 15);
  job.last_lanes = rng.UniformInt(1, rng.Bernoulli(0.2) ? 63 : kLanes);
  job.stride_w = Either(rng, {1, 255}, 0, 3);
  job.stride_h = Either(rng, {1, 255}, 0, 3);
  job.pad_left = Either(rng, {0, 255}, 0, 3);
  job.pad_top = Either(rng, {0, 255}, 0, 3);
  // Borders among the positions that are reached.
  job.in_w =
      std::clamp<int64_t>(rng.UniformInt(0, std::min<int64_t>(job.out_w, 400)) * job.stride_w +
                              rng.UniformInt(-1, job.kernel_w) - job.pad_left,
                          0, 0xffff);
  job.in_h =
      std::clamp<int64_t>(rng.UniformInt(0, std::min<int64_t>(job.out_h, 400)) * job.stride_h +
                              rng.UniformInt(-1, job.kernel_h) - job.pad_top,
                          0, 0xffff);
  if (rng.Bernoulli(0.2)) job.in_w = job.in_h = 0xffff;
  // Lines of many tiles, walked more than once.
  if (!huge && rng.Bernoulli(0.03)) {
    job.out_w = rng.UniformInt(120, 280);
    job.out_h = rng.UniformInt(1, 2);
    job.kernel_w = 2;
    job.kernel_h = job.blocks = job.groups = 1;
    job.out_channels = rng.UniformInt(1, kRows);
  }
  job.pixel_outer = rng.Bernoulli(0.5);
  job.im2col = rng.Bernoulli(0.5);
  job.release_rows = rng.Bernoulli(0.3);
  job.param_rows = rng.UniformInt(0, 6);
  job.weight_rows = rng.UniformInt(1, 60);
  if (!job.pixel_outer && rng.Bernoulli(0.5)) {
    job.param_rows = rng.UniformInt(0, 0xffff);
    job.weight_rows = rng.UniformInt(0, 0xffff);
  }
  return job;
}

TEST(ConvFeederTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_conv_feeder_mux>(11, [](Vloom_conv_feeder_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    while (bench.cycles() < 40000 && bench.mismatches() == 0) {
      const bool huge = rng.Bernoulli(0.3);
      const int64_t abandon_after = huge || rng.Bernoulli(0.1) ? rng.UniformInt(0, 400) : -1;
      Pace pace{1.0, 1.0, 1.0, 1.0};
      for (double* one : {&pace.fresh, &pace.ring, &pace.pixels, &pace.consume}) {
        if (rng.Bernoulli(0.3)) *one = 0.05 + 0.95 * rng.UniformDouble();
      }
      bench.Run(RandomJob(rng, huge), abandon_after, pace);
    }
    // Every counter to its end: groups, out_w, out_h, kernel_w, kernel_h, blocks.
    constexpr int64_t kLong[][6] = {{0x4000, 1, 1, 1, 1, 1}, {0x1235, 1, 1, 1, 1, 1},
                                    {1, 1, 1, 255, 255, 1},  {1, 1, 1, 1, 1, 0xffff},
                                    {1, 1, 0xffff, 1, 1, 1}, {1, 0xffff, 2, 1, 1, 1}};
    for (const auto& sizes : kLong) {
      Job job = RandomJob(rng, false);
      job.groups = sizes[0];
      job.out_channels = std::min<int64_t>(job.groups * kRows, 0xffff);
      job.out_w = sizes[1];
      job.out_h = sizes[2];
      job.kernel_w = sizes[3];
      job.kernel_h = sizes[4];
      job.blocks = sizes[5];
      job.stride_w = job.stride_h = 1;
      job.pad_left = job.pad_top = 0;
      job.in_w = job.in_h = 12;
      job.pixel_outer = false;
      job.im2col = true;
      if (bench.mismatches() == 0) bench.Run(job, -1, {0.9, 1.0, 1.0, 1.0, 0.0});
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
