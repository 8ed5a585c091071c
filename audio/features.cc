#include "audio/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "audio/mel.h"
#include "audio/resample.h"

namespace macloom::audio {
namespace {

// First sample of the kept part of a clip longer than `wanted`.
size_t FirstKept(const std::vector<float>& samples, size_t wanted, LongClip policy) {
  const size_t spare = samples.size() - wanted;
  if (policy == LongClip::kStart) return 0;
  if (policy == LongClip::kCenter) return spare / 2;
  double energy = 0.0;
  const auto square = [&](size_t i) { return double{samples[i]} * samples[i]; };
  for (size_t i = 0; i < wanted; ++i) energy += square(i);
  double best = energy;
  size_t first = 0;
  for (size_t i = 0; i < spare; ++i) {
    energy += square(i + wanted) - square(i);
    if (energy > best) {
      best = energy;
      first = i + 1;
    }
  }
  return first;
}

double PeakOf(const std::vector<float>& samples, Level level) {
  float peak = 0.0f;
  for (const float x : samples) peak = std::max(peak, level == Level::kPeak ? std::abs(x) : x);
  return peak;
}

double Normalize(const Recipe& recipe, size_t column, double value) {
  switch (recipe.normalization) {
    case Normalization::kNone:
      return value;
    case Normalization::kPerCoefficient:
      return std::clamp((value - recipe.mean[column]) / recipe.standard_deviation[column],
                        -recipe.clip, recipe.clip);
    case Normalization::kAffine: {
      const double code = value / recipe.scale + recipe.zero_point;
      const double whole =
          recipe.rounding == CodeRounding::kTruncate ? std::trunc(code) : std::floor(code + 0.5);
      return std::clamp<double>(whole, recipe.code_min, recipe.code_max);
    }
  }
  MACLOOM_CHECK(false);
}

}  // namespace

std::vector<float> PrepareSamples(const Clip& clip, const Recipe& recipe) {
  std::vector<float> samples = Resample(clip, recipe.sample_rate_hz).samples;
  const size_t wanted = static_cast<size_t>(recipe.clip_samples);
  if (samples.size() > wanted) {
    const size_t first = FirstKept(samples, wanted, recipe.long_clip);
    samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(first));
  } else if (recipe.short_clip == ShortClip::kPadCenter) {
    samples.insert(samples.begin(), (wanted - samples.size()) / 2, 0.0f);
  }
  samples.resize(wanted, 0.0f);
  if (recipe.level == Level::kNone) return samples;
  const double peak = PeakOf(samples, recipe.level);
  if (peak <= recipe.silence_peak) return samples;
  for (float& x : samples) x = static_cast<float>(x / peak);
  return samples;
}

struct FeatureExtractor::State {
  explicit State(const Recipe& r) : recipe(r), bands(MelBands(r)) {
    fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
    for (int n = 0; n < r.window_samples; ++n) {
      window.push_back(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / r.window_samples));
    }
    frame.resize(static_cast<size_t>(r.fft_samples));
    spectrum.resize(frame.size() / 2 + 1);
    power.resize(spectrum.size());
    log_mel.resize(bands.size());
    if (r.kind == FeatureKind::kLogMel) return;
    const double scale = std::sqrt(2.0 / r.mel_bands);
    for (int c = 0; c < r.coefficients; ++c) {
      for (int b = 0; b < r.mel_bands; ++b) {
        cosine.push_back(scale * std::cos(std::numbers::pi * (b + 0.5) * c / r.mel_bands));
      }
    }
  }

  // One frame of `samples` from `start`; writes num_columns() values.
  void ComputeFrame(const float* samples, double* output) {
    for (size_t n = 0; n < window.size(); ++n) frame[n] = window[n] * double{samples[n]};
    fft.fwd(spectrum.data(), frame.data(), static_cast<Eigen::Index>(frame.size()));
    for (size_t k = 0; k < power.size(); ++k) {
      const double re = spectrum[k].real(), im = spectrum[k].imag();
      power[k] = re * re + im * im;
      if (recipe.spectrum == Spectrum::kMagnitude) power[k] = std::sqrt(power[k]);
    }
    for (size_t b = 0; b < bands.size(); ++b) {
      const double* values = power.data() + bands[b].first_bin;
      double sum = recipe.log_offset;
      for (size_t i = 0; i < bands[b].weights.size(); ++i) sum += bands[b].weights[i] * values[i];
      log_mel[b] = std::log(sum);
    }
    if (recipe.kind == FeatureKind::kLogMel) {
      std::copy(log_mel.begin(), log_mel.end(), output);
      return;
    }
    const double* row = cosine.data();
    for (int c = 0; c < recipe.coefficients; ++c, row += bands.size()) {
      double sum = 0.0;
      for (size_t b = 0; b < bands.size(); ++b) sum += row[b] * log_mel[b];
      output[c] = sum;
    }
  }

  Recipe recipe;
  std::vector<MelBand> bands;
  Eigen::FFT<double> fft;
  std::vector<double> window, frame, power, log_mel;
  std::vector<std::complex<double>> spectrum;
  std::vector<double> cosine;  ///< [coefficients, bands].
};

