// loom_dma_read (64 bits, 4 bursts in flight) against a queue of bursts and a memory that answers
// them, cycle by cycle.
#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>

#include "Vloom_dma_read_mux.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

constexpr size_t kClients = 3, kMaxOutstanding = 4;

struct Burst {
  size_t client;
  uint32_t address;
  uint32_t beats;
};

/// How often everybody is willing, for some cycles.
struct Traffic {
  std::array<double, kClients> request, data_ready;
  double arready, rvalid;
};

double Rate(Rng& rng) {
  const int64_t kind = rng.UniformInt(0, 3);
  return kind == 0 ? 1.0 : kind == 1 ? 0.08 : rng.UniformDouble();
}

Traffic RandomTraffic(Rng& rng) {
  Traffic traffic{};
  for (double& rate : traffic.request) rate = rng.Bernoulli(0.2) ? 0.0 : Rate(rng);
  for (double& rate : traffic.data_ready) rate = Rate(rng);
  traffic.arready = Rate(rng);
  traffic.rvalid = Rate(rng);
  return traffic;
}

Burst RandomBurst(Rng& rng, size_t client) {
  constexpr uint32_t kBeats[] = {1, 2, 8, 15, 16};
  const uint32_t beats = rng.Bernoulli(0.5) ? kBeats[rng.UniformInt(0, 4)]
                                            : static_cast<uint32_t>(rng.UniformInt(1, 16));
  return {client, static_cast<uint32_t>(rng.Next()), beats};
}

class Bench {
 public:
  Bench(Vloom_dma_read_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  /// The reset is asynchronous: in the middle of a cycle, at any point of the traffic.
  void Reset() {
    dut_.rst_ni = 1;
    dut_.clk_i = 0;
    dut_.rvalid_i = 0;
    dut_.request_valid_i = 0;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    Expect(!dut_.arvalid_o);
    dut_.clk_i = 1;
    dut_.eval();
    dut_.rst_ni = 1;
    offers_ = {};
    address_.reset();
    in_flight_.clear();
    answering_ = 0;
    beat_offered_ = false;
  }

  void Cycle(const Traffic& traffic) {
    DriveRequests(traffic);
    DriveAnswers(traffic);
    dut_.clk_i = 0;
    dut_.eval();

    // Requests: the first client that offers, if the address channel and the queue have room.
    const auto first = std::find_if(offers_.begin(), offers_.end(),
                                    [](const auto& offer) { return offer.has_value(); });
    const bool accepts = first != offers_.end() && (!address_ || dut_.arready_i) &&
                         in_flight_.size() < kMaxOutstanding;
    Expect(dut_.request_ready_o == (accepts ? 1 << (first - offers_.begin()) : 0));
    Expect(dut_.arvalid_o == address_.has_value());
    if (address_) {
      Expect(dut_.araddr_o == address_->address && dut_.arlen_o == address_->beats - 1);
      Expect(dut_.arsize_o == 3 && dut_.arburst_o == 1);
    }
    // Data: to the client of the oldest burst.
    const bool owned = dut_.rvalid_i && !in_flight_.empty();
    const size_t owner = in_flight_.empty() ? 0 : in_flight_.front().client;
    const bool taken = owned && (dut_.data_ready_i >> owner & 1);
    Expect(dut_.data_valid_o == (owned ? 1 << owner : 0));
    Expect(dut_.data_o == dut_.rdata_i);
    if (dut_.rvalid_i) Expect(dut_.rready_o == taken);
    Expect(dut_.beat_o == taken);
    Expect(dut_.error_o == (taken && dut_.rresp_i != 0));

    dut_.clk_i = 1;
    dut_.eval();
    if (address_ && dut_.arready_i) {
      address_.reset();
      ++answering_;
    }
    if (taken) {
      beat_offered_ = false;
      if (--in_flight_.front().beats == 0) {
        in_flight_.pop_front();
        --answering_;
      }
    }
    if (accepts) {
      in_flight_.push_back(**first);
      address_ = **first;
      first->reset();
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  /// An offer stays until it is accepted; the fields of a client without one are random.
  void DriveRequests(const Traffic& traffic) {
    uint32_t valid = 0, beats = 0;
    std::array<uint32_t, kClients> addresses{};
    for (size_t c = 0; c < kClients; ++c) {
      const Burst burst = RandomBurst(rng_, c);
      if (!offers_[c] && rng_.Bernoulli(traffic.request[c])) offers_[c] = burst;
      const Burst& shown = offers_[c] ? *offers_[c] : burst;
      valid |= static_cast<uint32_t>(offers_[c].has_value()) << c;
      beats |= shown.beats << (5 * c);
      addresses[c] = shown.address;
    }
    dut_.request_valid_i = static_cast<uint8_t>(valid);
    dut_.request_beats_i = static_cast<uint16_t>(beats);
    std::memcpy(&dut_.request_addr_i, addresses.data(), sizeof addresses);
    dut_.arready_i = rng_.Bernoulli(traffic.arready);
  }

  /// Beats of the bursts whose address was taken, in order; held until taken. With nothing in
  /// flight there may be a beat that nobody asked for: it must not be taken.
  void DriveAnswers(const Traffic& traffic) {
    uint32_t ready = 0;
    for (size_t c = 0; c < kClients; ++c) {
      ready |= static_cast<uint32_t>(rng_.Bernoulli(traffic.data_ready[c])) << c;
    }
    dut_.data_ready_i = static_cast<uint8_t>(ready);
    if (beat_offered_) return;
    const bool wanted = rng_.Bernoulli(traffic.rvalid);
    beat_offered_ = answering_ > 0 && wanted;
    dut_.rvalid_i = beat_offered_ || (in_flight_.empty() && wanted);
    dut_.rdata_i = rng_.Next();
    dut_.rresp_i = rng_.Bernoulli(0.5) ? 0 : static_cast<uint8_t>(rng_.UniformInt(0, 3));
    dut_.rlast_i = beat_offered_ ? in_flight_.front().beats == 1 : rng_.Bernoulli(0.5);
  }

  Vloom_dma_read_mux& dut_;
  Rng& rng_;
  std::array<std::optional<Burst>, kClients> offers_;
  /// On the address channel.
  std::optional<Burst> address_;
  /// Accepted bursts with their beats still to come; how many of them have their address taken.
  std::deque<Burst> in_flight_;
  size_t answering_ = 0;
  bool beat_offered_ = false;
  int64_t mismatches_ = 0;
};

TEST(DmaReadTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_dma_read_mux>(8, [](Vloom_dma_read_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int phase = 0; phase < 250; ++phase) {
      const Traffic traffic = RandomTraffic(rng);
      for (int64_t cycle = rng.UniformInt(1, 200); cycle > 0; --cycle) {
        bench.Cycle(traffic);
        if (bench.mismatches() > 0) return bench.mismatches();
      }
      if (rng.Bernoulli(0.3)) bench.Reset();
    }
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
