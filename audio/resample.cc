#include "audio/resample.h"

#include <soxr.h>

#include <algorithm>
#include <cmath>

namespace macloom::audio {
namespace {

std::vector<float> Interpolate(const std::vector<float>& samples, double from, double to) {
  const size_t wanted = static_cast<size_t>(
      std::max(1.0, std::round(static_cast<double>(samples.size()) * to / from)));
  // The library rounds the length its own way.
  std::vector<float> output(wanted + 16);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  size_t num_written = 0;
  MACLOOM_CHECK(soxr_oneshot(from, to, 1, samples.data(), samples.size(), nullptr, output.data(),
                             output.size(), &num_written, nullptr, &quality, nullptr) == nullptr);
  output.resize(num_written);
  output.resize(wanted, 0.0f);
  return output;
}

}  // namespace

Clip Resample(const Clip& clip, int sample_rate_hz) {
  for (const int rate_hz : {clip.sample_rate_hz, sample_rate_hz}) {
    MACLOOM_CHECK(rate_hz >= kMinSampleRateHz && rate_hz <= kMaxSampleRateHz);
  }
  if (clip.sample_rate_hz == sample_rate_hz) return clip;
  return {sample_rate_hz, Interpolate(clip.samples, clip.sample_rate_hz, sample_rate_hz)};
}

Clip ChangeSpeed(const Clip& clip, double factor) {
  MACLOOM_CHECK(factor >= 0.25 && factor <= 4.0);
  if (factor == 1.0) return clip;
  return {clip.sample_rate_hz, Interpolate(clip.samples, factor, 1.0)};
}

}  // namespace macloom::audio
