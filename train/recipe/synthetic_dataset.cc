#include <fmt/format.h>

#include "base/rng.h"
#include "train/recipe/dataset.h"

namespace macloom::train {

Dataset MakeSyntheticDataset(int num_classes, int clips_per_class, int64_t frames,
                             int64_t coefficients, double noise, uint64_t seed) {
  Rng rng(seed);
  Dataset dataset;
  dataset.frames = frames;
  dataset.coefficients = coefficients;
  dataset.origin = fmt::format("macloom: made-up classes, seed {}", seed);
  const int64_t elements = frames * coefficients;
  std::vector<double> patterns;
  for (int64_t i = 0; i < num_classes * elements; ++i) patterns.push_back(rng.Normal());
  for (int c = 0; c < num_classes; ++c) {
    dataset.class_labels.push_back(fmt::format("class {}", c));
    for (int k = 0; k < clips_per_class; ++k) {
      Clips& clips = k % 4 == 0 ? dataset.test : dataset.train;
      for (int64_t i = 0; i < elements; ++i) {
        const double value = patterns[static_cast<size_t>(c * elements + i)] + noise * rng.Normal();
        clips.features.push_back(static_cast<float>(value));
      }
      clips.labels.push_back(c);
      clips.names.push_back(fmt::format("{}_{}", c, k));
    }
  }
  return dataset;
}

}  // namespace macloom::train
