// libarchive's reader, freed when it goes out of scope.
#pragma once

#include <archive.h>

#include <memory>

namespace macloom {

struct ArchiveCloser {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
using Archive = std::unique_ptr<archive, ArchiveCloser>;

}  // namespace macloom
