// Minifloat arithmetic of the descriptor device: accumulators and requantization lanes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sim/descriptor_engine.h"

namespace macloom::sim {

/// What one array step and one requantization lane do to minifloats (docs/numerics.md section 9).
///
/// Every accumulator is an integer: fixed point in units of 2^(p + D), float in units of 2^p, of
/// which every float a step can give is a multiple (p = lsb of the products).
class MinifloatUnit {
 public:
  using Wide = __int128;
  /// Lanes beyond the channels do not count: alignment looks at exponents of zeros, too.
  static constexpr bool kMasksLanes = true;

  struct Sum {
    Wide value = 0;
    int infinity = 0;  ///< Sign of Inf; 0: finite.
    bool operator<(const Sum& other) const { return value < other.value; }
  };

  struct Channel {
    Sum start;
    int shift = 0;
  };

  MinifloatUnit(MachineState& machine, const arch::Descriptor& d);

  /// Reads the record at byte `at` of the memory: register in 10 bytes, shift in byte 12.
  Status ReadChannel(uint64_t at, const std::string& place, Channel& channel) const;
  Channel LayerChannel() const { return {{}, d_.shift_signed()}; }
  /// One step of a valid output: the sum of `n` products.
  void Step(Sum& acc, const int8_t* codes, const int8_t* weights, int n);
  /// One step with weight 1.0.
  void UnitStep(Sum& acc, int8_t code) { Step(acc, &code, &one_, 1); }
  /// The accumulator that holds a code, ordered like the codes.
  static Sum CodeSum(int8_t code) { return {Key(code), 0}; }
  int Requantize(const Sum& sum, const Channel& channel);
  /// An error if a step saw Inf or NaN.
  Status CheckCodes() const;

 private:
  /// A code: (-1)^is_negative * significand * 2^steps on the grid of the format.
  struct Number {
    bool is_negative = false, is_finite = true;
    int significand = 0, steps = 0;
  };

  /// The order of codes; its own inverse.
  static int8_t Key(int8_t code) { return static_cast<int8_t>(code < 0 ? code ^ 0x7F : code); }
  Wide GridOf(int magnitude_code) const;
  Wide FixedSum(const int8_t* codes, const int8_t* weights, int n);
  void RoundToFloat(Sum& acc, Wide exact);
  /// Code of |value| * 2^exponent on the grid, without sign; the one after the largest if beyond.
  int RoundToCode(Wide magnitude, int exponent) const;
  int Clamp(int value, int low, int high);

  MachineState& m_;
  const arch::Descriptor& d_;
  std::array<Number, 256> numbers_;
  int mantissa_bits_, lsb_, max_code_;
  int8_t one_ = 0;
  bool is_float_;
  int drop_, align_;         ///< Fixed point.
  int least_, precision_;    ///< Float: exponent of the smallest step from 2^p, significand bits.
  Wide low_ = 0, high_ = 0;  ///< Range of the register in its units.
  bool has_special_ = false;
};

}  // namespace macloom::sim
