#include "golden/reference/accumulator.h"

#include "base/check.h"

namespace macloom::golden {
namespace {

int64_t WrapTo(int width_bits, __int128 value) {
  const __int128 modulus = __int128{1} << width_bits;
  __int128 residue = value % modulus;
  if (residue < 0) residue += modulus;
  if (residue >= modulus / 2) residue -= modulus;
  return static_cast<int64_t>(residue);
}

}  // namespace

int64_t Accumulator::Min(int width_bits) {
  return static_cast<int64_t>(-(__int128{1} << (width_bits - 1)));
}

int64_t Accumulator::Max(int width_bits) {
  return static_cast<int64_t>((__int128{1} << (width_bits - 1)) - 1);
}

bool Accumulator::Holds(int width_bits, int64_t value) {
  return value >= Min(width_bits) && value <= Max(width_bits);
}

Accumulator::Accumulator(int width_bits, ir::Overflow overflow, int64_t start)
    : width_bits_(width_bits), overflow_(overflow) {
  MACLOOM_CHECK(width_bits >= 8 && width_bits <= 64);
  MACLOOM_CHECK(overflow == ir::Overflow::kWrap || Holds(width_bits, start));
  value_ = WrapTo(width_bits, start);
}

void Accumulator::Step(int64_t sum) {
  // 128 bits: the sum of two 64-bit numbers must stay exact.
  const __int128 exact = static_cast<__int128>(value_) + sum;
  const int64_t min = Min(width_bits_);
  const int64_t max = Max(width_bits_);
  if (exact >= min && exact <= max) {
    value_ = static_cast<int64_t>(exact);
    return;
  }
  ++num_events_;
  if (overflow_ == ir::Overflow::kWrap) {
    value_ = WrapTo(width_bits_, exact);
  } else {
    value_ = exact < min ? min : max;
  }
}

}  // namespace macloom::golden
