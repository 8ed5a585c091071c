// A training recipe: everything that decides which network comes out, in one TOML file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "train/recipe/topology.h"

namespace macloom::train {

/// kSynthetic: made-up classes, for tests. kIndex: a CSV of WAV files. kArabic, kSpeechCommands:
/// ten keywords and unknown (and silence), with a validation split.
enum class DataKind { kSynthetic, kFsdd, kIndex, kArabic, kSpeechCommands };
enum class OptimizerKind { kAdam, kSgd };
/// Where the power-of-two scales come from.
enum class ScaleChoice {
  kCalibrated,  ///< Smallest mean squared error over calibration samples, then fixed.
  kLearned,     ///< Starts there; log2 of the range is trained (straight-through ceil).
  kNetwork,     ///< One Q format everywhere: weights Q0.(W-1), activations Q0.(A-1), equal shifts.
};
/// Codes of ReLU outputs of A bits (docs/training.md).
enum class ReluCodes {
  kSigned,  ///< 0 .. 2^(A-1) - 1: Q formats with zero point 0, half of the codes.
  kOffset,  ///< All 2^A codes: zero point -2^(A-1).
};
/// Bound on a channel's weights that keeps every prefix of its sums inside the accumulator.
enum class WeightBound { kNone, kA2q, kA2qPlus };

/// One training phase. Cosine schedule: rate * (1 + cos(pi * step / steps)) / 2.
struct Phase {
  int epochs = 30;
  int batch = 64;
  OptimizerKind optimizer = OptimizerKind::kAdam;
  double learning_rate = 1e-3;
  double weight_decay = 1e-4;  ///< Decoupled, on weights only.
  double label_smoothing = 0;
  bool operator==(const Phase&) const = default;
};

/// Fixed-point training (docs/training.md).
struct Quantizing {
  Phase phase{.epochs = 10, .learning_rate = 1e-4};
  int weight_bits = 8;
  int activation_bits = 8;
  int input_bits = 8;
  int output_bits = 8;  ///< Of the logits.
  ScaleChoice scales = ScaleChoice::kCalibrated;
  ReluCodes relu_codes = ReluCodes::kSigned;
  bool is_equalized = false;    ///< Channel ranges of neighbouring layers are made alike first.
  bool is_squashed = false;     ///< Squashed weight distribution: w = 2^k tanh(p).
  double cosine_weight = 0;     ///< Largest factor of the absolute cosine regularization.
  int accumulator_bits = 0;     ///< P; 0 = as wide as needed. Sums are clipped to P bits.
  double overflow_penalty = 0;  ///< Factor of mean(relu(|acc| - limit)), in accumulator units.
  WeightBound bound = WeightBound::kNone;
  double bound_penalty = 1e-3;        ///< A2Q: factor of sum relu(g - T s).
  double scale_learning_rate = 1e-2;  ///< kLearned only.
};

struct Recipe {
  std::string name = "network";
  uint64_t seed = 1;
  // [data]
  DataKind data_kind = DataKind::kSynthetic;
  std::string data_path;   ///< Folder of the pack; --data overrides it.
  std::string extra_path;  ///< Index of further training clips; --extra overrides it.
  /// arabic: speakers in this many groups, group `rotation` tests, the next one validates; 0: the
  /// official split.
  int speaker_groups = 0;
  int rotation = 0;  ///< fsdd: test takes 5r .. 5r+4.
  /// fsdd: the takes behind the test takes, cyclic, are the test set and those of `rotation` are
  /// not used: for choices between recipes.
  bool is_validation = false;
  std::string left_out_speaker;  ///< fsdd: test set = this speaker, instead of takes.
  int copies = 4;                ///< Variants of each training clip, the first unchanged.
  NetworkShape network;
  Phase float_phase;
  Quantizing qat;
  std::string text;  ///< The file as read: its digest names the recipe in checkpoints.
};

/// Reads a recipe. @return kInvalidInput naming the file, the key, the value given and what is
/// accepted, for unknown keys, values out of range, and contradictions (SWD with A2Q, a weight
/// bound without accumulator_bits).
Result<Recipe> ParseRecipe(const std::string& text, const std::string& where);
Result<Recipe> LoadRecipe(const std::filesystem::path& path);

}  // namespace macloom::train
