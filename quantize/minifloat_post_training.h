// Post-training quantization to minifloats: a float network and sample inputs to a network of FP8.
#pragma once

#include <vector>

#include "ir/accumulation.h"
#include "quantize/post_training.h"

namespace macloom::quantize {

struct MinifloatOptions {
  ir::NumberFormat weight_format = ir::NumberFormat::E4M3();
  ir::NumberFormat activation_format = ir::NumberFormat::E4M3();  ///< The input's, too.
  /// Of the network's output, which is compared, not multiplied: FP16.
  ir::NumberFormat output_format =
      ir::NumberFormat::Minifloat(5, 10, 15, ir::MinifloatSpecials::kIeee);
  bool is_per_channel = false;  ///< Weights: one scale per output channel.
  RangeOptions weight_ranges;
  RangeOptions activation_ranges;
  bool equalize = false;  ///< EqualizeCrossLayer() first.
  /// A mean of n positions as a sum and a power of two, n / 2^ceil(log2 n) in the next weights, as
  /// Prepare() says: what lanes without multipliers run. Otherwise it is exact.
  bool are_means_shifts = false;
  /// Scales leave this register room: the largest sum, start value and pooled sum that the samples
  /// show take at most a quarter of its range. Order and products per step do not matter here.
  ir::Accumulation accumulation = ir::Accumulation::Exact();
};

/// Quantizes `graph`; the result passes ir::Verify(). Formulas: docs/quantization.md, "Minifloats".
///
///   k = log2(s_in s_w / s_out);  bias = round(b / (s_in s_w 2^p)), p = lsb_in + lsb_w
/// A network output that shares its codes with inner tensors has the activations' format.
/// @pre ir::Verify(graph) succeeds.
/// @return kUnsupported for formats that do not execute as operands, a SOFTMAX that is not last
///         and, with are_means_shifts, average pooling with padding; kInvalidInput for options out
///         of range, no or bad samples, an integer contract that is not exact, and a network whose
///         scales lie too far apart.
Result<QuantizedNetwork> QuantizeToMinifloats(const ir::FloatGraph& graph,
                                              const std::vector<FloatValues>& samples,
                                              const MinifloatOptions& options);

}  // namespace macloom::quantize
