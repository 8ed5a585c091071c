// loom_stream_dma (64-byte rows, 256 ring rows, 64 bits) against the list of the beats of its
// streams.
#include <algorithm>
#include <deque>

#include "Vloom_stream_dma_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kRowBytes = 64, kRingRows = 256, kBeatBytes = 8, kMaxBurst = 16, kMaxStreams = 4;

struct Stream {
  uint32_t address;
  int64_t groups, param_bytes, weight_rows;
};

/// A beat of a stream: where it is fetched, where it goes. Rows are counted without a limit.
struct Beat {
  uint32_t address;
  int64_t row, byte;
  bool ends_row, ends_section, ends_stream;
};

class Bench {
 public:
  Bench(Vloom_stream_dma_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// Runs `streams` at random speeds; stops early, and resets, if `limit` cycles do not suffice.
  void Run(std::deque<Stream> streams, int64_t limit) {
    const double push_rate = Rate(), ready_rate = Rate(), data_rate = Rate(), free_rate = Rate();
    while (!streams.empty() || !asking_.empty() || !coming_.empty()) {
      if (limit-- == 0) return Reset();
      const bool push = !streams.empty() && queued_ < kMaxStreams && rng_.Bernoulli(push_rate);
      dut_.push_i = push;
      const Stream shown = push ? streams.front() : Stream{Random32(), 3, 512, 7};
      dut_.push_addr_i = shown.address;
      dut_.push_groups_i = static_cast<uint16_t>(shown.groups);
      dut_.push_param_bytes_i = static_cast<uint16_t>(shown.param_bytes);
      dut_.push_weight_rows_i = static_cast<uint16_t>(shown.weight_rows);
      dut_.request_ready_i = rng_.Bernoulli(ready_rate);
      const bool data = !coming_.empty() && rng_.Bernoulli(data_rate);
      dut_.data_valid_i = data;
      if (rng_.Bernoulli(free_rate)) {
        freed_ += rng_.UniformInt(0, std::min<int64_t>(complete_ - freed_, rng_.UniformInt(1, 40)));
      }
      dut_.free_ptr_i = static_cast<uint16_t>(freed_);
      dut_.clk_i = 0;
      dut_.eval();

      const bool asked = CheckRequest();
      CheckData(data);
      dut_.clk_i = 1;
      dut_.eval();
      if (mismatches_ > 0) return;
      // A stream is taken in the cycle after its push, or after the last request of the one before.
      active_ = active_ ? !asked || !BurstEndsStream() : !asking_.empty();
      if (push) {
        Expand(shown);
        streams.pop_front();
      }
      if (asked) TakeBurst();
      if (data) {
        complete_ += coming_.front().ends_row;
        queued_ -= coming_.front().ends_stream;
        coming_.pop_front();
      }
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }
  uint32_t Random32() { return static_cast<uint32_t>(rng_.Next()); }
  double Rate() { return rng_.Bernoulli(0.4) ? 1.0 : rng_.UniformDouble() + 0.02; }

  void Expand(const Stream& stream) {
    uint32_t address = stream.address;
    for (int64_t group = 0; group < stream.groups; ++group) {
      for (const int64_t bytes : {stream.param_bytes, stream.weight_rows * kRowBytes}) {
        for (int64_t byte = 0; byte < bytes; byte += kBeatBytes, address += kBeatBytes) {
          Beat beat{};
          beat.address = address;
          beat.row = next_row_ + byte / kRowBytes;
          beat.byte = byte % kRowBytes;
          beat.ends_section = byte + kBeatBytes == bytes;
          beat.ends_row = beat.ends_section || beat.byte + kBeatBytes == kRowBytes;
          asking_.push_back(beat);
        }
        next_row_ += (bytes + kRowBytes - 1) / kRowBytes;
      }
    }
    asking_.back().ends_stream = true;
    ++queued_;
  }

  /// Beats of the burst at the head of the queue: within the section, 16 beats and 4 KB.
  int64_t BurstBeats() const {
    int64_t beats = 0;
    for (size_t i = 0; i < asking_.size() && beats < kMaxBurst; ++i) {
      if (beats > 0 && asking_[i].address % 4096 == 0) break;
      ++beats;
      if (asking_[i].ends_section) break;
    }
    return beats;
  }

  bool BurstEndsStream() const {
    return asking_[static_cast<size_t>(BurstBeats() - 1)].ends_stream;
  }

  /// Requests come in order and as soon as their rows are free.
  bool CheckRequest() {
    const int64_t beats = BurstBeats();
    const bool request =
        active_ && asking_[static_cast<size_t>(beats - 1)].row < freed_ + kRingRows;
    Expect(dut_.request_valid_o == request);
    if (!request) return false;
    Expect(dut_.request_addr_o == asking_.front().address && dut_.request_beats_o == beats);
    return dut_.request_ready_i;
  }

  void TakeBurst() {
    for (int64_t left = BurstBeats(); left > 0; --left) {
      coming_.push_back(asking_.front());
      asking_.pop_front();
    }
  }

  void CheckData(bool data) {
    Expect(dut_.we_o == data);
    Expect(dut_.write_ptr_o == (complete_ & 0xffff));
    if (!data) return;
    Expect(dut_.wrow_o == coming_.front().row % kRingRows);
    Expect(dut_.wbyte_o == coming_.front().byte);
  }

  void Reset() {
    dut_.push_i = dut_.data_valid_i = 0;
    dut_.rst_ni = 1;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.free_ptr_i = 0;
    dut_.eval();
    Expect(dut_.request_valid_o == 0 && dut_.write_ptr_o == 0 && dut_.we_o == 0);
    dut_.rst_ni = 1;
    dut_.eval();
    asking_.clear();
    coming_.clear();
    next_row_ = complete_ = freed_ = queued_ = 0;
    active_ = false;
  }

  Vloom_stream_dma_mux& dut_;
  Rng& rng_;
  std::deque<Beat> asking_;  ///< Beats not requested yet.
  std::deque<Beat> coming_;  ///< Beats requested, not arrived.
  int64_t next_row_ = 0, complete_ = 0, freed_ = 0, queued_ = 0, mismatches_ = 0;
  bool active_ = false;  ///< A stream is being requested.
};

Stream Draw(Rng& rng) {
  Stream stream{};
  stream.address = static_cast<uint32_t>(rng.Next()) & ~7u;
  if (rng.Bernoulli(0.3))
    stream.address = 0x20000000u - static_cast<uint32_t>(rng.UniformInt(1, 9)) * 8;
  stream.groups = rng.UniformInt(1, 5);
  stream.param_bytes = rng.UniformInt(1, rng.Bernoulli(0.2) ? 60 : 12) * kBeatBytes;
  stream.weight_rows = rng.UniformInt(1, rng.Bernoulli(0.2) ? 100 : 12);
  return stream;
}

TEST(StreamDmaTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_stream_dma_mux>(8, [](Vloom_stream_dma_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int run = 0; run < 60 && bench.mismatches() == 0; ++run) {
      std::deque<Stream> streams;
      for (int64_t i = rng.UniformInt(1, 12); i > 0; --i) streams.push_back(Draw(rng));
      bench.Run(streams, rng.Bernoulli(0.2) ? rng.UniformInt(0, 2000) : -1);
    }
    // Long streams: the row counters wrap, the counters of groups and parameter bytes end.
    bench.Run({{0x40000000, 3000, 8, 1}, {0x50000000, 2, 1024, 200}, {0x60000000, 400, 64, 200}},
              -1);
    bench.Run({{0x40000000, 1, 0xfff8, 0x1fff}, {0x50000000, 0xffff, 8, 1}}, -1);
    // The longest section: every bit of what is left and of the offset.
    bench.Run({{0x76543210, 1, 8, 0xffff}}, -1);
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
