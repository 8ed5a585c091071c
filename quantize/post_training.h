// Post-training quantization: a float network and sample inputs to an integer network.
#pragma once

#include <string>
#include <vector>

#include "ir/float_graph.h"
#include "quantize/range.h"

namespace macloom::quantize {

enum class Scales {
  kPowerOfTwo,  ///< Fixed point, zero points 0, requantization by shifts alone.
  kAffine,      ///< TFLite's: scale and zero point per tensor, multipliers, double rounding.
};

struct PostTrainingOptions {
  int weight_bits = 8;      ///< 2..8, like all widths below.
  int activation_bits = 8;  ///< Between layers.
  int input_bits = 8;       ///< Of the network's input.
  int output_bits = 8;      ///< Of the network's output, whose codes are compared, not summed.
  Scales scales = Scales::kPowerOfTwo;
  bool is_per_channel = false;  ///< Weights: one scale per output channel.
  RangeOptions weight_ranges;
  RangeOptions activation_ranges;
  bool equalize = false;      ///< EqualizeCrossLayer() first.
  bool correct_bias = false;  ///< CorrectBiases() at the end.
  /// 8..32: weights whose accumulator needs more bits get a coarser grid until it does not.
  int accumulator_bits = 32;
};

struct QuantizedNetwork {
  ir::Graph graph;
  /// What was quantized, batch normalization folded and a last SOFTMAX taken off; the same tensors
  /// and nodes by index.
  ir::FloatGraph float_graph;
  /// By TensorId: value of the integer network's codes / value in `float_graph`. 1, but behind a
  /// mean of n positions, n no power of two, that is a shift: n / 2^ceil(log2 n).
  std::vector<double> gains;
  std::vector<std::string> notes;  ///< What was changed on the way, one sentence each.
};

/// Quantizes `graph`; the result passes ir::Verify(). Formulas: docs/quantization.md.
///
/// @pre ir::Verify(graph) succeeds.
/// @return kInvalidInput for options out of range, no or bad samples, and accumulators that stay
///         too wide; kUnsupported for a SOFTMAX that is not last and, with powers of two, average
///         pooling with padding. Messages name node or option.
Result<QuantizedNetwork> QuantizePostTraining(const ir::FloatGraph& graph,
                                              const std::vector<FloatValues>& samples,
                                              const PostTrainingOptions& options);

}  // namespace macloom::quantize
