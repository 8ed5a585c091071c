// Sound in memory, and how WAV and raw PCM bytes become it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::audio {

/// Sample rates accepted, in Hz.
inline constexpr int kMinSampleRateHz = 4000;
inline constexpr int kMaxSampleRateHz = 48000;
/// Largest WAV or PCM file accepted, in bytes (64 MiB).
inline constexpr int64_t kMaxClipBytes = int64_t{64} << 20;

/// One channel of sound.
struct Clip {
  int sample_rate_hz = 16000;
  std::vector<float> samples;  ///< Full scale is -1 to 1; an integer of b bits is code / 2^(b-1).
};

/// Parses a RIFF WAV file: PCM of 8 (unsigned), 16, 24 or 32 bits, or IEEE float of 32 bits; plain
/// or WAVE_FORMAT_EXTENSIBLE; one channel, or two which are averaged, (left + right) / 2.
///
/// The content is hostile: every chunk must lie inside the file. The size in the RIFF header is not
/// used, since many recorders leave it wrong; a data size of 0xFFFFFFFF, 0x7FFFFFFF or 0x7FFFF000,
/// as programs that write into a pipe leave it, means up to the end of the file.
/// @return kInvalidInput for a truncated or malformed file, no samples, or float samples that are
///         not finite; kUnsupported for another encoding, channel count or sample rate.
Result<Clip> ParseWav(std::span<const uint8_t> content);

/// Raw PCM: signed 16-bit little endian, one channel, no header.
/// @return kInvalidInput for no samples or an odd number of bytes; kUnsupported for the sample
/// rate.
Result<Clip> ParsePcm16(std::span<const uint8_t> content, int sample_rate_hz);

/// Parses by file name: .wav as WAV, anything else as raw PCM at `pcm_rate_hz`. Messages start with
/// `name`.
Result<Clip> ParseClip(const std::string& name, std::span<const uint8_t> content, int pcm_rate_hz);

/// Same, from a file.
Result<Clip> ReadClip(const std::filesystem::path& path, int pcm_rate_hz);

/// The bytes of a 16-bit mono WAV file: round(sample * 32768), clamped.
std::vector<uint8_t> SerializeWav(const Clip& clip);

}  // namespace macloom::audio
