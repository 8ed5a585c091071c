// loom_im2col (16 lanes, 256 words of staging) against the list of its runs and words, cycle by
// cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_im2col_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kLanes = 16, kStageWords = 256, kStageBytes = kLanes * kStageWords;
using Word = std::array<uint8_t, kLanes>;

/// The descriptor fields the unit reads.
struct Job {
  int64_t in_origin, x_step, y_step, plane_pitch, out_w, out_h, pad_code;
  int64_t row_bytes, valid_bytes, rows, stage_x_step, run_bytes, pad_left, kernel_h, stride_h,
      pad_top;

  /// The descriptor by half words (arch/descriptor.h); the other fields are random.
  std::array<uint16_t, 64> Descriptor(Rng& rng) const {
    std::array<uint16_t, 64> halves;
    for (uint16_t& half : halves) half = static_cast<uint16_t>(rng.Next());
    const auto set = [&](size_t at, int64_t value) { halves[at] = static_cast<uint16_t>(value); };
    set(14, in_origin);
    set(16, x_step);
    set(17, y_step);
    set(20, plane_pitch);
    set(26, out_w);
    set(27, out_h);
    set(31, pad_code | (halves[31] & 0xff00));
    set(48, row_bytes);
    set(49, valid_bytes);
    set(50, rows);
    set(51, stage_x_step);
    set(52, run_bytes);
    set(53, pad_left);
    set(54, kernel_h | stride_h << 8);
    set(55, pad_top | (halves[55] & 0xff00));
    return halves;
  }
};

/// Up to Lanes bytes read at once, and the words of the pixel that they complete (0 to 2).
struct Run {
  int64_t byte;
  int words;
};
struct Write {
  uint16_t address;
  Word data;
  bool last_of_pixel;
};

/// At least `limit` runs of a job, or all.
void Expand(const Job& job, const std::array<uint8_t, kStageBytes>& stage, size_t limit,
            std::vector<Run>& runs, std::vector<Write>& writes) {
  const auto modulo = [](int64_t byte) { return (byte % kStageBytes + kStageBytes) % kStageBytes; };
  std::vector<uint8_t> flat;
  for (int64_t oy = 0; oy < job.out_h; ++oy) {
    for (int64_t ox = 0; ox < job.out_w; ++ox) {
      if (runs.size() >= limit) return;
      flat.clear();
      for (int64_t ky = 0; ky < job.kernel_h && runs.size() < 2 * limit; ++ky) {
        const int64_t row = oy * job.stride_h + ky - job.pad_top;
        const int64_t col0 = ox * job.stage_x_step - job.pad_left;
        for (int64_t i = 0; i < job.run_bytes && runs.size() < 2 * limit; ++i) {
          const int64_t col = col0 + i, byte = modulo(row * job.row_bytes + col);
          if (i % kLanes == 0) runs.push_back({byte, 0});
          const bool inside = row >= 0 && row < job.rows && col >= 0 && col < job.valid_bytes;
          flat.push_back(inside ? stage[static_cast<size_t>(byte)]
                                : static_cast<uint8_t>(job.pad_code));
          runs.back().words += flat.size() % kLanes == 0;
        }
      }
      runs.back().words += flat.size() % kLanes != 0;
      const int64_t first = job.in_origin + oy * job.y_step + ox * job.x_step;
      for (size_t at = 0; at < flat.size(); at += kLanes) {
        const int64_t block = static_cast<int64_t>(at) / kLanes;
        Write write{
            static_cast<uint16_t>(first + block * job.plane_pitch), {}, at + kLanes >= flat.size()};
        std::copy(flat.begin() + static_cast<std::ptrdiff_t>(at),
                  flat.begin() + static_cast<std::ptrdiff_t>(std::min(at + kLanes, flat.size())),
                  write.data.begin());
        writes.push_back(write);
      }
    }
  }
}

class Bench {
 public:
  Bench(Vloom_im2col_mux& dut, Rng& rng) : dut_(dut), rng_(rng) {
    for (uint8_t& byte : stage_) byte = static_cast<uint8_t>(rng.Next());
    Reset();
  }

  int64_t mismatches() const { return mismatches_; }
  int64_t cycles() const { return cycles_; }

