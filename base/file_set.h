// The files of a folder or a tar archive, one after the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom {

/// Takes one file: its path inside the folder or archive (with '/'), and its bytes.
using FileVisitor = std::function<Status(const std::string& name, std::vector<uint8_t> bytes)>;

/// Calls `visitor` for every regular file whose extension is in `extensions` (".wav"; lower-case
/// comparison; empty = every file).
///
/// A folder is walked with its sub-folders, sorted by name; symbolic links to folders are not
/// followed. Any other path is read as a tar archive, plain or compressed (gzip, bzip2, xz, zstd),
/// in its own order and in place: nothing is unpacked to disk, one file at a time is in memory.
/// @param max_file_bytes  Largest file accepted.
/// @return The visitor's first error; kInvalidInput if the path is missing, the archive is damaged,
///         a file is larger than `max_file_bytes` or there are more than a million files.
Status VisitFiles(const std::filesystem::path& path, const std::set<std::string>& extensions,
                  int64_t max_file_bytes, const FileVisitor& visitor);

/// Names of the files VisitFiles() would visit in a folder, sorted.
Result<std::vector<std::string>> ListFiles(const std::filesystem::path& folder,
                                           const std::set<std::string>& extensions);

/// Extension in lower case with its dot: ".wav" for "A.WAV"; empty if there is none.
std::string LowerExtension(const std::filesystem::path& path);

}  // namespace macloom
