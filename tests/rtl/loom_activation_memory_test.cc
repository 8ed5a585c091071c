// loom_activation_memory (2 banks, 4,096 words of 16 bytes, 8-bit codes) against an array of words
// and a list of three clients.
#include <array>
#include <cstring>
#include <vector>

#include "Vloom_activation_memory_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr int kBanks = 2, kWords = 4096, kLanes = 16, kClients = 3;
using Word = std::array<uint8_t, kLanes>;

/// What a client wants to write; held until it is done.
struct Request {
  bool valid = false;
  uint32_t address = 0;
  uint32_t enables = 0;
  Word data{};
};

/// Part `index` of a port that holds one `Item` per bank or client.
template <typename Item, typename Port>
Item Get(const Port& port, size_t index) {
  Item item{};
  std::memcpy(&item, reinterpret_cast<const uint8_t*>(&port) + index * sizeof item, sizeof item);
  return item;
}

template <typename Item, typename Port>
void Set(Port& port, size_t index, const Item& item) {
  std::memcpy(reinterpret_cast<uint8_t*>(&port) + index * sizeof item, &item, sizeof item);
}

/// A word address, often `last` or near it; the bits above the size are random.
uint32_t RandomAddress(Rng& rng, uint32_t last) {
  const uint32_t above = static_cast<uint32_t>(rng.UniformInt(0, 15)) * kWords;
  switch (rng.UniformInt(0, 6)) {
    case 0:
      return above | (rng.Bernoulli(0.5) ? 0 : kWords - 1);
    case 1:
      return above | ((last ^ 1u << rng.UniformInt(0, 11)) % kWords);
    case 2:
    case 3:
    case 4:
      return above | last % kWords;
    default:
      return above | static_cast<uint32_t>(rng.UniformInt(0, kWords - 1));
  }
}

Request RandomRequest(Rng& rng, uint32_t last) {
  Request request{.valid = true, .address = RandomAddress(rng, last), .enables = 0, .data = {}};
  const int kind = static_cast<int>(rng.UniformInt(0, 5));
  request.enables = kind == 0   ? 0
                    : kind == 1 ? 0xffff
                    : kind == 2 ? 1u << rng.UniformInt(0, kLanes - 1)
                                : static_cast<uint32_t>(rng.UniformInt(0, 0xffff));
  const int fill = static_cast<int>(rng.UniformInt(0, 9));
  for (uint8_t& byte : request.data) {
    byte = static_cast<uint8_t>(fill == 0 ? 0 : fill == 1 ? 0xff : rng.UniformInt(0, 255));
  }
  return request;
}

int64_t RunCampaign(Vloom_activation_memory_mux& dut, Rng& rng) {
  int64_t mismatches = 0;
  std::vector<Word> memory(kWords);
  std::array<Word, kBanks> shown{};
  std::array<bool, kBanks> known{};
  std::array<Request, kClients> clients{};
  uint32_t last = 0;
  for (int cycle = 0; cycle < kWords / kBanks + 16000; ++cycle) {
    // Known content first: client 0 writes the even words and client 2 the odd ones.
    const bool filling = cycle < kWords / kBanks;
    std::array<bool, kBanks> read{};
    std::array<uint32_t, kBanks> row{};
    for (size_t c = 0; c < kClients; ++c) {
      Request& client = clients[c];
      if (filling) {
        client = RandomRequest(rng, 0);
        client.valid = c != 1;
        client.enables = 0xffff;
        client.address = static_cast<uint32_t>(2 * cycle) + (c == 0 ? 0 : 1);
      } else if (!client.valid) {
        // Address, enables and data of a client without a request mean nothing.
        client = RandomRequest(rng, last);
        client.valid = rng.Bernoulli(0.5);
      }
      Set(dut.waddr_i, c, static_cast<uint16_t>(client.address));
      Set(dut.be_i, c, static_cast<uint16_t>(client.enables));
      Set(dut.wdata_i, c, client.data);
    }
    dut.we_i =
        static_cast<uint8_t>(clients[0].valid | clients[1].valid << 1 | clients[2].valid << 2);
    for (size_t b = 0; b < kBanks; ++b) {
      read[b] = !filling && rng.Bernoulli(0.6);
      const uint32_t near =
          rng.Bernoulli(0.5) ? last : clients[static_cast<size_t>(rng.UniformInt(0, 2))].address;
      row[b] = RandomAddress(rng, near % kWords) / kBanks;
      // The row address is 16 bits wide; those above the size are ignored too.
      Set(dut.raddr_i, b,
          static_cast<uint16_t>(row[b] | static_cast<uint32_t>(rng.UniformInt(0, 1)) << 15));
    }
    dut.re_i = static_cast<uint8_t>(read[0] | read[1] << 1);
    dut.clk_i = 0;
    dut.eval();

    // A client is done if no client before it wants the same bank; the first in a bank writes it.
    std::array<const Request*, kBanks> writer{};
    std::array<bool, kClients> done{};
    for (size_t c = 0; c < kClients; ++c) {
      if (!clients[c].valid) continue;
      const Request*& port = writer[clients[c].address % kBanks];
      done[c] = port == nullptr;
      if (done[c]) port = &clients[c];
      mismatches += (dut.wready_o >> c & 1) != done[c];
    }
    mismatches += (dut.wready_o & 1) != 1;
    for (size_t b = 0; b < kBanks; ++b) {
      mismatches += (dut.probe_we_o >> b & 1) != (writer[b] != nullptr);
      if (writer[b] != nullptr) {
        mismatches += Get<uint16_t>(dut.probe_addr_o, b) != writer[b]->address % kWords;
        mismatches += Get<uint16_t>(dut.probe_be_o, b) != writer[b]->enables;
        mismatches += Get<Word>(dut.probe_data_o, b) != writer[b]->data;
      }
      if (known[b]) mismatches += Get<Word>(dut.rdata_o, b) != shown[b];
    }

    dut.clk_i = 1;
    dut.eval();
    for (size_t b = 0; b < kBanks; ++b) {
      // A write in this cycle is not seen yet.
      if (read[b]) {
        shown[b] = memory[row[b] * kBanks % kWords + b];
        known[b] = true;
      }
      if (known[b]) mismatches += Get<Word>(dut.rdata_o, b) != shown[b];
    }
    for (size_t c = 0; c < kClients; ++c) {
      if (!done[c]) continue;
      last = clients[c].address % kWords;
      for (size_t l = 0; l < kLanes; ++l) {
        if (clients[c].enables >> l & 1) memory[last][l] = clients[c].data[l];
      }
      clients[c].valid = false;
    }
    if (mismatches > 0) return mismatches;
  }
  // Every word at last.
  dut.we_i = 0;
  dut.re_i = 3;
  for (uint32_t row = 0; row < kWords / kBanks; ++row) {
    for (size_t b = 0; b < kBanks; ++b) Set(dut.raddr_i, b, static_cast<uint16_t>(row));
    testing::Clock(dut);
    for (size_t b = 0; b < kBanks; ++b) {
      mismatches += Get<Word>(dut.rdata_o, b) != memory[row * kBanks + b];
    }
  }
  return mismatches;
}

TEST(ActivationMemoryTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_activation_memory_mux>(8, RunCampaign);
}

}  // namespace
}  // namespace macloom
