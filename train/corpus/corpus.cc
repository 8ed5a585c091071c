#include "train/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>

#include "audio/features.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "train/data/augment.h"
#include "train/data/clip_features.h"
#include "train/data/loaders.h"

namespace macloom::train {
namespace {

constexpr int kRotations = 5;  ///< Of FSDD's 25 takes.
constexpr double kClipDeviations = 4.0;
constexpr dataset::Augmentation kAugmentation = {.max_speed_change = 0.1,
                                                 .max_shift_ms = 50,
                                                 .noise_probability = 1,
                                                 .min_snr_db = 15,
                                                 .max_snr_db = 40};

struct Source {
  dataset::Dataset data;
  std::string about;
  std::string licence;
};

Result<Source> LoadDigits(const Recipe& recipe) {
  MACLOOM_ASSIGN_OR_RETURN(dataset::Dataset data, dataset::LoadFsdd(recipe.data_path));
  std::string split =
      fmt::format("test takes {} to {}", 5 * recipe.rotation, 5 * recipe.rotation + 4);
  if (!recipe.left_out_speaker.empty()) {
    MACLOOM_RETURN_IF_ERROR(dataset::HoldOutSpeaker(data, recipe.left_out_speaker));
    split = "test speaker " + recipe.left_out_speaker;
  } else {
    MACLOOM_RETURN_IF_ERROR(dataset::AssignTakeRotation(data, recipe.rotation));
    if (recipe.is_validation) {
      std::erase_if(data.items,
                    [](const auto& item) { return item.split == dataset::Split::kTest; });
      const int next = (recipe.rotation + 1) % kRotations;
      MACLOOM_RETURN_IF_ERROR(dataset::AssignTakeRotation(data, next));
      split = fmt::format("without takes {} to {}, tested on the next five", 5 * recipe.rotation,
                          5 * recipe.rotation + 4);
    }
  }
  return Source{std::move(data), "Free Spoken Digit Dataset (takes 0 to 24), " + split,
                "CC BY-SA 4.0 (Free Spoken Digit Dataset)"};
}

Result<Source> LoadArabic(const Recipe& recipe) {
  MACLOOM_ASSIGN_OR_RETURN(dataset::Dataset data, dataset::LoadArabicCommands(recipe.data_path));
  std::string split = "official split";
  if (recipe.speaker_groups > 0) {
    MACLOOM_RETURN_IF_ERROR(
        dataset::AssignSpeakerRotation(data, recipe.rotation, recipe.speaker_groups));
    split = fmt::format("test speakers: group {} of {}", recipe.rotation, recipe.speaker_groups);
  }
  return Source{std::move(data), "Arabic Speech Commands, " + split,
                "CC BY 4.0 (Arabic Speech Commands; Ghandoura, Hjabo, Al Dakkak 2021)"};
}

Result<Source> LoadMain(const Recipe& recipe) {
  if (recipe.data_path.empty()) {
    return InvalidInput("data.path is not set: give the folder in the recipe or by --data");
  }
  if (recipe.data_kind == DataKind::kFsdd) return LoadDigits(recipe);
  if (recipe.data_kind == DataKind::kArabic) return LoadArabic(recipe);
  if (recipe.data_kind == DataKind::kSpeechCommands) {
    // The silence clips are part of the data, not of the run: one seed for all runs.
    MACLOOM_ASSIGN_OR_RETURN(
        dataset::Dataset data,
        dataset::LoadSpeechCommands(recipe.data_path, dataset::TwelveClasses(), /*seed=*/1));
    return Source{std::move(data), "Speech Commands, official split, 12 classes",
                  "CC BY 4.0 (Speech Commands; Warden 2018)"};
  }
  MACLOOM_ASSIGN_OR_RETURN(dataset::Dataset data, dataset::LoadCsvIndex(recipe.data_path));
  return Source{std::move(data), "own clips", ""};
}

Clips& ClipsOf(Dataset& data, dataset::Split split) {
  if (split == dataset::Split::kTrain) return data.train;
  return split == dataset::Split::kTest ? data.test : data.validation;
}

Status AppendClips(const dataset::Dataset& data, const Recipe& recipe,
                   audio::FeatureExtractor& extractor, Rng& rng, ProgressLine& progress,
                   int64_t& done, std::vector<std::vector<float>>& variants, Dataset& result) {
  for (const dataset::Item& item : data.items) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const audio::Clip clip, data.LoadClip(item));
    const bool is_train = item.split == dataset::Split::kTrain;
    Clips& clips = ClipsOf(result, item.split);
    clips.labels.push_back(item.label);
    clips.names.push_back(item.file);
    clips.speakers.push_back(item.speaker);
    const std::vector<float> plain = extractor.Compute(clip);
    clips.features.insert(clips.features.end(), plain.begin(), plain.end());
    for (int copy = 1; is_train && copy < recipe.copies; ++copy) {
      const std::vector<float> varied = extractor.Compute(Vary(clip, extractor.recipe(), rng));
      std::vector<float>& all = variants[static_cast<size_t>(copy - 1)];
      all.insert(all.end(), varied.begin(), varied.end());
    }
    progress.Update(++done);
  }
  return {};
}

}  // namespace