FeatureExtractor::FeatureExtractor(std::unique_ptr<State> state) : state_(std::move(state)) {}
FeatureExtractor::FeatureExtractor(FeatureExtractor&&) noexcept = default;
FeatureExtractor& FeatureExtractor::operator=(FeatureExtractor&&) noexcept = default;
FeatureExtractor::~FeatureExtractor() = default;

Result<FeatureExtractor> FeatureExtractor::Create(const Recipe& recipe) {
  MACLOOM_RETURN_IF_ERROR(Validate(recipe));
  return FeatureExtractor(std::make_unique<State>(recipe));
}

const Recipe& FeatureExtractor::recipe() const { return state_->recipe; }

std::vector<double> FeatureExtractor::ComputeRaw(const Clip& clip) {
  const Recipe& recipe = state_->recipe;
  const std::vector<float> samples = PrepareSamples(clip, recipe);
  const size_t frames = static_cast<size_t>(recipe.num_frames());
  const size_t columns = static_cast<size_t>(recipe.num_columns());
  std::vector<double> features(frames * columns);
  for (size_t t = 0; t < frames; ++t) {
    state_->ComputeFrame(samples.data() + t * static_cast<size_t>(recipe.hop_samples),
                         features.data() + t * columns);
  }
  return features;
}

std::vector<float> FeatureExtractor::Compute(const Clip& clip) {
  const std::vector<double> raw = ComputeRaw(clip);
  std::vector<float> features(raw.size());
  const size_t columns = static_cast<size_t>(state_->recipe.num_columns());
  for (size_t i = 0; i < features.size(); ++i) {
    features[i] = static_cast<float>(Normalize(state_->recipe, i % columns, raw[i]));
  }
  return features;
}

Result<Recipe> FitNormalization(const Recipe& recipe,
                                const std::vector<std::vector<double>>& raw_features, double clip) {
  if (raw_features.empty()) return InvalidInput("normalization: no clips to take it from");
  const size_t columns = static_cast<size_t>(recipe.num_columns());
  const double count = static_cast<double>(raw_features.size()) * recipe.num_frames();
  std::vector<double> mean(columns), deviation(columns);
  for (const std::vector<double>& features : raw_features) {
    MACLOOM_CHECK(features.size() == columns * static_cast<size_t>(recipe.num_frames()));
    for (size_t i = 0; i < features.size(); ++i) mean[i % columns] += features[i];
  }
  for (double& value : mean) value /= count;
  for (const std::vector<double>& features : raw_features) {
    for (size_t i = 0; i < features.size(); ++i) {
      deviation[i % columns] += std::pow(features[i] - mean[i % columns], 2);
    }
  }
  for (size_t c = 0; c < columns; ++c) {
    deviation[c] = std::sqrt(deviation[c] / count);
    if (deviation[c] < 1e-6) {
      return InvalidInput(fmt::format("normalization: column {} does not vary over {} clips", c,
                                      raw_features.size()));
    }
  }
  Recipe fitted = recipe;
  fitted.normalization = Normalization::kPerCoefficient;
  fitted.mean = std::move(mean);
  fitted.standard_deviation = std::move(deviation);
  fitted.clip = clip;
  MACLOOM_RETURN_IF_ERROR(Validate(fitted));
  return fitted;
}

int32_t QuantizeFixedPoint(float x, int fraction_bits, int64_t code_min, int64_t code_max) {
  const double code = std::floor(std::ldexp(double{x}, fraction_bits) + 0.5);
  return static_cast<int32_t>(
      std::clamp(code, static_cast<double>(code_min), static_cast<double>(code_max)));
}

int32_t QuantizeAffine(float x, float scale, int32_t zero_point, int64_t code_min,
                       int64_t code_max) {
  MACLOOM_CHECK(scale > 0.0f);
  const double code = std::floor(double{x} / double{scale} + 0.5) + zero_point;
  return static_cast<int32_t>(
      std::clamp(code, static_cast<double>(code_min), static_cast<double>(code_max)));
}

}  // namespace macloom::audio
