// loom_add_feeder (16 lanes, chunks of 8) against the list of its words, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>

#include "Vloom_add_feeder_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kLanes = 16, kRequantLanes = 8, kChunks = kLanes / kRequantLanes;
constexpr int64_t kPeriod = std::max(2, kChunks);
/// From the read of operand a to the first chunk.
constexpr int64_t kLatency = 3;
using Word = std::array<uint8_t, kLanes>;
using Descriptor = std::array<uint16_t, 64>;

/// Descriptor fields, by half word (arch/descriptor.h).
enum Field : size_t {
  kInOrigin = 14,
  kOutBase = 15,
  kInColPitch = 18,
  kInRowPitch = 19,
  kInPlanePitch = 20,
  kOutPlanePitch = 21,
  kOutColPitch = 22,
  kOutRowPitch = 23,
  kOutW = 26,
  kOutH = 27,
  kInBlocks = 32,
  kLastLanes = 33,
  kIn2Origin = 42
};

uint16_t Random16(Rng& rng) { return static_cast<uint16_t>(rng.Next()); }

/// A count: small, or small in its low bits with one high bit set.
uint16_t Count(Rng& rng, bool huge) {
  const int64_t low = rng.UniformInt(1, rng.Bernoulli(0.1) ? 40 : 3);
  return static_cast<uint16_t>(huge ? low | 1 << rng.UniformInt(5, 15) : low);
}

/// Element (x, y, block) number `n` of an operand or of the sum.
uint16_t Address(const Descriptor& desc, int64_t n, uint16_t origin, size_t col, size_t row,
                 size_t plane) {
  const int64_t x = n % desc[kOutW], y = n / desc[kOutW] % desc[kOutH],
                block = n / desc[kOutW] / desc[kOutH];
  return static_cast<uint16_t>(origin + x * desc[col] + y * desc[row] + block * desc[plane]);
}

class Bench {
 public:
  Bench(Vloom_add_feeder_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }
  int64_t cycles() const { return cycles_; }

