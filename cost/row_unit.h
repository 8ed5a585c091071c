// A row of the array, loom_row or loom_fp_row, as a unit to synthesise.
#pragma once

#include "cost/mac_unit.h"

namespace macloom::cost {

/// The row of `spec` with structural multipliers: operand, weight and product registers, tree,
/// `spec.lanes` accumulators and their shadow, event count. Wrapping or, for float accumulators,
/// overflow to infinity; saturation and maximum pooling tied off, no reset, one drain port.
/// kRowDepthwise also has the adder of every lane, the weights shared by all rows and unit weights.
/// @return kUnsupported for operands beyond 8 bits and lanes that are no power of two.
Result<RtlUnit> RowUnit(const MacSpec& spec);

}  // namespace macloom::cost
