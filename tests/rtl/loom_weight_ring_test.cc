// loom_weight_ring (256 rows of 4 banks of 16 bytes, beats of 8 bytes) against an array of bytes.
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_weight_ring_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kRingRows = 256, kRowBytes = 64, kBeatBytes = 8;
using Row = std::array<uint8_t, kRowBytes>;

uint64_t RandomBeat(Rng& rng) {
  switch (rng.UniformInt(0, 9)) {
    case 0:
      return 0;
    case 1:
      return ~uint64_t{0};
    default:
      return rng.Next();
  }
}

/// An end of the ring, the row `last` or a neighbour of it in one bit, or any row.
size_t RandomRow(Rng& rng, size_t last) {
  switch (rng.UniformInt(0, 5)) {
    case 0:
      return rng.Bernoulli(0.5) ? 0 : kRingRows - 1;
    case 1:
      return last ^ size_t { 1 } << rng.UniformInt(0, 7);
    case 2:
    case 3:
      return last;
    default:
      return static_cast<size_t>(rng.UniformInt(0, kRingRows - 1));
  }
}

TEST(WeightRingTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_weight_ring_mux>(
      6, [](Vloom_weight_ring_mux& dut, Rng& rng) -> int64_t {
        int64_t mismatches = 0;
        std::vector<Row> ring(kRingRows);
        Row shown{};
        bool known = false;
        size_t last = 0;
        constexpr int kBeats = kRingRows * kRowBytes / kBeatBytes;
        for (int cycle = 0; cycle < 8000; ++cycle) {
          // Known content first, beat after beat; then beats at random.
          const bool filling = cycle < kBeats;
          const bool write = filling || rng.Bernoulli(0.6), read = !filling && rng.Bernoulli(0.6);
          const size_t wrow =
              filling ? static_cast<size_t>(cycle * kBeatBytes / kRowBytes) : RandomRow(rng, last);
          const size_t wbyte =
              filling
                  ? static_cast<size_t>(cycle * kBeatBytes % kRowBytes)
                  : static_cast<size_t>(rng.UniformInt(0, kRowBytes / kBeatBytes - 1)) * kBeatBytes;
          const size_t rrow = RandomRow(rng, rng.Bernoulli(0.5) ? wrow : last);
          const uint64_t beat = RandomBeat(rng);
          dut.we_i = write;
          dut.wrow_i = static_cast<uint8_t>(wrow);
          dut.wbyte_i = static_cast<uint8_t>(wbyte);
          dut.wdata_i = beat;
          dut.re_i = read;
          dut.rrow_i = static_cast<uint8_t>(rrow);
          dut.clk_i = 0;
          dut.eval();
          // Nothing changes before the clock edge.
          if (known) mismatches += std::memcmp(&dut.rdata_o, shown.data(), kRowBytes) != 0;
          dut.clk_i = 1;
          dut.eval();
          if (read) {
            shown = ring[rrow];
            known = true;
          }
          // The banks hold what was read last, and so does the ring.
          if (known) mismatches += std::memcmp(&dut.rdata_o, shown.data(), kRowBytes) != 0;
          if (write) {
            std::memcpy(ring[wrow].data() + wbyte, &beat, kBeatBytes);
            last = wrow;
          }
          if (mismatches > 0) return mismatches;
        }
        // Every row at last.
        for (size_t row = 0; row < kRingRows; ++row) {
          dut.we_i = 0;
          dut.re_i = 1;
          dut.rrow_i = static_cast<uint8_t>(row);
          testing::Clock(dut);
          mismatches += std::memcmp(&dut.rdata_o, ring[row].data(), kRowBytes) != 0;
        }
        return mismatches;
      });
}

}  // namespace
}  // namespace macloom
