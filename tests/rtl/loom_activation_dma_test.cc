// loom_activation_dma (16-byte words, 64 bits) against the list of the beats of a load or a store.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_activation_dma_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kWordBytes = 16, kBeatBytes = 8, kMaxBurst = 16;
enum : int64_t { kLoad = 4, kStore = 5 };  // Opcodes, rtl/lib/loom_pkg.sv.

struct Job {
  bool is_load = true, to_staging = false;
  uint32_t address = 0, row_pitch = 0, plane_pitch = 0;
  int64_t row_bytes = 8, rows = 1, planes = 1, chip_base = 0, chip_row = 0, chip_plane = 0;

  /// The descriptor by half words (arch/descriptor.h); the other fields are random, so are the
  /// on-chip pitches of the other direction.
  std::array<uint16_t, 64> Descriptor(Rng& rng) const {
    std::array<uint16_t, 64> halves;
    for (uint16_t& half : halves) half = static_cast<uint16_t>(rng.Next());
    const auto set = [&](size_t at, int64_t value) { halves[at] = static_cast<uint16_t>(value); };
    const auto set_word = [&](size_t at, uint32_t value) {
      set(at, value & 0xffff);
      set(at + 1, value >> 16);
    };
    set(0, (halves[0] & 0xff00) | (is_load ? kLoad : kStore));
    set(is_load ? 15 : 14, chip_base);
    set(is_load ? 23 : 19, chip_row);
    set(is_load ? 21 : 20, chip_plane);
    set_word(48, address);
    set_word(50, row_pitch);
    set_word(52, plane_pitch);
    set(54, row_bytes);
    set(55, rows);
    set(56, planes);
    set(57, (halves[57] & ~1) | to_staging);
    return halves;
  }
};

struct Beat {
  uint32_t address;
  uint16_t word;
  int64_t part;
  bool ends_row;
};

std::vector<Beat> Beats(const Job& job) {
  std::vector<Beat> beats;
  for (int64_t plane = 0; plane < job.planes; ++plane) {
    for (int64_t row = 0; row < job.rows; ++row) {
      for (int64_t byte = 0; byte < job.row_bytes; byte += kBeatBytes) {
        Beat beat{};
        beat.address = static_cast<uint32_t>(job.address + plane * job.plane_pitch +
                                             row * job.row_pitch + byte);
        beat.word = static_cast<uint16_t>(job.chip_base + plane * job.chip_plane +
                                          row * job.chip_row + byte / kWordBytes);
        beat.part = byte % kWordBytes / kBeatBytes;
        beat.ends_row = byte + kBeatBytes == job.row_bytes;
        beats.push_back(beat);
      }
    }
  }
  return beats;
}

