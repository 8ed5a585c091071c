// What one accumulating node sums: taps, weights, start values, and its padding classes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/reference/step_order.h"
#include "ir/accumulator_range.h"

namespace macloom::explore {

/// Output positions whose windows have the same taps inside the image.
struct PaddingClass {
  int64_t out_y = 0, out_x = 0;  ///< One of them, the first in row-major order.
  std::vector<bool> is_inside;   ///< By tap, ky * kernel_w + kx.
};

/// True for nodes with an accumulator: those with weights, and average pooling.
bool Accumulates(const ir::Node& node);

struct LayerGeometry {
  golden::WindowExtent extent;
  int64_t num_channels = 0;  ///< Output channels.
  int64_t pad_code = 0;      ///< What outside taps contribute; 0 for pooling.
  std::vector<PaddingClass> classes;

  /// @pre Accumulates(node); the graph is verified.
  LayerGeometry(const ir::Graph& graph, const ir::Node& node);

  /// Weights of one output in window order (ky, kx, c); ones for pooling.
  std::vector<int64_t> Weights(const ir::Graph& graph, const ir::Node& node, int64_t channel) const;
  bool IsInside(const PaddingClass& padding, int64_t position) const {
    return padding.is_inside[static_cast<size_t>(position / extent.num_channels)];
  }
};

/// Start value of an output channel; 0 for pooling.
int64_t StartOf(const ir::Graph& graph, const ir::Node& node, int64_t channel);

/// Ranges of codes that the clamps of the producing layers allow, by TensorId: a proof.
///
/// A node's clamp bounds its output. RESHAPE passes its input's range on, MAX_POOL_2D and mean
/// pooling its input's range clamped, PAD the hull with the zero point, CONCATENATION the hull of
/// its inputs. Others: the format.
std::vector<ir::CodeRange> ClampRanges(const ir::Graph& graph);

}  // namespace macloom::explore
