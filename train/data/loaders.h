// The datasets macloom knows, each to its official labels and splits.
#pragma once

#include <string_view>

#include "train/data/dataset.h"

namespace macloom::dataset {

/// Free Spoken Digit Dataset: a folder with index.csv (file, split, label, speaker, take, sha256)
/// and recordings.tar. Classes "0" to "9"; the official split (takes 0 to 4 test).
/// @return kInvalidInput for missing or damaged data: every clip's SHA-256 is compared.
Result<Dataset> LoadFsdd(const std::filesystem::path& folder);

/// Arabic Speech Commands: a folder with index.csv (file, split, label, word, speaker, sha256) and
/// audio.tar. Classes yes no up down left right start stop open close _unknown_; the official
/// split, by speaker. @return as LoadFsdd(); kInvalidInput if a speaker is in two splits.
Result<Dataset> LoadArabicCommands(const std::filesystem::path& folder);

/// The ten keywords of the 12-class task, then _silence_ and _unknown_, in the order of the MLPerf
/// Tiny model: down go left no off on right stop up yes _silence_ _unknown_.
std::vector<std::string> TwelveClasses();

/// Google Speech Commands as unpacked: folder/<word>/<speaker>_nohash_<take>.wav.
///
/// A word that is not in `class_names` becomes `_unknown_`, or is left out if that is no class.
/// `_silence_`, if it is a class, gets one-second parts of folder/_background_noise_, one for every
/// ten clips of a split (at least one), placed by `seed`.
/// @return kInvalidInput if the folder or a class's clips are missing, or a file name is not of the
///         form above.
Result<Dataset> LoadSpeechCommands(const std::filesystem::path& folder,
                                   const std::vector<std::string>& class_names, uint64_t seed);

/// The dataset's own split rule: SHA-1 of the file name without `_nohash_...`, modulo 2^27, in
/// percent of 2^27 - 1: below 10 validation, below 20 test, else train. `file` may have folders.
Split SpeechCommandsSplit(std::string_view file);

/// A CSV index with the columns path, label, split and, if known, speaker, take and sha256; paths
/// are relative to its folder. Classes are the labels, sorted (as numbers if all are numbers).
Result<Dataset> LoadCsvIndex(const std::filesystem::path& index);

}  // namespace macloom::dataset