  /// Runs `desc`; at cycle `reset_at` after the start (if it comes to that) the reset ends it.
  void Run(const Descriptor& desc, int64_t reset_at) {
    SetDescriptor(desc);
    dut_.start_i = 1;
    CheckIdle();
    Edge();
    dut_.start_i = 0;
    const int64_t words = int64_t{desc[kOutW]} * desc[kOutH] * desc[kInBlocks];
    const int64_t end = (words - 1) * kPeriod + kLatency + kChunks;
    std::array<Word, 16> seen{};  // Data of the last cycles.
    for (int64_t k = 0; k < end && mismatches_ == 0; ++k) {
      if (k == reset_at) {
        Reset();
        break;
      }
      Word& data = seen[static_cast<size_t>(k % 16)];
      for (size_t i = 0; i < kLanes; i += 8) {
        const uint64_t bits = rng_.Next();
        std::memcpy(&data[i], &bits, 8);
      }
      std::memcpy(&dut_.act_data_i, data.data(), sizeof data);
      dut_.clk_i = 0;
      dut_.eval();
      const bool reading = k < words * kPeriod;
      const int64_t phase = k % kPeriod;
      Expect(dut_.active_o == 1);
      Expect(dut_.reading_o == reading);
      Expect(dut_.act_re_o == (reading && phase < 2));
      if (reading && phase < 2) {
        Expect(dut_.act_addr_o == Address(desc, k / kPeriod,
                                          desc[phase == 0 ? kInOrigin : kIn2Origin], kInColPitch,
                                          kInRowPitch, kInPlanePitch));
      }
      const int64_t since = k - kLatency;
      const bool valid = since >= 0 && since % kPeriod < kChunks;
      Expect(dut_.out_valid_o == valid);
      if (valid) CheckChunk(desc, since / kPeriod, since % kPeriod, k - since % kPeriod, seen);
      Edge();
    }
    // Nothing follows.
    Descriptor other;
    for (uint16_t& half : other) half = Random16(rng_);
    SetDescriptor(other);
    for (int64_t i = rng_.UniformInt(0, 3); i > 0; --i) {
      CheckIdle();
      Edge();
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  void SetDescriptor(const Descriptor& desc) {
    std::memcpy(&dut_.desc_i, desc.data(), sizeof desc);
  }

  void Edge() {
    dut_.clk_i = 1;
    dut_.eval();
    ++cycles_;
  }

  /// In the middle of a cycle: the reset is asynchronous.
  void Reset() {
    dut_.start_i = 0;
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    CheckIdle();
    Edge();
    dut_.rst_ni = 1;
  }

  void CheckIdle() {
    dut_.clk_i = 0;
    dut_.eval();
    Expect(!dut_.active_o && !dut_.reading_o && !dut_.act_re_o && !dut_.out_valid_o);
  }

  /// Chunk `chunk` of word `n`, whose first chunk is offered in cycle `first`.
  void CheckChunk(const Descriptor& desc, int64_t n, int64_t chunk, int64_t first,
                  const std::array<Word, 16>& seen) {
    const size_t at = static_cast<size_t>(chunk * kRequantLanes);
    const Word& a = seen[static_cast<size_t>((first - kLatency + 1) % 16)];
    const Word& b = seen[static_cast<size_t>((first - kLatency + 2) % 16)];
    Expect(std::memcmp(&dut_.out_a_o, &a[at], kRequantLanes) == 0);
    Expect(std::memcmp(&dut_.out_b_o, &b[at], kRequantLanes) == 0);
    Expect(dut_.out_addr_o ==
           Address(desc, n, desc[kOutBase], kOutColPitch, kOutRowPitch, kOutPlanePitch));
    Expect(dut_.out_slot_o == chunk);
    const bool last_block = n / desc[kOutW] / desc[kOutH] + 1 == desc[kInBlocks];
    for (int r = 0; r < kRequantLanes; ++r) {
      const bool counts = !last_block || static_cast<int>(at) + r < desc[kLastLanes];
      Expect((dut_.out_lanes_o >> r & 1) == counts);
    }
  }

  Vloom_add_feeder_mux& dut_;
  Rng& rng_;
  int64_t mismatches_ = 0, cycles_ = 0;
};

/// Small operations and the beginnings of long ones.
void RunRandom(Bench& bench, Rng& rng, int64_t cycles) {
  const int64_t end = bench.cycles() + cycles;
  while (bench.cycles() < end && bench.mismatches() == 0) {
    Descriptor desc;
    for (uint16_t& half : desc) half = rng.Bernoulli(0.1) ? 0 : Random16(rng);
    const bool huge = rng.Bernoulli(0.3);
    desc[kOutW] = Count(rng, huge && rng.Bernoulli(0.5));
    desc[kOutH] = Count(rng, huge && rng.Bernoulli(0.5));
    desc[kInBlocks] = Count(rng, huge && rng.Bernoulli(0.5));
    desc[kLastLanes] = static_cast<uint16_t>(rng.UniformInt(1, kLanes));
    if (rng.Bernoulli(0.2)) {
      desc[kLastLanes] = static_cast<uint16_t>(rng.UniformInt(0, 3) | 1 << rng.UniformInt(4, 14));
    }
    const int64_t words = int64_t{desc[kOutW]} * desc[kOutH] * desc[kInBlocks];
    bench.Run(desc, words > 200 || rng.Bernoulli(0.1) ? rng.UniformInt(0, 80) : -1);
  }
}

TEST(AddFeederTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_add_feeder_mux>(8, [](Vloom_add_feeder_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    // Every counter to its end.
    for (const size_t longest : {kOutW, kOutH, kInBlocks}) {
      Descriptor desc;
      for (uint16_t& half : desc) half = Random16(rng);
      for (const size_t field : {kOutW, kOutH, kInBlocks}) desc[field] = 1;
      desc[longest] = 0xffff;
      desc[kLastLanes] = 5;
      // The short test first: most faults show there.
      if (bench.mismatches() == 0) RunRandom(bench, rng, 8000);
      if (bench.mismatches() == 0) bench.Run(desc, -1);
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
