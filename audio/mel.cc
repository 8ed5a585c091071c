#include "audio/mel.h"

#include <algorithm>
#include <cmath>

namespace macloom::audio {
namespace {

double Mel(double hz) { return 1127.0 * std::log(1.0 + hz / 700.0); }

}  // namespace

std::vector<MelBand> MelBands(const Recipe& recipe) {
  const double low = Mel(recipe.low_hz);
  const double step = (Mel(recipe.high_hz) - low) / (recipe.mel_bands + 1);
  std::vector<MelBand> bands(static_cast<size_t>(recipe.mel_bands));
  for (size_t b = 0; b < bands.size(); ++b) {
    const double from = low + step * static_cast<double>(b);
    for (int bin = 1; bin <= recipe.fft_samples / 2; ++bin) {
      const double mel = Mel(static_cast<double>(bin) * recipe.sample_rate_hz / recipe.fft_samples);
      const double weight = std::min((mel - from) / step, (from + 2.0 * step - mel) / step);
      if (weight <= 0.0) continue;
      if (bands[b].weights.empty()) bands[b].first_bin = bin;
      bands[b].weights.push_back(weight);
    }
  }
  return bands;
}

}  // namespace macloom::audio
