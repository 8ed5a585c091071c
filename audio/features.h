// From a clip to the features a recipe describes.
#pragma once

#include <memory>
#include <vector>

#include "audio/clip.h"
#include "audio/recipe.h"

namespace macloom::audio {

/// The clip at the recipe's rate, cut or padded to clip_samples and divided by its level.
std::vector<float> PrepareSamples(const Clip& clip, const Recipe& recipe);

/// Computes features in binary64; tables and FFT plan are made once.
///
/// For frame t and the prepared samples x:
///   s[n] = x[t * hop + n] * (1/2 - 1/2 cos(2 pi n / window)), n < window, zeros up to the FFT size
///   p[k] = |FFT(s)[k]| (kMagnitude) or its square (kPower), 0 <= k <= fft / 2
///   m[b] = ln(sum over k of band_b[k] * p[k] + log_offset)               (bands: audio/mel.h)
///   v[c] = sqrt(2 / bands) * sum over b of m[b] * cos(pi (b + 1/2) c / bands)    (kMfcc only)
/// then the normalization, and one rounding to binary32. Codes of a network come from those floats
/// by QuantizeFixedPoint() or QuantizeAffine(), in training and in execution alike.
///
/// Not thread-safe: one extractor per thread.
class FeatureExtractor {
 public:
  /// @return Validate()'s error.
  static Result<FeatureExtractor> Create(const Recipe& recipe);
  FeatureExtractor(FeatureExtractor&&) noexcept;
  FeatureExtractor& operator=(FeatureExtractor&&) noexcept;
  ~FeatureExtractor();

  const Recipe& recipe() const;

  /// Normalised features, row-major [num_frames, num_columns]; for kAffine, integers.
  std::vector<float> Compute(const Clip& clip);
  /// Same without the normalization: what mean and standard deviation are taken of.
  std::vector<double> ComputeRaw(const Clip& clip);

 private:
  struct State;
  explicit FeatureExtractor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Sets kPerCoefficient from raw features ([frames, columns] each): mean and population standard
/// deviation of every column over all frames of all clips, in double, clip after clip.
/// @return kInvalidInput if there are no clips or a column does not vary (deviation below 1e-6).
Result<Recipe> FitNormalization(const Recipe& recipe,
                                const std::vector<std::vector<double>>& raw_features, double clip);

/// clamp(floor(x * 2^fraction_bits + 1/2), code_min, code_max), exact up to the floor.
int32_t QuantizeFixedPoint(float x, int fraction_bits, int64_t code_min, int64_t code_max);
/// clamp(floor(x / scale + 1/2) + zero_point, code_min, code_max), the division in binary64.
/// @pre scale > 0.
int32_t QuantizeAffine(float x, float scale, int32_t zero_point, int64_t code_min,
                       int64_t code_max);

}  // namespace macloom::audio
