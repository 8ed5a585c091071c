// The .safetensors container: named tensors and a table of texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom {

/// One tensor as stored: row-major, little endian.
struct SafetensorsTensor {
  std::string dtype = "I8";    ///< BOOL U8 I8 F16 BF16 U16 I16 F32 U32 I32 F64 U64 I64.
  std::vector<int64_t> shape;  ///< Empty for a scalar.
  std::vector<uint8_t> bytes;
  bool operator==(const SafetensorsTensor&) const = default;
};

struct Safetensors {
  std::map<std::string, std::string> metadata;  ///< The header's `__metadata__`.
  std::map<std::string, SafetensorsTensor> tensors;
  bool operator==(const Safetensors&) const = default;
};

/// Largest header accepted, in bytes (16 MiB).
inline constexpr uint64_t kMaxSafetensorsHeaderBytes = uint64_t{16} << 20;

/// Bytes per element of a dtype; 0 for an unknown one.
int SafetensorsItemBytes(const std::string& dtype);

/// Parses a container: u64 header length, JSON header, data.
///
/// The content is hostile: header at most 16 MiB; every tensor's range must lie inside the data,
/// have the size its dtype and shape need, and overlap no other; all data must belong to a tensor;
/// numbers must be whole. @return kInvalidInput naming the tensor and the field, or kUnsupported
/// for a dtype.
Result<Safetensors> ParseSafetensors(std::span<const uint8_t> content);
/// Same from a file; messages start with the path.
Result<Safetensors> ReadSafetensors(const std::filesystem::path& path);

/// The bytes of a container; equal containers give equal bytes. Tensors lie by falling item size,
/// then by name, so that each is aligned; the header is padded to 8 bytes with spaces.
///
/// @pre Every tensor's bytes match its dtype and shape, and all texts are UTF-8 (MACLOOM_CHECK).
/// @return kInvalidInput if the header exceeds 16 MiB.
Result<std::vector<uint8_t>> SerializeSafetensors(const Safetensors& container);
/// Writes a container completely or not at all.
Status WriteSafetensors(const std::filesystem::path& path, const Safetensors& container);

}  // namespace macloom
