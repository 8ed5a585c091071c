#include "cost/scratch.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace macloom::cost {

Result<ScratchFolder> ScratchFolder::Create() {
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  std::string name = ((error ? "/tmp" : base) / "macloom-cost-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return OutputError(
        fmt::format("cannot make a temporary folder {}: {}", name, std::strerror(errno)));
  }
  return ScratchFolder(name);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace macloom::cost
