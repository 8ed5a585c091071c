// loom_sram_1r1w (1,024 words of 16 bytes) against an array of words.
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_sram_1r1w_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kDepth = 1024, kBytes = 16;
using Word = std::array<uint8_t, kBytes>;

Word RandomWord(Rng& rng) {
  Word word{};
  const int kind = static_cast<int>(rng.UniformInt(0, 9));
  for (uint8_t& byte : word) {
    byte = static_cast<uint8_t>(kind == 0 ? 0 : kind == 1 ? 0xff : rng.UniformInt(0, 255));
  }
  return word;
}

uint32_t RandomEnables(Rng& rng) {
  switch (rng.UniformInt(0, 5)) {
    case 0:
      return 0;
    case 1:
      return 0xffff;
    case 2:
      return 1u << rng.UniformInt(0, kBytes - 1);
    case 3:
      return 0xffffu ^ 1u << rng.UniformInt(0, kBytes - 1);
    default:
      return static_cast<uint32_t>(rng.UniformInt(0, 0xffff));
  }
}

/// An end of the range, the address `last` or a neighbour of it in one bit, or any address.
uint32_t RandomAddress(Rng& rng, uint32_t last) {
  switch (rng.UniformInt(0, 5)) {
    case 0:
      return rng.Bernoulli(0.5) ? 0 : kDepth - 1;
    case 1:
      return last ^ 1u << rng.UniformInt(0, 9);
    case 2:
    case 3:
      return last;
    default:
      return static_cast<uint32_t>(rng.UniformInt(0, kDepth - 1));
  }
}

TEST(Sram1r1wTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_sram_1r1w_mux>(
      6, [](Vloom_sram_1r1w_mux& dut, Rng& rng) -> int64_t {
        int64_t mismatches = 0;
        std::vector<Word> memory(kDepth);
        Word shown{};
        bool known = false;
        uint32_t last = 0;
        for (int cycle = 0; cycle < 8000; ++cycle) {
          // Known content first, downwards; nothing is read before it is written.
          const bool filling = cycle < kDepth;
          const bool write = filling || rng.Bernoulli(0.6), read = !filling && rng.Bernoulli(0.6);
          const uint32_t waddr =
              filling ? static_cast<uint32_t>(kDepth - 1 - cycle) : RandomAddress(rng, last);
          const uint32_t raddr = RandomAddress(rng, rng.Bernoulli(0.5) ? waddr : last);
          const uint32_t enables = filling ? 0xffff : RandomEnables(rng);
          const Word data = RandomWord(rng);
          dut.re_i = read;
          dut.raddr_i = static_cast<uint16_t>(raddr);
          dut.we_i = write;
          dut.waddr_i = static_cast<uint16_t>(waddr);
          dut.be_i = static_cast<uint16_t>(enables);
          std::memcpy(&dut.wdata_i, data.data(), kBytes);
          dut.clk_i = 0;
          dut.eval();
          // Nothing changes before the clock edge.
          if (known) mismatches += std::memcmp(&dut.rdata_o, shown.data(), kBytes) != 0;
          dut.clk_i = 1;
          dut.eval();
          if (read) {
            shown = memory[raddr];
            known = true;
          }
          if (known) mismatches += std::memcmp(&dut.rdata_o, shown.data(), kBytes) != 0;
          for (size_t b = 0; write && b < kBytes; ++b) {
            if (enables >> b & 1) memory[waddr][b] = data[b];
          }
          if (write) last = waddr;
          if (mismatches > 0) return mismatches;
        }
        // Every word at last.
        for (uint32_t address = 0; address < kDepth; ++address) {
          dut.we_i = 0;
          dut.re_i = 1;
          dut.raddr_i = static_cast<uint16_t>(address);
          testing::Clock(dut);
          mismatches += std::memcmp(&dut.rdata_o, memory[address].data(), kBytes) != 0;
        }
        return mismatches;
      });
}

}  // namespace
}  // namespace macloom
