#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace macloom {
namespace {

namespace fs = std::filesystem;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// Unique in this process and, by the process id, among processes.
fs::path TemporarySibling(const fs::path& path) {
  static std::atomic<uint64_t> counter{0};
  fs::path sibling = path;
  sibling.replace_filename(
      fmt::format(".{}.tmp-{}-{}", path.filename().string(), ::getpid(), counter.fetch_add(1)));
  return sibling;
}

Error CannotWrite(const fs::path& path, const std::string& reason) {
  return OutputError(fmt::format("cannot write {}: {}", path.string(), reason));
}

std::string ReasonOf(int error_number) { return std::strerror(error_number); }

// "DIR/" and "DIR" name the same folder; filename() of the former is empty.
fs::path WithoutTrailingSlash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

template <typename Container>
Result<Container> Read(const fs::path& path, int64_t max_bytes) {
  const auto cannot_read = [&](const std::string& reason) {
    return InvalidInput(fmt::format("cannot read {}: {}", path.string(), reason));
  };
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) return cannot_read("no such file");
  if (!fs::is_regular_file(status)) return cannot_read("not a regular file");
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return cannot_read(ReasonOf(errno));
  const uintmax_t size = fs::file_size(path, code);
  if (code) return cannot_read(code.message());
  if (size > static_cast<uintmax_t>(max_bytes)) {
    return cannot_read(
        fmt::format("it has {} bytes; accepted are at most {} bytes", size, max_bytes));
  }
  Container content;
  content.resize(static_cast<size_t>(size));
  const size_t got = size == 0 ? 0 : std::fread(content.data(), 1, content.size(), file.get());
  if (got != content.size()) {
    return cannot_read(fmt::format("got {} of {} bytes", got, content.size()));
  }
  return content;
}

Status WriteAtomically(const fs::path& path, const void* data, size_t size) {
  if (!path.has_filename()) return CannotWrite(path, "not a file name");
  std::error_code code;
  if (fs::is_directory(path, code)) return CannotWrite(path, "is a directory");
  const fs::path temporary = TemporarySibling(path);
  const auto fail = [&](int error_number) {
    ::unlink(temporary.c_str());
    return CannotWrite(path, ReasonOf(error_number));
  };
  std::FILE* file = std::fopen(temporary.c_str(), "wbx");
  if (file == nullptr) return CannotWrite(path, ReasonOf(errno));
  if (size != 0 && std::fwrite(data, 1, size, file) != size) {
    const int error_number = errno;
    std::fclose(file);
    return fail(error_number);
  }
  // A full disk may show only when the buffer is flushed.
  if (std::fclose(file) != 0) return fail(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(errno);
  return {};
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const fs::path& path, int64_t max_bytes) {
  return Read<std::vector<uint8_t>>(path, max_bytes);
}

Result<std::string> ReadTextFile(const fs::path& path, int64_t max_bytes) {
  return Read<std::string>(path, max_bytes);
}

Status WriteFileAtomically(const fs::path& path, std::span<const uint8_t> bytes) {
  return WriteAtomically(path, bytes.data(), bytes.size());
}

Status WriteFileAtomically(const fs::path& path, std::string_view text) {
  return WriteAtomically(path, text.data(), text.size());
}

OutputDirectory::OutputDirectory(fs::path target, fs::path path)
    : target_(std::move(target)), path_(std::move(path)) {}

OutputDirectory::OutputDirectory(OutputDirectory&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::move(other.path_)),
      is_pending_(std::exchange(other.is_pending_, false)) {}

OutputDirectory::~OutputDirectory() {
  if (!is_pending_) return;
  std::error_code code;
  fs::remove_all(path_, code);
}

Result<OutputDirectory> OutputDirectory::Create(const fs::path& given) {
  const fs::path target = WithoutTrailingSlash(given);
  if (!target.has_filename() || target.filename() == "." || target.filename() == "..") {
    return CannotWrite(given, "accepted is the name of a new folder");
  }
  std::error_code code;
  const fs::file_status status = fs::symlink_status(target, code);
  if (fs::exists(status)) {
    if (!fs::is_directory(status)) {
      return CannotWrite(target, "exists and is not a folder; accepted is a new name");
    }
    const bool is_empty = fs::is_empty(target, code);
    if (code) return CannotWrite(target, code.message());
    if (!is_empty && !fs::exists(target / kMarker, code)) {
      return CannotWrite(target,
                         fmt::format("the folder exists and was not written by macloom (it has "
                                     "no file {}); accepted are a new name, an empty folder, "
                                     "or an earlier output",
                                     kMarker));
    }
  }
  const fs::path temporary = TemporarySibling(target);
  if (!fs::create_directory(temporary, code)) {
    return CannotWrite(target, code ? code.message() : "the temporary folder exists");
  }
  OutputDirectory directory(target, temporary);
  MACLOOM_RETURN_IF_ERROR(directory.Write(kMarker, std::string_view()));
  return directory;
}

Status OutputDirectory::Write(const fs::path& relative, std::span<const uint8_t> bytes) {
  const fs::path path = path_ / relative;
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (code) return CannotWrite(path, code.message());
  return WriteFileAtomically(path, bytes);
}

Status OutputDirectory::Write(const fs::path& relative, std::string_view text) {
  return Write(relative, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status OutputDirectory::Commit() {
  MACLOOM_CHECK(is_pending_);
  // rename() replaces an empty folder; a full one is moved aside first and removed last.
  fs::path old;
  std::error_code code;
  if (fs::exists(target_, code)) {
    old = TemporarySibling(target_);
    if (::rename(target_.c_str(), old.c_str()) != 0) return CannotWrite(target_, ReasonOf(errno));
  }
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    const int error_number = errno;
    if (!old.empty()) ::rename(old.c_str(), target_.c_str());
    return CannotWrite(target_, ReasonOf(error_number));
  }
  is_pending_ = false;
  path_ = target_;
  if (!old.empty()) fs::remove_all(old, code);
  return {};
}

}  // namespace macloom
