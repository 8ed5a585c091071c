// What executing one node for one sample yields, collected output by output.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/reference/executor.h"
#include "golden/reference/requantize.h"
#include "golden/reference/summation.h"

namespace macloom::golden {

struct NodeRun {
  ir::TensorValue output;
  std::vector<int64_t> accumulators;  ///< Before requantization; empty without an accumulator.
  LayerEvents events;

  /// Appends one output code and counts its clamp.
  void Append(const Requantized& requantized);
  /// Appends one output: requantizes its accumulator, keeps it, counts events and clamp.
  void Append(const WindowSum& sum, const ir::Requantization& requantization, int64_t channel,
              int64_t num_positions);
};

}  // namespace macloom::golden
