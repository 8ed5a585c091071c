// From a minifloat accumulator to a minifloat code.
#pragma once

#include <cstdint>

#include "golden/reference/minifloat.h"
#include "golden/reference/requantize.h"
#include "ir/requantization.h"

namespace macloom::golden {

/// r = RNE(v) with unlimited exponent; clamp_min if r < its value, clamp_max if r > its value,
/// otherwise the code of r, +0 for 0 (docs/numerics.md section 9.5). Inf is beyond every limit.
///
/// @pre v is finite or Inf; the clamp holds finite codes of `format`.
Requantized RoundAndClamp(const ExtendedReal& v, const ir::NumberFormat& format,
                          const ir::Requantization& requantization);

/// RoundAndClamp(accumulator * 2^k) of output channel `channel`; kMean: accumulator /
/// num_positions.
/// @pre kToMinifloat or kMean.
Requantized RequantizeToMinifloat(const ExtendedReal& accumulator, const ir::NumberFormat& format,
                                  const ir::Requantization& requantization, int64_t channel,
                                  int64_t num_positions);

}  // namespace macloom::golden
