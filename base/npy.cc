#include "base/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/files.h"

namespace macloom {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are copied without byte swaps");

constexpr std::array<uint8_t, 6> kMagic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr size_t kMaxHeaderBytes = size_t{1} << 20;
constexpr size_t kMaxRank = 32;  // NumPy's own limit.

// Walks the header, a Python dictionary literal such as
//   {'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  bool Take(char c) {
    SkipSpace();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }

  std::optional<std::string> TakeString() {
    SkipSpace();
    if (position_ >= text_.size()) return std::nullopt;
    const char quote = text_[position_];
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return value;
  }

  std::optional<int64_t> TakeDimension() {
    SkipSpace();
    int64_t value = 0;
    const char* begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    position_ += static_cast<size_t>(end - begin);
    return value;
  }

  bool AtEnd() {
    SkipSpace();
    return position_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size() &&
           (text_[position_] == ' ' || text_[position_] == '\n' || text_[position_] == '\t')) {
      ++position_;
    }
  }

  std::string_view text_;
  size_t position_ = 0;
};

struct Header {
  std::optional<std::string> dtype;
  std::optional<bool> is_fortran_order;
  std::optional<std::vector<int64_t>> shape;
};

std::optional<std::vector<int64_t>> TakeShape(HeaderParser& parser) {
  if (!parser.Take('(')) return std::nullopt;
  std::vector<int64_t> shape;
  while (!parser.Take(')')) {
    const std::optional<int64_t> dimension = parser.TakeDimension();
    if (!dimension.has_value() || shape.size() == kMaxRank) return std::nullopt;
    shape.push_back(*dimension);
    if (!parser.Take(',')) {
      if (!parser.Take(')')) return std::nullopt;
      break;
    }
  }
  return shape;
}

std::optional<Header> ParseHeader(std::string_view text) {
  HeaderParser parser(text);
  Header header;
  if (!parser.Take('{')) return std::nullopt;
  while (!parser.Take('}')) {
    const std::optional<std::string> key = parser.TakeString();
    if (!key.has_value() || !parser.Take(':')) return std::nullopt;
    if (*key == "descr") {
      header.dtype = parser.TakeString();
      if (!header.dtype.has_value()) return std::nullopt;
    } else if (*key == "fortran_order") {
      const bool is_true = parser.TakeWord("True");
      if (!is_true && !parser.TakeWord("False")) return std::nullopt;
      header.is_fortran_order = is_true;
    } else if (*key == "shape") {
      header.shape = TakeShape(parser);
      if (!header.shape.has_value()) return std::nullopt;
    } else {
      return std::nullopt;
    }
    if (!parser.Take(',')) {
      if (!parser.Take('}')) return std::nullopt;
      break;
    }
  }
  if (!parser.AtEnd() || !header.dtype || !header.is_fortran_order || !header.shape) {
    return std::nullopt;
  }
  return header;
}

// Bytes of an array of `shape`, if they do not exceed `limit`.
std::optional<size_t> BytesWithin(const std::vector<int64_t>& shape, size_t item_bytes,
                                  size_t limit) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  size_t bytes = item_bytes;
  if (bytes > limit) return std::nullopt;
  for (int64_t dimension : shape) {
    if (static_cast<uint64_t>(dimension) > limit / bytes) return std::nullopt;
    bytes *= static_cast<size_t>(dimension);
  }
  return bytes;
}

template <typename T>
void Widen(const NpyArray& array, std::vector<int64_t>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, array.bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<int64_t>(value);
  }
}

template <typename T>
NpyArray From(const char* dtype, std::vector<int64_t> shape, std::span<const T> values) {
  NpyArray array{dtype, std::move(shape), {}};
  MACLOOM_CHECK(array.NumElements() == static_cast<int64_t>(values.size()));
  array.bytes.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), values.size_bytes());
  return array;
}

}  // namespace

int64_t NpyArray::NumElements() const {
  int64_t count = 1;
  for (int64_t dimension : shape) count *= dimension;
  return count;
}

int NpyItemBytes(const std::string& dtype) {
  if (dtype == "|i1" || dtype == "|u1") return 1;
  if (dtype == "<i2" || dtype == "<u2") return 2;
  if (dtype == "<i4" || dtype == "<u4" || dtype == "<f4") return 4;
  if (dtype == "<i8" || dtype == "<f8") return 8;
  return 0;
}

