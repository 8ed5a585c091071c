// Labelled clips with splits: what training and evaluation read.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audio/clip.h"
#include "base/result.h"

namespace macloom::dataset {

enum class Split { kTrain, kValidation, kTest };

/// "train", "validation", "test".
std::string ToString(Split split);
/// Accepts also "val", "valid" and "testing". @return kInvalidInput naming the accepted words.
Result<Split> ParseSplit(const std::string& word);

/// One labelled clip, or a part of one.
struct Item {
  std::string file;     ///< Path inside the dataset's folder or archive.
  int label = 0;        ///< Index into Dataset::class_names.
  std::string speaker;  ///< Empty if unknown.
  int take = -1;        ///< Number of the recording of this word and speaker; -1 if unknown.
  Split split = Split::kTrain;
  int64_t first_sample = 0;  ///< Of the part that is the item.
  int64_t num_samples = -1;  ///< -1: up to the end.
};

/// Items and the place their clips are read from: a folder, or an archive held in memory as it is.
class Dataset {
 public:
  std::string name;
  std::vector<std::string> class_names;
  std::vector<Item> items;

  /// A dataset whose clips are files below `folder`.
  static Dataset InFolder(std::string name, std::filesystem::path folder);
  /// A dataset whose clips are the .wav files of a tar archive, read in place.
  /// @return VisitFiles()'s errors; kInvalidInput if it holds no .wav file.
  static Result<Dataset> InArchive(std::string name, const std::filesystem::path& archive);

  /// The bytes of a file. @return kInvalidInput naming place and file if it is missing.
  Result<std::vector<uint8_t>> FileBytes(const std::string& file) const;

  /// The clip of an item. @return ParseClip()'s errors; kInvalidInput if the part is not inside.
  Result<audio::Clip> LoadClip(const Item& item) const;

  /// Indices of the items of a split, in order.
  std::vector<size_t> ItemsOf(Split split) const;

  /// kInvalidInput naming the first class without an item in a split that has items, or a label
  /// that is no class.
  Status CheckClasses() const;

 private:
  std::filesystem::path place_;
  std::shared_ptr<const std::map<std::string, std::vector<uint8_t>>> archive_;  ///< Null: folder.
};

/// Takes 5 r to 5 r + 4 are the test split, all others train (r = 0 is FSDD's official split).
/// @return kInvalidInput if an item has no take or none falls into the test split.
Status AssignTakeRotation(Dataset& dataset, int rotation);

/// All clips of `speaker` are the test split, all others train. @return kInvalidInput naming the
/// speakers if there is no such one.
Status HoldOutSpeaker(Dataset& dataset, const std::string& speaker);

/// Speakers, sorted by name, in `num_groups` groups (speaker i in group i mod num_groups): group
/// `rotation` is the test split, the next one (cyclic) validation, all others train.
/// @return kInvalidInput unless 0 <= rotation < num_groups and 3 <= num_groups <= speakers.
Status AssignSpeakerRotation(Dataset& dataset, int rotation, int num_groups);

/// Names of the speakers, sorted.
std::vector<std::string> Speakers(const Dataset& dataset);

}  // namespace macloom::dataset
