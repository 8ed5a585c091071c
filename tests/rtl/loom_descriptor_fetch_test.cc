// loom_descriptor_fetch (64 bits) against an array of beats, cycle by cycle.
#include <array>
#include <cstring>

#include "Vloom_descriptor_fetch_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kBeats = 16;

/// How often everybody is willing, for some cycles.
struct Traffic {
  double fetch, request_ready, data_valid, take;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 3);
  return kind == 0 ? 1.0 : kind == 1 ? 0.1 : rng.UniformDouble();
}

class Bench {
 public:
  Bench(Vloom_descriptor_fetch_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous and gives up what is held or under way.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.fetch_i = dut_.take_i = dut_.data_valid_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    phase_ = Phase::kNone;
    has_arrived_ = false;
    Compare();
    testing::Clock(dut_);
    Compare();
    dut_.rst_ni = 1;
  }

  void Cycle(const Traffic& traffic) {
    const uint64_t beat = rng_.Next();
    dut_.fetch_i = phase_ == Phase::kNone && rng_.Bernoulli(traffic.fetch);
    dut_.addr_i = static_cast<uint32_t>(rng_.Next());
    dut_.request_ready_i = rng_.Bernoulli(traffic.request_ready);
    dut_.data_valid_i = phase_ == Phase::kBeats && rng_.Bernoulli(traffic.data_valid);
    dut_.data_i = beat;
    dut_.take_i = phase_ == Phase::kHeld && rng_.Bernoulli(traffic.take);
    dut_.clk_i = 0;
    dut_.eval();
    Compare();
    dut_.clk_i = 1;
    dut_.eval();
    has_arrived_ = false;
    if (dut_.fetch_i) {
      phase_ = Phase::kAsking;
      address_ = dut_.addr_i;
    } else if (phase_ == Phase::kAsking && dut_.request_ready_i) {
      phase_ = Phase::kBeats;
      num_beats_ = 0;
    } else if (dut_.data_valid_i) {
      beats_[num_beats_++] = beat;
      has_arrived_ = num_beats_ == kBeats;
      if (has_arrived_) phase_ = Phase::kHeld;
    } else if (dut_.take_i) {
      phase_ = Phase::kNone;
    }
  }

 private:
  enum class Phase { kNone, kAsking, kBeats, kHeld };

  void Expect(bool holds) { mismatches_ += !holds; }

  void Compare() {
    Expect(dut_.request_valid_o == (phase_ == Phase::kAsking));
    if (phase_ == Phase::kAsking) {
      Expect(dut_.request_addr_o == address_ && dut_.request_beats_o == kBeats);
    }
    Expect(dut_.valid_o == (phase_ == Phase::kHeld));
    Expect(dut_.arrived_o == has_arrived_);
    static_assert(sizeof dut_.desc_o == sizeof beats_);
    if (phase_ == Phase::kHeld) {
      Expect(std::memcmp(&dut_.desc_o, beats_.data(), sizeof beats_) == 0);
    }
  }

  Vloom_descriptor_fetch_mux& dut_;
  Rng& rng_;
  Phase phase_ = Phase::kNone;
  bool has_arrived_ = false;
  uint32_t address_ = 0;
  size_t num_beats_ = 0;
  std::array<uint64_t, kBeats> beats_{};
  int64_t mismatches_ = 0;
};

TEST(DescriptorFetchTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_descriptor_fetch_mux>(
      9, [](Vloom_descriptor_fetch_mux& dut, Rng& rng) {
        Bench bench(dut, rng);
        for (int phase = 0; phase < 200; ++phase) {
          const Traffic traffic{Rate(rng), Rate(rng), Rate(rng), Rate(rng)};
          for (int cycle = 0; cycle < 100; ++cycle) {
            if (rng.Bernoulli(0.003)) bench.Reset();
            bench.Cycle(traffic);
            if (bench.mismatches() > 0) return bench.mismatches();
          }
        }
        return bench.mismatches();
      });
}

}  // namespace
}  // namespace macloom