audio::Clip Vary(const audio::Clip& clip, const audio::Recipe& front_end, Rng& rng) {
  // Room for the shift, which keeps the length; a clip that fills the window is moved inside it.
  const double window = static_cast<double>(front_end.clip_samples) / front_end.sample_rate_hz;
  const auto rate = static_cast<double>(clip.sample_rate_hz);
  const double missing = window * rate - static_cast<double>(clip.samples.size());
  const auto room =
      static_cast<size_t>(std::clamp(missing / 2, 0.0, kAugmentation.max_shift_ms * rate / 1000));
  audio::Clip padded = clip;
  padded.samples.insert(padded.samples.begin(), room, 0.0f);
  padded.samples.resize(padded.samples.size() + room, 0.0f);
  return dataset::Augment(padded, kAugmentation, {}, rng);
}

Result<Dataset> LoadCorpus(const Recipe& recipe) {
  if (recipe.data_kind == DataKind::kSynthetic) {
    return MakeSyntheticDataset(4, 40, 49, 10, 1.0, recipe.seed);
  }
  MACLOOM_ASSIGN_OR_RETURN(Source source, LoadMain(recipe));
  MACLOOM_RETURN_IF_ERROR(source.data.CheckClasses());
  MACLOOM_ASSIGN_OR_RETURN(
      const audio::Recipe front_end,
      dataset::FitToTrainingSplit(source.data, audio::OwnNetwork(), kClipDeviations));
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(front_end));
  std::vector<dataset::Dataset> parts = {source.data};
  if (!recipe.extra_path.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(dataset::Dataset extra, dataset::LoadCsvIndex(recipe.extra_path));
    if (extra.class_names != source.data.class_names) {
      return InvalidInput(fmt::format("{}: its {} classes are not the {} classes of {}",
                                      recipe.extra_path, extra.class_names.size(),
                                      source.data.class_names.size(), recipe.data_path));
    }
    parts.push_back(std::move(extra));
  }
  Dataset result;
  result.frames = front_end.num_frames();
  result.coefficients = front_end.num_columns();
  result.class_labels = source.data.class_names;
  result.front_end = audio::ToJson(front_end);
  result.licence = source.licence;
  int64_t total = 0, done = 0;
  for (const dataset::Dataset& part : parts) total += static_cast<int64_t>(part.items.size());
  ProgressLine progress("features", total);
  Rng rng(recipe.seed ^ 0x766f696365);
  std::vector<std::vector<float>> variants(static_cast<size_t>(recipe.copies - 1));
  for (const dataset::Dataset& part : parts) {
    MACLOOM_RETURN_IF_ERROR(
        AppendClips(part, recipe, extractor, rng, progress, done, variants, result));
  }
  result.train.copies = recipe.copies;
  for (const std::vector<float>& variant : variants) {
    result.train.features.insert(result.train.features.end(), variant.begin(), variant.end());
  }
  result.origin = fmt::format("macloom train: {}{}; {} training and {} test clips, seed {}",
                              source.about, recipe.extra_path.empty() ? "" : ", espeak-ng voices",
                              result.train.size(), result.test.size(), recipe.seed);
  return result;
}

}  // namespace macloom::train
