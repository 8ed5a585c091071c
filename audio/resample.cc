#include "audio/resample.h"

#include <samplerate.h>

#include <algorithm>
#include <cmath>

namespace macloom::audio {
namespace {

std::vector<float> Interpolate(const std::vector<float>& samples, double ratio) {
  const size_t wanted =
      static_cast<size_t>(std::max(1.0, std::round(static_cast<double>(samples.size()) * ratio)));
  // The converter may give a few samples more or less than the ratio says.
  std::vector<float> output(wanted + 16);
  SRC_DATA data = {};
  data.data_in = samples.data();
  data.input_frames = static_cast<long>(samples.size());
  data.data_out = output.data();
  data.output_frames = static_cast<long>(output.size());
  data.end_of_input = 1;
  data.src_ratio = ratio;
  MACLOOM_CHECK(src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1) == 0);
  output.resize(static_cast<size_t>(data.output_frames_gen));
  output.resize(wanted, 0.0f);
  return output;
}

}  // namespace

Clip Resample(const Clip& clip, int sample_rate_hz) {
  for (const int rate_hz : {clip.sample_rate_hz, sample_rate_hz}) {
    MACLOOM_CHECK(rate_hz >= kMinSampleRateHz && rate_hz <= kMaxSampleRateHz);
  }
  if (clip.sample_rate_hz == sample_rate_hz) return clip;
  const double ratio = static_cast<double>(sample_rate_hz) / clip.sample_rate_hz;
  return {sample_rate_hz, Interpolate(clip.samples, ratio)};
}

Clip ChangeSpeed(const Clip& clip, double factor) {
  MACLOOM_CHECK(factor >= 0.25 && factor <= 4.0);
  if (factor == 1.0) return clip;
  return {clip.sample_rate_hz, Interpolate(clip.samples, 1.0 / factor)};
}

}  // namespace macloom::audio
