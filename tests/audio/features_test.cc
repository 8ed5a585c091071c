#include "audio/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "audio/resample.h"
#include "base/rng.h"

namespace macloom::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe Small(FeatureKind kind, Spectrum spectrum) {
  Recipe recipe = OwnNetwork();
  recipe.kind = kind;
  recipe.spectrum = spectrum;
  recipe.clip_samples = 300;
  recipe.window_samples = 100;
  recipe.hop_samples = 70;
  recipe.fft_samples = 128;
  recipe.mel_bands = 6;
  recipe.low_hz = 300.0;
  recipe.high_hz = 7000.0;
  recipe.coefficients = 4;
  recipe.level = Level::kNone;
  return recipe;
}

// The formulas of audio/features.h and audio/mel.h word by word, with a plain Fourier sum.
std::vector<double> SlowFeatures(const std::vector<float>& x, const Recipe& r) {
  const double pi = std::numbers::pi;
  const auto mel = [](double hz) { return 1127.0 * std::log(1.0 + hz / 700.0); };
  std::vector<double> features;
  for (int t = 0; t < r.num_frames(); ++t) {
    std::vector<double> p;
    for (int k = 0; k <= r.fft_samples / 2; ++k) {
      std::complex<double> sum = 0.0;
      for (int n = 0; n < r.window_samples; ++n) {
        const double s = double{x[static_cast<size_t>(t * r.hop_samples + n)]} *
                         (0.5 - 0.5 * std::cos(2.0 * pi * n / r.window_samples));
        sum += std::polar(s, -2.0 * pi * k * n / r.fft_samples);
      }
      p.push_back(r.spectrum == Spectrum::kPower ? std::norm(sum) : std::abs(sum));
    }
    std::vector<double> m;
    for (int b = 0; b < r.mel_bands; ++b) {
      const double step = (mel(r.high_hz) - mel(r.low_hz)) / (r.mel_bands + 1);
      const double center = mel(r.low_hz) + step * (b + 1);
      double sum = r.log_offset;
      for (size_t k = 1; k < p.size(); ++k) {
        const double hz = static_cast<double>(k) * r.sample_rate_hz / r.fft_samples;
        sum += p[k] * std::max(0.0, 1.0 - std::abs(mel(hz) - center) / step);
      }
      m.push_back(std::log(sum));
    }
    if (r.kind == FeatureKind::kLogMel) features.insert(features.end(), m.begin(), m.end());
    for (int c = 0; r.kind == FeatureKind::kMfcc && c < r.coefficients; ++c) {
      double sum = 0.0;
      for (int b = 0; b < r.mel_bands; ++b) {
        sum += m[static_cast<size_t>(b)] * std::cos(pi * (b + 0.5) * c / r.mel_bands);
      }
      features.push_back(std::sqrt(2.0 / r.mel_bands) * sum);
    }
  }
  return features;
}

TEST(FeaturesTest, EqualTheFormulas) {
  Rng rng(3);
  Clip clip;
  for (int i = 0; i < 300; ++i) clip.samples.push_back(static_cast<float>(rng.Normal() * 0.1));
  for (const FeatureKind kind : {FeatureKind::kMfcc, FeatureKind::kLogMel}) {
    for (const Spectrum spectrum : {Spectrum::kMagnitude, Spectrum::kPower}) {
      const Recipe recipe = Small(kind, spectrum);
      Result<FeatureExtractor> extractor = FeatureExtractor::Create(recipe);
      ASSERT_TRUE(extractor.ok()) << extractor.error().message;
      const std::vector<double> got = extractor->ComputeRaw(clip);
      const std::vector<double> wanted = SlowFeatures(clip.samples, recipe);
      ASSERT_EQ(got.size(), wanted.size());
      ASSERT_EQ(got.size(), static_cast<size_t>(3 * recipe.num_columns()));
      // Two orders of summation in binary64.
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-10) << i;
    }
  }
}

TEST(FeaturesTest, LengthsAndLevelsAreAsDefined) {
  Recipe recipe = Small(FeatureKind::kMfcc, Spectrum::kPower);
  recipe.clip_samples = 4;
  recipe.level = Level::kNone;
  const Clip longer{16000, {0.1f, 0.2f, 0.5f, -0.5f, 0.5f, 0.1f, 0.0f}};
  const auto prepare = [&](const Clip& clip) { return PrepareSamples(clip, recipe); };
  recipe.long_clip = LongClip::kStart;
  EXPECT_THAT(prepare(longer), ElementsAre(0.1f, 0.2f, 0.5f, -0.5f));
  recipe.long_clip = LongClip::kCenter;
  EXPECT_THAT(prepare(longer), ElementsAre(0.2f, 0.5f, -0.5f, 0.5f));
  recipe.long_clip = LongClip::kLoudest;
  EXPECT_THAT(prepare(longer), ElementsAre(0.2f, 0.5f, -0.5f, 0.5f));
  EXPECT_THAT(prepare({16000, std::vector<float>(9, 0.5f)}), ElementsAre(0.5f, 0.5f, 0.5f, 0.5f));
  const Clip shorter{16000, {0.25f}};
  EXPECT_THAT(prepare(shorter), ElementsAre(0.0f, 0.25f, 0.0f, 0.0f));
  recipe.short_clip = ShortClip::kPadEnd;
  EXPECT_THAT(prepare(shorter), ElementsAre(0.25f, 0.0f, 0.0f, 0.0f));
  const Clip both{16000, {-0.5f, 0.25f, 0.0f, 0.125f}};
  recipe.level = Level::kPeak;
  EXPECT_THAT(prepare(both), ElementsAre(-1.0f, 0.5f, 0.0f, 0.25f));
  recipe.level = Level::kPositivePeak;
  EXPECT_THAT(prepare(both), ElementsAre(-2.0f, 1.0f, 0.0f, 0.5f));
  // Silence: a peak at or below the bound leaves the clip as it is.
  recipe.silence_peak = 0.25;
  EXPECT_THAT(prepare(both), ElementsAre(-0.5f, 0.25f, 0.0f, 0.125f));
  recipe.silence_peak = 0.0;
  EXPECT_THAT(prepare({16000, {-0.5f, 0.0f}}), ElementsAre(-0.5f, 0.0f, 0.0f, 0.0f));
}

