// loom_dma_write (64 bits) against the burst under way and a memory that answers, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "Vloom_dma_write_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kClients = 2;
constexpr int kMaxResponses = 255;

struct Burst {
  uint32_t address;
  uint32_t beats;
};

/// How often everybody is willing, for some cycles.
struct Traffic {
  std::array<double, kClients> request, data_valid;
  double awready, wready, response;
  bool is_short;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 3);
  return kind == 0 ? 1.0 : kind == 1 ? 0.08 : rng.UniformDouble();
}

Traffic RandomTraffic(Rng& rng) {
  Traffic traffic{};
  for (double& rate : traffic.request) rate = rng.Bernoulli(0.2) ? 0.0 : Rate(rng);
  for (double& rate : traffic.data_valid) rate = Rate(rng);
  traffic.awready = Rate(rng);
  traffic.wready = Rate(rng);
  traffic.response = Rate(rng);
  traffic.is_short = rng.Bernoulli(0.3);
  return traffic;
}

class Bench {
 public:
  Bench(Vloom_dma_write_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous: in the middle of a cycle, at any point of the traffic.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.request_valid_i = 0;
    dut_.data_valid_i = 3;
    dut_.wready_i = 1;
    dut_.bvalid_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    Expect(!dut_.awvalid_o && !dut_.wvalid_o && dut_.data_ready_o == 0 && dut_.idle_o);
    dut_.clk_i = 1;
    dut_.eval();
    dut_.rst_ni = 1;
    offers_ = {};
    data_held_ = {};
    address_.reset();
    beats_left_ = 0;
    responses_ = 0;
  }

  void Cycle(const Traffic& traffic) {
    Drive(traffic);
    dut_.clk_i = 0;
    dut_.eval();

    // A burst is accepted when address and data of the last one are through and the response can
    // still be counted.
    const auto first = std::find_if(offers_.begin(), offers_.end(),
                                    [](const auto& offer) { return offer.has_value(); });
    const bool busy = address_ || beats_left_ > 0;
    const bool accepts = first != offers_.end() && !busy && responses_ < kMaxResponses;
    const size_t client = static_cast<size_t>(first - offers_.begin());
    Expect(dut_.request_ready_o == (accepts ? 1 << client : 0));
    Expect(dut_.idle_o == (!busy && responses_ == 0));
    // Address and data channel are independent of each other.
    Expect(dut_.awvalid_o == address_.has_value());
    if (address_) {
      Expect(dut_.awaddr_o == address_->address && dut_.awlen_o == address_->beats - 1);
      Expect(dut_.awsize_o == 3 && dut_.awburst_o == 1);
    }
    const bool valid = beats_left_ > 0 && (dut_.data_valid_i >> owner_ & 1);
    const bool transfers = valid && dut_.wready_i;
    Expect(dut_.wvalid_o == valid);
    if (valid) {
      Expect(dut_.wdata_o == data_[owner_] && dut_.wlast_o == (beats_left_ == 1));
      Expect(dut_.wstrb_o == 0xff);
    }
    Expect(dut_.data_ready_o == (beats_left_ > 0 && dut_.wready_i ? 1 << owner_ : 0));
    Expect(dut_.beat_o == transfers);
    Expect(dut_.bready_o);
    Expect(dut_.error_o == (dut_.bvalid_i && dut_.bresp_i != 0));

    dut_.clk_i = 1;
    dut_.eval();
    if (address_ && dut_.awready_i) address_.reset();
    if (transfers) {
      --beats_left_;
      data_held_[owner_] = false;
    }
    if (dut_.bvalid_i) --responses_;
    if (accepts) {
      address_ = **first;
      beats_left_ = address_->beats;
      owner_ = client;
      first->reset();
      ++responses_;
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  /// Offers and beats stay until they are accepted; what is not valid is random.
  void Drive(const Traffic& traffic) {
    uint32_t request_valid = 0, beats = 0, data_valid = 0;
    std::array<uint32_t, kClients> addresses{};
    for (size_t c = 0; c < kClients; ++c) {
      const Burst burst{static_cast<uint32_t>(rng_.Next()),
                        static_cast<uint32_t>(rng_.Bernoulli(0.2)
                                                  ? 16
                                                  : rng_.UniformInt(1, traffic.is_short ? 2 : 16))};
      if (!offers_[c] && rng_.Bernoulli(traffic.request[c])) offers_[c] = burst;
      const Burst& shown = offers_[c] ? *offers_[c] : burst;
      request_valid |= static_cast<uint32_t>(offers_[c].has_value()) << c;
      beats |= shown.beats << (5 * c);
      addresses[c] = shown.address;
      if (!data_held_[c]) {
        data_[c] = rng_.Next();
        data_held_[c] = rng_.Bernoulli(traffic.data_valid[c]);
      }
      data_valid |= static_cast<uint32_t>(data_held_[c]) << c;
    }
    dut_.request_valid_i = static_cast<uint8_t>(request_valid);
    dut_.request_beats_i = static_cast<uint16_t>(beats);
    std::memcpy(&dut_.request_addr_i, addresses.data(), sizeof addresses);
    dut_.data_valid_i = static_cast<uint8_t>(data_valid);
    std::memcpy(&dut_.data_i, data_.data(), sizeof data_);
    dut_.awready_i = rng_.Bernoulli(traffic.awready);
    dut_.wready_i = rng_.Bernoulli(traffic.wready);
    // A response only to a burst whose address and data are through.
    const bool busy = address_ || beats_left_ > 0;
    dut_.bvalid_i = responses_ > (busy ? 1 : 0) && rng_.Bernoulli(traffic.response);
    dut_.bresp_i = rng_.Bernoulli(0.5) ? 0 : static_cast<uint8_t>(rng_.UniformInt(0, 3));
  }

  Vloom_dma_write_mux& dut_;
  Rng& rng_;
  std::array<std::optional<Burst>, kClients> offers_;
  std::array<uint64_t, kClients> data_{};
  std::array<bool, kClients> data_held_{};
  /// The burst under way: its address if not taken yet, its beats to come, whose it is.
  std::optional<Burst> address_;
  uint32_t beats_left_ = 0;
  size_t owner_ = 0;
  /// Responses to come, of the burst under way too.
  int responses_ = 0;
  int64_t mismatches_ = 0;
};

TEST(DmaWriteTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_dma_write_mux>(8, [](Vloom_dma_write_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int phase = 0; phase < 250; ++phase) {
      Traffic traffic = RandomTraffic(rng);
      int64_t cycles = rng.UniformInt(1, 200);
      // As many responses outstanding as can be counted; then they come in the next phases.
      if (phase % 50 == 0) {
        traffic = {{0.5, 0.5}, {1.0, 1.0}, 1.0, 1.0, 0.01, true};
        cycles = 2000;
      }
      for (; cycles > 0; --cycles) {
        bench.Cycle(traffic);
        if (bench.mismatches() > 0) return bench.mismatches();
      }
      if (rng.Bernoulli(0.2)) bench.Reset();
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
