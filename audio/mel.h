// The mel filter bank.
#pragma once

#include <vector>

#include "audio/recipe.h"

namespace macloom::audio {

/// One triangle over FFT bins: band = sum over i of weights[i] * spectrum[first_bin + i].
struct MelBand {
  int first_bin = 0;
  std::vector<double> weights;  ///< Above 0; empty if the triangle holds no bin.
};

/// mel(f) = 1127 ln(1 + f / 700); mel_bands + 2 points equally spaced in mel from low_hz to
/// high_hz; band b rises from point b to b + 1 and falls to b + 2, linear in mel, to weight 1 at
/// its centre. Bin 0 (the mean) belongs to no band. As TensorFlow's linear_to_mel_weight_matrix.
/// @pre The recipe's rate, FFT and band fields are in range.
std::vector<MelBand> MelBands(const Recipe& recipe);

}  // namespace macloom::audio
