// loom_sequencer against the life of a list of random descriptors, cycle by cycle.
#include <array>
#include <cstring>

#include "Vloom_sequencer_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr uint32_t kVersion = 1;
constexpr int kErrorDescriptor = 1, kErrorRead = 2, kErrorWrite = 3;

enum class Kind { kNothing, kCore, kLoad, kStore, kUnknown };

struct Descriptor {
  std::array<uint32_t, 32> words{};

  uint32_t opcode() const { return words[0] & 0xff; }
  uint32_t version() const { return words[0] >> 8 & 0xff; }
  bool raises_irq() const { return words[0] >> 16 & 1; }
  bool is_last() const { return words[0] >> 17 & 1; }
  bool wants_record() const { return words[0] >> 18 & 1; }
  uint32_t next() const { return words[1]; }
  uint32_t tag() const { return words[2]; }
  uint32_t stream_groups() const { return words[5] & 0xffff; }

  Kind kind() const {
    constexpr Kind kKinds[] = {Kind::kNothing, Kind::kCore, Kind::kCore,
                               Kind::kCore,    Kind::kLoad, Kind::kStore};
    return version() == kVersion && opcode() < std::size(kKinds) ? kKinds[opcode()]
                                                                 : Kind::kUnknown;
  }
};

/// How often things happen, for some cycles.
struct Traffic {
  double start, arrival, core_done, dma_done, record_busy, writes_idle, error, last;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 3);
  return kind == 0 ? 1.0 : kind == 1 ? 0.08 : rng.UniformDouble();
}

Traffic RandomTraffic(Rng& rng) {
  return {Rate(rng),
          Rate(rng),
          Rate(rng),
          Rate(rng),
          rng.Bernoulli(0.3) ? 0.0 : 0.9 * rng.UniformDouble(),
          Rate(rng),
          rng.Bernoulli(0.5) ? 0.0 : 0.06,
          rng.UniformDouble()};
}

/// One bit of 8 wrong, or anything.
uint32_t Spoil(Rng& rng, uint32_t byte) {
  return rng.Bernoulli(0.7) ? byte ^ 1u << rng.UniformInt(0, 7) : rng.Next() & 0xff;
}

Descriptor RandomDescriptor(Rng& rng, double last) {
  Descriptor desc;
  for (uint32_t& word : desc.words) word = static_cast<uint32_t>(rng.Next());
  uint32_t opcode = static_cast<uint32_t>(rng.UniformInt(0, 5)), version = kVersion;
  if (rng.Bernoulli(0.1)) opcode = Spoil(rng, opcode);
  if (rng.Bernoulli(0.1)) version = Spoil(rng, version);
  desc.words[0] = (desc.words[0] & 0xfffd0000) | version << 8 | opcode;
  desc.words[0] |= static_cast<uint32_t>(rng.Bernoulli(last)) << 17;
  const int64_t groups = rng.UniformInt(0, 2);
  if (groups < 2) desc.words[5] &= 0xffff0000;
  if (groups == 1) desc.words[5] |= 1u << rng.UniformInt(0, 15);
  return desc;
}

class Bench {
 public:
  Bench(Vloom_sequencer_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous and gives up the list.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.start_i = dut_.fetch_valid_i = dut_.fetch_arrived_i = 0;
    dut_.read_error_i = dut_.write_error_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    phase_ = Phase::kIdle;
    is_fetching_ = has_fetched_ = has_desc_ = false;
    error_ = 0;
    Compare();
    testing::Clock(dut_);
    Compare();
    dut_.rst_ni = 1;
  }

  void Cycle(const Traffic& traffic) {
    Drive(traffic);
    dut_.clk_i = 0;
    dut_.eval();
    Compare();
    dut_.clk_i = 1;
    dut_.eval();
    Advance();
  }

 private:
  /// kOver: the operation has ended, the record before it has not. kEnding: the list.
  enum class Phase { kIdle, kAwaiting, kStarting, kWorking, kOver, kEnding };

  void Expect(bool holds) { mismatches_ += !holds; }

  void Drive(const Traffic& traffic) {
    dut_.start_i = rng_.Bernoulli(traffic.start);
    dut_.first_i = static_cast<uint32_t>(rng_.Next());
    dut_.fetch_arrived_i = is_fetching_ && rng_.Bernoulli(traffic.arrival);
    has_fetched_ |= dut_.fetch_arrived_i;
    // Held while valid; before, the beats of the burst move through.
    if (dut_.fetch_arrived_i || !has_fetched_) fetched_ = RandomDescriptor(rng_, traffic.last);
    dut_.fetch_valid_i = has_fetched_;
    static_assert(sizeof dut_.fetch_desc_i == sizeof fetched_.words);
    std::memcpy(&dut_.fetch_desc_i, fetched_.words.data(), sizeof fetched_.words);
    dut_.core_done_i = rng_.Bernoulli(traffic.core_done);
    dut_.dma_done_i = rng_.Bernoulli(traffic.dma_done);
    dut_.record_busy_i = rng_.Bernoulli(traffic.record_busy);
    dut_.writes_idle_i = rng_.Bernoulli(traffic.writes_idle);
    dut_.read_error_i = rng_.Bernoulli(traffic.error);
    dut_.write_error_i = rng_.Bernoulli(traffic.error);
  }

