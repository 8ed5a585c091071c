// Registers and errors of loom_accelerator at its pins, which whole jobs leave alone: byte strobes,
// slow responses, lists of one descriptor that end with the interrupt of a step or with an error.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "Vloom.h"
#include "base/rng.h"

namespace macloom::testing {

class RegisterBench {
 public:
  explicit RegisterBench(Rng& rng) : rng_(rng), dut_(&context_) {
    dut_.s_axil_awvalid_i = dut_.s_axil_wvalid_i = dut_.s_axil_arvalid_i = 0;
    dut_.s_axil_bready_i = dut_.s_axil_rready_i = 0;
    dut_.m_axi_arready_i = dut_.m_axi_awready_i = dut_.m_axi_wready_i = 0;
    dut_.m_axi_rvalid_i = dut_.m_axi_bvalid_i = 0;
    dut_.sim_acc_narrow_i = 0;
    dut_.rst_ni = 0;
    for (int i = 0; i < 3; ++i) Edge();
    dut_.rst_ni = 1;
    Settle();
  }

  /// @return the number of mismatches.
  int64_t Run() {
    uint32_t first = 0, enable = 0;
    for (int i = 0; i < 60 && mismatches_ == 0; ++i) {
      const auto value = static_cast<uint32_t>(rng_.Next());
      const auto strobes = static_cast<uint32_t>(rng_.UniformInt(0, 15));
      uint32_t mask = 0;
      for (uint32_t b = 0; b < 4; ++b) mask |= strobes >> b & 1 ? 0xffu << 8 * b : 0;
      uint32_t& held = rng_.Bernoulli(0.7) ? first : enable;
      Write(&held == &first ? 0x030 : 0x028, value, strobes);
      held = (held & ~mask) | (value & mask);
      enable &= 7;
      Expect(Read(0x030) == first && Read(0x028) == enable);
    }
    for (int i = 0; i < 12 && mismatches_ == 0; ++i) RunList(i % 3);
    return mismatches_;
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  void Settle() {
    dut_.clk_i = 0;
    dut_.eval();
  }

  /// One rising edge; outputs and inputs of the next cycle are at rest afterwards.
  void Edge() {
    Settle();
    dut_.clk_i = 1;
    dut_.eval();
    Settle();
  }

  void Write(uint16_t address, uint32_t value, uint32_t strobes) {
    const int64_t address_at = rng_.UniformInt(0, 2), data_at = rng_.UniformInt(0, 2);
    const int64_t both = std::max(address_at, data_at);
    for (int64_t cycle = 0; cycle <= both; ++cycle) {
      dut_.s_axil_awvalid_i = cycle == address_at;
      dut_.s_axil_wvalid_i = cycle == data_at;
      dut_.s_axil_awaddr_i =
          cycle == address_at ? address : static_cast<uint16_t>(~address & 0xfff);
      dut_.s_axil_wdata_i = cycle == data_at ? value : ~value;
      dut_.s_axil_wstrb_i = static_cast<uint8_t>(cycle == data_at ? strobes : 15 ^ strobes);
      Settle();
      // Each channel holds one transfer.
      Expect(dut_.s_axil_awready_o == (cycle <= address_at));
      Expect(dut_.s_axil_wready_o == (cycle <= data_at) && !dut_.s_axil_bvalid_o);
      Edge();
    }
    dut_.s_axil_awvalid_i = dut_.s_axil_wvalid_i = 0;
    dut_.s_axil_bready_i = 0;
    Edge();
    for (int64_t i = rng_.UniformInt(0, 3); i >= 0; --i) {
      dut_.s_axil_bready_i = i == 0;
      Settle();
      Expect(dut_.s_axil_bvalid_o && dut_.s_axil_bresp_o == 0);
      Edge();
    }
    dut_.s_axil_bready_i = 0;
    Settle();
    Expect(!dut_.s_axil_bvalid_o);
  }

  uint32_t Read(uint16_t address) {
    dut_.s_axil_araddr_i = address;
    dut_.s_axil_arvalid_i = 1;
    Settle();
    Expect(dut_.s_axil_arready_o == 1);
    Edge();
    dut_.s_axil_arvalid_i = 0;
    Settle();
    for (int64_t i = rng_.UniformInt(0, 3); i >= 0; --i) {
      dut_.s_axil_rready_i = i == 0;
      Settle();
      Expect(dut_.s_axil_rvalid_o && dut_.s_axil_rresp_o == 0);
      Edge();
    }
    const uint32_t value = dut_.s_axil_rdata_o;
    dut_.s_axil_rready_i = 0;
    return value;
  }

  /// One cycle of a memory that takes all writes at once; the bytes of a record go to `written`.
  void TakeWrite(uint32_t record_address, std::vector<uint64_t>& written) {
    dut_.m_axi_awready_i = dut_.m_axi_wready_i = 1;
    Settle();
    if (dut_.m_axi_awvalid_o) {
      Expect(dut_.m_axi_awaddr_o == record_address && dut_.m_axi_awlen_o == 7);
    }
    const bool is_beat = dut_.m_axi_wvalid_o, is_last = is_beat && dut_.m_axi_wlast_o;
    if (is_beat) {
      Expect(dut_.m_axi_wstrb_o == 0xff);
      written.push_back(dut_.m_axi_wdata_o);
    }
    Edge();
    dut_.m_axi_bvalid_i = is_last;
  }

  /// A list of one descriptor: 0 ends with the interrupt of its step and a record, 1 is no
  /// descriptor, 2 meets an error of the memory.
  void RunList(int kind) {
    constexpr uint32_t kVersion = 1, kLast = 1, kInterrupt = 2, kRecord = 4;
    const auto first = static_cast<uint32_t>(rng_.Next()) & ~127u;
    const auto tag = static_cast<uint32_t>(rng_.Next());
    Write(0x030, first, 15);
    Write(0x02C, 7, 15);
    Write(0x028, 7, 15);
    Write(0x020, 1, 15);
    for (int i = 0; i < 20 && !dut_.m_axi_arvalid_o; ++i) Edge();
    Expect(dut_.m_axi_arvalid_o && dut_.m_axi_araddr_o == first && dut_.m_axi_arlen_o == 15);
    Expect(Read(0x024) == 1);
    dut_.m_axi_arready_i = 1;
    Edge();
    dut_.m_axi_arready_i = 0;
    std::array<uint32_t, 32> words{};
    words[0] = (kind == 1 ? 0x55u : kVersion) << 8 | (kLast | kInterrupt | kRecord) << 16;
    words[2] = tag;
    words[3] = static_cast<uint32_t>(rng_.Next()) & ~63u;
    for (size_t beat = 0; beat < 16; ++beat) {
      std::memcpy(&dut_.m_axi_rdata_i, &words[2 * beat], 8);
      dut_.m_axi_rvalid_i = 1;
      dut_.m_axi_rlast_i = beat == 15;
      dut_.m_axi_rresp_i = kind == 2 && beat == 7 ? 2 : 0;
      Settle();
      for (int i = 0; i < 20 && !dut_.m_axi_rready_o; ++i) Edge();
      Expect(dut_.m_axi_rready_o == 1);
      Edge();
    }
    dut_.m_axi_rvalid_i = 0;
    bool stepped = false;
    std::vector<uint64_t> record;
    for (int i = 0; i < 60; ++i) {
      if (dut_.probe_done_o) Expect(!stepped && dut_.probe_tag_o == tag && kind == 0);
      stepped = stepped || dut_.probe_done_o;
      TakeWrite(words[3], record);
    }
    Expect(stepped == (kind == 0) && dut_.irq_o == 1);
    Expect(record.size() == (kind == 0 ? 8 : 0));
    constexpr uint64_t kMagic = 0x4D4C0001;
    if (!record.empty()) Expect(record[0] == (kMagic << 32 | tag));
    constexpr uint32_t kStatus[] = {0x0002, 0x0106, 0x0206};
    Expect(Read(0x024) == kStatus[kind]);
    Expect(Read(0x02C) == (kind == 0 ? 5u : 3u));
    Write(0x02C, 7, 15);
    Expect(dut_.irq_o == 0);
  }

  VerilatedContext context_;
  Rng& rng_;
  Vloom dut_;
  int64_t mismatches_ = 0;
};

}  // namespace macloom::testing
