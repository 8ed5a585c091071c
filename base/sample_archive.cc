#include "base/sample_archive.h"

#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/archive_handle.h"
#include "base/files.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;

Error BadArchive(const fs::path& path, const std::string& what) {
  return InvalidInput(fmt::format("sample archive {}: {}", path.string(), what));
}

Status CheckSize(const fs::path& path, const std::string& name, int64_t size,
                 int64_t bytes_per_sample) {
  if (size == bytes_per_sample) return {};
  return BadArchive(path, fmt::format("sample {} has {} bytes; accepted are {} bytes", name, size,
                                      bytes_per_sample));
}

Status CheckCount(const fs::path& path, size_t count, int64_t bytes_per_sample) {
  if (count <= kMaxSamples &&
      static_cast<int64_t>(count) <= kMaxSampleArchiveBytes / bytes_per_sample) {
    return {};
  }
  return BadArchive(path,
                    fmt::format("has more than {} samples of {} bytes; accepted are at most {} "
                                "samples and {} bytes",
                                count - 1, bytes_per_sample, kMaxSamples, kMaxSampleArchiveBytes));
}

Result<std::vector<Sample>> ReadFolder(const fs::path& path, int64_t bytes_per_sample) {
  std::vector<Sample> samples;
  std::error_code code;
  for (fs::directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    if (it->path().extension() != ".bin" || !it->is_regular_file(ignored)) continue;
    MACLOOM_RETURN_IF_ERROR(CheckCount(path, samples.size() + 1, bytes_per_sample));
    const std::string name = it->path().filename().string();
    const uintmax_t size = it->file_size(ignored);
    if (!ignored) {
      MACLOOM_RETURN_IF_ERROR(CheckSize(path, name, static_cast<int64_t>(size), bytes_per_sample));
    }
    MACLOOM_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, ReadFile(it->path()));
    MACLOOM_RETURN_IF_ERROR(
        CheckSize(path, name, static_cast<int64_t>(bytes.size()), bytes_per_sample));
    samples.push_back({name, std::move(bytes)});
  }
  if (code) return BadArchive(path, code.message());
  return samples;
}

Result<std::vector<Sample>> ReadTar(const fs::path& path, int64_t bytes_per_sample) {
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
    return BadArchive(path, fmt::format("not a readable tar archive: {}",
                                        reason == nullptr ? "unknown error" : reason));
  };
  if (archive_read_open_filename(handle.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
    return damaged();
  }
  std::vector<Sample> samples;
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(handle.get(), &entry)) == ARCHIVE_OK) {
    const char* name = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != nullptr) {
      return BadArchive(path, fmt::format("entry {} is not a regular file",
                                          name == nullptr ? "without name" : name));
    }
    MACLOOM_RETURN_IF_ERROR(CheckCount(path, samples.size() + 1, bytes_per_sample));
    MACLOOM_RETURN_IF_ERROR(CheckSize(path, name, archive_entry_size(entry), bytes_per_sample));
    Sample sample{name, std::vector<uint8_t>(static_cast<size_t>(bytes_per_sample))};
    const la_ssize_t got =
        archive_read_data(handle.get(), sample.bytes.data(), sample.bytes.size());
    if (got != bytes_per_sample) return damaged();
    samples.push_back(std::move(sample));
  }
  if (status != ARCHIVE_EOF) return damaged();
  return samples;
}

}  // namespace

Result<std::vector<Sample>> ReadSampleArchive(const fs::path& path, int64_t bytes_per_sample) {
  if (bytes_per_sample < 1 || bytes_per_sample > kMaxSampleArchiveBytes) {
    return InvalidInput(fmt::format("sample size is {} bytes; accepted are 1 to {}",
                                    bytes_per_sample, kMaxSampleArchiveBytes));
  }
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) return BadArchive(path, "no such file or folder");
  MACLOOM_ASSIGN_OR_RETURN(std::vector<Sample> samples, fs::is_directory(status)
                                                            ? ReadFolder(path, bytes_per_sample)
                                                            : ReadTar(path, bytes_per_sample));
  if (samples.empty()) {
    return BadArchive(path, fs::is_directory(status) ? "the folder holds no *.bin file"
                                                     : "the archive holds no file");
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.name < b.name; });
  const auto twin =
      std::adjacent_find(samples.begin(), samples.end(),
                         [](const Sample& a, const Sample& b) { return a.name == b.name; });
  if (twin != samples.end()) {
    return BadArchive(path, fmt::format("two samples are named {}", twin->name));
  }
  return samples;
}

}  // namespace macloom