Result<NpyArray> ParseNpy(std::span<const uint8_t> content) {
  if (content.size() < 10 || !std::equal(kMagic.begin(), kMagic.end(), content.begin())) {
    return InvalidInput("not a .npy file (it does not start with \\x93NUMPY and a version)");
  }
  const int version = content[6];
  if (version < 1 || version > 3) {
    return Unsupported(fmt::format(".npy format version is {}; supported are 1 to 3", version));
  }
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t header_begin = 8 + length_bytes;
  size_t header_bytes = 0;
  if (content.size() >= header_begin) {
    for (size_t i = 0; i < length_bytes; ++i) {
      header_bytes |= static_cast<size_t>(content[8 + i]) << (8 * i);
    }
  }
  if (content.size() < header_begin || header_bytes > content.size() - header_begin ||
      header_bytes > kMaxHeaderBytes) {
    return InvalidInput(
        fmt::format(".npy header of {} bytes does not fit into the file of {} bytes", header_bytes,
                    content.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(content.data()) + header_begin,
                              header_bytes);
  std::optional<Header> header = ParseHeader(text);
  if (!header.has_value()) {
    return InvalidInput(
        ".npy header is damaged or describes a structured array; accepted is a dictionary of "
        "descr, "
        "fortran_order and shape");
  }
  const int item_bytes = NpyItemBytes(*header->dtype);
  if (item_bytes == 0) {
    return Unsupported(
        fmt::format(".npy dtype is '{}'; supported are |i1 |u1 <i2 <u2 <i4 <u4 <i8 <f4 "
                    "<f8",
                    *header->dtype));
  }
  if (*header->is_fortran_order && header->shape->size() > 1) {
    return Unsupported(
        ".npy array is in Fortran order; supported is C order "
        "(numpy.ascontiguousarray)");
  }
  const std::span<const uint8_t> data = content.subspan(header_begin + header_bytes);
  const std::optional<size_t> expected =
      BytesWithin(*header->shape, static_cast<size_t>(item_bytes), data.size());
  if (expected != data.size()) {
    return InvalidInput(
        fmt::format(".npy data has {} bytes, which is not what its shape ({}) and "
                    "dtype {} need",
                    data.size(), fmt::join(*header->shape, ", "), *header->dtype));
  }
  return NpyArray{*header->dtype, std::move(*header->shape), {data.begin(), data.end()}};
}

Result<NpyArray> ReadNpy(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> content, ReadFile(path));
  Result<NpyArray> array = ParseNpy(content);
  if (!array.ok()) return Error{array.error().kind, path.string() + ": " + array.error().message};
  return array;
}

std::vector<uint8_t> SerializeNpy(const NpyArray& array) {
  MACLOOM_CHECK(array.NumElements() * NpyItemBytes(array.dtype) ==
                static_cast<int64_t>(array.bytes.size()));
  MACLOOM_CHECK(NpyItemBytes(array.dtype) > 0 && array.shape.size() <= kMaxRank);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", array.dtype,
                  fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  // Magic, version, length, header and line feed fill a multiple of 64 bytes.
  const size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header += '\n';
  std::string preamble(kMagic.begin(), kMagic.end());
  preamble +=
      {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  preamble += header;
  std::vector<uint8_t> content(preamble.size() + array.bytes.size());
  std::copy(preamble.begin(), preamble.end(), content.begin());
  std::copy(array.bytes.begin(), array.bytes.end(),
            content.begin() + static_cast<std::ptrdiff_t>(preamble.size()));
  return content;
}

Status WriteNpy(const std::filesystem::path& path, const NpyArray& array) {
  return WriteFileAtomically(path, SerializeNpy(array));
}

Result<std::vector<int64_t>> ToInt64(const NpyArray& array) {
  const size_t item_bytes = static_cast<size_t>(NpyItemBytes(array.dtype));
  MACLOOM_CHECK(item_bytes > 0);
  std::vector<int64_t> values(array.bytes.size() / item_bytes);
  if (array.dtype == "|i1") {
    Widen<int8_t>(array, values);
  } else if (array.dtype == "|u1") {
    Widen<uint8_t>(array, values);
  } else if (array.dtype == "<i2") {
    Widen<int16_t>(array, values);
  } else if (array.dtype == "<u2") {
    Widen<uint16_t>(array, values);
  } else if (array.dtype == "<i4") {
    Widen<int32_t>(array, values);
  } else if (array.dtype == "<u4") {
    Widen<uint32_t>(array, values);
  } else if (array.dtype == "<i8") {
    Widen<int64_t>(array, values);
  } else {
    return InvalidInput(
        fmt::format("array has dtype {}; accepted are integers (|i1 |u1 <i2 <u2 <i4 "
                    "<u4 <i8)",
                    array.dtype));
  }
  return values;
}

NpyArray FromInt8(std::vector<int64_t> shape, std::span<const int8_t> values) {
  return From<int8_t>("|i1", std::move(shape), values);
}

NpyArray FromInt32(std::vector<int64_t> shape, std::span<const int32_t> values) {
  return From<int32_t>("<i4", std::move(shape), values);
}

NpyArray FromInt64(std::vector<int64_t> shape, std::span<const int64_t> values) {
  return From<int64_t>("<i8", std::move(shape), values);
}

}  // namespace macloom
