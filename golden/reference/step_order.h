// Which products form a step, and in which order steps follow.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/accumulation.h"

namespace macloom::golden {

/// A window of kernel_h x kernel_w taps with `num_channels` products each; position (ky, kx, c) has
/// the index (ky*kernel_w + kx)*num_channels + c.
struct WindowExtent {
  int64_t kernel_h = 1, kernel_w = 1, num_channels = 1;
  int64_t num_positions() const { return kernel_h * kernel_w * num_channels; }
};

/// All positions of a window, grouped into steps.
struct StepOrder {
  std::vector<int64_t> positions;  ///< A permutation of 0..num_positions - 1.
  std::vector<int64_t> step_ends;  ///< Step i = positions[step_ends[i-1] .. step_ends[i]).
};

/// The order of docs/numerics.md section 2, L = products_per_step:
///   kBlockTap         for channel block of L, for ky, for kx: one step (the last block is shorter)
///   kFlatTap          indices [i*L, (i+1)*L) in ascending order (the last step is shorter)
///   kTapSerial        for ky, for kx: one step
///   kTapSerialColumn  for kx, for ky: one step
/// @pre `accumulation` is valid; the tap-serial orders need num_channels = 1.
StepOrder MakeStepOrder(const ir::Accumulation& accumulation, const WindowExtent& extent);

}  // namespace macloom::golden
