// How far a quantized network is from the float network it stands for.
#pragma once

#include <vector>

#include "golden/reference/executor.h"
#include "quantize/post_training.h"

namespace macloom::quantize {

struct Evaluation {
  /// By node: 10 log10(sum of y^2 / sum of (y - y')^2) in dB over all samples, y the float value
  /// and y' the value of the code; infinite without error.
  std::vector<double> sqnr_db;
  /// Index of the largest output value, the smallest among equals.
  std::vector<int> float_predictions, predictions;
  std::vector<golden::LayerEvents> events;  ///< By node, summed over the samples.
};

/// Runs both networks on every sample, the quantized one by golden/fast.
/// @param accumulation  as golden::RunOptions; empty: exact accumulators.
Result<Evaluation> Evaluate(const QuantizedNetwork& network,
                            const std::vector<FloatValues>& samples,
                            const std::vector<ir::Accumulation>& accumulation = {});

/// Takes the mean error of every output channel out of the biases, node by node in order:
///   b -= mean over samples and positions of (integer sum - float sum), sums before the clamp
/// Nodes without bias get one. A channel whose accumulator would exceed `accumulator_bits` stays.
Status CorrectBiases(QuantizedNetwork& network, const std::vector<FloatValues>& samples,
                     int accumulator_bits);

}  // namespace macloom::quantize
