#include "flow/sample_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "audio/features.h"
#include "base/array_file.h"
#include "base/file_set.h"
#include "base/sample_archive.h"

namespace macloom::flow {
namespace {

constexpr const char* kPixels = "pixels";
constexpr const char* kPcm = "pcm16";

Status CheckCode(const ir::TensorInfo& info, int64_t code, size_t sample,
                 const std::string& where) {
  const bool is_code = code >= info.format.MinCode() && code <= info.format.MaxCode();
  if (is_code && !(info.format.IsMinifloat() && !info.format.IsFinite(code))) return {};
  if (is_code) {
    return InvalidInput(
        fmt::format("{}: sample {} holds {}, Inf or NaN of {}; the input `{}` takes finite codes",
                    where, sample, code, ir::ToString(info.format), info.name));
  }
  return InvalidInput(fmt::format(
      "{}: sample {} holds {}; the input `{}` takes codes from {} to {} ({})", where, sample, code,
      info.name, info.format.MinCode(), info.format.MaxCode(), ir::ToString(info.format)));
}

int32_t CodeOfPixel(uint8_t byte, const ir::TensorInfo& info) {
  return static_cast<int32_t>(byte + info.format.MinCode());
}

/// The elements as float64; nullopt for integer arrays.
std::optional<std::vector<double>> Floats(const NpyArray& array) {
  if (array.dtype != "<f4" && array.dtype != "<f8") return std::nullopt;
  const size_t item = static_cast<size_t>(NpyItemBytes(array.dtype));
  std::vector<double> values(array.bytes.size() / item);
  for (size_t i = 0; i < values.size(); ++i) {
    if (array.dtype == "<f8") {
      std::memcpy(&values[i], array.bytes.data() + i * item, item);
      continue;
    }
    float narrow = 0;
    std::memcpy(&narrow, array.bytes.data() + i * item, item);
    values[i] = narrow;
  }
  return values;
}

/// Codes of real values, as those of a front end (flow/clip_inputs.h).
Result<std::vector<int64_t>> CodesOfValues(const std::vector<double>& values,
                                           const ir::TensorInfo& info,
                                           const std::filesystem::path& path) {
  const ir::NumberFormat& format = info.format;
  if (format.IsMinifloat()) {
    return Error{ErrorKind::kUnsupported,
                 fmt::format("{}: values for the minifloat input `{}`; accepted are codes, which "
                             "`macloom quantize --evaluate X --save-inputs` writes",
                             path.string(), info.name)};
  }
  std::vector<int64_t> codes;
  codes.reserve(values.size());
  for (const double value : values) {
    const auto x = static_cast<float>(value);
    if (!std::isfinite(x)) {
      return InvalidInput(
          fmt::format("{}: holds {}; accepted are finite values", path.string(), value));
    }
    codes.push_back(
        format.family == ir::NumberFamily::kFixedPoint
            ? audio::QuantizeFixedPoint(x, format.fraction_bits, format.MinCode(), format.MaxCode())
            : audio::QuantizeAffine(x, info.quantization.scale(), info.quantization.zero_point(),
                                    format.MinCode(), format.MaxCode()));
  }
  return codes;
}

Result<std::vector<int64_t>> CodesOf(const NpyArray& array, const ir::TensorInfo& info,
                                     const std::filesystem::path& path, bool are_pixels) {
  if (are_pixels) {
    if (array.dtype != "|u1") {
      return InvalidInput(
          fmt::format("{}: dtype {}; pixels are unsigned bytes (|u1)", path.string(), array.dtype));
    }
    std::vector<int64_t> codes;
    for (const uint8_t byte : array.bytes) codes.push_back(CodeOfPixel(byte, info));
    return codes;
  }
  if (const auto values = Floats(array)) return CodesOfValues(*values, info, path);
  return ToInt64(array);
}

Result<Samples> FromArray(const std::filesystem::path& path, const NpyArray& array,
                          const ir::TensorInfo& info, bool are_pixels) {
  // The axes after the first, without axes of 1, are the input's.
  const auto squeeze = [](std::vector<int64_t> shape) {
    std::erase(shape, 1);
    return shape;
  };
  const bool has_axis = !array.shape.empty();
  const std::vector<int64_t> rest(array.shape.begin() + (has_axis ? 1 : 0), array.shape.end());
  if (!has_axis || array.shape[0] < 1 || squeeze(rest) != squeeze(info.shape)) {
    return InvalidInput(fmt::format("{}: shape {}; expected N x {} (N samples of input `{}`)",
                                    path.string(), ir::ToString(array.shape),
                                    ir::ToString(info.shape), info.name));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<int64_t> codes,
                           CodesOf(array, info, path, are_pixels));
  Samples samples;
  const size_t size = static_cast<size_t>(ir::NumElements(info.shape));
  for (size_t n = 0; n < static_cast<size_t>(array.shape[0]); ++n) {
    ir::TensorValue value{info.shape, {}};
    for (size_t i = 0; i < size; ++i) {
      const int64_t code = codes[n * size + i];
      MACLOOM_RETURN_IF_ERROR(CheckCode(info, code, n, path.string()));
      value.codes.push_back(static_cast<int32_t>(code));
    }
    samples.inputs.push_back(std::move(value));
  }
  return samples;
}

Result<Samples> FromArchive(const std::filesystem::path& path, const ir::TensorInfo& info,
                            bool are_pixels) {
  if (!are_pixels && info.format != ir::NumberFormat::Int8()) {
    return InvalidInput(fmt::format("{}: raw sample files are int8; the input `{}` is {}",
                                    path.string(), info.name, ir::ToString(info.format)));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Sample> files,
                           ReadSampleArchive(path, ir::NumElements(info.shape)));
  Samples samples;
  for (const Sample& file : files) {
    ir::TensorValue value{info.shape, {}};
    for (const uint8_t byte : file.bytes) {
      value.codes.push_back(are_pixels ? CodeOfPixel(byte, info) : static_cast<int8_t>(byte));
    }
    samples.inputs.push_back(std::move(value));
    samples.names.push_back(std::filesystem::path(file.name).filename().string());
  }
  return samples;
}

Result<Samples> FromPcm(const std::filesystem::path& path, const ir::TensorInfo& info) {
  const auto size = static_cast<size_t>(ir::NumElements(info.shape));
  std::vector<std::pair<std::string, ir::TensorValue>> inputs;
  constexpr int64_t kMaxSoundBytes = int64_t{1} << 26;
  MACLOOM_RETURN_IF_ERROR(VisitFiles(
      path, {".bin", ".pcm", ".raw"}, kMaxSoundBytes,
      [&](const std::string& name, const std::vector<uint8_t>& bytes) -> Status {
        if (bytes.size() % 2 != 0) {
          return InvalidInput(fmt::format("{}: {} has {} bytes; 16-bit samples are an even number",
                                          path.string(), name, bytes.size()));
        }
        ir::TensorValue value{info.shape, std::vector<int32_t>(size)};
        const int shift = 16 - info.format.bits;
        for (size_t i = 0; i < std::min(size, bytes.size() / 2); ++i) {
          const auto sample = static_cast<int16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
          const int64_t code = (int64_t{sample} + (int64_t{1} << (shift - 1))) >> shift;
          value.codes[i] = static_cast<int32_t>(std::min(code, info.format.MaxCode()));
        }
        inputs.emplace_back(std::filesystem::path(name).filename().string(), std::move(value));
        return {};
      }));
  if (inputs.empty()) {
    return InvalidInput(
        fmt::format("{}: holds no .bin, .pcm or .raw file of 16-bit samples", path.string()));
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Samples samples;
  for (auto& [name, value] : inputs) {
    samples.names.push_back(name);
    samples.inputs.push_back(std::move(value));
  }
  return samples;
}

}  // namespace

SampleFile SplitSampleFile(const std::string& text) {
  std::error_code ignored;
  const size_t at = text.rfind('@');
  if (at == std::string::npos || std::filesystem::exists(text, ignored) ||
      !std::filesystem::exists(text.substr(0, at), ignored)) {
    return {text, ""};
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

Result<Samples> ReadSamples(const SampleFile& file, const ir::TensorInfo& info) {
  const bool are_pixels = file.form == kPixels;
  const bool is_integer = info.format.IsInteger();
  if (are_pixels && (!is_integer || info.format.bits != 8)) {
    return InvalidInput(fmt::format("{}: pixels are 8-bit codes; the input `{}` is {}",
                                    file.path.string(), info.name, ir::ToString(info.format)));
  }
  if (IsArrayFile(file.path)) {
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray array,
                             ReadArray(file.path, are_pixels ? "" : file.form));
    return FromArray(file.path, array, info, are_pixels);
  }
  if (file.form.empty() || are_pixels) return FromArchive(file.path, info, are_pixels);
  if (file.form != kPcm) {
    return InvalidInput(
        fmt::format("{}@{}: accepted after @ are pixels, pcm16 and, for .npz files, an array",
                    file.path.string(), file.form));
  }
  const bool is_centered =
      is_integer && info.format.bits < 16 && info.format.MinCode() < 0 &&
      (info.format.family == ir::NumberFamily::kFixedPoint || info.quantization.zero_point() == 0);
  if (!is_centered) {
    return InvalidInput(fmt::format(
        "{}: 16-bit samples become signed integer codes with zero point 0; the input `{}` is {}",
        file.path.string(), info.name, ir::ToString(info.format)));
  }
  return FromPcm(file.path, info);
}

Result<std::vector<int64_t>> WholeNumbers(const NpyArray& array,
                                          const std::filesystem::path& path) {
  const auto values = Floats(array);
  if (!values) return ToInt64(array);
  std::vector<int64_t> numbers;
  for (const double value : *values) {
    if (value != std::floor(value) || std::abs(value) > 1e9) {
      return InvalidInput(
          fmt::format("{}: holds {}; labels are whole numbers", path.string(), value));
    }
    numbers.push_back(static_cast<int64_t>(value));
  }
  return numbers;
}

}  // namespace macloom::flow
