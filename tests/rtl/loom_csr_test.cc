// loom_csr (default parameters) against a register map in C++ and two one-place channels, cycle by
// cycle.
#include <array>
#include <cstring>
#include <optional>

#include "Vloom_csr_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr uint16_t kArray = 0x00c, kParameters = 0x010, kControl = 0x020, kStatus = 0x024,
                   kIrqEnable = 0x028, kIrqStatus = 0x02c, kFirst = 0x030, kTag = 0x034,
                   kCounters = 0x100, kCountersEnd = 0x170;
constexpr uint32_t kNumCounters = 14, kOkay = 0, kSlaveError = 2;

struct Answer {
  uint32_t data;
  uint32_t response;
};

/// The registers as software sees them, and what the accelerator tells them.
struct Registers {
  uint32_t irq_enable = 0, irq_status = 0, first = 0;
  bool is_done = false;
  uint8_t error = 0;

  Answer Read(uint16_t address, const Vloom_csr_mux& dut) const {
    if (address >= kCounters && address < kCountersEnd) {
      std::array<uint64_t, kNumCounters> counters{};
      static_assert(sizeof dut.counters_i == sizeof counters);
      std::memcpy(counters.data(), &dut.counters_i, sizeof counters);
      const uint64_t counter = counters[(address - kCounters) / 8u];
      return {static_cast<uint32_t>(address & 4 ? counter >> 32 : counter), kOkay};
    }
    switch (address) {
      case 0x000:
        return {0x4d4c4f4d, kOkay};
      case 0x004:
        return {1, kOkay};
      case 0x008:
        return {0, kOkay};
      case kArray:
        return {8 << 24 | 16 << 16 | 16 << 8 | 4, kOkay};
      case kParameters:
        return {4 << 24 | 8 << 16 | 32 << 8 | 2, kOkay};
      case 0x014:
        return {4096, kOkay};
      case 0x018:
        return {256, kOkay};
      case 0x01c:
        return {256, kOkay};
      case kControl:
        return {0, kOkay};
      case kStatus:
        return {error * 256u + (error != 0) * 4u + is_done * 2u + dut.busy_i, kOkay};
      case kIrqEnable:
        return {irq_enable, kOkay};
      case kIrqStatus:
        return {irq_status, kOkay};
      case kFirst:
        return {first, kOkay};
      case kTag:
        return {dut.tag_i, kOkay};
      default:
        return {0, kSlaveError};
    }
  }
};

/// Everything up to the last register and all counters may be written, mostly without effect.
uint32_t WriteResponse(uint16_t address) {
  const bool is_counter = address >= kCounters && address < kCountersEnd;
  return address <= kTag || is_counter ? kOkay : kSlaveError;
}

uint16_t RandomAddress(Rng& rng) {
  constexpr uint16_t kOften[] = {kControl, kControl, kStatus, kIrqEnable, kIrqStatus, kFirst};
  constexpr uint16_t kBorders[] = {0x000, kTag, kCounters, kCountersEnd};
  const int64_t kind = rng.UniformInt(0, 9);
  const bool is_counter = rng.Bernoulli(0.4);
  const int64_t word = is_counter ? kCounters / 4 + rng.UniformInt(0, 2 * kNumCounters - 1)
                                  : rng.UniformInt(0, kTag / 4);
  int64_t address = 4 * word;
  if (kind < 3) address = kOften[rng.UniformInt(0, 5)];
  if (kind == 3) address = kBorders[rng.UniformInt(0, 3)] + rng.UniformInt(-8, 8);
  if (kind == 4) address = rng.UniformInt(0, 0xfff);
  if (kind == 5 || kind == 6) address ^= 1 << rng.UniformInt(0, 11);
  return static_cast<uint16_t>(address & 0xfff);
}

/// How often everybody is willing, for some cycles.
struct Traffic {
  double address, data, bready, read, rready, list_done, step_irq, busy;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 2);
  return kind == 0 ? 1.0 : kind == 1 ? 0.1 : rng.UniformDouble();
}

class Bench {
 public:
  Bench(Vloom_csr_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous and gives up accesses under way.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.awvalid_i = dut_.wvalid_i = dut_.arvalid_i = 0;
    dut_.list_done_i = dut_.step_irq_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    registers_ = {};
    starts_ = clears_ = false;
    write_address_.reset();
    write_data_.reset();
    write_response_.reset();
    answer_.reset();
    Compare();
    testing::Clock(dut_);
    Compare();
    dut_.rst_ni = 1;
  }

  void Cycle(const Traffic& traffic) {
    DriveBus(traffic);
    DriveStatus(traffic);
    dut_.clk_i = 0;
    dut_.eval();
    Compare();
    const bool takes_address = dut_.awvalid_i && !write_address_;
    const bool takes_data = dut_.wvalid_i && !write_data_;
    const bool takes_read = dut_.arvalid_i && !answer_;
    const bool executes = write_address_ && write_data_ && !write_response_;
    dut_.clk_i = 1;
    dut_.eval();

    if (answer_ && dut_.rready_i) answer_.reset();
    if (takes_read) answer_ = registers_.Read(dut_.araddr_i, dut_);
    starts_ = clears_ = false;
    if (write_response_ && dut_.bready_i) write_response_.reset();
    if (executes) Write();
    if (takes_address) write_address_ = dut_.awaddr_i;
    if (takes_data) write_data_ = {dut_.wdata_i, dut_.wstrb_i};
    // An event is not lost when software clears its bit in the same cycle.
    if (dut_.list_done_i) {
      registers_.is_done = true;
      registers_.error = dut_.error_i;
      registers_.irq_status |= dut_.error_i != 0 ? 3 : 1;
    }
    if (dut_.step_irq_i) registers_.irq_status |= 4;
    if (takes_address) dut_.awvalid_i = 0;
    if (takes_data) dut_.wvalid_i = 0;
    if (takes_read) dut_.arvalid_i = 0;
  }

