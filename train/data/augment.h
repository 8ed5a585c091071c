// Seeded changes of clips for training.
#pragma once

#include <span>

#include "audio/clip.h"
#include "base/rng.h"

namespace macloom::dataset {

/// How far a clip may change; the default changes nothing. Draws are uniform and, for one seed, the
/// same on every machine; each step always takes the same number of draws.
struct Augmentation {
  double max_speed_change = 0.0;   ///< Speed is 1 - this to 1 + this; 0 to 0.5. Pitch moves along.
  double max_shift_ms = 0.0;       ///< Shift is - this to + this; zeros fill, the length stays.
  double max_gain_db = 0.0;        ///< Gain is - this to + this.
  double noise_probability = 0.0;  ///< Share of clips that get noise.
  double min_snr_db = 10.0;        ///< Signal-to-noise ratio (mean squares over the whole clip).
  double max_snr_db = 30.0;
};

/// @return kInvalidInput naming the field, its value and the range.
Status Validate(const Augmentation& augmentation);

/// Speed, shift, gain and noise, in this order. Noise is a part of a random clip of `noise`
/// (repeated if that is shorter), or uniform white noise if there are none. Nothing is mixed with a
/// clip or noise that is all zeros.
/// @pre Validate(augmentation) holds; the noise clips are not empty and have the clip's rate
///      (MACLOOM_CHECK).
audio::Clip Augment(const audio::Clip& clip, const Augmentation& augmentation,
                    std::span<const audio::Clip> noise, Rng& rng);

/// The clip moved by `offset` samples to the right (negative: left), zeros filling.
audio::Clip Shift(const audio::Clip& clip, int64_t offset);

/// clip + noise * g, g such that the mean squares of clip and added noise differ by `snr_db`.
/// `noise` is at least as long as the clip; its rest is not used.
audio::Clip MixAtSnr(const audio::Clip& clip, std::span<const float> noise, double snr_db);

}  // namespace macloom::dataset
