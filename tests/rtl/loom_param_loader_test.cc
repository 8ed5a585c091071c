// loom_param_loader (4 rows of 16 lanes, 8 requantization lanes, 256 ring rows) against the list of
// rows that an operation reads and an array of entries, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "Vloom_param_loader_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kLanes = 16, kRequantLanes = 8, kRowBytes = 64, kEntries = 2 * kLanes;
constexpr int kRingRows = 256;

struct Operation {
  bool enable = true, per_layer = false, repeat = false;
  uint16_t base = 0, groups = 1, param_rows = 1, group_rows = 1;
};

/// How fast the surroundings are.
struct Pace {
  double grant = 1, used = 1, release = 1;
  /// How far the ring has been written: 0 always far enough, 1 a few rows at a time, 2 anything.
  int ring = 0;
};

/// A row that has been read, in the cycle of its data.
struct Landing {
  size_t set = 0;
  int64_t row = 0;
  bool is_last = false;
};

class Bench {
 public:
  Bench(Vloom_param_loader_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// In the middle of a cycle: the reset is asynchronous.
  void Reset() {
    dut_.start_i = 0;
    dut_.stop_i = 0;
    dut_.used_i = 0;
    dut_.release_i = 0;
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    active_ = false;
    landing_.reset();
    Empty();
    dut_.eval();
    Check(true);
    dut_.clk_i = 1;
    dut_.eval();
    dut_.rst_ni = 1;
  }

  /// Starts `op` and lets it run for `cycles` cycles at most, `extra` after its last row.
  void Run(const Operation& op, const Pace& pace, int64_t cycles, int64_t extra) {
    pace_ = pace;
    Cycle(&op, false);
    for (int64_t i = 0; i < cycles && extra > 0 && mismatches_ == 0; ++i) {
      Cycle(nullptr, false);
      if (IsExhausted()) --extra;
    }
  }

  void Stop(int64_t cycles) {
    Cycle(nullptr, true);
    for (int64_t i = 0; i < cycles; ++i) Cycle(nullptr, false);
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  void Empty() {
    read_ = 0;
    written_ = op_.base;
    taken_ = {};
    fresh_ = {};
  }

  bool IsExhausted() const {
    return !op_.enable || (!op_.repeat && read_ >= int64_t{op_.groups} * op_.param_rows);
  }

  /// Number of the next row of the ring, mod 2^16.
  uint16_t NextRow() const {
    const int64_t visit = read_ / op_.param_rows;
    return static_cast<uint16_t>(op_.base + visit % op_.groups * op_.group_rows +
                                 read_ % op_.param_rows);
  }

  /// Rows written from the next row on.
  int Ahead() {
    switch (pace_.ring) {
      case 0:
        return static_cast<int>(rng_.UniformInt(1, kRingRows));
      case 1: {
        const int ahead = static_cast<int16_t>(written_ - NextRow());
        if (ahead < kRingRows && rng_.Bernoulli(0.4)) ++written_;
        return static_cast<int16_t>(written_ - NextRow());
      }
      default:
        break;
    }
    switch (rng_.UniformInt(0, 3)) {
      case 0:
        return static_cast<int>(rng_.UniformInt(-2, 2));
      case 1:
        return 1 << rng_.UniformInt(0, 15);
      case 2:
        return 0x7fff + static_cast<int>(rng_.UniformInt(0, 1));
      default:
        return static_cast<int>(rng_.UniformInt(0, 0xffff));
    }
  }

  /// Drives one cycle, compares, and clocks.
  void Cycle(const Operation* start, bool stop) {
    dut_.start_i = start != nullptr;
    if (start != nullptr) {
      dut_.enable_i = start->enable;
      dut_.base_row_i = start->base;
      dut_.groups_i = start->groups;
      dut_.param_rows_i = start->param_rows;
      dut_.group_rows_i = start->group_rows;
      dut_.per_layer_i = start->per_layer;
      dut_.repeat_i = start->repeat;
    }
    dut_.stop_i = stop;
    std::array<uint8_t, kRowBytes> data{};
    for (size_t i = 0; i < kRowBytes; i += 8) {
      const uint64_t bits = rng_.Next();
      std::memcpy(&data[i], &bits, 8);
    }
    std::memcpy(&dut_.ring_rdata_i, data.data(), kRowBytes);
    const int ahead = Ahead();
    dut_.ring_write_ptr_i = static_cast<uint16_t>(NextRow() + ahead);
    const bool grant = rng_.Bernoulli(pace_.grant);
    dut_.ring_grant_i = grant;

    // A set is used when it is fresh and released later; without a stream both mean nothing.
    const size_t used = static_cast<size_t>(rng_.UniformInt(0, 1));
    const size_t used_set = fresh_[used] ? used : 1 - used;
    const bool use =
        start == nullptr && (fresh_[used_set] || !op_.enable) && rng_.Bernoulli(pace_.used);
    const size_t released = static_cast<size_t>(rng_.UniformInt(0, 1));
    const size_t release_set = IsReleasable(released) ? released : 1 - released;
    const bool release = start == nullptr && (IsReleasable(release_set) || !op_.enable) &&
                         rng_.Bernoulli(pace_.release);
    dut_.used_i = use;
    dut_.used_set_i = use ? used_set != 0 : rng_.Bernoulli(0.5);
    dut_.release_i = release;
    dut_.release_set_i = release ? release_set != 0 : rng_.Bernoulli(0.5);

    dut_.clk_i = 0;
    dut_.eval();
    const size_t set = static_cast<size_t>(read_ / op_.param_rows % 2);
    const bool request = active_ && !IsExhausted() && !taken_[set] &&
                         static_cast<int16_t>(static_cast<uint16_t>(ahead)) > 0;
    // A start ends the operation before; what that asks for in this cycle does not count.
    if (start == nullptr || !active_) Expect(dut_.ring_request_o == request);
    if (start == nullptr && request) Expect(dut_.ring_addr_o == NextRow() % kRingRows);
    Check(false);
    dut_.clk_i = 1;
    dut_.eval();

    if (landing_) Land(data, start != nullptr);
    landing_.reset();
    if (start != nullptr) {
      op_ = *start;
      active_ = op_.enable;
      Empty();
      return;
    }
    if (use) fresh_[used_set] = false;
    if (release) taken_[release_set] = false;
    if (request && grant) {
      const int64_t row = read_ % op_.param_rows;
      landing_ = Landing{set, row, row + 1 == op_.param_rows};
      if (landing_->is_last) taken_[set] = true;
      ++read_;
    }
    if (stop) active_ = false;
  }

  /// Loaded and used.
  bool IsReleasable(size_t set) const {
    return taken_[set] && !fresh_[set] && !(landing_ && landing_->is_last && landing_->set == set);
  }

  /// Takes the entries of a row; those of a row that a start has overtaken are undefined.
  void Land(const std::array<uint8_t, kRowBytes>& data, bool overtaken) {
    const size_t record = op_.per_layer ? 4 : 16, per_row = kRowBytes / record;
    for (size_t e = 0; e < kLanes; ++e) {
      const size_t at = landing_->set * kLanes + e;
      if (overtaken) start_known_[at] = lane_known_[at] = false;
      if (overtaken || static_cast<int64_t>(e / per_row) != landing_->row) continue;
      const uint8_t* from = &data[e % per_row * record];
      std::memcpy(&starts_[at], from, 4);
      start_known_[at] = true;
      if (op_.per_layer) continue;
      std::memcpy(&multipliers_[at], from + 4, 4);
      shifts_[at] = from[8];
      lane_known_[at] = true;
    }
    if (landing_->is_last) fresh_[landing_->set] = true;
  }

  /// Everything but the request.
  void Check(bool in_reset) {
    if (in_reset) Expect(dut_.ring_request_o == 0);
    Expect(dut_.fresh_o == (fresh_[1] ? 2 : 0) + (fresh_[0] ? 1 : 0));
    if (std::memcmp(&dut_.starts_o, starts_.data(), sizeof starts_) != 0) {
      for (size_t e = 0; e < kEntries; ++e) {
        Expect(!start_known_[e] ||
               std::memcmp(reinterpret_cast<const uint8_t*>(&dut_.starts_o) + 4 * e, &starts_[e],
                           4) == 0);
      }
    }
    const size_t set = static_cast<size_t>(rng_.UniformInt(0, 1)),
                 chunk = static_cast<size_t>(rng_.UniformInt(0, kLanes / kRequantLanes - 1));
    dut_.lane_set_i = static_cast<uint8_t>(set);
    dut_.lane_chunk_i = static_cast<uint8_t>(chunk);
    dut_.eval();
    for (size_t r = 0; r < kRequantLanes; ++r) {
      const size_t at = set * kLanes + chunk * kRequantLanes + r;
      if (!lane_known_[at]) continue;
      Expect(std::memcmp(reinterpret_cast<const uint8_t*>(&dut_.lane_multiplier_o) + 4 * r,
                         &multipliers_[at], 4) == 0);
      Expect((dut_.lane_shift_o >> (8 * r) & 0xff) == shifts_[at]);
    }
  }

  Vloom_param_loader_mux& dut_;
  Rng& rng_;
  int64_t mismatches_ = 0;
  Operation op_;
  Pace pace_;
  bool active_ = false;
  int64_t read_ = 0;      ///< Rows read by this operation.
  uint16_t written_ = 0;  ///< Of the ring, with ring pace 1.
  std::optional<Landing> landing_;
  std::array<bool, 2> taken_{}, fresh_{};
  std::array<bool, kEntries> start_known_{}, lane_known_{};
  std::array<uint32_t, kEntries> starts_{}, multipliers_{};
  std::array<uint8_t, kEntries> shifts_{};
};

/// A count: small, or small in its low bits with one high bit set.
uint16_t Count(Rng& rng, int64_t most) {
  const int64_t low = rng.UniformInt(1, most);
  return static_cast<uint16_t>(rng.Bernoulli(0.15) ? low | 1 << rng.UniformInt(4, 15) : low);
}

double Probability(Rng& rng) { return rng.Bernoulli(0.4) ? 1 : 0.1 + 0.8 * rng.UniformDouble(); }

void RunRandom(Bench& bench, Rng& rng, int operations) {
  for (int i = 0; i < operations && bench.mismatches() == 0; ++i) {
    Operation op;
    op.enable = rng.Bernoulli(0.9);
    op.per_layer = rng.Bernoulli(0.4);
    op.repeat = rng.Bernoulli(0.4);
    op.base = static_cast<uint16_t>(rng.Next());
    op.groups = Count(rng, 6);
    op.param_rows =
        rng.Bernoulli(0.5) ? static_cast<uint16_t>(op.per_layer ? 1 : 4) : Count(rng, 6);
    op.group_rows = static_cast<uint16_t>(rng.Next());
    if (rng.Bernoulli(0.5)) op.group_rows = static_cast<uint16_t>(op.param_rows + Count(rng, 9));
    Pace pace{Probability(rng), Probability(rng), Probability(rng)};
    pace.ring = static_cast<int>(rng.UniformInt(0, 2));
    bench.Run(op, pace, rng.UniformInt(5, 120), rng.UniformInt(1, 9));
    // Most operations are stopped; a start and a reset end one as well.
    if (!rng.Bernoulli(0.1)) bench.Stop(rng.UniformInt(0, 6));
    if (rng.Bernoulli(0.05)) bench.Reset();
  }
}

TEST(ParamLoaderTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_param_loader_mux>(
      8, [](Vloom_param_loader_mux& dut, Rng& rng) -> int64_t {
        Bench bench(dut, rng);
        RunRandom(bench, rng, 400);
        // The counters of groups and rows to their ends.
        Operation op;
        op.groups = 0xffff;
        op.group_rows = 0x1235;
        op.per_layer = true;
        if (bench.mismatches() == 0) bench.Run(op, {}, 140000, 9);
        op.groups = 2;
        op.param_rows = 0xffff;
        if (bench.mismatches() == 0) bench.Run(op, {}, 0x10010, 9);
        return bench.mismatches();
      });
}

}  // namespace
}  // namespace macloom
