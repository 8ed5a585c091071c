#include "base/array_file.h"

#include <archive_entry.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/archive_handle.h"
#include "base/check.h"
#include "base/files.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;

/// The data of the archive's current entry, in pieces: a stream does not know its size.
std::optional<std::vector<uint8_t>> ReadEntry(archive* handle) {
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> piece(1 << 16);
  while (true) {
    const la_ssize_t got = archive_read_data(handle, piece.data(), piece.size());
    if (got < 0) return std::nullopt;
    if (got == 0) return bytes;
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
    if (static_cast<int64_t>(bytes.size()) > kDefaultMaxFileBytes) return std::nullopt;
  }
}

Result<NpyArray> ReadNpz(const fs::path& path, const std::string& member) {
  const Archive handle(archive_read_new());
  MACLOOM_CHECK(handle != nullptr);
  archive_read_support_format_zip(handle.get());
  const auto damaged = [&] {
    return InvalidInput(fmt::format("{}: not a readable .npz file (zip archive)", path.string()));
  };
  if (archive_read_open_filename(handle.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
    return damaged();
  }
  std::vector<std::string> names;
  std::optional<std::vector<uint8_t>> content;
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(handle.get(), &entry)) == ARCHIVE_OK) {
    const char* text = archive_entry_pathname(entry);
    if (text == nullptr) return damaged();
    std::string name = text;
    if (!name.ends_with(".npy")) continue;
    name.resize(name.size() - 4);
    names.push_back(name);
    const bool is_wanted = member.empty() || member == name || member == name + ".npy";
    if (!is_wanted || content) continue;
    content = ReadEntry(handle.get());
    if (!content) return damaged();
  }
  if (status != ARCHIVE_EOF) return damaged();
  if (!content || (member.empty() && names.size() != 1)) {
    return InvalidInput(fmt::format(
        "{}: {}; it holds {}; name one as {}@NAME", path.string(),
        member.empty() ? "which array?" : "no array " + member,
        names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")), path.string()));
  }
  Result<NpyArray> array = ParseNpy(*content);
  if (array.ok()) return array;
  return Error{array.error().kind, fmt::format("{}: {}", path.string(), array.error().message)};
}

/// The file, unpacked if it is a gzip stream.
Result<std::vector<uint8_t>> ReadPacked(const fs::path& path) {
  if (path.extension() != ".gz") return ReadFile(path);
  const Archive handle(archive_read_new());
  MACLOOM_CHECK(handle != nullptr);
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(handle.get(), path.c_str(), 1 << 16) == ARCHIVE_OK &&
      archive_read_next_header(handle.get(), &entry) == ARCHIVE_OK) {
    if (auto content = ReadEntry(handle.get())) return *std::move(content);
  }
  return InvalidInput(fmt::format("{}: not a readable gzip file", path.string()));
}

Result<NpyArray> ReadIdx(const fs::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> content, ReadPacked(path));
  constexpr uint8_t kUnsignedByte = 8;
  if (content.size() < 4 || content[0] != 0 || content[1] != 0) {
    return InvalidInput(
        fmt::format("{}: no IDX file: it does not start with two zero bytes", path.string()));
  }
  if (content[2] != kUnsignedByte) {
    return InvalidInput(fmt::format("{}: IDX element type {}; accepted is 8 (unsigned bytes)",
                                    path.string(), static_cast<int>(content[2])));
  }
  NpyArray array{"|u1", {}, {}};
  const size_t data = 4 + size_t{4} * content[3];
  size_t count = 1;
  for (size_t at = 4; at < data && data <= content.size(); at += 4) {
    const auto size = static_cast<uint32_t>(content[at]) << 24 |
                      static_cast<uint32_t>(content[at + 1]) << 16 |
                      static_cast<uint32_t>(content[at + 2]) << 8 | content[at + 3];
    array.shape.push_back(size);
    // A product beyond the file is wrong already; stopping there keeps it from wrapping.
    count = count > content.size() ? count : count * size;
  }
  if (data > content.size() || content.size() - data != count) {
    return InvalidInput(
        fmt::format("{}: IDX file of {} bytes; its header promises {} sizes and {} bytes of data",
                    path.string(), content.size(), static_cast<int>(content[3]), count));
  }
  array.bytes.assign(content.begin() + static_cast<std::ptrdiff_t>(data), content.end());
  return array;
}

bool IsIdx(const fs::path& path) {
  const std::string name =
      path.extension() == ".gz" ? path.stem().string() : path.filename().string();
  return name.ends_with("-ubyte") || name.ends_with(".idx");
}

}  // namespace

bool IsArrayFile(const fs::path& path) {
  return path.extension() == ".npy" || path.extension() == ".npz" || IsIdx(path);
}

Result<NpyArray> ReadArray(const fs::path& path, const std::string& member) {
  if (path.extension() == ".npz") return ReadNpz(path, member);
  if (!member.empty()) {
    return InvalidInput(fmt::format("{}: has no members; `@{}` is accepted for .npz files only",
                                    path.string(), member));
  }
  if (path.extension() == ".npy") return ReadNpy(path);
  return ReadIdx(path);
}

}  // namespace macloom
