// Compares what a device produced with what golden expects, and names the first difference.
#pragma once

#include <string>
#include <vector>

#include "sim/device.h"

namespace macloom::sim {

/// One node's output tensor.
struct LayerComparison {
  int node = -1;
  int64_t elements = 0;
  int64_t mismatches = 0;
  /// First mismatch: node, element (y, x, c), pixel tile and channel group, step tag, cycle of the
  /// write, expected, got. Empty if there is none.
  std::string first;
  int64_t first_cycle = -1;  ///< Of that write; -1 if it was never written or without time.
};

/// Every node whose output the job's steps produce, in node order. A tensor the device should have
/// produced and did not counts all its elements as mismatches.
std::vector<LayerComparison> Compare(const arch::Job& job,
                                     const std::vector<ir::TensorValue>& expected,
                                     const DeviceRun& got, const Device& device);

}  // namespace macloom::sim
