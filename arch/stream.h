// Packs parameters and weights in the order the hardware consumes them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "arch/config.h"
#include "ir/graph.h"

namespace macloom::arch {

/// Start value and multiplier pair of one output channel.
struct ChannelParameters {
  int64_t start = 0;  ///< Already reduced to the accumulator's width.
  ir::FixedPointMultiplier multiplier;
};

/// A stream: groups x [parameter section][weight section] (docs/accelerator.md, "Weight ring").
struct Stream {
  int groups = 0;
  int param_bytes = 0;  ///< Per group, multiple of 16.
  int weight_rows = 0;  ///< Ring rows per group.
  std::vector<uint8_t> bytes;

  /// Ring rows of one group.
  int GroupRows(const HardwareConfig& config) const;
};

/// Convolution: group g holds channels g*M..g*M+M-1; weight(oc, step, lane) is 0 beyond the valid
/// lanes. `per_layer` writes starts only.
Stream PackConv(const HardwareConfig& config, const std::vector<ChannelParameters>& channels,
                int num_steps, bool per_layer,
                const std::function<int(int oc, int step, int lane)>& weight);

/// Depthwise: group = channel block; weight(channel, tap) with taps in order of use.
Stream PackDepthwise(const HardwareConfig& config, const std::vector<ChannelParameters>& channels,
                     int num_taps, bool per_layer,
                     const std::function<int(int channel, int tap)>& weight);

}  // namespace macloom::arch
