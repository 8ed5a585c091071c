#include "sim/minifloat_unit.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/minifloat.h"
#include "sim/descriptor_check.h"

namespace macloom::sim {
namespace {

using Wide = MinifloatUnit::Wide;

constexpr int kWideBits = 120;  // Numbers of more bits are never shifted.

int BitsOf(Wide value) {
  int bits = 0;
  for (; value != 0; value >>= 1) ++bits;
  return bits;
}

/// True if magnitude * 2^exponent > bound, or equal to it and `or_equal`; bound > 0.
bool Exceeds(Wide magnitude, int exponent, Wide bound, bool or_equal) {
  if (magnitude == 0) return false;
  if (exponent > 0) {
    if (BitsOf(magnitude) + exponent > kWideBits) return true;
    magnitude <<= exponent;
  } else {
    if (BitsOf(bound) - exponent > kWideBits) return false;
    bound <<= -exponent;
  }
  return or_equal ? magnitude >= bound : magnitude > bound;
}

}  // namespace

MinifloatUnit::MinifloatUnit(MachineState& machine, const arch::Descriptor& d)
    : m_(machine), d_(d) {
  const arch::HardwareConfig& config = machine.config;
  const ir::NumberFormat format = arch::MinifloatOf(config.mac_format);
  mantissa_bits_ = format.mantissa_bits;
  lsb_ = format.LeastExponent();
  max_code_ = format.MaxFiniteCode();
  one_ = static_cast<int8_t>(format.exponent_bias << format.mantissa_bits);
  for (int code = 0; code < 256; ++code) {
    const int field = (code & 0x7F) >> mantissa_bits_;
    const int fraction = code & ((1 << mantissa_bits_) - 1);
    numbers_[static_cast<size_t>(code)] = {code >= 128, (code & 0x7F) <= max_code_,
                                           field > 0 ? fraction + (1 << mantissa_bits_) : fraction,
                                           field > 0 ? field - 1 : 0};
  }
  is_float_ = config.has_float_accumulator();
  drop_ = config.accumulator_dropped_bits;
  align_ = config.accumulator_alignment_bits;
  const bool is_half = config.register_bits() == 16;
  precision_ = is_half ? 11 : 24;
  least_ = (is_half ? -24 : -149) - 2 * lsb_;
  if (is_float_) {
    const int top = (is_half ? 5 : 104) - 2 * lsb_;
    high_ = Wide{1} << kWideBits;
    if (top + precision_ < kWideBits) high_ = ((Wide{1} << precision_) - 1) << top;
    low_ = -high_;
  } else {
    low_ = -(Wide{1} << (config.accumulator_bits - 1));
    high_ = -low_ - 1;
  }
}

Status MinifloatUnit::ReadChannel(uint64_t at, const std::string& place, Channel& channel) const {
  Wide bits = 0;
  for (uint64_t b = 10; b-- > 0;) bits = bits << 8 | m_.memory[at + b];
  channel.shift = static_cast<int8_t>(m_.memory[at + 12]);
  MACLOOM_RETURN_IF_ERROR(CheckMultiplier(m_.config, d_, place.c_str(), 0, channel.shift));
  if (!is_float_) {
    const int width = m_.config.accumulator_bits;
    bits &= (Wide{1} << width) - 1;
    channel.start.value = bits > high_ ? bits - (Wide{1} << width) : bits;
    return {};
  }
  const int fraction_bits = precision_ - 1;
  const int width = m_.config.register_bits();
  const int field = static_cast<int>(bits >> fraction_bits) & ((1 << (width - precision_)) - 1);
  Wide value = bits & ((Wide{1} << fraction_bits) - 1);
  if (field > 0) value += Wide{1} << fraction_bits;
  const int exponent = least_ + std::max(field, 1) - 1;
  const bool is_whole = exponent >= 0 || value == 0 ||
                        (-exponent < precision_ && value % (Wide{1} << -exponent) == 0);
  if (exponent > 80 || !is_whole || field == (1 << (width - precision_)) - 1) {
    return DescriptorError(d_, fmt::format("{}: start register 0x{:X}; accepted are multiples of "
                                           "the products' grid below 2^80 of its units",
                                           place, static_cast<uint64_t>(bits)));
  }
  if (value != 0) value = exponent >= 0 ? value << exponent : value >> -exponent;
  channel.start.value = (bits >> (width - 1) & 1) != 0 ? -value : value;
  return {};
}

Wide MinifloatUnit::FixedSum(const int8_t* codes, const int8_t* weights, int n) {
  int largest = 0;
  for (int l = 0; l < n; ++l) {
    const Number& a = numbers_[static_cast<uint8_t>(codes[l])];
    const Number& w = numbers_[static_cast<uint8_t>(weights[l])];
    if (!a.is_finite || !w.is_finite) has_special_ = true;
    largest = std::max(largest, a.steps + w.steps);
  }
  const int cut = align_ < 0 ? drop_ : std::max(drop_, largest - align_);
  Wide sum = 0;
  for (int l = 0; l < n; ++l) {
    const Number& a = numbers_[static_cast<uint8_t>(codes[l])];
    const Number& w = numbers_[static_cast<uint8_t>(weights[l])];
    const Wide product = Wide{a.significand * w.significand} << (a.steps + w.steps);
    const Wide kept = product >> cut << (cut - drop_);
    sum += a.is_negative != w.is_negative ? -kept : kept;
  }
  return sum;
}

void MinifloatUnit::Step(Sum& acc, const int8_t* codes, const int8_t* weights, int n) {
  const Wide sum = FixedSum(codes, weights, n);
  if (is_float_) {
    if (acc.infinity == 0) RoundToFloat(acc, acc.value + sum);
    return;
  }
  const Wide exact = acc.value + sum;
  acc.value = exact;
  if (exact >= low_ && exact <= high_) return;
  ++m_.counters.overflow_events;
  if (d_.saturate()) {
    acc.value = exact < low_ ? low_ : high_;
    return;
  }
  const Wide modulus = high_ - low_ + 1;
  acc.value = exact - low_ - ((exact - low_) / modulus) * modulus;
  if (acc.value < 0) acc.value += modulus;
  acc.value += low_;
}

void MinifloatUnit::RoundToFloat(Sum& acc, Wide exact) {
  Wide magnitude = exact < 0 ? -exact : exact;
  const int cut = std::max(BitsOf(magnitude) - precision_, least_);
  if (cut > 0) {
    const Wide step = Wide{1} << cut;
    const Wide rest = magnitude % step;
    magnitude -= rest;
    if (2 * rest > step || (2 * rest == step && magnitude / step % 2 == 1)) magnitude += step;
  }
  if (magnitude > high_) {
    ++m_.counters.overflow_events;
    if (!d_.saturate()) acc.infinity = exact < 0 ? -1 : 1;
    magnitude = high_;
  }
  acc.value = exact < 0 ? -magnitude : magnitude;
}

Wide MinifloatUnit::GridOf(int magnitude_code) const {
  const int field = magnitude_code >> mantissa_bits_;
  const int fraction = magnitude_code & ((1 << mantissa_bits_) - 1);
  return field == 0 ? Wide{fraction} : Wide{fraction + (1 << mantissa_bits_)} << (field - 1);
}

int MinifloatUnit::RoundToCode(Wide magnitude, int exponent) const {
  // The last code whose border to the one before it is reached; a tie goes to the even code.
  int low = 0, high = max_code_ + 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    const Wide border = GridOf(middle - 1) + GridOf(middle);
    if (Exceeds(magnitude, exponent + 1, border, middle % 2 == 0)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

int MinifloatUnit::Clamp(int value, int low, int high) {
  if (value < low) {
    ++m_.counters.clamped_low;
    return low;
  }
  if (value > high) {
    ++m_.counters.clamped_high;
    return high;
  }
  return value;
}

int MinifloatUnit::Requantize(const Sum& sum, const Channel& channel) {
  const auto clamp_min = static_cast<int8_t>(d_.clamp_min());
  const auto clamp_max = static_cast<int8_t>(d_.clamp_max());
  if (d_.maximum()) {
    const int key = Clamp(static_cast<int>(sum.value), Key(clamp_min), Key(clamp_max));
    return static_cast<uint8_t>(Key(static_cast<int8_t>(key)));
  }
  const auto rank = [](int8_t code) { return code < 0 ? -(code & 0x7F) : int{code}; };
  const bool is_negative = sum.infinity != 0 ? sum.infinity < 0 : sum.value < 0;
  int code = max_code_ + 1;
  if (sum.infinity == 0) {
    code = RoundToCode(is_negative ? -sum.value : sum.value, lsb_ + drop_ + channel.shift);
  }
  const int clamped = Clamp(is_negative ? -code : code, rank(clamp_min), rank(clamp_max));
  return clamped < 0 ? 0x80 | -clamped : clamped;
}

Status MinifloatUnit::CheckCodes() const {
  if (!has_special_) return {};
  return DescriptorError(d_, "an activation or a weight is Inf or NaN; accepted are finite codes");
}

}  // namespace macloom::sim
