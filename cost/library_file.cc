#include "cost/library_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/digest.h"
#include "base/files.h"
#include "sim/model_cache.h"

namespace macloom::cost {
namespace {

constexpr const char* kInstalledOsu018 = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

std::filesystem::path Osu018Path() {
  const char* given = std::getenv("MACLOOM_OSU018");
  return given != nullptr ? given : kInstalledOsu018;
}

}  // namespace

Result<LibraryFile> OpenLibrary(const std::string& name_or_path) {
  LibraryFile file;
  file.path = name_or_path;
  if (name_or_path == kDefaultLibrary) {
    file.path = Osu018Path();
    if (!std::filesystem::exists(file.path)) {
      return Error{
          ErrorKind::kToolMissing,
          fmt::format("library osu018: {} does not exist; it comes with the Debian package "
                      "qflow-tech-osu018, or set MACLOOM_OSU018 to the file",
                      file.path.string())};
    }
    file.label = kDefaultLibrary;
  } else {
    std::filesystem::path stem = file.path.filename();
    if (stem.extension() == ".gz") stem = stem.stem();
    if (stem.extension() == ".lib") stem = stem.stem();
    file.label = stem.string();
    if (!std::filesystem::exists(file.path)) {
      return InvalidInput(
          fmt::format("library `{}`: no such file; accepted are {} and the path of "
                      "a .lib or .lib.gz file",
                      name_or_path, kDefaultLibrary));
    }
  }
  file.path = std::filesystem::absolute(file.path);
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadLibertyText(file.path));
  file.digest = Sha256Hex(text);
  MACLOOM_ASSIGN_OR_RETURN(file.library, ReadLiberty(text, file.path.string()));
  MACLOOM_RETURN_IF_ERROR(file.library.RequireArea());
  if (file.path.extension() == ".gz") {
    const std::filesystem::path folder = sim::CacheDirectory() / "liberty";
    const std::filesystem::path plain = folder / (file.digest.substr(0, 16) + ".lib");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (!std::filesystem::exists(plain)) {
      MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(plain, text));
    }
    file.path = plain;
  }
  return file;
}

}  // namespace macloom::cost
