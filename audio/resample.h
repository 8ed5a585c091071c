// Another sample rate for the same sound.
#pragma once

#include "audio/clip.h"

namespace macloom::audio {

/// The clip at `sample_rate_hz`: band-limited polyphase interpolation of libsoxr (high quality: 20
/// bits, linear phase, 91 % of the bandwidth), round(samples * new rate / old rate) samples, at
/// least one. The same rate returns the clip unchanged.
/// @pre Both rates are kMinSampleRateHz to kMaxSampleRateHz (MACLOOM_CHECK).
Clip Resample(const Clip& clip, int sample_rate_hz);

/// The samples played `factor` times as fast (0.25 to 4): as Resample() by 1 / factor, but the
/// sample rate stays, so pitch moves with speed.
Clip ChangeSpeed(const Clip& clip, double factor);

}  // namespace macloom::audio
