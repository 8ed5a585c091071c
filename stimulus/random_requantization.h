// Random requantization parameters that spread the outputs over their range, with corner cases.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/rng.h"
#include "ir/accumulator_range.h"
#include "ir/graph.h"

namespace macloom::stimulus {

/// A random multiplier in [2^30, 2^31 - 1], both ends favoured.
int32_t RandomMultiplier(Rng& rng);

/// Parameters for an accumulator in `range` onto `num_codes` output codes.
///
/// Mostly such that the accumulator's range covers 0.5 to 32 times the codes (typical sums reach a
/// fraction of their range, so the outputs spread, and sometimes saturate); now and then multiplier
/// 0, shift 0, shift -31, or the largest left shift that stays inside 32 bits.
ir::FixedPointMultiplier RandomPair(Rng& rng, ir::RequantizationKind kind,
                                    const ir::AccumulatorRange& range, int64_t num_codes);

/// The clamp of a fused activation: whole range, ReLU, or a narrow band around the zero point.
void SetRandomClamp(Rng& rng, const ir::NumberFormat& format, ir::Requantization& target);

}  // namespace macloom::stimulus
