// Makes a failing case small while it keeps failing.
#pragma once

#include "campaign/execution.h"

namespace macloom::campaign {

struct ShrinkResult {
  Case test_case;
  Expected expected;
  Outcome outcome;
  int64_t executions = 0;  ///< Cases tried on the devices.
};

/// Drops nodes, then halves and trims image, channels, kernels, strides and padding, then sets
/// weights, biases and inputs to zero in shrinking chunks and what is
/// left to one, then simplifies clamps, multipliers, accumulator and memory; again until nothing
/// changes or `max_executions` are spent. A change stays if the case then still fails in the same
/// way: a wrong tensor stays one.
///
/// @pre `failing` was executed with a mismatch. @return errors of the tools.
Result<ShrinkResult> Shrink(const Case& failing, Devices& devices, int64_t max_executions = 4000);

}  // namespace macloom::campaign
