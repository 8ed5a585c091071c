// What turns a clip into a network's input: the feature recipe, and its JSON text.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom::audio {

enum class FeatureKind {
  kMfcc,    ///< Discrete cosine transform (DCT-II) of the log-mel bands.
  kLogMel,  ///< The log-mel bands themselves.
};

/// Which part of a clip longer than Recipe::clip_samples is kept.
enum class LongClip {
  kStart,    ///< The first samples.
  kCenter,   ///< floor((length - clip_samples) / 2) samples are left out in front.
  kLoudest,  ///< The part with the largest sum of squares; the earliest among equals.
};

/// Where the zeros go that fill a clip shorter than Recipe::clip_samples.
enum class ShortClip {
  kPadEnd,     ///< All behind.
  kPadCenter,  ///< floor(missing / 2) in front, the others behind.
};

/// By what the samples are divided.
enum class Level {
  kNone,          ///< By nothing: full scale is 1.
  kPeak,          ///< By max |x|.
  kPositivePeak,  ///< By max x, as the MLPerf Tiny recipe does.
};

enum class Spectrum { kMagnitude, kPower };

enum class Normalization {
  kNone,            ///< The features as they are.
  kPerCoefficient,  ///< clamp((v - mean_c) / std_c, -clip, clip).
  kAffine,          ///< Integer codes: clamp(round(v / scale + zero_point), code_min, code_max).
};

enum class CodeRounding {
  kNearest,   ///< floor(x + 1/2).
  kTruncate,  ///< Toward zero, as the MLPerf Tiny recipe does.
};

/// A front end. docs/audio.md has the formulas in order.
struct Recipe {
  FeatureKind kind = FeatureKind::kMfcc;
  int sample_rate_hz = 16000;  ///< Clips of another rate are resampled.
  int clip_samples = 16000;    ///< Every clip is cut or padded to this length.
  LongClip long_clip = LongClip::kLoudest;
  ShortClip short_clip = ShortClip::kPadCenter;
  Level level = Level::kPeak;
  /// Silence: a clip whose peak is not above this (full scale 1) is not divided by it.
  double silence_peak = 0.005;
  int window_samples = 480;  ///< Periodic Hann window.
  int hop_samples = 320;
  int fft_samples = 512;  ///< Power of two, at least window_samples; zeros behind the window.
  Spectrum spectrum = Spectrum::kMagnitude;
  int mel_bands = 40;
  double low_hz = 20.0;
  double high_hz = 4000.0;
  double log_offset = 1e-6;
  int coefficients = 10;  ///< kMfcc only: the first of the DCT.
  Normalization normalization = Normalization::kNone;
  std::vector<double> mean, standard_deviation;  ///< kPerCoefficient; one per column.
  double clip = 0.0;                             ///< kPerCoefficient, in standard deviations.
  double scale = 1.0;                            ///< kAffine, as zero_point to rounding.
  int zero_point = 0;
  int code_min = -128;
  int code_max = 127;
  CodeRounding rounding = CodeRounding::kNearest;

  /// 1 + floor((clip_samples - window_samples) / hop_samples).
  int num_frames() const { return 1 + (clip_samples - window_samples) / hop_samples; }
  /// Features per frame.
  int num_columns() const { return kind == FeatureKind::kMfcc ? coefficients : mel_bands; }
  bool operator==(const Recipe&) const = default;
};

/// Range of every field; every mel band must hold an FFT bin.
/// @return kInvalidInput naming the field, its value and the range.
Status Validate(const Recipe& recipe);

/// The recipe of the MLPerf Tiny keyword-spotting features: 49 x 10 int8 codes of scale 0.584702909
/// and zero point 83.
Recipe MlperfTinyKws();
/// The default front end of own networks: 49 x 10 MFCC up to 4 kHz, not normalised (fit the
/// normalisation to the training clips).
Recipe OwnNetwork();
/// Names RecipeByName() knows.
std::vector<std::string> RecipeNames();
/// @return kInvalidInput naming the accepted names.
Result<Recipe> RecipeByName(const std::string& name);

/// Strict reading: every field must be there, in range, and no other. @return kInvalidInput naming
/// the field.
Result<Recipe> ParseRecipe(std::string_view json_text);
/// Same, from a file; messages start with the path.
Result<Recipe> ReadRecipe(const std::filesystem::path& path);
/// The JSON text, one line; equal recipes give equal texts, and ParseRecipe() gives the recipe back
/// exactly (numbers in the shortest decimal form that does).
/// @pre Validate(recipe) holds.
std::string ToJson(const Recipe& recipe);

}  // namespace macloom::audio
