// loom_window (4 rows, 16 lanes, 2 banks, 10 words) against two queues of words.
#include <array>
#include <cstring>

#include "Vloom_window_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kRows = 4, kLanes = 16, kBanks = 2, kWords = 10;
using Word = std::array<uint8_t, kLanes>;

TEST(WindowTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_window_mux>(4, [](Vloom_window_mux& dut, Rng& rng) {
    int64_t mismatches = 0;
    std::array<std::array<Word, kWords>, 2> slots{};
    dut.fill_valid_i = 0;
    dut.take_i = 0;
    // Known content first: taking shifts zeros in.
    for (int buffer = 0; buffer < 2; ++buffer) {
      for (int i = 0; i < kWords; ++i) {
        dut.take_i = 1;
        dut.take_buffer_i = static_cast<uint8_t>(buffer);
        testing::Clock(dut);
      }
    }
    for (int cycle = 0; cycle < 20000 && mismatches == 0; ++cycle) {
      const int fill_buffer = static_cast<int>(rng.UniformInt(0, 1));
      const bool fill = rng.Bernoulli(0.7);
      const int take_buffer = 1 - fill_buffer;
      const bool take = rng.Bernoulli(0.5);
      // Slots beyond the window are written nowhere.
      const int num_slots = rng.Bernoulli(0.2) ? 256 : kWords;
      const int slot = static_cast<int>(rng.UniformInt(0, num_slots / kBanks - 1)) * kBanks;
      const int bank0 = static_cast<int>(rng.UniformInt(0, kBanks - 1));
      const int mask = static_cast<int>(rng.UniformInt(0, 3)),
                pad = static_cast<int>(rng.UniformInt(0, 3));
      const uint8_t pad_code = static_cast<uint8_t>(rng.UniformInt(0, 255));
      const bool stride2 = rng.Bernoulli(0.5);
      std::array<Word, kBanks> data{};
      for (Word& word : data) {
        for (uint8_t& byte : word) byte = static_cast<uint8_t>(rng.UniformInt(0, 255));
      }
      dut.fill_valid_i = fill;
      dut.fill_buffer_i = static_cast<uint8_t>(fill_buffer);
      dut.fill_slot_i = static_cast<uint8_t>(slot);
      dut.fill_bank0_i = static_cast<uint8_t>(bank0);
      dut.fill_step_i = 1;
      dut.fill_mask_i = static_cast<uint8_t>(mask);
      dut.fill_pad_i = static_cast<uint8_t>(pad);
      dut.pad_code_i = pad_code;
      std::memcpy(&dut.bank_data_i, data.data(), sizeof data);
      dut.take_i = take;
      dut.take_buffer_i = static_cast<uint8_t>(take_buffer);
      dut.take_stride2_i = stride2;
      dut.clk_i = 0;
      dut.eval();
      auto& shown = slots[static_cast<size_t>(take_buffer)];
      for (size_t m = 0; m < kRows; ++m) {
        const size_t at = stride2 ? 2 * m : m;
        mismatches += std::memcmp(reinterpret_cast<const uint8_t*>(&dut.act_o) + m * kLanes,
                                  shown[at].data(), kLanes) != 0;
      }
      dut.clk_i = 1;
      dut.eval();
      if (take) {
        for (size_t s = 0; s + 1 < kWords; ++s) shown[s] = shown[s + 1];
        shown[kWords - 1] = {};
      }
      for (int j = 0; fill && j < kBanks; ++j) {
        if ((mask >> j & 1) == 0 || slot + j >= kWords) continue;
        Word& target = slots[static_cast<size_t>(fill_buffer)][static_cast<size_t>(slot + j)];
        if (pad >> j & 1) {
          target.fill(pad_code);
        } else {
          target = data[static_cast<size_t>((bank0 + j) % kBanks)];
        }
      }
    }
    return mismatches;
  });
}

}  // namespace
}  // namespace macloom
