#include "train/data/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "audio/resample.h"

namespace macloom::dataset {
namespace {

double Between(Rng& rng, double low, double high) {
  return low + (high - low) * rng.UniformDouble();
}

double Energy(std::span<const float> samples) {
  double sum = 0.0;
  for (const float x : samples) sum += double{x} * x;
  return sum;
}

std::vector<float> NoiseOfLength(size_t length, std::span<const audio::Clip> noise, Rng& rng) {
  std::vector<float> samples(length);
  // One draw more decides everything, so that clips of any length take the same number of draws.
  Rng own(rng.Next());
  if (noise.empty()) {
    for (float& x : samples) x = static_cast<float>(Between(own, -1.0, 1.0));
    return samples;
  }
  const audio::Clip& source = noise[static_cast<size_t>(own.UniformInt(0, std::ssize(noise) - 1))];
  MACLOOM_CHECK(!source.samples.empty());
  const size_t start = static_cast<size_t>(own.UniformInt(0, std::ssize(source.samples) - 1));
  for (size_t i = 0; i < length; ++i) {
    samples[i] = source.samples[(start + i) % source.samples.size()];
  }
  return samples;
}

}  // namespace

Status Validate(const Augmentation& augmentation) {
  const auto check = [](const char* field, double value, double low, double high) -> Status {
    if (value >= low && value <= high) return {};
    return InvalidInput(
        fmt::format("augmentation: {} is {}; accepted are {} to {}", field, value, low, high));
  };
  MACLOOM_RETURN_IF_ERROR(check("max_speed_change", augmentation.max_speed_change, 0.0, 0.5));
  MACLOOM_RETURN_IF_ERROR(check("max_shift_ms", augmentation.max_shift_ms, 0.0, 10'000.0));
  MACLOOM_RETURN_IF_ERROR(check("max_gain_db", augmentation.max_gain_db, 0.0, 60.0));
  MACLOOM_RETURN_IF_ERROR(check("noise_probability", augmentation.noise_probability, 0.0, 1.0));
  MACLOOM_RETURN_IF_ERROR(check("min_snr_db", augmentation.min_snr_db, -40.0, 100.0));
  return check("max_snr_db", augmentation.max_snr_db, augmentation.min_snr_db, 100.0);
}

audio::Clip Shift(const audio::Clip& clip, int64_t offset) {
  audio::Clip shifted{clip.sample_rate_hz, std::vector<float>(clip.samples.size())};
  for (int64_t i = 0; i < std::ssize(shifted.samples); ++i) {
    const int64_t from = i - offset;
    if (from < 0 || from >= std::ssize(clip.samples)) continue;
    shifted.samples[static_cast<size_t>(i)] = clip.samples[static_cast<size_t>(from)];
  }
  return shifted;
}

audio::Clip MixAtSnr(const audio::Clip& clip, std::span<const float> noise, double snr_db) {
  MACLOOM_CHECK(noise.size() >= clip.samples.size());
  noise = noise.subspan(0, clip.samples.size());
  const double signal_energy = Energy(clip.samples), noise_energy = Energy(noise);
  if (signal_energy == 0.0 || noise_energy == 0.0) return clip;
  const double gain = std::sqrt(signal_energy / noise_energy * std::pow(10.0, -snr_db / 10.0));
  audio::Clip mixed = clip;
  for (size_t i = 0; i < mixed.samples.size(); ++i) {
    mixed.samples[i] = static_cast<float>(mixed.samples[i] + gain * noise[i]);
  }
  return mixed;
}

audio::Clip Augment(const audio::Clip& clip, const Augmentation& augmentation,
                    std::span<const audio::Clip> noise, Rng& rng) {
  MACLOOM_CHECK(Validate(augmentation).ok());
  for (const audio::Clip& source : noise) {
    MACLOOM_CHECK(source.sample_rate_hz == clip.sample_rate_hz);
  }
  const auto draw = [&](double limit) { return Between(rng, -limit, limit); };
  const double speed = 1.0 + draw(augmentation.max_speed_change);
  const double shift_ms = draw(augmentation.max_shift_ms);
  const double gain_db = draw(augmentation.max_gain_db);
  const bool has_noise = rng.Bernoulli(augmentation.noise_probability);
  const double snr_db = Between(rng, augmentation.min_snr_db, augmentation.max_snr_db);
  audio::Clip result = audio::ChangeSpeed(clip, speed);
  result = Shift(result, std::llround(shift_ms * clip.sample_rate_hz / 1000.0));
  const double gain = std::pow(10.0, gain_db / 20.0);
  for (float& x : result.samples) x = static_cast<float>(x * gain);
  const std::vector<float> added = NoiseOfLength(result.samples.size(), noise, rng);
  return has_noise ? MixAtSnr(result, added, snr_db) : result;
}

}  // namespace macloom::dataset
