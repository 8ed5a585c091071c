// External memory and the two AXI channels, as far as time is concerned (twins: loom_dma_read,
// loom_dma_write, loom_record_writer, loom_burst). Part of the cycle model.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "arch/cycle_model.h"
#include "base/rng.h"

namespace macloom::arch::cycle {

/// No client.
inline constexpr int kNone = -1;

/// Beats of the next burst: min(16, left, beats to the next 4 KB border).
inline uint32_t BurstBeats(uint32_t address, uint32_t left, uint32_t beat_bytes) {
  return std::min({16u, left, (4096 - address % 4096) / beat_bytes});
}

/// Decides in which cycles a channel stalls.
class Stalls {
 public:
  explicit Stalls(const MemoryModel& memory)
      : memory_(memory),
        threshold_(static_cast<uint64_t>(memory.stall_probability * 4294967296.0)),
        rng_(memory.seed) {}
  bool any() const { return threshold_ != 0; }
  bool Draw() { return threshold_ != 0 && (rng_.Next() >> 32) < threshold_; }
  /// Cycles from an accepted address to the first beat.
  int64_t Latency() {
    return memory_.latency_cycles + (memory_.max_extra_latency_cycles == 0
                                         ? 0
                                         : rng_.UniformInt(0, memory_.max_extra_latency_cycles));
  }

 private:
  MemoryModel memory_;
  uint64_t threshold_;
  Rng rng_;
};

/// Read address and data channel with three clients; the client of the smallest number wins.
class ReadChannel {
 public:
  explicit ReadChannel(int max_outstanding) : max_outstanding_(max_outstanding) {}

  struct Outcome {
    int granted = kNone;  ///< Client whose burst was accepted.
    int beat = kNone;     ///< Client that got a beat.
  };

  /// One cycle. `beats[c]` is the burst client c asks for, 0 for none.
  Outcome Clock(int64_t now, const std::array<uint32_t, 3>& beats, Stalls& stalls) {
    Outcome outcome;
    const bool address_ready = !stalls.Draw();
    const int used = used_;
    is_beat_held_ = IsBeatDue(now) && (is_beat_held_ || !stalls.Draw());
    if (is_beat_held_) {
      is_beat_held_ = false;
      Burst& front = bursts_[head_];
      outcome.beat = front.client;
      if (--front.beats == 0) {
        head_ = (head_ + 1) % kMost;
        --used_;
        --taken_;
      }
    }
    const bool room = (!is_asking_ || address_ready) && used < max_outstanding_;
    if (is_asking_ && address_ready) {
      bursts_[(head_ + taken_) % kMost].first_beat_cycle = now + stalls.Latency();
      ++taken_;
      is_asking_ = false;
    }
    if (room) {
      for (int client = 0; client < 3; ++client) {
        if (beats[static_cast<size_t>(client)] == 0) continue;
        bursts_[(head_ + used_) % kMost] = {client, beats[static_cast<size_t>(client)], 0};
        ++used_;
        is_asking_ = true;
        outcome.granted = client;
        break;
      }
    }
    return outcome;
  }

  /// For how many cycles from `now` on nothing happens but, if `beat_client` is set, one beat of
  /// that client per cycle, never the last of its burst. Without stalls only.
  int64_t Quiet(int64_t now, bool is_requested, int* beat_client) const {
    *beat_client = kNone;
    if (is_asking_ || (is_requested && used_ < max_outstanding_)) return 0;
    if (taken_ == 0) return INT64_MAX;
    const Burst& front = bursts_[head_];
    if (front.first_beat_cycle > now) return front.first_beat_cycle - now;
    *beat_client = front.client;
    return front.beats - 1;
  }
  /// Beats of the burst under way that went by unseen.
  void Skip(int64_t beats) { bursts_[head_].beats -= static_cast<uint32_t>(beats); }

 private:
  struct Burst {
    int client = kNone;
    uint32_t beats = 0;
    int64_t first_beat_cycle = 0;
  };
  static constexpr uint32_t kMost = 32;

  bool IsBeatDue(int64_t now) const { return taken_ > 0 && bursts_[head_].first_beat_cycle <= now; }

  int max_outstanding_;
  std::array<Burst, kMost> bursts_;
  uint32_t head_ = 0;
  int used_ = 0, taken_ = 0;  ///< Bursts in flight; of these, with an accepted address.
  bool is_asking_ = false, is_beat_held_ = false;
};

/// Write channels with two clients: 0 stores, 1 records.
class WriteChannel {
 public:
  struct Outcome {
    int granted = kNone, beat = kNone;
  };

  /// No burst under way and every response here, at the start of the cycle.
  bool is_idle() const { return !is_address_out_ && !is_data_out_ && responses_ == 0; }
  /// One cycle. `beats[c]` is the burst client c asks for, `has_data[c]` that it offers a beat.
  Outcome Clock(const std::array<uint32_t, 2>& beats, const std::array<bool, 2>& has_data,
                Stalls& stalls) {
    Outcome outcome;
    const bool address_ready = !stalls.Draw();
    const bool data_ready = num_addresses_ > 0 && !stalls.Draw();
    is_response_held_ = num_responses_ > 0 && (is_response_held_ || !stalls.Draw());
    const bool response = is_response_held_;
    const bool accept =
        !is_address_out_ && !is_data_out_ && (beats[0] != 0 || beats[1] != 0) && responses_ != 255;
    if (response) {
      is_response_held_ = false;
      --num_responses_;
    }
    if (is_data_out_ && has_data[static_cast<size_t>(owner_)] && data_ready) {
      outcome.beat = owner_;
      if (--left_ == 0) {
        is_data_out_ = false;
        --num_addresses_;
        ++num_responses_;
      }
    }
    if (is_address_out_ && address_ready) {
      is_address_out_ = false;
      ++num_addresses_;
    }
    if (accept) {
      owner_ = beats[0] != 0 ? 0 : 1;
      left_ = beats[static_cast<size_t>(owner_)];
      is_address_out_ = is_data_out_ = true;
      outcome.granted = owner_;
    }
    responses_ += (accept ? 1 : 0) - (response ? 1 : 0);
    return outcome;
  }

 private:
  bool is_address_out_ = false, is_data_out_ = false;
  int owner_ = 0;
  uint32_t left_ = 0;
  int responses_ = 0;
  // The memory's side.
  int num_addresses_ = 0, num_responses_ = 0;
  bool is_response_held_ = false;
};

/// Writes completion records in the background.
struct RecordWriter {
  bool is_starting = false;  ///< The cycle after the end of a step.
  bool is_asking = false, is_sending = false;
  uint32_t num_beats = 8, sent = 0;

  bool is_busy() const { return is_starting || is_asking || is_sending; }

  void Clock(bool is_step_done, bool is_granted, bool is_beat) {
    if (is_starting) {
      is_asking = true;
    } else if (is_asking && is_granted) {
      is_asking = false;
      is_sending = true;
      sent = 0;
    } else if (is_sending && is_beat) {
      if (++sent == num_beats) is_sending = false;
    }
    is_starting = is_step_done;
  }
};

}  // namespace macloom::arch::cycle
