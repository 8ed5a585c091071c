// Whole files and output folders: read with a size limit, written completely or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom {

/// Largest file ReadFile() accepts unless told otherwise, in bytes (1 GiB).
inline constexpr int64_t kDefaultMaxFileBytes = int64_t{1} << 30;

/// Reads a regular file.
///
/// @return kInvalidInput naming the path if it is missing, not a regular file, unreadable, or
/// larger
///         than `max_bytes`.
Result<std::vector<uint8_t>> ReadFile(const std::filesystem::path& path,
                                      int64_t max_bytes = kDefaultMaxFileBytes);
/// Same, as text; no decoding takes place.
Result<std::string> ReadTextFile(const std::filesystem::path& path,
                                 int64_t max_bytes = kDefaultMaxFileBytes);

/// Writes a file under a temporary name in the same folder, then renames it to `path`.
///
/// An existing file is replaced; it keeps its old content if anything fails, and the temporary file
/// is removed. @return kOutput with the path and the system's reason (missing folder, no
/// permission, no space).
Status WriteFileAtomically(const std::filesystem::path& path, std::span<const uint8_t> bytes);
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text);

/// A folder that appears under its final name complete, or not at all.
///
/// Files are written into path(), a temporary sibling of the target; Commit() renames it. Without
/// Commit() the destructor removes it. The folder carries an empty marker file `.macloom`, so that
/// a later run may replace it.
class OutputDirectory {
 public:
  /// Name of the marker file.
  static constexpr const char* kMarker = ".macloom";

  /// @return kOutput if `target` exists and is neither an empty folder nor one with the marker, or
  /// if
  ///         the temporary folder cannot be made. The parent folder must exist.
  static Result<OutputDirectory> Create(const std::filesystem::path& target);

  OutputDirectory(OutputDirectory&& other) noexcept;
  OutputDirectory& operator=(OutputDirectory&&) = delete;
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;
  ~OutputDirectory();

  /// The temporary folder to write into.
  const std::filesystem::path& path() const { return path_; }
  /// The final name.
  const std::filesystem::path& target() const { return target_; }

  /// Writes `relative` inside the folder; its sub-folders are made.
  Status Write(const std::filesystem::path& relative, std::span<const uint8_t> bytes);
  Status Write(const std::filesystem::path& relative, std::string_view text);

  /// Renames the folder to its final name, replacing what Create() accepted there. Afterwards
  /// path() is the final name. To be called once. @return kOutput; the old folder is then still in
  /// place.
  Status Commit();

 private:
  OutputDirectory(std::filesystem::path target, std::filesystem::path path);

  std::filesystem::path target_;
  std::filesystem::path path_;
  bool is_pending_ = true;
};

}  // namespace macloom
