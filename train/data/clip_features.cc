#include "train/data/clip_features.h"

#include "base/interrupt.h"
#include "base/progress.h"

namespace macloom::dataset {

Result<std::vector<ClipFeatures>> ComputeFeatures(const Dataset& dataset,
                                                  const audio::Recipe& recipe) {
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(recipe));
  ProgressLine progress("features of " + dataset.name, std::ssize(dataset.items));
  std::vector<ClipFeatures> result;
  for (const Item& item : dataset.items) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const audio::Clip clip, dataset.LoadClip(item));
    result.push_back(
        {extractor.Compute(clip), item.label, item.file, item.speaker, item.take, item.split});
    progress.Update(std::ssize(result));
  }
  return result;
}

Result<audio::Recipe> FitToTrainingSplit(const Dataset& dataset, const audio::Recipe& recipe,
                                         double clip) {
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(recipe));
  std::vector<std::vector<double>> raw;
  for (const size_t i : dataset.ItemsOf(Split::kTrain)) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const audio::Clip sound, dataset.LoadClip(dataset.items[i]));
    raw.push_back(extractor.ComputeRaw(sound));
  }
  return audio::FitNormalization(recipe, raw, clip);
}

}  // namespace macloom::dataset
