#include "train/data/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace macloom::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

audio::Clip Ramp(size_t size) {
  audio::Clip clip;
  for (size_t i = 0; i < size; ++i) clip.samples.push_back(0.01f * static_cast<float>(i + 1));
  return clip;
}

TEST(AugmentTest, ShiftFillsWithZeros) {
  const audio::Clip clip{16000, {1.0f, 2.0f, 3.0f}};
  EXPECT_THAT(Shift(clip, 1).samples, ElementsAre(0.0f, 1.0f, 2.0f));
  EXPECT_THAT(Shift(clip, -2).samples, ElementsAre(3.0f, 0.0f, 0.0f));
  EXPECT_THAT(Shift(clip, 9).samples, ElementsAre(0.0f, 0.0f, 0.0f));
}

TEST(AugmentTest, MixtureHasTheSignalToNoiseRatio) {
  const audio::Clip clip{16000, {1.0f, -1.0f, 1.0f, -1.0f}};
  const std::vector<float> noise = {0.5f, 0.5f, 0.5f, 0.5f, 9.0f};
  EXPECT_THAT(MixAtSnr(clip, noise, 0.0).samples, ElementsAre(2.0f, 0.0f, 2.0f, 0.0f));
  double energy = 0.0;
  const audio::Clip mixed = MixAtSnr(clip, noise, 20.0);
  for (size_t i = 0; i < 4; ++i) energy += std::pow(mixed.samples[i] - clip.samples[i], 2);
  EXPECT_NEAR(10.0 * std::log10(4.0 / energy), 20.0, 1e-4);
  EXPECT_EQ(MixAtSnr(clip, std::vector<float>(4, 0.0f), 0.0).samples, clip.samples);
}

TEST(AugmentTest, TheDefaultChangesNothing) {
  Rng rng(1);
  const audio::Clip clip = Ramp(100);
  EXPECT_EQ(Augment(clip, {}, {}, rng).samples, clip.samples);
}

TEST(AugmentTest, IsRepeatableFromTheSeedAndTakesEqualDraws) {
  Augmentation augmentation;
  augmentation.max_speed_change = 0.1;
  augmentation.max_shift_ms = 2.0;
  augmentation.max_gain_db = 6.0;
  augmentation.noise_probability = 0.5;
  const std::vector<audio::Clip> noise = {{16000, {0.5f, -0.5f, 0.25f}}, Ramp(50)};
  Rng a(9), b(9), other(10);
  const audio::Clip clip = Ramp(200);
  const std::vector<float> first = Augment(clip, augmentation, noise, a).samples;
  EXPECT_EQ(first, Augment(clip, augmentation, noise, b).samples);
  EXPECT_NE(first, Augment(clip, augmentation, noise, other).samples);
  // Length and noise of one clip do not move the draws of the next.
  augmentation.noise_probability = 1.0;
  Augment(Ramp(10), augmentation, {}, a);
  Augment(clip, augmentation, noise, b);
  EXPECT_EQ(a.Next(), b.Next());
}

TEST(AugmentTest, BadValuesAreNamed) {
  Augmentation augmentation;
  augmentation.max_speed_change = 0.6;
  EXPECT_THAT(Validate(augmentation).error().message,
              HasSubstr("max_speed_change is 0.6; accepted are 0 to 0.5"));
  augmentation = {};
  augmentation.max_snr_db = 5.0;
  EXPECT_THAT(Validate(augmentation).error().message,
              HasSubstr("max_snr_db is 5; accepted are 10 to 100"));
  augmentation = {};
  augmentation.noise_probability = std::nan("");
  EXPECT_FALSE(Validate(augmentation).ok());
}

}  // namespace
}  // namespace macloom::dataset