TEST(FeaturesTest, NormalizationsFollowTheirFormulas) {
  Recipe recipe = Small(FeatureKind::kLogMel, Spectrum::kPower);
  const Clip silence{16000, {0.0f}};
  const double v = std::log(recipe.log_offset);
  const auto first = [&] { return FeatureExtractor::Create(recipe)->Compute(silence)[0]; };
  EXPECT_EQ(first(), static_cast<float>(v));
  recipe.normalization = Normalization::kPerCoefficient;
  recipe.mean.assign(6, -10.0);
  recipe.standard_deviation.assign(6, 2.0);
  recipe.clip = 5.0;
  EXPECT_EQ(first(), static_cast<float>((v + 10.0) / 2.0));
  recipe.clip = 1.0;
  EXPECT_EQ(first(), -1.0f);
  recipe.normalization = Normalization::kAffine;
  recipe.scale = 1.0;  // v = -13.8155...
  EXPECT_EQ(first(), -14.0f);
  recipe.rounding = CodeRounding::kTruncate;
  EXPECT_EQ(first(), -13.0f);
  recipe.code_min = -8;
  EXPECT_EQ(first(), -8.0f);
}

TEST(FeaturesTest, FittedFeaturesHaveMeanZeroAndDeviationOne) {
  const Recipe recipe = Small(FeatureKind::kMfcc, Spectrum::kMagnitude);
  std::vector<std::vector<double>> raw(2, std::vector<double>(12));
  for (size_t i = 0; i < 12; ++i) raw[0][i] = 3.0, raw[1][i] = 7.0;
  const Result<Recipe> fitted = FitNormalization(recipe, raw, 3.0);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  EXPECT_THAT(fitted->mean, ElementsAre(5.0, 5.0, 5.0, 5.0));
  EXPECT_THAT(fitted->standard_deviation, ElementsAre(2.0, 2.0, 2.0, 2.0));
  EXPECT_THAT(FitNormalization(recipe, {}, 3.0).error().message, HasSubstr("no clips"));
  EXPECT_THAT(FitNormalization(recipe, {raw[0]}, 3.0).error().message,
              HasSubstr("column 0 does not vary over 1 clips"));
}

TEST(QuantizeTest, TiesGoUpAndRangesClamp) {
  EXPECT_EQ(QuantizeFixedPoint(0.5f, 0, -8, 7), 1);
  EXPECT_EQ(QuantizeFixedPoint(-0.5f, 0, -8, 7), 0);
  EXPECT_EQ(QuantizeFixedPoint(-0.75f, 1, -8, 7), -1);
  EXPECT_EQ(QuantizeFixedPoint(0.3f, 5, -128, 127), 10);
  EXPECT_EQ(QuantizeFixedPoint(1e30f, 5, -128, 127), 127);
  EXPECT_EQ(QuantizeAffine(1.25f, 0.5f, 3, -128, 127), 6);
  EXPECT_EQ(QuantizeAffine(-1.25f, 0.5f, 3, -128, 127), 1);
  EXPECT_EQ(QuantizeAffine(-1e30f, 0.5f, 3, -128, 127), -128);
}

TEST(ResampleTest, ASineStaysTheSineAtEveryRate) {
  for (const int rate_hz : {4000, 8000, 11025, 22050, 44100, 48000}) {
    Clip clip{rate_hz, {}};
    const auto sine = [](int i, int rate) {
      return static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * 440.0 * i / rate));
    };
    for (int i = 0; i < rate_hz / 2; ++i) clip.samples.push_back(sine(i, rate_hz));
    const Clip resampled = Resample(clip, 16000);
    EXPECT_EQ(resampled.sample_rate_hz, 16000);
    ASSERT_EQ(std::ssize(resampled.samples), std::lround(rate_hz / 2 * 16000.0 / rate_hz));
    // Away from the ends, where the filter sees the silence outside.
    double error = 0.0;
    for (int i = 1000; i < 7000; ++i) {
      error = std::max(error, std::abs(static_cast<double>(
                                  resampled.samples[static_cast<size_t>(i)] - sine(i, 16000))));
    }
    EXPECT_LT(error, 1e-3) << rate_hz;
  }
}

TEST(ResampleTest, SpeedChangesTheLengthAndOneSampleStays) {
  const Clip clip{8000, std::vector<float>(1000, 0.1f)};
  EXPECT_EQ(ChangeSpeed(clip, 2.0).samples.size(), 500u);
  EXPECT_EQ(ChangeSpeed(clip, 0.5).samples.size(), 2000u);
  EXPECT_EQ(ChangeSpeed(clip, 1.0).samples, clip.samples);
  EXPECT_EQ(Resample({48000, {0.1f}}, 4000).samples.size(), 1u);
}

}  // namespace
}  // namespace macloom::audio