 private:
  struct WriteData {
    uint32_t data;
    uint32_t strobe;
  };

  void Expect(bool holds) { mismatches_ += !holds; }

  uint32_t AnyWord() { return static_cast<uint32_t>(rng_.Next()); }

  /// A valid stays, with its payload, until it is taken.
  void DriveBus(const Traffic& traffic) {
    if (!dut_.awvalid_i) {
      dut_.awvalid_i = rng_.Bernoulli(traffic.address);
      dut_.awaddr_i = RandomAddress(rng_);
    }
    if (!dut_.wvalid_i) {
      dut_.wvalid_i = rng_.Bernoulli(traffic.data);
      dut_.wdata_i = AnyWord();
      dut_.wstrb_i = rng_.Bernoulli(0.4) ? 0xf : static_cast<uint8_t>(rng_.UniformInt(0, 0xf));
    }
    if (!dut_.arvalid_i) {
      dut_.arvalid_i = rng_.Bernoulli(traffic.read);
      dut_.araddr_i = RandomAddress(rng_);
    }
    dut_.bready_i = rng_.Bernoulli(traffic.bready);
    dut_.rready_i = rng_.Bernoulli(traffic.rready);
  }

  /// A list ends only while the sequencer is busy.
  void DriveStatus(const Traffic& traffic) {
    if (rng_.Bernoulli(0.2)) dut_.busy_i = rng_.Bernoulli(traffic.busy);
    dut_.list_done_i = dut_.busy_i && rng_.Bernoulli(traffic.list_done);
    const int64_t kind = rng_.UniformInt(0, 2);
    dut_.error_i = kind == 0   ? 0
                   : kind == 1 ? static_cast<uint8_t>(1 << rng_.UniformInt(0, 7))
                               : static_cast<uint8_t>(rng_.UniformInt(0, 255));
    dut_.step_irq_i = rng_.Bernoulli(traffic.step_irq);
    dut_.tag_i = AnyWord();
    std::array<uint64_t, kNumCounters> counters{};
    for (uint64_t& counter : counters) counter = rng_.Next();
    std::memcpy(&dut_.counters_i, counters.data(), sizeof counters);
  }

  void Write() {
    const auto [data, strobe] = *write_data_;
    uint32_t mask = 0;
    for (int i = 0; i < 4; ++i) mask |= (strobe >> i & 1) * (0xffu << 8 * i);
    const uint32_t ones = data & mask;
    const auto merge = [&](uint32_t old) { return (old & ~mask) | ones; };
    if (*write_address_ == kControl) {
      starts_ = (ones & 1) && !dut_.busy_i;
      clears_ = ones & 2;
      if (starts_) {
        registers_.is_done = false;
        registers_.error = 0;
      }
    }
    if (*write_address_ == kIrqEnable) registers_.irq_enable = merge(registers_.irq_enable) & 7;
    if (*write_address_ == kIrqStatus) registers_.irq_status &= ~ones;
    if (*write_address_ == kFirst) registers_.first = merge(registers_.first);
    write_response_ = WriteResponse(*write_address_);
    write_address_.reset();
    write_data_.reset();
  }

  void Compare() {
    Expect(dut_.awready_o == !write_address_);
    Expect(dut_.wready_o == !write_data_);
    Expect(dut_.bvalid_o == write_response_.has_value());
    if (write_response_) Expect(dut_.bresp_o == *write_response_);
    Expect(dut_.arready_o == !answer_);
    Expect(dut_.rvalid_o == answer_.has_value());
    if (answer_) Expect(dut_.rdata_o == answer_->data && dut_.rresp_o == answer_->response);
    Expect(dut_.start_o == starts_);
    Expect(dut_.clear_o == clears_);
    Expect(dut_.first_o == registers_.first);
    Expect(dut_.irq_o == ((registers_.irq_status & registers_.irq_enable) != 0));
  }

  Vloom_csr_mux& dut_;
  Rng& rng_;
  Registers registers_;
  bool starts_ = false, clears_ = false;
  std::optional<uint16_t> write_address_;
  std::optional<WriteData> write_data_;
  std::optional<uint32_t> write_response_;
  std::optional<Answer> answer_;
  int64_t mismatches_ = 0;
};

TEST(CsrTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_csr_mux>(12, [](Vloom_csr_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int phase = 0; phase < 300; ++phase) {
      const Traffic traffic{Rate(rng), Rate(rng), Rate(rng), Rate(rng),
                            Rate(rng), 0.1,       0.1,       rng.UniformDouble()};
      for (int cycle = 0; cycle < 200; ++cycle) {
        if (rng.Bernoulli(0.001)) bench.Reset();
        bench.Cycle(traffic);
        if (bench.mismatches() > 0) return bench.mismatches();
      }
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
