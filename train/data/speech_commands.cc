#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/file_set.h"
#include "base/rng.h"
#include "train/data/loaders.h"

namespace macloom::dataset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNoHash = "_nohash_";
constexpr const char* kNoiseFolder = "_background_noise_";
constexpr const char* kSilence = "_silence_";
constexpr const char* kUnknown = "_unknown_";
constexpr int kClipsPerSilence = 10;

int ClassIndex(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

// Speaker and take from SPEAKER_nohash_TAKE.wav.
Result<Item> ItemOf(const std::string& file) {
  Item item;
  item.file = file;
  const std::string stem = fs::path(file).stem().string();
  const size_t mark = stem.find(kNoHash);
  bool is_good = mark != std::string::npos && mark > 0;
  if (is_good) {
    const char* end = stem.data() + stem.size();
    const auto [stop, error] = std::from_chars(stem.data() + mark + kNoHash.size(), end, item.take);
    is_good = error == std::errc() && stop == end && item.take >= 0;
    item.speaker = stem.substr(0, mark);
  }
  if (is_good) return item;
  return InvalidInput(
      fmt::format("{}: not a file name of Speech Commands (SPEAKER_nohash_TAKE.wav)", file));
}

Status AddSilence(const std::vector<std::string>& noise_files, int label, uint64_t seed,
                  Dataset& dataset) {
  if (noise_files.empty()) {
    return InvalidInput(fmt::format("{}: class {} needs .wav files in the folder {}", dataset.name,
                                    kSilence, kNoiseFolder));
  }
  std::vector<std::pair<int64_t, int>> lengths;  // Samples, and samples of one second.
  for (const std::string& file : noise_files) {
    Item whole;
    whole.file = file;
    MACLOOM_ASSIGN_OR_RETURN(const audio::Clip clip, dataset.LoadClip(whole));
    if (std::ssize(clip.samples) < clip.sample_rate_hz) {
      return InvalidInput(fmt::format("{}: {} is shorter than one second", dataset.name, file));
    }
    lengths.emplace_back(std::ssize(clip.samples), clip.sample_rate_hz);
  }
  Rng rng(seed);
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const int64_t num_clips = std::ssize(dataset.ItemsOf(split));
    if (num_clips == 0) continue;
    for (int64_t i = 0; i < std::max<int64_t>(1, num_clips / kClipsPerSilence); ++i) {
      const size_t n = static_cast<size_t>(rng.UniformInt(0, std::ssize(noise_files) - 1));
      const auto [length, second] = lengths[n];
      Item item;
      item.file = noise_files[n];
      item.label = label;
      item.split = split;
      item.first_sample = rng.UniformInt(0, length - second);
      item.num_samples = second;
      dataset.items.push_back(std::move(item));
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> TwelveClasses() {
  return {"down",  "go",   "left", "no",  "off",    "on",
          "right", "stop", "up",   "yes", kSilence, kUnknown};
}

Split SpeechCommandsSplit(std::string_view file) {
  const size_t folder_end = file.rfind('/');
  if (folder_end != std::string_view::npos) file.remove_prefix(folder_end + 1);
  const std::array<uint8_t, 20> digest = Sha1(file.substr(0, file.find(kNoHash)));
  const uint32_t last = uint32_t{digest[16]} << 24 | uint32_t{digest[17]} << 16 |
                        uint32_t{digest[18]} << 8 | digest[19];
  const uint32_t kMaxPerClass = (uint32_t{1} << 27) - 1;
  const double percent = (last & kMaxPerClass) * (100.0 / kMaxPerClass);
  return percent < 10.0 ? Split::kValidation : percent < 20.0 ? Split::kTest : Split::kTrain;
}

Result<Dataset> LoadSpeechCommands(const fs::path& folder,
                                   const std::vector<std::string>& class_names, uint64_t seed) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(folder, {".wav"}));
  Dataset dataset = Dataset::InFolder("speech-commands", folder);
  dataset.class_names = class_names;
  std::vector<std::string> noise_files;
  for (const std::string& file : files) {
    const std::string word = fs::path(file).parent_path().generic_string();
    if (word == kNoiseFolder) {
      noise_files.push_back(file);
      continue;
    }
    MACLOOM_ASSIGN_OR_RETURN(Item item, ItemOf(file));
    item.label = ClassIndex(class_names, word);
    if (item.label < 0) item.label = ClassIndex(class_names, kUnknown);
    if (item.label < 0) continue;
    item.split = SpeechCommandsSplit(file);
    dataset.items.push_back(std::move(item));
  }
  const int silence = ClassIndex(class_names, kSilence);
  if (silence >= 0) MACLOOM_RETURN_IF_ERROR(AddSilence(noise_files, silence, seed, dataset));
  MACLOOM_RETURN_IF_ERROR(dataset.CheckClasses());
  return dataset;
}

}  // namespace macloom::dataset
