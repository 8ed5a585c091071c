#include "base/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "base/files.h"

namespace macloom {
namespace {

using Json = nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr size_t kMaxAxes = 32;

struct DtypeSize {
  const char* name;
  int bytes;
};
constexpr std::array<DtypeSize, 13> kDtypes = {{{"BOOL", 1},
                                                {"U8", 1},
                                                {"I8", 1},
                                                {"F16", 2},
                                                {"BF16", 2},
                                                {"U16", 2},
                                                {"I16", 2},
                                                {"F32", 4},
                                                {"U32", 4},
                                                {"I32", 4},
                                                {"F64", 8},
                                                {"U64", 8},
                                                {"I64", 8}}};

std::optional<uint64_t> WholeNumber(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

// A tensor's place in the data.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  const std::string* name = nullptr;
};

Error BadTensor(const std::string& name, const std::string& what) {
  return InvalidInput(fmt::format("safetensors tensor \"{}\": {}", name, what));
}

Result<std::pair<uint64_t, uint64_t>> ParseOffsets(const std::string& name, const Json& value,
                                                   uint64_t data_bytes) {
  const std::optional<uint64_t> begin =
      value.is_array() && value.size() == 2 ? WholeNumber(value[0]) : std::nullopt;
  const std::optional<uint64_t> end =
      value.is_array() && value.size() == 2 ? WholeNumber(value[1]) : std::nullopt;
  if (!begin || !end) {
    return BadTensor(name, "data_offsets is not a pair of whole numbers of at least 0");
  }
  if (*begin > *end || *end > data_bytes) {
    return BadTensor(name,
                     fmt::format("data_offsets are {} to {}; accepted are ascending offsets of "
                                 "at most {}",
                                 *begin, *end, data_bytes));
  }
  return std::pair{*begin, *end};
}

Result<std::vector<int64_t>> ParseShape(const std::string& name, const Json& value) {
  if (!value.is_array() || value.size() > kMaxAxes) {
    return BadTensor(name, fmt::format("shape is not an array of at most {} axes", kMaxAxes));
  }
  std::vector<int64_t> shape;
  for (const Json& dimension : value) {
    const std::optional<uint64_t> number = WholeNumber(dimension);
    if (!number || *number > static_cast<uint64_t>(INT64_MAX)) {
      return BadTensor(name, "shape holds something else than whole numbers of at least 0");
    }
    shape.push_back(static_cast<int64_t>(*number));
  }
  return shape;
}

// Whether dtype and shape need exactly `bytes`, without overflow.
bool NeedsBytes(const std::vector<int64_t>& shape, uint64_t item_bytes, uint64_t bytes) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return bytes == 0;
  uint64_t needed = item_bytes;
  for (int64_t dimension : shape) {
    if (needed > bytes || static_cast<uint64_t>(dimension) > bytes / needed) return false;
    needed *= static_cast<uint64_t>(dimension);
  }
  return needed == bytes;
}

Status ParseTensor(const std::string& name, const Json& value, std::span<const uint8_t> data,
                   Safetensors& container, std::vector<Extent>& extents) {
  if (!value.is_object()) return BadTensor(name, "is not an object");
  for (const auto& [key, field] : value.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      return BadTensor(
          name, fmt::format("has field \"{}\"; accepted are dtype, shape, data_offsets", key));
    }
  }
  if (value.size() != 3) return BadTensor(name, "lacks one of dtype, shape, data_offsets");
  SafetensorsTensor tensor;
  if (!value["dtype"].is_string()) return BadTensor(name, "dtype is not a text");
  tensor.dtype = value["dtype"].get<std::string>();
  const int item_bytes = SafetensorsItemBytes(tensor.dtype);
  if (item_bytes == 0) {
    return Unsupported(
        fmt::format("safetensors tensor \"{}\": dtype is {}; supported are BOOL and "
                    "8 to 64-bit U, I, F, and BF16",
                    name, tensor.dtype));
  }
  MACLOOM_ASSIGN_OR_RETURN(tensor.shape, ParseShape(name, value["shape"]));
  MACLOOM_ASSIGN_OR_RETURN(const auto offsets,
                           ParseOffsets(name, value["data_offsets"], data.size()));
  const auto [begin, end] = offsets;
  if (!NeedsBytes(tensor.shape, static_cast<uint64_t>(item_bytes), end - begin)) {
    return BadTensor(name,
                     fmt::format("has {} bytes, which is not what its shape ({}) and dtype {} "
                                 "need",
                                 end - begin, fmt::join(tensor.shape, ", "), tensor.dtype));
  }
  const auto position = container.tensors.emplace(name, std::move(tensor)).first;
  extents.push_back({begin, end, &position->first});
  return {};
}

