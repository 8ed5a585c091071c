// The MLPerf Tiny recipe against the int8 features the benchmark publishes for the same clips.
#include <gtest/gtest.h>

#include <map>

#include "audio/features.h"
#include "base/file_set.h"
#include "tests/support/data_pack.h"

namespace macloom::audio {
namespace {

using Files = std::map<std::string, std::vector<uint8_t>>;

Files ReadAll(const std::filesystem::path& path) {
  Files files;
  const Status status = VisitFiles(path, {".bin"}, kMaxClipBytes,
                                   [&](const std::string& name, std::vector<uint8_t> bytes) {
                                     files[name] = std::move(bytes);
                                     return Status();
                                   });
  EXPECT_TRUE(status.ok()) << status.error().message;
  return files;
}

TEST(MlperfFeaturesTest, EqualThePublishedCodes) {
  MACLOOM_DATA_PACK(pack, "speech-commands-v2-test-sample");
  const Files sounds = ReadAll(pack / "audio_pcm16.tar");
  const Files published = ReadAll(pack / "mfcc_int8.tar");
  ASSERT_EQ(sounds.size(), 120u);
  Result<FeatureExtractor> extractor = FeatureExtractor::Create(MlperfTinyKws());
  ASSERT_TRUE(extractor.ok());
  int64_t num_equal = 0, num_values = 0;
  for (const auto& [name, bytes] : sounds) {
    const Result<Clip> clip = ParseClip(name, bytes, 16000);
    ASSERT_TRUE(clip.ok()) << clip.error().message;
    const std::vector<float> codes = extractor->Compute(*clip);
    const std::vector<uint8_t>& wanted = published.at(name);
    ASSERT_EQ(codes.size(), wanted.size());
    for (size_t i = 0; i < codes.size(); ++i, ++num_values) {
      const int difference = static_cast<int>(codes[i]) - static_cast<int8_t>(wanted[i]);
      ASSERT_LE(std::abs(difference), 1) << name << " value " << i;
      num_equal += difference == 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(num_values, 120 * 490);
  std::printf("%ld of %ld codes equal, the others off by 1\n", num_equal, num_values);
  EXPECT_GE(static_cast<double>(num_equal), 0.995 * static_cast<double>(num_values));
}

}  // namespace
}  // namespace macloom::audio
