#include "audio/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file_set.h"
#include "base/files.h"

namespace macloom::audio {
namespace {

constexpr uint16_t kPcm = 1;
constexpr uint16_t kIeeeFloat = 3;
constexpr uint16_t kExtensible = 0xFFFE;

uint32_t LittleEndian(std::span<const uint8_t> bytes, size_t offset, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint32_t{bytes[offset + i]} << (8 * i);
  return value;
}

bool HasTag(std::span<const uint8_t> bytes, size_t offset, const char* tag) {
  return std::memcmp(bytes.data() + offset, tag, 4) == 0;
}

Status CheckRate(uint32_t rate_hz) {
  if (rate_hz >= static_cast<uint32_t>(kMinSampleRateHz) &&
      rate_hz <= static_cast<uint32_t>(kMaxSampleRateHz))
    return {};
  return Unsupported(fmt::format("sample rate {} Hz; accepted are {} to {}", rate_hz,
                                 kMinSampleRateHz, kMaxSampleRateHz));
}

struct Encoding {
  uint16_t format = 0;
  uint32_t channels = 0;
  uint32_t rate_hz = 0;
  uint32_t bits = 0;
  size_t FrameBytes() const { return channels * bits / 8; }
};

Result<Encoding> ParseEncoding(std::span<const uint8_t> chunk) {
  if (chunk.size() < 16) {
    return InvalidInput(
        fmt::format("WAV: the fmt chunk has {} bytes; accepted are 16 or more", chunk.size()));
  }
  Encoding encoding{static_cast<uint16_t>(LittleEndian(chunk, 0, 2)), LittleEndian(chunk, 2, 2),
                    LittleEndian(chunk, 4, 4), LittleEndian(chunk, 14, 2)};
  const uint32_t block = LittleEndian(chunk, 12, 2);
  if (encoding.format == kExtensible && chunk.size() >= 26) {
    encoding.format = static_cast<uint16_t>(LittleEndian(chunk, 24, 2));
  }
  const bool is_integer = encoding.format == kPcm && (encoding.bits == 8 || encoding.bits == 16 ||
                                                      encoding.bits == 24 || encoding.bits == 32);
  if (!is_integer && !(encoding.format == kIeeeFloat && encoding.bits == 32)) {
    return Unsupported(
        fmt::format("WAV: encoding {} with {} bits; accepted are PCM (1) of 8, 16, 24 or 32 and "
                    "float (3) of 32",
                    encoding.format, encoding.bits));
  }
  if (encoding.channels != 1 && encoding.channels != 2) {
    return Unsupported(
        fmt::format("WAV: {} channels; accepted are 1 and 2 (averaged)", encoding.channels));
  }
  if (block != encoding.FrameBytes()) {
    return InvalidInput(fmt::format("WAV: {} bytes a frame; {} channels of {} bits have {}", block,
                                    encoding.channels, encoding.bits, encoding.FrameBytes()));
  }
  MACLOOM_RETURN_IF_ERROR(CheckRate(encoding.rate_hz));
  return encoding;
}

float Decode(std::span<const uint8_t> data, size_t offset, const Encoding& encoding) {
  const uint32_t raw = LittleEndian(data, offset, encoding.bits / 8);
  if (encoding.format == kIeeeFloat) {
    float value;
    std::memcpy(&value, &raw, sizeof(value));
    return value;
  }
  if (encoding.bits == 8) return (static_cast<float>(raw) - 128.0f) / 128.0f;
  // The sign bit moves to bit 31, so that every width divides by 2^31.
  const int32_t code = static_cast<int32_t>(raw << (32 - encoding.bits));
  return static_cast<float>(static_cast<double>(code) * 0x1p-31);
}

Result<Clip> DecodeData(std::span<const uint8_t> data, const Encoding& encoding) {
  const size_t frame_bytes = encoding.FrameBytes();
  const size_t sample_bytes = encoding.bits / 8;
  if (data.empty() || data.size() % frame_bytes != 0) {
    return InvalidInput(
        fmt::format("WAV: the data chunk has {} bytes; accepted are one or more frames of {}",
                    data.size(), frame_bytes));
  }
  Clip clip{static_cast<int>(encoding.rate_hz), {}};
  clip.samples.resize(data.size() / frame_bytes);
  for (size_t i = 0; i < clip.samples.size(); ++i) {
    float sample = Decode(data, i * frame_bytes, encoding);
    if (encoding.channels == 2) {
      sample = 0.5f * sample + 0.5f * Decode(data, i * frame_bytes + sample_bytes, encoding);
    }
    if (!std::isfinite(sample)) {
      return InvalidInput(fmt::format("WAV: sample {} is not a finite number", i));
    }
    clip.samples[i] = sample;
  }
  return clip;
}

}  // namespace

Result<Clip> ParseWav(std::span<const uint8_t> content) {
  if (content.size() < 12 || !HasTag(content, 0, "RIFF") || !HasTag(content, 8, "WAVE")) {
    return InvalidInput("not a WAV file: it does not start with RIFF, size, WAVE");
  }
  Encoding encoding;
  size_t position = 12;
  while (position + 8 <= content.size()) {
    const uint32_t stated = LittleEndian(content, position + 4, 4);
    const size_t rest = content.size() - position - 8;
    const bool is_data = HasTag(content, position, "data");
    const bool is_streamed =
        is_data && (stated == 0xFFFFFFFF || stated == 0x7FFFFFFF || stated == 0x7FFFF000);
    const std::string tag(reinterpret_cast<const char*>(content.data()) + position, 4);
    if (stated > rest && !is_streamed) {
      return InvalidInput(
          fmt::format("WAV: truncated: chunk {} at byte {} states {} bytes, the file holds {} more",
                      is_data || tag == "fmt " ? tag : "(other)", position, stated, rest));
    }
    size_t size = std::min<size_t>(stated, rest);
    const std::span<const uint8_t> chunk = content.subspan(position + 8, size);
    if (tag == "fmt ") {
      MACLOOM_ASSIGN_OR_RETURN(encoding, ParseEncoding(chunk));
    } else if (is_data) {
      if (encoding.channels == 0) return InvalidInput("WAV: no fmt chunk before the data chunk");
      if (is_streamed) size -= size % encoding.FrameBytes();
      return DecodeData(chunk.subspan(0, size), encoding);
    }
    position += 8 + size + size % 2;  // Chunks are padded to an even length.
  }
  return InvalidInput("WAV: truncated: no data chunk");
}

Result<Clip> ParsePcm16(std::span<const uint8_t> content, int sample_rate_hz) {
  MACLOOM_RETURN_IF_ERROR(CheckRate(static_cast<uint32_t>(sample_rate_hz)));
  return content.empty() || content.size() % 2 != 0
             ? Result<Clip>(InvalidInput(fmt::format(
                   "raw PCM of {} bytes; accepted are one or more samples of 2", content.size())))
             : DecodeData(content, {kPcm, 1, static_cast<uint32_t>(sample_rate_hz), 16});
}

Result<Clip> ParseClip(const std::string& name, std::span<const uint8_t> content, int pcm_rate_hz) {
  Result<Clip> clip =
      LowerExtension(name) == ".wav" ? ParseWav(content) : ParsePcm16(content, pcm_rate_hz);
  if (clip.ok()) return clip;
  return Error{clip.error().kind, fmt::format("{}: {}", name, clip.error().message)};
}

Result<Clip> ReadClip(const std::filesystem::path& path, int pcm_rate_hz) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> content, ReadFile(path, kMaxClipBytes));
  return ParseClip(path.string(), content, pcm_rate_hz);
}

std::vector<uint8_t> SerializeWav(const Clip& clip) {
  std::vector<uint8_t> bytes;
  const auto tag = [&](std::string_view text) {
    for (const char c : text) bytes.push_back(static_cast<uint8_t>(c));
  };
  const auto put = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  };
  const uint32_t data_bytes = static_cast<uint32_t>(2 * clip.samples.size());
  const uint32_t rate_hz = static_cast<uint32_t>(clip.sample_rate_hz);
  tag("RIFF"), put(36 + data_bytes, 4), tag("WAVE"), tag("fmt "), put(16, 4);
  put(kPcm, 2), put(1, 2), put(rate_hz, 4), put(2 * rate_hz, 4), put(2, 2), put(16, 2);
  tag("data"), put(data_bytes, 4);
  for (const float sample : clip.samples) {
    const float code = std::clamp(std::round(sample * 32768.0f), -32768.0f, 32767.0f);
    put(static_cast<uint32_t>(static_cast<int32_t>(code)), 2);
  }
  return bytes;
}

}  // namespace macloom::audio
