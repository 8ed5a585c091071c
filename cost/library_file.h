// Where cell libraries are found, unzipped for the tools that need plain text.
#pragma once

#include <filesystem>
#include <string>

#include "cost/liberty.h"

namespace macloom::cost {

/// A library that tools can be pointed at.
struct LibraryFile {
  std::string label;           ///< "osu018" or the file's name without .lib and .gz.
  std::filesystem::path path;  ///< Plain text.
  std::string digest;          ///< SHA-256 of the text.
  LibertyLibrary library;
};

/// Name of the library that is used unless another is asked for.
inline constexpr const char* kDefaultLibrary = "osu018";

/// @param name_or_path `osu018` (installed by the Debian package qflow-tech-osu018, or at
///        $MACLOOM_OSU018), or a Liberty file, .lib or .lib.gz. A zipped file is unzipped once into
///        the cache folder.
/// @return kToolMissing naming the package, errors of ReadLiberty(), and of RequireArea().
Result<LibraryFile> OpenLibrary(const std::string& name_or_path);

}  // namespace macloom::cost