class Bench {
 public:
  Bench(Vloom_activation_dma_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  void Run(const Job& job) {
    const std::array<uint16_t, 64> descriptor = job.Descriptor(rng_);
    std::memcpy(&dut_.desc_i, descriptor.data(), sizeof descriptor);
    job_ = job;
    beats_ = Beats(job);
    asked_ = moved_ = 0;
    phase_ = Phase::kRead;
    request_rate_ = Rate();
    move_rate_ = Rate();
    dut_.data_valid_i = dut_.read_ready_i = dut_.write_ready_i = dut_.beat_ready_i = 0;
    dut_.clk_i = 0;
    dut_.eval();
    ExpectIdle();
    dut_.start_i = 1;
    dut_.clk_i = 1;
    dut_.eval();
    dut_.start_i = 0;
    const int64_t reset_at = rng_.Bernoulli(0.1) ? rng_.UniformInt(0, 200) : -1;
    for (int64_t cycle = 0; mismatches_ == 0; ++cycle) {
      if (cycle == reset_at) return Reset();
      dut_.write_idle_i = rng_.Bernoulli(0.3);
      job.is_load ? DriveLoad() : DriveStore();
      dut_.clk_i = 0;
      dut_.eval();
      const bool complete = asked_ == beats_.size() && moved_ == beats_.size();
      const bool done = complete && (job.is_load || dut_.write_idle_i);
      Expect(dut_.done_o == done);
      const int64_t burst = CheckRequests();
      const size_t step = job.is_load ? CheckLoad() : CheckStore();
      dut_.clk_i = 1;
      dut_.eval();
      asked_ += static_cast<size_t>(burst);
      moved_ += step;
      if (done) break;
    }
    dut_.data_valid_i = dut_.beat_ready_i = dut_.read_ready_i = dut_.write_ready_i = 0;
    dut_.clk_i = 0;
    dut_.eval();
    ExpectIdle();
  }

 private:
  /// A store reads a word, waits for it, then holds it for its beats.
  enum class Phase { kRead, kWait, kHold };

  void Expect(bool ok) { mismatches_ += !ok; }
  double Rate() { return rng_.Bernoulli(0.4) ? 1.0 : rng_.UniformDouble() + 0.02; }

  void ExpectIdle() {
    Expect(!dut_.done_o && !dut_.read_request_o && !dut_.write_request_o && !dut_.we_o);
    Expect(!dut_.re_o && !dut_.beat_valid_o);
  }

  void DriveLoad() {
    dut_.read_ready_i = rng_.Bernoulli(request_rate_);
    dut_.data_valid_i = moved_ < asked_ && (data_waits_ || rng_.Bernoulli(move_rate_));
    if (!data_waits_) dut_.data_i = rng_.Next();
    dut_.wready_i = rng_.Bernoulli(move_rate_);
  }

  void DriveStore() {
    dut_.write_ready_i = rng_.Bernoulli(request_rate_);
    dut_.beat_ready_i = rng_.Bernoulli(move_rate_);
    std::array<uint64_t, 2> word = {rng_.Next(), rng_.Next()};
    std::memcpy(&dut_.rdata_i, word.data(), sizeof word);
    if (phase_ == Phase::kWait) word_ = word;
  }

  /// Beats of the burst accepted in this cycle.
  int64_t CheckRequests() {
    const bool asks = asked_ < beats_.size();
    Expect(dut_.read_request_o == (asks && job_.is_load));
    Expect(dut_.write_request_o == (asks && !job_.is_load));
    if (!asks) return 0;
    int64_t beats = 1;
    for (size_t i = asked_; beats < kMaxBurst; ++i, ++beats) {
      if (beats_[i].ends_row || beats_[i + 1].address % 4096 == 0) break;
    }
    const uint32_t address = beats_[asked_].address;
    Expect((job_.is_load ? dut_.read_addr_o : dut_.write_addr_o) == address);
    Expect((job_.is_load ? dut_.read_beats_o : dut_.write_beats_o) == beats);
    return (job_.is_load ? dut_.read_ready_i : dut_.write_ready_i) ? beats : 0;
  }

  size_t CheckLoad() {
    Expect(!dut_.re_o && !dut_.beat_valid_o && dut_.we_o == dut_.data_valid_i);
    Expect(dut_.data_ready_o == dut_.wready_i);
    data_waits_ = dut_.data_valid_i && !dut_.wready_i;
    if (!dut_.data_valid_i) return 0;
    const Beat& beat = beats_[moved_];
    Expect(dut_.waddr_o == beat.word && dut_.to_staging_o == job_.to_staging);
    Expect(dut_.be_o == (beat.part == 0 ? 0x00ff : 0xff00));
    std::array<uint64_t, 2> word;
    std::memcpy(word.data(), &dut_.wdata_o, sizeof word);
    Expect(word[static_cast<size_t>(beat.part)] == dut_.data_i);
    return dut_.wready_i;
  }

  size_t CheckStore() {
    const bool more = moved_ < beats_.size();
    Expect(!dut_.we_o);
    Expect(dut_.re_o == (more && phase_ == Phase::kRead));
    Expect(dut_.beat_valid_o == (phase_ == Phase::kHold));
    if (!more) return 0;
    const Beat& beat = beats_[moved_];
    if (phase_ == Phase::kRead) {
      Expect(dut_.raddr_o == beat.word && beat.part == 0);
      phase_ = Phase::kWait;
    } else if (phase_ == Phase::kWait) {
      phase_ = Phase::kHold;
    } else {
      Expect(dut_.beat_o == word_[static_cast<size_t>(beat.part)]);
      if (!dut_.beat_ready_i) return 0;
      if (beat.part == 1 || beat.ends_row) phase_ = Phase::kRead;
      return 1;
    }
    return 0;
  }

  void Reset() {
    dut_.start_i = dut_.data_valid_i = dut_.read_ready_i = dut_.write_ready_i = 0;
    dut_.rst_ni = 1;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    ExpectIdle();
    dut_.rst_ni = 1;
    dut_.eval();
    data_waits_ = false;
  }

  Vloom_activation_dma_mux& dut_;
  Rng& rng_;
  Job job_;
  std::vector<Beat> beats_;
  size_t asked_ = 0, moved_ = 0;  ///< Beats of accepted bursts, beats that went through.
  Phase phase_ = Phase::kRead;
  bool data_waits_ = false;
  std::array<uint64_t, 2> word_{};
  double request_rate_ = 1, move_rate_ = 1;
  int64_t mismatches_ = 0;
};

Job Draw(Rng& rng) {
  Job job;
  job.is_load = rng.Bernoulli(0.5);
  job.to_staging = rng.Bernoulli(0.5);
  const auto any32 = [&] { return static_cast<uint32_t>(rng.Next()) & ~7u; };
  job.address = any32();
  job.row_pitch = any32();
  job.plane_pitch = any32();
  job.row_bytes = rng.UniformInt(1, rng.Bernoulli(0.3) ? 80 : 5) * kBeatBytes;
  job.rows = rng.UniformInt(1, 5);
  job.planes = rng.UniformInt(1, 4);
  if (rng.Bernoulli(0.05)) job.rows = rng.UniformInt(200, 700);
  if (rng.Bernoulli(0.05)) job.planes = rng.UniformInt(200, 700);
  if (rng.Bernoulli(0.03)) {
    job.row_bytes = rng.UniformInt(2000, 8191) * kBeatBytes;
    job.rows = job.planes = 1;
  }
  for (int64_t* any : {&job.chip_base, &job.chip_row, &job.chip_plane}) {
    *any = rng.UniformInt(0, 65535);
  }
  return job;
}

TEST(ActivationDmaTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_activation_dma_mux>(
      8, [](Vloom_activation_dma_mux& dut, Rng& rng) {
        Bench bench(dut, rng);
        for (int run = 0; run < 300 && bench.mismatches() == 0; ++run) bench.Run(Draw(rng));
        // The counters of rows and planes to their ends.
        for (int i = 0; i < 4 && bench.mismatches() == 0; ++i) {
          Job job = Draw(rng);
          job.is_load = i % 2 == 0;
          job.row_bytes = kBeatBytes;
          job.rows = i / 2 == 0 ? 0xffff : 2;
          job.planes = i / 2 == 0 ? 1 : 0xffff;
          bench.Run(job);
        }
        return bench.mismatches();
      });
}

}  // namespace
}  // namespace macloom
