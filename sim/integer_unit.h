// Integer arithmetic of the descriptor device: accumulators and requantization lanes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "sim/descriptor_check.h"
#include "sim/descriptor_engine.h"

namespace macloom::sim {

/// What one array step and one requantization lane do to integers (docs/numerics.md sections 2, 4).
class IntegerUnit {
 public:
  using Sum = int64_t;
  /// Lanes beyond the channels are summed: their weights are 0.
  static constexpr bool kMasksLanes = false;

  /// Parameters of one channel as the lanes see them.
  struct Channel {
    Sum start = 0;
    int64_t multiplier = 0;
    int shift = 0;
  };

  IntegerUnit(MachineState& machine, const arch::Descriptor& d)
      : m_(machine), d_(d), multiplier_bits_(machine.config.multiplier_bits() == 24 ? 24 : 31) {
    const int64_t half = int64_t{1} << (machine.accumulator_bits - 1);
    low_ = -half;
    high_ = half - 1;
  }

  /// Reads the record at byte `at` of the memory; `place` names it in errors.
  Status ReadChannel(uint64_t at, const std::string& place, Channel& channel) const {
    channel.start = Reduce(static_cast<int32_t>(m_.ReadWord(at)));
    if (d_.per_layer()) {
      channel.multiplier = static_cast<int32_t>(d_.multiplier());
      channel.shift = d_.shift_signed();
      return {};
    }
    channel.multiplier = static_cast<int32_t>(m_.ReadWord(at + 4));
    channel.shift = static_cast<int8_t>(m_.memory[at + 8]);
    return CheckMultiplier(m_.config, d_, place.c_str(), channel.multiplier, channel.shift);
  }

  /// Multiplier and shift of a layer without stream.
  Channel LayerChannel() const {
    return {0, static_cast<int32_t>(d_.multiplier()), d_.shift_signed()};
  }

  /// One step of a valid output: the sum of `n` products.
  void Step(Sum& acc, const int8_t* codes, const int8_t* weights, int n) {
    int32_t sum = 0;
    for (int l = 0; l < n; ++l) sum += codes[l] * weights[l];
    Accumulate(acc, sum);
  }

  /// One step with weight 1.
  void UnitStep(Sum& acc, int8_t code) { Accumulate(acc, code); }

  /// The accumulator that holds a code, ordered like the codes.
  static Sum CodeSum(int8_t code) { return code; }

  int Requantize(Sum x, const Channel& channel) {
    int64_t y = 0;
    const int64_t multiplier = channel.multiplier;
    const int shift = channel.shift;
    switch (static_cast<arch::RequantMode>(d_.requant_mode())) {
      case arch::RequantMode::kDouble: {
        const int first = multiplier_bits_ - std::max(shift, 0);
        const int64_t high = (x * multiplier + (int64_t{1} << (first - 1))) >> first;
        y = ShiftAway(high, std::max(-shift, 0)) + d_.zero_out_signed();
        break;
      }
      case arch::RequantMode::kSingle: {
        const int total = multiplier_bits_ - shift;
        const int64_t half = total == 0 ? 0 : int64_t{1} << (total - 1);
        y = ((x * multiplier + half) >> total) + d_.zero_out_signed();
        break;
      }
      default: {
        const int64_t magnitude = x < 0 ? -x : x;
        const int64_t mean = ((magnitude + d_.mean_half()) * multiplier) >> shift;
        y = x < 0 ? -mean : mean;
        break;
      }
    }
    if (y < d_.clamp_min_signed()) {
      ++m_.counters.clamped_low;
      return d_.clamp_min_signed();
    }
    if (y > d_.clamp_max_signed()) {
      ++m_.counters.clamped_high;
      return d_.clamp_max_signed();
    }
    return static_cast<int>(y);
  }

  /// Rounds half away from zero at bit n.
  static int64_t ShiftAway(int64_t value, int n) {
    if (n == 0) return value;
    const int64_t magnitude = value < 0 ? -value : value;
    const int64_t rounded = (magnitude + (int64_t{1} << (n - 1))) >> n;
    return value < 0 ? -rounded : rounded;
  }

  /// Any code is a number.
  static Status CheckCodes() { return {}; }

 private:
  int64_t Reduce(int64_t value) const {
    const int unused = 64 - m_.accumulator_bits;
    return static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused;
  }

  void Accumulate(Sum& acc, int64_t sum) {
    const int64_t exact = acc + sum;
    if (exact >= low_ && exact <= high_) {
      acc = exact;
      return;
    }
    ++m_.counters.overflow_events;
    acc = !d_.saturate() ? Reduce(exact) : exact < low_ ? low_ : high_;
  }

  MachineState& m_;
  const arch::Descriptor& d_;
  int multiplier_bits_;
  int64_t low_ = 0, high_ = 0;
};

}  // namespace macloom::sim
