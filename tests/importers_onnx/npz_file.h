// Arrays of a NumPy .npz archive.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/npy.h"

namespace macloom::testing {

/// Name without ".npy" -> array; empty if the archive cannot be read.
inline std::map<std::string, NpyArray> ReadNpz(const std::filesystem::path& path) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      &archive_read_free);
  archive_read_support_format_zip(reader.get());
  std::map<std::string, NpyArray> arrays;
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) return arrays;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> block(1 << 16);
    for (la_ssize_t got = 0;
         (got = archive_read_data(reader.get(), block.data(), block.size())) > 0;) {
      bytes.insert(bytes.end(), block.begin(), block.begin() + got);
    }
    auto array = ParseNpy(bytes);
    if (!array.ok()) continue;
    const std::filesystem::path name(archive_entry_pathname(entry));
    arrays[name.stem().string()] = std::move(array).value();
  }
  return arrays;
}

/// Elements as integers, float32 included if all are whole; empty otherwise.
inline std::vector<int64_t> WholeNumbers(const NpyArray& array) {
  if (array.dtype != "<f4") {
    const auto integers = ToInt64(array);
    return integers.ok() ? integers.value() : std::vector<int64_t>();
  }
  std::vector<int64_t> values;
  for (size_t i = 0; i + 4 <= array.bytes.size(); i += 4) {
    float value = 0;
    std::memcpy(&value, array.bytes.data() + i, 4);
    if (value != std::floor(value)) return {};
    values.push_back(static_cast<int64_t>(value));
  }
  return values;
}

/// [1, C, H, W], [1, C, W] or [1, C] row-major as [H, W, C], [1, W, C] or [C].
inline std::vector<int32_t> ChannelsLast(const std::vector<int64_t>& values,
                                         const std::vector<int64_t>& shape) {
  const auto channels = static_cast<size_t>(shape.size() > 1 ? shape[1] : 1);
  const size_t positions = values.size() / channels;
  std::vector<int32_t> result(values.size());
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < positions; ++p) {
      result[p * channels + c] = static_cast<int32_t>(values[c * positions + p]);
    }
  }
  return result;
}

}  // namespace macloom::testing
