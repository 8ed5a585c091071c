// loom_record_writer (64 bits) against a queue of beats, cycle by cycle.
#include <array>
#include <cstring>
#include <deque>

#include "Vloom_record_writer_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kBeats = 8;

/// How often everybody is willing, for some cycles.
struct Traffic {
  double start, request_ready, data_ready;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 3);
  return kind == 0 ? 1.0 : kind == 1 ? 0.08 : rng.UniformDouble();
}

class Bench {
 public:
  Bench(Vloom_record_writer_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous and gives up what is under way.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.start_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    is_asking_ = false;
    beats_.clear();
    Compare();
    testing::Clock(dut_);
    Compare();
    dut_.rst_ni = 1;
  }

  void Cycle(const Traffic& traffic) {
    // Address and words count only in the cycle of the start.
    dut_.start_i = beats_.empty() && rng_.Bernoulli(traffic.start);
    dut_.addr_i = static_cast<uint32_t>(rng_.Next());
    std::array<uint64_t, kBeats> words{};
    for (uint64_t& word : words) word = rng_.Next();
    static_assert(sizeof dut_.words_i == sizeof words);
    std::memcpy(&dut_.words_i, words.data(), sizeof words);
    dut_.request_ready_i = rng_.Bernoulli(traffic.request_ready);
    dut_.data_ready_i = rng_.Bernoulli(traffic.data_ready);
    dut_.clk_i = 0;
    dut_.eval();
    Compare();
    dut_.clk_i = 1;
    dut_.eval();
    if (dut_.start_i) {
      is_asking_ = true;
      address_ = dut_.addr_i;
      beats_.assign(words.begin(), words.end());
    } else if (is_asking_) {
      is_asking_ = !dut_.request_ready_i;
    } else if (!beats_.empty() && dut_.data_ready_i) {
      beats_.pop_front();
    }
  }

 private:
  void Expect(bool holds) { mismatches_ += !holds; }

  /// The burst comes before its first beat.
  void Compare() {
    const bool is_sending = !beats_.empty() && !is_asking_;
    Expect(dut_.busy_o == !beats_.empty());
    Expect(dut_.request_valid_o == is_asking_);
    if (is_asking_) Expect(dut_.request_addr_o == address_ && dut_.request_beats_o == kBeats);
    Expect(dut_.data_valid_o == is_sending);
    if (is_sending) Expect(dut_.data_o == beats_.front());
  }

  Vloom_record_writer_mux& dut_;
  Rng& rng_;
  bool is_asking_ = false;
  uint32_t address_ = 0;
  std::deque<uint64_t> beats_;  ///< Of the record under way, still to be sent.
  int64_t mismatches_ = 0;
};

TEST(RecordWriterTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_record_writer_mux>(
      8, [](Vloom_record_writer_mux& dut, Rng& rng) {
        Bench bench(dut, rng);
        for (int phase = 0; phase < 300; ++phase) {
          const Traffic traffic{Rate(rng), Rate(rng), Rate(rng)};
          for (int cycle = 0; cycle < 60; ++cycle) {
            if (rng.Bernoulli(0.005)) bench.Reset();
            bench.Cycle(traffic);
            if (bench.mismatches() > 0) return bench.mismatches();
          }
        }
        return bench.mismatches();
      });
}

}  // namespace
}  // namespace macloom
