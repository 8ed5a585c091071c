#include "audio/clip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/files.h"
#include "base/rng.h"
#include "tests/support/temporary_folder.h"

namespace macloom::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct WavFile {
  int format = 1, channels = 1, rate_hz = 16000, bits = 16;
  std::vector<uint8_t> data = {};
  int64_t stated_data_bytes = -1;  // -1: the truth.
  bool is_extensible = false;
  bool has_list_chunk = false;  // Of odd length.
};

std::vector<uint8_t> Bytes(const WavFile& file) {
  std::vector<uint8_t> bytes;
  const auto tag = [&](std::string_view text) {
    for (const char c : text) bytes.push_back(static_cast<uint8_t>(c));
  };
  const auto put = [&](int64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  };
  const int frame = file.channels * file.bits / 8;
  tag("RIFF"), put(0, 4), tag("WAVE");
  if (file.has_list_chunk) tag("LIST"), put(3, 4), put(0, 4);
  tag("fmt "), put(file.is_extensible ? 40 : 16, 4);
  put(file.is_extensible ? 0xFFFE : file.format, 2), put(file.channels, 2), put(file.rate_hz, 4);
  put(int64_t{file.rate_hz} * frame, 4), put(frame, 2), put(file.bits, 2);
  if (file.is_extensible) put(22, 2), put(file.bits, 2), put(4, 4), put(file.format, 2), put(0, 14);
  tag("data");
  put(file.stated_data_bytes < 0 ? std::ssize(file.data) : file.stated_data_bytes, 4);
  bytes.insert(bytes.end(), file.data.begin(), file.data.end());
  return bytes;
}

std::vector<float> SamplesOf(const WavFile& file) {
  const Result<Clip> clip = ParseWav(Bytes(file));
  EXPECT_TRUE(clip.ok()) << clip.error().message;
  return clip.ok() ? clip->samples : std::vector<float>();
}

std::string MessageOf(const WavFile& file) {
  const Result<Clip> clip = ParseWav(Bytes(file));
  return clip.ok() ? "accepted" : clip.error().message;
}

TEST(WavTest, EveryWidthGivesFullScaleOne) {
  EXPECT_THAT(SamplesOf({.bits = 8, .data = {0, 128, 192}}), ElementsAre(-1.0f, 0.0f, 0.5f));
  EXPECT_THAT(SamplesOf({.bits = 16, .data = {0, 0x80, 1, 0, 0, 0x40}}),
              ElementsAre(-1.0f, 0x1p-15f, 0.5f));
  EXPECT_THAT(SamplesOf({.bits = 24, .data = {0, 0, 0x80, 1, 0, 0}}), ElementsAre(-1.0f, 0x1p-23f));
  EXPECT_THAT(SamplesOf({.bits = 32, .data = {0, 0, 0, 0x80, 0, 0, 0, 0x20}}),
              ElementsAre(-1.0f, 0.25f));
  EXPECT_THAT(SamplesOf({.format = 3, .bits = 32, .data = {0, 0, 0, 0x3f}}), ElementsAre(0.5f));
}

TEST(WavTest, StereoIsAveragedAndOtherChunksArePassedOver) {
  const std::vector<uint8_t> data = {0, 0x40, 0, 0x20};
  EXPECT_THAT(SamplesOf({.channels = 2, .data = data}), ElementsAre(0.375f));
  EXPECT_THAT(SamplesOf({.data = data, .is_extensible = true}), ElementsAre(0.5f, 0.25f));
  EXPECT_THAT(SamplesOf({.data = data, .has_list_chunk = true}), ElementsAre(0.5f, 0.25f));
}

TEST(WavTest, AStreamedFileEndsWithTheFile) {
  const std::vector<uint8_t> data = {0, 0x40, 0, 0x20, 7};
  for (const int64_t stated : {0xFFFFFFFFll, 0x7FFFFFFFll, 0x7FFFF000ll}) {
    EXPECT_THAT(SamplesOf({.data = data, .stated_data_bytes = stated}), ElementsAre(0.5f, 0.25f));
  }
}

