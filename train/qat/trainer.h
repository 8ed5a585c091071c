// Training from recipe to integer network. No libtorch type appears here.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ir/float_graph.h"
#include "ir/graph.h"
#include "train/recipe/dataset.h"
#include "train/recipe/recipe.h"

namespace macloom::train {

struct TrainOptions {
  /// Where checkpoint.safetensors and curves.csv go; must exist.
  std::filesystem::path directory;
  /// Folder of another run whose float network, and twin if its phase settings are equal, are taken
  /// instead of being trained again; empty: none.
  std::filesystem::path float_from;
  bool is_resumed = false;  ///< Continue from the checkpoint there, if there is one.
  bool is_quiet = false;    ///< No progress line.
  int max_epochs = 0;       ///< End as if interrupted after this many epochs in all; 0: never.
};

/// One epoch of one phase.
struct EpochRecord {
  std::string phase;  ///< "float", "twin" (float, the QAT phase's extra epochs) or "qat".
  int epoch = 0;      ///< From 1.
  double loss = 0;    ///< Mean over the epoch's batches, penalties included.
  double train_accuracy = 0, test_accuracy = 0;  ///< Fractions; training clips as they passed by.
  double learning_rate = 0;                      ///< At the epoch's end.
  double cosine_gradient_ratio = 0;  ///< |gradient of ACR| / |gradient of CE| on the weights.
  double weight_spread = 0;          ///< Mean over layers of std of what is trained (p under SWD).
};

/// Softmax of a network's outputs, row-major [clips, classes].
struct Probabilities {
  std::vector<double> validation, test;
};

struct TrainResult {
  ir::Graph network;    ///< Fixed-point, shift requantization only; ends in the logits.
  ir::FloatGraph twin;  ///< The folded float network with the same extra epochs.
  std::vector<ir::TensorValue> inputs;  ///< Codes of the test clips.
  std::vector<ir::TensorValue> logits;  ///< The simulation's, per test clip.
  /// Class indices per test clip (ties: smallest). `float_predictions` is before the extra epochs.
  std::vector<int> labels, predictions, twin_predictions, float_predictions;
  Probabilities twin_probabilities, probabilities;
  std::vector<EpochRecord> curves;
};

/// Trains: float with batch norm, folding, the float twin's and the fixed-point network's extra
/// epochs; then simulates the fixed-point network on the test clips in float64 and exports it.
///
/// One thread; equal recipes, data and machines give equal networks, resumed or not. A checkpoint
/// is written after every epoch. @return kCheckFailed if the loss is not finite, naming the last
/// good checkpoint; kInvalidInput for data that does not fit the recipe, a checkpoint of another
/// recipe, or a `float_from` whose float network is of other data, topology, seed or [float], or
/// not finished; kInterrupted.
Result<TrainResult> Train(const Recipe& recipe, const Dataset& dataset,
                          const TrainOptions& options);

/// The epochs as CSV with a header line.
std::string CurvesCsv(const std::vector<EpochRecord>& curves);

}  // namespace macloom::train
