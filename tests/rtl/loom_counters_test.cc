// loom_counters against fourteen sums: every cycle in random traffic, and over a stretch long
// enough for the counters of 16-bit increments to pass 32 bits.
#include <array>
#include <cstring>

#include "Vloom_counters_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kTotal = 0, kIdle = 7, kMacs = 8, kReadBeats = 9, kWriteBeats = 10, kOverflow = 11,
                 kClampedLow = 12, kClampedHigh = 13, kCounters = 14;
constexpr int kBusyClass = 1, kStallDmaWriteClass = 6, kNumClasses = 8;

/// 0, all ones, one bit or anything.
uint16_t Corner(Rng& rng, int bits) {
  const int mask = (1 << bits) - 1;
  const int64_t kind = rng.UniformInt(0, 3);
  const int64_t value = kind == 0   ? 0
                        : kind == 1 ? mask
                        : kind == 2 ? 1 << rng.UniformInt(0, bits - 1)
                                    : rng.UniformInt(0, mask);
  return static_cast<uint16_t>(value);
}

class Bench {
 public:
  Bench(Vloom_counters_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// Asynchronous: all counters are zero before the next edge of the clock.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    counts_ = {};
    Compare();
    // Nothing is counted as long as it lasts.
    dut_.running_i = 1;
    dut_.macs_i = 0xffff;
    dut_.clear_i = 0;
    testing::Clock(dut_);
    Compare();
    dut_.rst_ni = 1;
  }

  void DriveAnything() {
    dut_.clear_i = rng_.Bernoulli(0.002);
    dut_.running_i = rng_.Bernoulli(0.8);
    dut_.cycle_i = static_cast<uint8_t>(rng_.UniformInt(0, kNumClasses - 1));
    dut_.macs_i = Corner(rng_, 16);
    dut_.read_beat_i = rng_.Bernoulli(0.5);
    dut_.write_beat_i = rng_.Bernoulli(0.5);
    dut_.overflow_events_i = Corner(rng_, 16);
    dut_.clamped_low_i = static_cast<uint8_t>(Corner(rng_, 8));
    dut_.clamped_high_i = static_cast<uint8_t>(Corner(rng_, 8));
  }

  void DriveMost(int cycle_class) {
    dut_.clear_i = 0;
    dut_.running_i = 1;
    dut_.cycle_i = static_cast<uint8_t>(cycle_class);
    dut_.macs_i = dut_.overflow_events_i = 0xffff;
    dut_.read_beat_i = dut_.write_beat_i = 1;
    dut_.clamped_low_i = dut_.clamped_high_i = 0xff;
  }

  void Step() {
    testing::Clock(dut_);
    if (dut_.clear_i) {
      counts_ = {};
      return;
    }
    if (dut_.running_i) {
      ++counts_[kTotal];
      // Whatever is no class of its own is idle, so that the classes always add up to the total.
      const int cycle_class = dut_.cycle_i;
      const bool has_counter = cycle_class >= kBusyClass && cycle_class <= kStallDmaWriteClass;
      ++counts_[has_counter ? static_cast<size_t>(cycle_class) : kIdle];
    }
    counts_[kMacs] += dut_.macs_i;
    counts_[kReadBeats] += dut_.read_beat_i;
    counts_[kWriteBeats] += dut_.write_beat_i;
    counts_[kOverflow] += dut_.overflow_events_i;
    counts_[kClampedLow] += dut_.clamped_low_i;
    counts_[kClampedHigh] += dut_.clamped_high_i;
  }

  void Compare() {
    static_assert(sizeof dut_.counters_o == sizeof counts_);
    mismatches_ += std::memcmp(&dut_.counters_o, counts_.data(), sizeof counts_) != 0;
  }

 private:
  Vloom_counters_mux& dut_;
  Rng& rng_;
  std::array<uint64_t, kCounters> counts_{};
  int64_t mismatches_ = 0;
};

TEST(CountersTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_counters_mux>(9, [](Vloom_counters_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int cycle = 0; cycle < 20000 && bench.mismatches() == 0; ++cycle) {
      if (rng.Bernoulli(0.0005)) bench.Reset();
      bench.DriveAnything();
      bench.Step();
      bench.Compare();
    }
    constexpr int kStretches = 14, kStretchCycles = 20000;
    for (int stretch = 0; stretch < kStretches && bench.mismatches() == 0; ++stretch) {
      bench.DriveMost(stretch % 7);
      for (int cycle = 0; cycle < kStretchCycles; ++cycle) bench.Step();
      bench.Compare();
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
