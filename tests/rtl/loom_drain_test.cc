// loom_drain (4 rows, 16 lanes, tiles of 16 pixels, 8 requantization lanes) against the list of its
// chunks, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_drain_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int64_t kRows = 4, kLanes = 16, kTilePixels = 16, kRequantLanes = 8;

/// The descriptor fields the unit reads.
struct Job {
  bool depthwise = false, pixel_outer = false;
  int64_t groups = 1, out_base = 0, x_pitch = 0, y_pitch = 0, plane_pitch = 0, out_w = 1, out_h = 1,
          blocks = 1, last_lanes = kLanes, out_channels = kRows, group_rows = kRows;

  /// The descriptor by half words (arch/descriptor.h); the other fields are random.
  std::array<uint16_t, 64> Descriptor(Rng& rng) const {
    std::array<uint16_t, 64> halves;
    for (uint16_t& half : halves) half = static_cast<uint16_t>(rng.Next());
    const auto set = [&](size_t at, int64_t value) { halves[at] = static_cast<uint16_t>(value); };
    set(10, groups);
    set(13, (halves[13] & ~4) | pixel_outer << 2);
    set(15, out_base);
    set(21, plane_pitch);
    set(22, x_pitch);
    set(23, y_pitch);
    set(26, out_w);
    set(27, out_h);
    set(32, blocks);
    set(33, last_lanes);
    set(34, out_channels);
    set(35, (halves[35] & 0xff) | group_rows << 8);
    return halves;
  }
};

struct Chunk {
  int64_t capture;  ///< Number of the capture that brings it.
  uint16_t address;
  int entry, chunk, set, slot, lanes;
  bool consumed, releases;
};

int LaneMask(int64_t count) { return count <= 0 ? 0 : (1 << std::min(count, kRequantLanes)) - 1; }

std::vector<Chunk> DenseChunks(const Job& job) {
  std::vector<Chunk> chunks;
  const int64_t pixels = job.out_w * job.out_h;
  const int64_t tile_pixels = job.pixel_outer ? kTilePixels : pixels;
  int64_t visit = 0;
  for (int64_t begin = 0; begin < pixels; begin += tile_pixels) {
    const int64_t end = std::min(pixels, begin + tile_pixels);
    for (int64_t group = 0; group < job.groups; ++group, ++visit) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        Chunk one{};
        one.capture = static_cast<int64_t>(chunks.size());
        one.address = static_cast<uint16_t>(job.out_base + pixel % job.out_w * job.x_pitch +
                                            pixel / job.out_w * job.y_pitch +
                                            group * kRows / kLanes * job.plane_pitch);
        one.entry = static_cast<int>(one.capture % kLanes);
        one.set = static_cast<int>(visit % 2);
        one.slot = static_cast<int>(group % (kLanes / kRows));
        one.lanes = LaneMask(std::min(kRows, job.out_channels - group * kRows));
        one.consumed = true;
        one.releases = pixel + 1 == end;
        chunks.push_back(one);
      }
    }
  }
  return chunks;
}

std::vector<Chunk> DepthwiseChunks(const Job& job) {
  std::vector<Chunk> chunks;
  int64_t captures = 0;
  for (int64_t block = 0; block < job.blocks; ++block) {
    const int64_t lanes = block + 1 == job.blocks ? job.last_lanes : kLanes;
    for (int64_t y = 0; y < job.out_h; ++y) {
      for (int64_t x0 = 0; x0 < job.out_w; x0 += job.group_rows, ++captures) {
        const int64_t rows = std::min(job.group_rows, job.out_w - x0);
        for (int64_t row = 0; row < rows; ++row) {
          for (int64_t chunk = 0; chunk < kLanes / kRequantLanes; ++chunk) {
            Chunk one{};
            one.capture = captures;
            one.address = static_cast<uint16_t>(job.out_base + (x0 + row) * job.x_pitch +
                                                y * job.y_pitch + block * job.plane_pitch);
            one.entry = static_cast<int>(row % kLanes);
            one.chunk = static_cast<int>(chunk);
            one.set = static_cast<int>(block % 2);
            one.slot = static_cast<int>(chunk);
            one.lanes = LaneMask(lanes - chunk * kRequantLanes);
            one.releases =
                chunk == 1 && row + 1 == rows && x0 + rows == job.out_w && y + 1 == job.out_h;
            chunks.push_back(one);
          }
        }
      }
    }
  }
  return chunks;
}

Job Draw(Rng& rng) {
  Job job;
  job.depthwise = rng.Bernoulli(0.5);
  job.pixel_outer = rng.Bernoulli(0.5);
  const int64_t limit = rng.Bernoulli(0.1) ? 40 : 6;
  job.out_w = rng.UniformInt(1, limit);
  job.out_h = rng.UniformInt(1, limit);
  // A long line reaches the upper bits of the counters.
  if (rng.Bernoulli(0.05)) (rng.Bernoulli(0.5) ? job.out_w : job.out_h) = rng.UniformInt(250, 1100);
  job.groups = rng.UniformInt(1, 9);
  job.blocks = rng.UniformInt(1, 3);
  if (rng.Bernoulli(0.05)) {
    job.groups = job.blocks = rng.UniformInt(200, 600);
    job.out_w = job.out_h = 1;
  }
  job.out_channels = (job.groups - 1) * kRows + rng.UniformInt(1, kRows);
  job.last_lanes = rng.UniformInt(1, kLanes);
  // A group has at most kRows rows; the counter alone may go beyond.
  job.group_rows = rng.UniformInt(1, job.out_w > 32 && rng.Bernoulli(0.5) ? 255 : kRows);
  for (int64_t* any : {&job.out_base, &job.x_pitch, &job.y_pitch, &job.plane_pitch}) {
    *any = rng.UniformInt(0, 65535);
  }
  return job;
}

