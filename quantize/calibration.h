// What the tensors of a float network hold over sample inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "quantize/float_executor.h"

namespace macloom::quantize {

/// Values seen in one tensor.
struct Observation {
  float low = 0;   ///< Smallest value or 0, whichever is less.
  float high = 0;  ///< Largest value or 0, whichever is more.
  /// Every n-th value, n a prime: at most kMaxObservedValues.
  std::vector<float> values;
};

inline constexpr int64_t kMaxObservedValues = 1 << 16;

/// Runs `graph` on every input. @return one Observation per tensor, by TensorId; kInvalidInput
/// without inputs, or naming the sample that RunFloat() refuses.
Result<std::vector<Observation>> Calibrate(const ir::FloatGraph& graph,
                                           const std::vector<FloatValues>& inputs);

}  // namespace macloom::quantize
