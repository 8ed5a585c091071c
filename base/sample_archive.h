// Many small raw sample files: a folder or a tar archive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom {

struct Sample {
  std::string name;  ///< File name; inside an archive, its path.
  std::vector<uint8_t> bytes;
  bool operator==(const Sample&) const = default;
};

/// Most samples of one archive, and most bytes of all samples together (1 GiB).
inline constexpr size_t kMaxSamples = 1'000'000;
inline constexpr int64_t kMaxSampleArchiveBytes = int64_t{1} << 30;

/// Reads raw samples, sorted by name (byte order).
///
/// A folder gives its *.bin files (not those of sub-folders); any other path is read as a tar
/// archive, plain or compressed (gzip, bzip2, xz, zstd), all of whose regular files are samples
/// (folders are passed over).
/// @param bytes_per_sample  Exact size of every sample, at least 1.
/// @return kInvalidInput if a file has another size (naming it, its size and the size expected), if
///         two have one name, if there is none, or if the archive is damaged or too large.
Result<std::vector<Sample>> ReadSampleArchive(const std::filesystem::path& path,
                                              int64_t bytes_per_sample);

}  // namespace macloom
