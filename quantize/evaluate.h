// How far an integer network is from the float network it stands for.
#pragma once

#include <vector>

#include "quantize/post_training.h"

namespace macloom::quantize {

struct Evaluation {
  /// By node: 10 log10(sum of y^2 / sum of (y - y')^2) in dB over all samples, y the float value
  /// and y' the value of the code; infinite without error.
  std::vector<double> sqnr_db;
  /// Index of the largest output, the smallest among equals.
  std::vector<int> float_predictions, predictions;
};

/// Runs both networks on every sample, the integer one by the normative code with exact
/// accumulators.
Result<Evaluation> Evaluate(const QuantizedNetwork& network,
                            const std::vector<FloatValues>& samples);

/// Takes the mean error of every output channel out of the biases, node by node in order:
///   b -= mean over samples and positions of (integer sum - float sum), sums before the clamp
/// Nodes without bias get one. A channel whose accumulator would exceed `accumulator_bits` stays.
Status CorrectBiases(QuantizedNetwork& network, const std::vector<FloatValues>& samples,
                     int accumulator_bits);

}  // namespace macloom::quantize