  /// Runs `job`; after `abandon_after` cycles (if not -1) it is left, by a reset or for the next
  /// start.
  void Start(const Job& job, int64_t abandon_after, double ready) {
    const auto halves = job.Descriptor(rng_);
    std::memcpy(&dut_.desc_i, halves.data(), sizeof halves);
    dut_.start_i = 1;
    Cycle(ready);
    dut_.start_i = 0;
    Forget();
    Expand(job, stage_, abandon_after < 0 ? SIZE_MAX : static_cast<size_t>(abandon_after) + 2,
           runs_, writes_);
    for (int64_t k = 0; k != abandon_after && mismatches_ == 0; ++k) {
      if (Done() && rng_.Bernoulli(0.5)) return;
      Cycle(ready);
    }
    if (rng_.Bernoulli(0.5)) Reset();
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  /// The state after a start.
  void Forget() {
    runs_.clear();
    writes_.clear();
    next_run_ = next_write_ = 0;
    held_ = rest_ = offered_ = false;
    held_words_ = 0;
    pixels_ = 0;
  }

  bool Done() const { return next_run_ == runs_.size() && !held_ && !offered_; }

  /// In the middle of a cycle: the reset is asynchronous.
  void Reset() {
    dut_.start_i = 0;
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    Expect(dut_.done_o && !dut_.we_o && !dut_.stage_re_o && dut_.pixels_o == 0);
    dut_.clk_i = 1;
    dut_.eval();
    dut_.rst_ni = 1;
    Forget();
  }

  /// One cycle, all outputs compared. The unit holds one run, whose data has come, and offers one
  /// word. A run that leaves a rest after a full word at the end of its pixel keeps the memory
  /// waiting until the rest is offered.
  void Cycle(double ready_probability) {
    const bool wready = rng_.Bernoulli(ready_probability);
    dut_.wready_i = wready;
    dut_.clk_i = 0;
    dut_.eval();
    const bool ready = !offered_ || wready;
    const bool emits = held_ && held_words_ > 0 && ready;
    const bool leaves = held_ && (held_words_ == 0 || (held_words_ == 1 && ready));
    const bool reads = next_run_ < runs_.size() && (!held_ || (leaves && !rest_));

    Expect(dut_.stage_re_o == reads);
    Expect(dut_.we_o == offered_);
    Expect(dut_.pixels_o == pixels_);
    Expect(dut_.done_o == Done());
    if (reads) {
      const int64_t word = runs_[next_run_].byte / kLanes, other = (word + 1) % kStageWords;
      Expect(dut_.stage_even_addr_o == (word % 2 == 0 ? word : other) / 2);
      Expect(dut_.stage_odd_addr_o == (word % 2 == 1 ? word : other) / 2);
    }
    if (offered_) {
      const Write& write = writes_[next_write_];
      Expect(dut_.waddr_o == write.address);
      Expect(std::memcmp(&dut_.wdata_o, write.data.data(), kLanes) == 0);
    }
    const int64_t even = 2 * int64_t{dut_.stage_even_addr_o},
                  odd = 2 * int64_t{dut_.stage_odd_addr_o} + 1;

    dut_.clk_i = 1;
    dut_.eval();
    ++cycles_;
    if (reads) {
      std::memcpy(&dut_.stage_even_i, &stage_[static_cast<size_t>(even * kLanes)], kLanes);
      std::memcpy(&dut_.stage_odd_i, &stage_[static_cast<size_t>(odd * kLanes)], kLanes);
    }
    if (offered_ && wready) {
      pixels_ += writes_[next_write_++].last_of_pixel;
      offered_ = false;
    }
    if (emits) {
      offered_ = true;
      --held_words_;
      rest_ = true;
    }
    if (leaves) held_ = rest_ = false;
    if (reads) {
      held_ = true;
      rest_ = false;
      held_words_ = runs_[next_run_++].words;
    }
  }

  Vloom_im2col_mux& dut_;
  Rng& rng_;
  std::array<uint8_t, kStageBytes> stage_{};
  std::vector<Run> runs_;
  std::vector<Write> writes_;
  size_t next_run_ = 0, next_write_ = 0;
  /// A run is held that still has to offer words; only its rest is left; a word is offered.
  bool held_ = false, rest_ = false, offered_ = false;
  int held_words_ = 0;
  uint32_t pixels_ = 0;
  int64_t mismatches_ = 0, cycles_ = 0;
};

int64_t Either(Rng& rng, std::initializer_list<int64_t> corners, int64_t low, int64_t high) {
  if (rng.Bernoulli(0.5)) return rng.UniformInt(low, high);
  return corners.begin()[rng.UniformInt(0, static_cast<int64_t>(corners.size()) - 1)];
}

/// Small in its low bits, with one of the bits up to `top` set if `huge`.
int64_t Count(Rng& rng, bool huge, int64_t small, int top) {
  const int64_t low = rng.UniformInt(1, rng.Bernoulli(0.05) ? 8 * small : small);
  return huge && rng.Bernoulli(0.4) ? low | int64_t{1} << rng.UniformInt(top / 2, top) : low;
}

/// A job of few pixels, or (`huge`) one whose first `cycles` runs are of interest.
Job RandomJob(Rng& rng, bool huge, int64_t cycles) {
  Job job{};
  for (int64_t* field : {&job.in_origin, &job.x_step, &job.y_step, &job.plane_pitch}) {
    *field = Either(rng, {0, 1, 0x8000, 0xffff}, 0, 0xffff);
  }
  job.pad_code = rng.UniformInt(0, 255);
  job.out_w = Count(rng, huge, 5, 15);
  job.out_h = Count(rng, huge, 5, 15);
  job.kernel_h = Count(rng, huge, 4, 7);
  job.run_bytes = Either(rng, {1, 15, 16, 17, 31, 32, 33, 48}, 1, 60);
  if (huge && rng.Bernoulli(0.3)) job.run_bytes += int64_t{1} << rng.UniformInt(6, 14);
  job.stride_h = Either(rng, {1, 2, 255}, 0, 6);
  job.pad_top = Either(rng, {0, 1, 255}, 0, 4);
  job.pad_left = Either(rng, {0, 0xffff}, 0, 60);
  job.row_bytes = Either(rng, {96, 0xffff}, 0, 0xffff);
  job.valid_bytes = Either(rng, {96, 0xffff}, 0, 100);
  job.rows = Either(rng, {3, 0xffff}, 0, 12);
  // The columns of the pixels that are reached fit 18 bits.
  const int64_t reached = std::clamp<int64_t>(std::min(job.out_w, cycles) - 1, 1, 1000);
  const int64_t largest = std::min<int64_t>(0xffff, (131071 - job.run_bytes) / reached);
  job.stage_x_step = std::min(largest, Either(rng, {0, 1, 16, 0xffff}, 0, 50));
  if (huge && rng.Bernoulli(0.5)) job.stage_x_step = rng.UniformInt(0, largest);
  // Borders among the columns and rows that are reached.
  if (rng.Bernoulli(0.7)) {
    const int64_t ox = rng.UniformInt(0, std::min<int64_t>(reached, 10));
    const int64_t col = ox * job.stage_x_step - job.pad_left;
    job.valid_bytes = std::clamp<int64_t>(col + rng.UniformInt(-1, job.run_bytes), 0, 0xffff);
  }
  if (rng.Bernoulli(0.3)) {
    const int64_t row = rng.UniformInt(0, job.out_h) * job.stride_h + job.kernel_h - job.pad_top;
    job.rows = std::clamp<int64_t>(row - rng.UniformInt(0, 2), 0, 0xffff);
  }
  return job;
}

TEST(Im2colTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_im2col_mux>(10, [](Vloom_im2col_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    while (bench.cycles() < 30000 && bench.mismatches() == 0) {
      const bool huge = rng.Bernoulli(0.3);
      const int64_t abandon_after = huge || rng.Bernoulli(0.1) ? rng.UniformInt(0, 150) : -1;
      const double ready = rng.Bernoulli(0.4) ? 1.0 : 0.1 + 0.9 * rng.UniformDouble();
      bench.Start(RandomJob(rng, huge, huge ? 150 : 1000), abandon_after, ready);
    }
    // Every counter to its end: out_w, out_h, kernel_h, run_bytes.
    constexpr int64_t kLong[][4] = {
        {1, 1, 255, 1}, {2, 1, 2, 0xffff}, {1, 0xffff, 1, 1}, {0xffff, 2, 1, 1}};
    for (const auto& sizes : kLong) {
      Job job = RandomJob(rng, false, 0);
      job.out_w = sizes[0];
      job.out_h = sizes[1];
      job.kernel_h = sizes[2];
      job.run_bytes = sizes[3];
      job.stage_x_step = job.stride_h = 1;
      job.pad_left = job.pad_top = 0;
      job.rows = 12;
      // Every byte of a long run counts.
      job.valid_bytes = job.run_bytes > 12 ? job.run_bytes : 12;
      if (bench.mismatches() == 0) bench.Start(job, -1, 1.0);
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