/// Jobs that take one counter each to its end, for the upper bits of the counters.
std::vector<Job> LongJobs() {
  constexpr int64_t kEnd = 0xffff;
  Job wide, high, many;
  wide.x_pitch = high.y_pitch = many.plane_pitch = 1;
  wide.pixel_outer = high.pixel_outer = true;
  wide.groups = high.groups = 2;
  wide.out_channels = high.out_channels = 2 * kRows;
  wide.out_w = high.out_h = many.blocks = kEnd;
  // Half as many channels: what is left of them is signed.
  many.groups = kEnd / 2 / kRows;
  many.out_channels = kEnd / 2;
  // Tiles that end within a line, up to the upper half of the lines.
  Job tiled = high;
  tiled.out_w = 3;
  tiled.out_h = kEnd / 2 + 6;
  std::vector<Job> jobs{wide, high, many, tiled};
  for (Job job : {wide, high, many}) {
    job.depthwise = true;
    jobs.push_back(job);
  }
  return jobs;
}

class Bench {
 public:
  Bench(Vloom_drain_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// Runs `job` to its end, or sometimes only to a reset unless `whole`.
  void Run(const Job& job, bool whole = false) {
    const std::vector<Chunk> chunks = job.depthwise ? DepthwiseChunks(job) : DenseChunks(job);
    const std::array<uint16_t, 64> descriptor = job.Descriptor(rng_);
    std::memcpy(&dut_.desc_i, descriptor.data(), sizeof descriptor);
    dut_.depthwise_i = job.depthwise;
    Idle();
    dut_.start_i = 1;
    testing::Clock(dut_);
    dut_.start_i = 0;
    double rate = whole || rng_.Bernoulli(0.3) ? 1.0 : rng_.UniformDouble() + 0.02;
    // Dense results wait in a shadow of kLanes entries; a test of the counter alone may go beyond.
    const int64_t room = rng_.Bernoulli(0.2) ? 1000 : kLanes;
    const int64_t reset_at = !whole && rng_.Bernoulli(0.1) ? rng_.UniformInt(0, 50) : -1;
    const int64_t captures = chunks.back().capture + 1;
    int64_t captured = 0;
    size_t next = 0;
    for (int64_t cycle = 0; next < chunks.size() && mismatches_ == 0; ++cycle) {
      if (cycle == reset_at) return Reset();
      // What waits piles up and runs out.
      if (!whole && rng_.Bernoulli(0.01)) rate = rng_.Bernoulli(0.5) ? 1.0 : 0.02;
      const Chunk& want = chunks[next];
      const bool capture =
          captured < captures && captured - want.capture < room && rng_.Bernoulli(rate);
      captured += capture;
      dut_.captured_i = capture;
      dut_.clk_i = 0;
      dut_.eval();
      const bool reads = want.capture < captured;
      Expect(dut_.active_o == 1);
      Expect(dut_.out_valid_o == reads);
      Expect(dut_.consumed_o == (reads && want.consumed));
      Expect(dut_.release_o == (reads && want.releases));
      if (reads) {
        Expect(dut_.entry_o == want.entry && dut_.chunk_o == want.chunk);
        Expect(dut_.out_set_o == want.set && dut_.out_addr_o == want.address);
        Expect(dut_.out_slot_o == want.slot && dut_.out_lanes_o == want.lanes);
        ++next;
      }
      dut_.clk_i = 1;
      dut_.eval();
    }
    dut_.captured_i = 0;
    Idle();
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  void Idle() {
    for (int64_t i = rng_.UniformInt(0, 2); i > 0; --i) testing::Clock(dut_);
    dut_.clk_i = 0;
    dut_.eval();
    Expect(dut_.active_o == 0 && dut_.out_valid_o == 0 && dut_.consumed_o == 0);
    Expect(dut_.release_o == 0);
  }

  void Reset() {
    dut_.start_i = dut_.captured_i = 0;
    dut_.rst_ni = 1;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    Expect(dut_.active_o == 0 && dut_.out_valid_o == 0);
    dut_.rst_ni = 1;
    dut_.eval();
  }

  Vloom_drain_mux& dut_;
  Rng& rng_;
  int64_t mismatches_ = 0;
};

TEST(DrainTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_drain_mux>(8, [](Vloom_drain_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int run = 0; run < 600 && bench.mismatches() == 0; ++run) bench.Run(Draw(rng));
    // After the short ones: most faults show there.
    for (const Job& job : LongJobs()) {
      if (bench.mismatches() == 0) bench.Run(job, true);
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
