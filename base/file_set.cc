#include "base/file_set.h"

#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/archive_handle.h"
#include "base/files.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 1'000'000;

bool IsWanted(const fs::path& name, const std::set<std::string>& extensions) {
  return extensions.empty() || extensions.count(LowerExtension(name)) != 0;
}

Status CheckCount(const fs::path& path, size_t count) {
  if (count <= kMaxFiles) return {};
  return InvalidInput(fmt::format("{}: more than {} files; accepted are at most that many",
                                  path.string(), kMaxFiles));
}

Status VisitTar(const fs::path& path, const std::set<std::string>& extensions,
                int64_t max_file_bytes, const FileVisitor& visitor) {
  const Archive handle(archive_read_new());
  MACLOOM_CHECK(handle != nullptr);
  // Not filter_all: that would start external programs for rare compressions.
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_filter_bzip2(handle.get());
  archive_read_support_filter_xz(handle.get());
  archive_read_support_filter_zstd(handle.get());
  archive_read_support_format_tar(handle.get());
  const auto damaged = [&] {
    const char* reason = archive_error_string(handle.get());
    return InvalidInput(fmt::format("{}: not a readable tar archive: {}", path.string(),
                                    reason == nullptr ? "it ends too early" : reason));
  };
  if (archive_read_open_filename(handle.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
    return damaged();
  }
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  size_t count = 0;
  while ((status = archive_read_next_header(handle.get(), &entry)) == ARCHIVE_OK) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG || !IsWanted(name, extensions))
      continue;
    MACLOOM_RETURN_IF_ERROR(CheckCount(path, ++count));
    const int64_t size = archive_entry_size(entry);
    if (size < 0 || size > max_file_bytes) {
      return InvalidInput(fmt::format("{}: {} has {} bytes; accepted are at most {}", path.string(),
                                      name, size, max_file_bytes));
    }
    const std::string kept_name = name;
    std::vector<uint8_t> bytes(static_cast<size_t>(size));
    if (archive_read_data(handle.get(), bytes.data(), bytes.size()) != size) return damaged();
    MACLOOM_RETURN_IF_ERROR(visitor(kept_name, std::move(bytes)));
  }
  if (status != ARCHIVE_EOF) return damaged();
  return {};
}

}  // namespace

std::string LowerExtension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

Result<std::vector<std::string>> ListFiles(const fs::path& folder,
                                           const std::set<std::string>& extensions) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end;
       it.increment(code)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored) || !IsWanted(it->path(), extensions)) continue;
    names.push_back(it->path().lexically_relative(folder).generic_string());
    MACLOOM_RETURN_IF_ERROR(CheckCount(folder, names.size()));
  }
  if (code) return InvalidInput(fmt::format("{}: {}", folder.string(), code.message()));
  std::sort(names.begin(), names.end());
  return names;
}

Status VisitFiles(const fs::path& path, const std::set<std::string>& extensions,
                  int64_t max_file_bytes, const FileVisitor& visitor) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) {
    return InvalidInput(fmt::format("{}: no such file or folder", path.string()));
  }
  if (!fs::is_directory(status)) return VisitTar(path, extensions, max_file_bytes, visitor);
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFiles(path, extensions));
  for (const std::string& name : names) {
    MACLOOM_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, ReadFile(path / name, max_file_bytes));
    MACLOOM_RETURN_IF_ERROR(visitor(name, std::move(bytes)));
  }
  return {};
}

}  // namespace macloom