  bool TakesNext() const { return phase_ == Phase::kAwaiting && has_fetched_ && error_ == 0; }

  bool Fetches() const {
    const bool fetches_ahead =
        phase_ == Phase::kStarting && desc_.kind() != Kind::kUnknown && !desc_.is_last();
    return (phase_ == Phase::kIdle && dut_.start_i) || fetches_ahead;
  }

  bool OperationEnds() const {
    if (phase_ != Phase::kWorking || desc_.kind() == Kind::kNothing) {
      return phase_ == Phase::kWorking;
    }
    return desc_.kind() == Kind::kCore ? dut_.core_done_i : dut_.dma_done_i;
  }

  bool StepEnds() const {
    return (phase_ == Phase::kOver || OperationEnds()) && !dut_.record_busy_i;
  }

  /// Not in the first cycle, in which the record of the last descriptor is not yet under way.
  bool ListEnds() const {
    return phase_ == Phase::kEnding && !is_first_ending_ && dut_.writes_idle_i &&
           !dut_.record_busy_i && !is_fetching_;
  }

  void Compare() {
    const Kind kind = desc_.kind();
    const bool starts = phase_ == Phase::kStarting, works = phase_ == Phase::kWorking;
    Expect(dut_.busy_o == (phase_ != Phase::kIdle));
    Expect(dut_.running_o == (phase_ != Phase::kIdle && phase_ != Phase::kEnding));
    Expect(dut_.fetch_o == Fetches());
    if (Fetches()) Expect(dut_.fetch_addr_o == (starts ? desc_.next() : dut_.first_i));
    Expect(dut_.fetch_take_o == (TakesNext() || (phase_ == Phase::kEnding && has_fetched_)));
    Expect(dut_.stream_push_o == (dut_.fetch_arrived_i && fetched_.version() == kVersion &&
                                  fetched_.stream_groups() > 0));
    Expect(dut_.core_start_o == (starts && kind == Kind::kCore));
    Expect(dut_.dma_start_o == (starts && (kind == Kind::kLoad || kind == Kind::kStore)));
    Expect(dut_.core_active_o == (works && kind == Kind::kCore));
    Expect(dut_.load_active_o == (works && kind == Kind::kLoad));
    Expect(dut_.store_active_o == (works && kind == Kind::kStore));
    Expect(dut_.step_done_o == StepEnds());
    Expect(dut_.list_done_o == ListEnds());
    if (ListEnds()) Expect(dut_.error_o == error_);
    if (!has_desc_) return;
    Expect(std::memcmp(&dut_.desc_o, desc_.words.data(), sizeof desc_.words) == 0);
    Expect(dut_.step_tag_o == desc_.tag() && dut_.step_irq_o == desc_.raises_irq() &&
           dut_.step_record_o == desc_.wants_record());
  }

  void Advance() {
    const bool takes_next = TakesNext(), fetches = Fetches(), step_ends = StepEnds();
    const bool operation_ends = OperationEnds(), list_ends = ListEnds();
    const int error_before = error_;
    is_first_ending_ = false;
    switch (phase_) {
      case Phase::kIdle:
        if (!dut_.start_i) break;
        error_ = 0;
        phase_ = Phase::kAwaiting;
        break;
      case Phase::kAwaiting:
        if (error_before != 0) End();
        if (takes_next) phase_ = Phase::kStarting;
        break;
      case Phase::kStarting:
        phase_ = Phase::kWorking;
        if (desc_.kind() != Kind::kUnknown) break;
        error_ = kErrorDescriptor;
        End();
        break;
      case Phase::kWorking:
      case Phase::kOver:
        if (operation_ends) phase_ = Phase::kOver;
        if (!step_ends) break;
        phase_ = Phase::kAwaiting;
        if (desc_.is_last() || error_before != 0) End();
        break;
      case Phase::kEnding:
        has_fetched_ = false;
        if (list_ends) phase_ = Phase::kIdle;
        break;
    }
    if (takes_next) {
      desc_ = fetched_;
      has_desc_ = true;
      has_fetched_ = false;
    }
    if (dut_.fetch_arrived_i) is_fetching_ = false;
    if (fetches) is_fetching_ = true;
    // The last error counts; of two at once, the one of the read.
    if (dut_.write_error_i) error_ = kErrorWrite;
    if (dut_.read_error_i) error_ = kErrorRead;
  }

  void End() {
    phase_ = Phase::kEnding;
    is_first_ending_ = true;
  }

  Vloom_sequencer_mux& dut_;
  Rng& rng_;
  Phase phase_ = Phase::kIdle;
  bool is_first_ending_ = false;
  bool is_fetching_ = false, has_fetched_ = false, has_desc_ = false;
  Descriptor fetched_, desc_;
  int error_ = 0;
  int64_t mismatches_ = 0;
};

TEST(SequencerTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_sequencer_mux>(11, [](Vloom_sequencer_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int phase = 0; phase < 400; ++phase) {
      const Traffic traffic = RandomTraffic(rng);
      for (int cycle = 0; cycle < 100; ++cycle) {
        if (rng.Bernoulli(0.002)) bench.Reset();
        bench.Cycle(traffic);
        if (bench.mismatches() > 0) return bench.mismatches();
      }
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
