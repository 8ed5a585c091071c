// NumPy .npy arrays: inputs, outputs and traces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom {

/// An array as stored: row-major (C order), little endian.
struct NpyArray {
  std::string dtype = "|i1";   ///< One of |i1 |u1 <i2 <u2 <i4 <u4 <i8 <f4 <f8.
  std::vector<int64_t> shape;  ///< Empty for a scalar (one element).
  std::vector<uint8_t> bytes;  ///< Element count times item size bytes.

  bool operator==(const NpyArray&) const = default;

  /// Product of the dimensions; 1 for a scalar.
  int64_t NumElements() const;
};

/// Bytes per element of a dtype of NpyArray; 0 for any other text.
int NpyItemBytes(const std::string& dtype);

/// Parses a .npy file, format versions 1.0 and 2.0 (3.0 is read as 2.0).
///
/// The content is hostile: header length, shape and data length are checked before use, and nothing
/// larger than the data itself is allocated. @return kInvalidInput, or kUnsupported for Fortran
/// order, big endian, structured and other dtypes.
Result<NpyArray> ParseNpy(std::span<const uint8_t> content);
/// Same from a file; messages start with the path.
Result<NpyArray> ReadNpy(const std::filesystem::path& path);

/// The bytes of a .npy file, version 1.0, as NumPy writes them.
/// @pre array.bytes has NumElements() * NpyItemBytes(dtype) bytes (MACLOOM_CHECK).
std::vector<uint8_t> SerializeNpy(const NpyArray& array);
/// Writes a .npy file completely or not at all.
Status WriteNpy(const std::filesystem::path& path, const NpyArray& array);

/// All elements of an integer array. @return kInvalidInput for float dtypes.
Result<std::vector<int64_t>> ToInt64(const NpyArray& array);

/// Arrays of `shape` from row-major values.
/// @pre The number of values equals the product of `shape` (MACLOOM_CHECK).
NpyArray FromInt8(std::vector<int64_t> shape, std::span<const int8_t> values);
NpyArray FromInt32(std::vector<int64_t> shape, std::span<const int32_t> values);
NpyArray FromInt64(std::vector<int64_t> shape, std::span<const int64_t> values);

}  // namespace macloom