TEST(WavTest, BadFilesAreNamed) {
  const std::vector<uint8_t> data = {0, 0, 0, 0};
  EXPECT_THAT(MessageOf({.data = data, .stated_data_bytes = 5}),
              HasSubstr("truncated: chunk data at byte 36 states 5 bytes, the file holds 4 more"));
  EXPECT_THAT(MessageOf({.data = data, .stated_data_bytes = 3}),
              HasSubstr("the data chunk has 3 bytes; accepted are one or more frames of 2"));
  EXPECT_THAT(MessageOf({.data = {}}), HasSubstr("has 0 bytes"));
  EXPECT_THAT(MessageOf({.format = 6, .bits = 8, .data = data}),
              HasSubstr("encoding 6 with 8 bits; accepted are PCM (1)"));
  EXPECT_THAT(MessageOf({.bits = 12, .data = data}), HasSubstr("encoding 1 with 12 bits"));
  EXPECT_THAT(MessageOf({.channels = 6, .data = data}),
              HasSubstr("6 channels; accepted are 1 and 2"));
  EXPECT_THAT(MessageOf({.channels = 0, .data = data}), HasSubstr("0 channels"));
  EXPECT_THAT(MessageOf({.rate_hz = 96000, .data = data}),
              HasSubstr("sample rate 96000 Hz; accepted are 4000 to 48000"));
  EXPECT_THAT(MessageOf({.format = 3, .bits = 32, .data = {0, 0, 0xc0, 0x7f}}),
              HasSubstr("sample 0 is not a finite number"));
  EXPECT_THAT(ParseWav({}).error().message, HasSubstr("does not start with RIFF"));
  std::vector<uint8_t> header = Bytes({.data = data});
  header.resize(36);
  EXPECT_THAT(ParseWav(header).error().message, HasSubstr("truncated: no data chunk"));
  header[16] = 15;
  EXPECT_THAT(ParseWav(header).error().message, HasSubstr("fmt chunk has 15 bytes"));
}

TEST(WavTest, DamagedFilesNeverCrash) {
  Rng rng(5);
  const std::vector<uint8_t> whole =
      Bytes({.data = std::vector<uint8_t>(64, 3), .is_extensible = true, .has_list_chunk = true});
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes = whole;
    bytes.resize(static_cast<size_t>(rng.UniformInt(0, std::ssize(whole))));
    for (int64_t n = rng.UniformInt(0, 4); n > 0 && !bytes.empty(); --n) {
      bytes[static_cast<size_t>(rng.UniformInt(0, std::ssize(bytes) - 1))] =
          static_cast<uint8_t>(rng.Bernoulli(0.5) ? 0xff : rng.Next());
    }
    const Result<Clip> clip = ParseWav(bytes);
    if (clip.ok()) {
      EXPECT_LE(clip->samples.size(), whole.size());
    }
  }
}

TEST(WavTest, WrittenSamplesComeBack) {
  const Clip clip{8000, {0.0f, 0.5f, -1.0f, 0x1p-15f, 1.0f}};
  const Result<Clip> read = ParseWav(SerializeWav(clip));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->sample_rate_hz, 8000);
  EXPECT_THAT(read->samples, ElementsAre(0.0f, 0.5f, -1.0f, 0x1p-15f, 32767.0f / 32768.0f));
}

TEST(ClipTest, RawPcmAndBadNames) {
  const std::vector<uint8_t> data = {0, 0x40, 0, 0x80};
  EXPECT_THAT(ParseClip("a.bin", data, 8000)->samples, ElementsAre(0.5f, -1.0f));
  EXPECT_THAT(ParseClip("a.raw", std::span(data).subspan(1), 8000).error().message,
              HasSubstr("a.raw: raw PCM of 3 bytes; accepted"));
  EXPECT_THAT(ParseClip("a.raw", data, 3999).error().message,
              HasSubstr("sample rate 3999 Hz; accepted are 4000 to 48000"));
  EXPECT_THAT(ParseClip("A.WAV", data, 8000).error().message, HasSubstr("A.WAV: not a WAV file"));
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "huge.wav", std::string_view("RIFF")).ok());
  std::filesystem::resize_file(folder / "huge.wav", kMaxClipBytes + 1);
  EXPECT_THAT(ReadClip(folder / "huge.wav", 16000).error().message, HasSubstr("huge.wav"));
  EXPECT_THAT(ReadClip(folder / "none.wav", 16000).error().message, HasSubstr("none.wav"));
}

}  // namespace
}  // namespace macloom::audio
