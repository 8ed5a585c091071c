// A temporary folder that disappears with its owner.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace macloom::cost {

class ScratchFolder {
 public:
  /// Below $TMPDIR or /tmp. @return kOutput if it cannot be made.
  static Result<ScratchFolder> Create();

  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace macloom::cost