// The data must be tiled: an overlap would let a small file expand, a gap could hide content.
Status CheckExtents(std::vector<Extent>& extents, uint64_t data_bytes) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != covered) {
      return BadTensor(
          *extent.name,
          fmt::format("starts at offset {}; accepted is {}, where the tensor before it "
                      "ends",
                      extent.begin, covered));
    }
    covered = extent.end;
  }
  if (covered == data_bytes) return {};
  return InvalidInput(fmt::format("safetensors data has {} bytes, of which the tensors cover {}",
                                  data_bytes, covered));
}

Status ParseMetadata(const Json& value, Safetensors& container) {
  if (!value.is_object()) return InvalidInput("safetensors __metadata__ is not an object of texts");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      return InvalidInput(fmt::format("safetensors __metadata__ \"{}\" is not a text", key));
    }
    container.metadata[key] = text.get<std::string>();
  }
  return {};
}

}  // namespace

int SafetensorsItemBytes(const std::string& dtype) {
  for (const DtypeSize& entry : kDtypes) {
    if (dtype == entry.name) return entry.bytes;
  }
  return 0;
}

Result<Safetensors> ParseSafetensors(std::span<const uint8_t> content) {
  if (content.size() < 8) {
    return InvalidInput(
        fmt::format("not a .safetensors file: {} bytes; accepted are at least 8", content.size()));
  }
  uint64_t header_bytes = 0;
  for (size_t i = 0; i < 8; ++i) header_bytes |= static_cast<uint64_t>(content[i]) << (8 * i);
  const uint64_t limit = std::min<uint64_t>(content.size() - 8, kMaxSafetensorsHeaderBytes);
  if (header_bytes > limit) {
    return InvalidInput(
        fmt::format("not a .safetensors file: its header has {} bytes; accepted are at "
                    "most {} here",
                    header_bytes, limit));
  }
  const auto begin = content.begin() + 8;
  const Json header =
      Json::parse(begin, begin + static_cast<std::ptrdiff_t>(header_bytes), nullptr, false);
  if (!header.is_object()) {
    return InvalidInput("not a .safetensors file: its header is not a JSON object");
  }
  const std::span<const uint8_t> data = content.subspan(8 + static_cast<size_t>(header_bytes));
  Safetensors container;
  std::vector<Extent> extents;
  for (const auto& [name, value] : header.items()) {
    MACLOOM_RETURN_IF_ERROR(name == kMetadata ? ParseMetadata(value, container)
                                              : ParseTensor(name, value, data, container, extents));
  }
  MACLOOM_RETURN_IF_ERROR(CheckExtents(extents, data.size()));
  for (const Extent& extent : extents) {
    const auto bytes = data.subspan(extent.begin, extent.end - extent.begin);
    container.tensors[*extent.name].bytes.assign(bytes.begin(), bytes.end());
  }
  return container;
}

Result<Safetensors> ReadSafetensors(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> content, ReadFile(path));
  Result<Safetensors> container = ParseSafetensors(content);
  if (!container.ok()) {
    return Error{container.error().kind, path.string() + ": " + container.error().message};
  }
  return container;
}

Result<std::vector<uint8_t>> SerializeSafetensors(const Safetensors& container) {
  using Entry = std::pair<const std::string, SafetensorsTensor>;
  std::vector<const Entry*> order;
  for (const Entry& entry : container.tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return SafetensorsItemBytes(a->second.dtype) > SafetensorsItemBytes(b->second.dtype);
  });
  Json header = Json::object();
  if (!container.metadata.empty()) header[kMetadata] = container.metadata;
  uint64_t offset = 0;
  for (const Entry* entry : order) {
    const SafetensorsTensor& tensor = entry->second;
    const int item_bytes = SafetensorsItemBytes(tensor.dtype);
    MACLOOM_CHECK(item_bytes > 0 && entry->first != kMetadata);
    MACLOOM_CHECK(NeedsBytes(tensor.shape, static_cast<uint64_t>(item_bytes), tensor.bytes.size()));
    header[entry->first] = {{"dtype", tensor.dtype},
                            {"shape", tensor.shape},
                            {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::ignore);
  // `ignore` drops what is not UTF-8; it must have dropped nothing.
  MACLOOM_CHECK(Json::parse(text) == header);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kMaxSafetensorsHeaderBytes) {
    return InvalidInput(
        fmt::format("safetensors header would have {} bytes; accepted are at most {}", text.size(),
                    kMaxSafetensorsHeaderBytes));
  }
  std::vector<uint8_t> content;
  content.reserve(8 + text.size() + static_cast<size_t>(offset));
  for (int i = 0; i < 8; ++i)
    content.push_back(static_cast<uint8_t>(text.size() >> (8 * i) & 0xff));
  content.insert(content.end(), text.begin(), text.end());
  for (const Entry* entry : order) {
    content.insert(content.end(), entry->second.bytes.begin(), entry->second.bytes.end());
  }
  return content;
}

Status WriteSafetensors(const std::filesystem::path& path, const Safetensors& container) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> content, SerializeSafetensors(container));
  return WriteFileAtomically(path, content);
}

}  // namespace macloom
