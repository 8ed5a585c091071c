// What a run reports of clips and epochs.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "train/qat/tensors.h"
#include "train/qat/trainer.h"

namespace macloom::train {

/// Index of the largest of each row's values, the smallest among equals. logits: [N, classes].
std::vector<int> Predictions(const Tensor& logits);

/// Softmax of each row, in float64, row-major.
std::vector<double> Softmax(const Tensor& logits);

/// Share of equal entries.
double Accuracy(const std::vector<int>& predictions, const std::vector<int>& labels);

/// values * 2^fraction_bits as integers, one tensor of `shape` per clip.
/// values: [N, ...], multiples of 2^-fraction_bits.
std::vector<ir::TensorValue> CodesPerClip(const Tensor& values, int fraction_bits,
                                          const ir::Shape& shape);

/// @return kInvalidInput naming `split` if it has no clips or a class has none.
Status CheckClips(const Dataset& dataset, const Clips& clips, const char* split);

}  // namespace macloom::train
