// The features of every clip of a dataset.
#pragma once

#include "audio/features.h"
#include "train/data/dataset.h"

namespace macloom::dataset {

/// The features of one item, and what it is.
struct ClipFeatures {
  std::vector<float> features;  ///< Row-major [frames, columns], normalised.
  int label = 0;
  std::string file, speaker;
  int take = -1;
  Split split = Split::kTrain;
};

/// Features of all items, in order, with a progress line on stderr. @return the first clip's error.
Result<std::vector<ClipFeatures>> ComputeFeatures(const Dataset& dataset,
                                                  const audio::Recipe& recipe);

/// `recipe` with per-coefficient mean and deviation of the training split, clipped at `clip`
/// deviations.
Result<audio::Recipe> FitToTrainingSplit(const Dataset& dataset, const audio::Recipe& recipe,
                                         double clip);

}  // namespace macloom::dataset
