// The minifloats of the unit grids, and random codes and accumulators for them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "base/rng.h"
#include "golden/reference/minifloat.h"
#include "golden/reference/minifloat_accumulator.h"
#include "ir/number_format.h"

namespace macloom::testing {

inline ir::NumberFormat MinifloatNamed(std::string_view name) {
  auto format = ir::ParseMinifloat(name);
  MACLOOM_CHECK(format.ok());
  return *format;
}

/// In the order of tests/rtl/units.
inline std::array<ir::NumberFormat, 7> GridFormats() {
  return {MinifloatNamed("e4m3"), MinifloatNamed("e5m2"), MinifloatNamed("e3m4"),
          MinifloatNamed("e2m5"), MinifloatNamed("e3m2"), MinifloatNamed("e2m3"),
          MinifloatNamed("e2m1")};
}

/// A finite code: any, zero, smallest or largest, or with a middle exponent.
inline int64_t RandomFiniteCode(const ir::NumberFormat& format, Rng& rng) {
  const int64_t sign = rng.Bernoulli(0.5) ? format.SignBit() : 0;
  const int64_t largest = format.MaxFiniteCode();
  switch (rng.UniformInt(0, 9)) {
    case 0:
      return sign;
    case 1:
      return sign | rng.UniformInt(0, int64_t{1} << format.mantissa_bits);
    case 2:
      return sign | (largest - rng.UniformInt(0, 1));
    default:
      return sign | rng.UniformInt(0, largest);
  }
}

/// `value` as a two's complement number of `bits` bits, at most 96, of which 32 in each word.
inline __int128 SignedBits(const uint32_t* words, int bits) {
  unsigned __int128 value = words[0] | static_cast<unsigned __int128>(words[1]) << 32 |
                            static_cast<unsigned __int128>(words[2]) << 64;
  value <<= 128 - bits;
  return static_cast<__int128>(value) >> (128 - bits);
}

}  // namespace macloom::testing
