#include "train/data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file_set.h"
#include "base/files.h"

namespace macloom::dataset {
namespace {

constexpr int kTakesPerRotation = 5;
// Raw PCM has no rate of its own; datasets here are WAV, and anything else is taken at this rate.
constexpr int kPcmRateHz = 16000;

}  // namespace

std::string ToString(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  MACLOOM_CHECK(false);
}

Result<Split> ParseSplit(const std::string& word) {
  if (word == "train" || word == "training") return Split::kTrain;
  if (word == "val" || word == "valid" || word == "validation") return Split::kValidation;
  if (word == "test" || word == "testing") return Split::kTest;
  return InvalidInput(
      fmt::format("split `{}`; accepted are train, validation (val) and test", word));
}

Dataset Dataset::InFolder(std::string name, std::filesystem::path folder) {
  Dataset dataset;
  dataset.name = std::move(name);
  dataset.place_ = std::move(folder);
  return dataset;
}

Result<Dataset> Dataset::InArchive(std::string name, const std::filesystem::path& archive) {
  auto files = std::make_shared<std::map<std::string, std::vector<uint8_t>>>();
  MACLOOM_RETURN_IF_ERROR(
      VisitFiles(archive, {".wav"}, audio::kMaxClipBytes,
                 [&](const std::string& file, std::vector<uint8_t> bytes) -> Status {
                   files->insert_or_assign(file, std::move(bytes));
                   return {};
                 }));
  if (files->empty()) {
    return InvalidInput(fmt::format("{}: the archive holds no .wav file", archive.string()));
  }
  Dataset dataset = InFolder(std::move(name), archive);
  dataset.archive_ = std::move(files);
  return dataset;
}

Result<std::vector<uint8_t>> Dataset::FileBytes(const std::string& file) const {
  if (archive_ == nullptr) return ReadFile(place_ / file, audio::kMaxClipBytes);
  const auto found = archive_->find(file);
  if (found != archive_->end()) return found->second;
  return InvalidInput(fmt::format("{}: the archive holds no file {}", place_.string(), file));
}

Result<audio::Clip> Dataset::LoadClip(const Item& item) const {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, FileBytes(item.file));
  MACLOOM_ASSIGN_OR_RETURN(audio::Clip clip,
                           audio::ParseClip((place_ / item.file).string(), bytes, kPcmRateHz));
  const int64_t size = std::ssize(clip.samples);
  if (item.first_sample == 0 && item.num_samples < 0) return clip;
  const int64_t end = item.num_samples < 0 ? size : item.first_sample + item.num_samples;
  if (item.first_sample < 0 || item.first_sample >= end || end > size) {
    return InvalidInput(
        fmt::format("{}: samples {} to {} of {}", item.file, item.first_sample, end, size));
  }
  clip.samples = {clip.samples.begin() + item.first_sample, clip.samples.begin() + end};
  return clip;
}

std::vector<size_t> Dataset::ItemsOf(Split split) const {
  std::vector<size_t> indices;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].split == split) indices.push_back(i);
  }
  return indices;
}

Status Dataset::CheckClasses() const {
  std::map<Split, std::vector<int64_t>> counts;
  for (const Item& item : items) {
    if (item.label < 0 || item.label >= std::ssize(class_names)) {
      return InvalidInput(fmt::format("{}: {} has label {}; accepted are 0 to {}", name, item.file,
                                      item.label, std::ssize(class_names) - 1));
    }
    auto& count = counts[item.split];
    count.resize(class_names.size());
    ++count[static_cast<size_t>(item.label)];
  }
  if (items.empty()) return InvalidInput(fmt::format("{}: no clips", name));
  for (const auto& [split, count] : counts) {
    for (size_t c = 0; c < count.size(); ++c) {
      if (count[c] > 0) continue;
      return InvalidInput(fmt::format("{}: class {} ({}) has no clip in split {}", name, c,
                                      class_names[c], ToString(split)));
    }
  }
  return {};
}

Status AssignTakeRotation(Dataset& dataset, int rotation) {
  int64_t num_test = 0;
  for (Item& item : dataset.items) {
    if (item.take < 0) {
      return InvalidInput(fmt::format("{}: {} has no take number", dataset.name, item.file));
    }
    const bool is_test = item.take / kTakesPerRotation == rotation;
    item.split = is_test ? Split::kTest : Split::kTrain;
    num_test += is_test ? 1 : 0;
  }
  if (num_test > 0) return {};
  return InvalidInput(fmt::format("{}: rotation {}: no clip has a take of {} to {}", dataset.name,
                                  rotation, rotation * kTakesPerRotation,
                                  (rotation + 1) * kTakesPerRotation - 1));
}

std::vector<std::string> Speakers(const Dataset& dataset) {
  std::set<std::string> speakers;
  for (const Item& item : dataset.items) speakers.insert(item.speaker);
  return {speakers.begin(), speakers.end()};
}

Status HoldOutSpeaker(Dataset& dataset, const std::string& speaker) {
  const std::vector<std::string> speakers = Speakers(dataset);
  if (!std::binary_search(speakers.begin(), speakers.end(), speaker)) {
    return InvalidInput(fmt::format("{}: no speaker `{}`; there are {}", dataset.name, speaker,
                                    fmt::join(speakers, ", ")));
  }
  for (Item& item : dataset.items) {
    item.split = item.speaker == speaker ? Split::kTest : Split::kTrain;
  }
  return {};
}

Status AssignSpeakerRotation(Dataset& dataset, int rotation, int num_groups) {
  const std::vector<std::string> speakers = Speakers(dataset);
  if (num_groups < 3 || num_groups > std::ssize(speakers) || rotation < 0 ||
      rotation >= num_groups) {
    return InvalidInput(
        fmt::format("{}: speaker rotation {} of {}; accepted are 3 to {} groups, rotation below",
                    dataset.name, rotation, num_groups, speakers.size()));
  }
  for (Item& item : dataset.items) {
    const auto place = std::lower_bound(speakers.begin(), speakers.end(), item.speaker);
    const int group = static_cast<int>((place - speakers.begin()) % num_groups);
    item.split = group == rotation                      ? Split::kTest
                 : group == (rotation + 1) % num_groups ? Split::kValidation
                                                        : Split::kTrain;
  }
  return {};
}

}  // namespace macloom::dataset
