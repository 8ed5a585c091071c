// From recipes to features: splits, variants and origin of every kind of data.
#include "train/corpus/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "audio/features.h"
#include "base/files.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe RecipeOf(const std::string& data, const std::filesystem::path& path) {
  Result<Recipe> recipe = ParseRecipe("[data]\n" + data, "test");
  EXPECT_TRUE(recipe.ok()) << (recipe.ok() ? "" : recipe.error().message);
  recipe->data_path = path.string();
  return *std::move(recipe);
}

audio::Clip Tone(double hz, int64_t num_samples, int rate_hz = 16000) {
  audio::Clip clip{rate_hz, {}};
  for (int64_t i = 0; i < num_samples; ++i) {
    clip.samples.push_back(static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz)));
  }
  return clip;
}

double Energy(const std::vector<float>& samples) {
  double sum = 0;
  for (const float x : samples) sum += double{x} * x;
  return sum;
}

class CorpusTest : public ::testing::Test {
 protected:
  void WriteTone(const std::string& name, double hz) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    const std::vector<uint8_t> bytes = audio::SerializeWav(Tone(hz, 8000));
    ASSERT_TRUE(WriteFileAtomically(path, std::span<const uint8_t>(bytes)).ok());
  }
  // Two classes, two training clips, one validation and one test clip each.
  std::filesystem::path WriteIndex() {
    std::string text = "path,label,split,speaker\n";
    for (const char* label : {"low", "high"}) {
      for (const char* clip : {"train_1", "train_2", "validation_1", "test_1"}) {
        const std::string file = std::string(label) + "_" + clip + ".wav";
        WriteTone(file, (label[0] == 'l' ? 300.0 : 2000.0) + clip[6]);
        const std::string split = std::string(clip).substr(0, std::string(clip).find('_'));
        text += file + "," + label + "," + split + ",anna\n";
      }
    }
    EXPECT_TRUE(WriteFileAtomically(folder_ / "index.csv", text).ok());
    return folder_ / "index.csv";
  }

  testing::TemporaryFolder folder_;
};

TEST_F(CorpusTest, EverySplitGoesItsWay) {
  const Result<Dataset> data = LoadCorpus(RecipeOf("kind = \"index\"\ncopies = 3\n", WriteIndex()));
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_THAT(data->class_labels, ElementsAre("high", "low"));
  EXPECT_EQ(data->train.size(), 4);
  EXPECT_THAT(data->validation.names, ElementsAre("low_validation_1.wav", "high_validation_1.wav"));
  EXPECT_THAT(data->test.names, ElementsAre("low_test_1.wav", "high_test_1.wav"));
  EXPECT_THAT(data->test.labels, ElementsAre(1, 0));
  EXPECT_THAT(data->test.speakers, ElementsAre("anna", "anna"));
  const size_t clip = 49 * 10;
  EXPECT_EQ(data->train.features.size(), 3 * 4 * clip);
  EXPECT_EQ(data->test.features.size(), 2 * clip);
}

TEST_F(CorpusTest, EqualSeedsGiveEqualVariants) {
  Recipe recipe = RecipeOf("kind = \"index\"\ncopies = 2\n", WriteIndex());
  const Result<Dataset> first = LoadCorpus(recipe), second = LoadCorpus(recipe);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->train.features, second->train.features);
  recipe.seed = 2;
  const Result<Dataset> other = LoadCorpus(recipe);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(first->train.features, other->train.features);
  EXPECT_EQ(first->test.features, other->test.features);
}

TEST_F(CorpusTest, ExtraClipsOfOtherClassesAreRefused) {
  Recipe recipe = RecipeOf("kind = \"index\"\n", WriteIndex());
  WriteTone("x/a.wav", 500);
  ASSERT_TRUE(
      WriteFileAtomically(folder_ / "x/index.csv", "path,label,split\na.wav,middle,train\n").ok());
  recipe.extra_path = (folder_ / "x/index.csv").string();
  const Result<Dataset> data = LoadCorpus(recipe);
  ASSERT_FALSE(data.ok());
  EXPECT_THAT(data.error().message, HasSubstr("its 1 classes are not the 2 classes of"));
}

TEST_F(CorpusTest, AMissingPathIsNamed) {
  const Result<Dataset> none = LoadCorpus(RecipeOf("kind = \"arabic\"\n", ""));
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("data.path is not set"));
  const Result<Dataset> absent = LoadCorpus(RecipeOf("kind = \"arabic\"\n", folder_ / "absent"));
  ASSERT_FALSE(absent.ok());
  EXPECT_THAT(absent.error().message, HasSubstr("absent"));
}

TEST_F(CorpusTest, ASpeechCommandsTreeHasItsTwelveClasses) {
  // Ten keywords and another word by one speaker of each split; the silence comes from the noise.
  for (const char* word :
       {"down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "tree"}) {
    double hz = 200;
    for (const char* speaker : {"3c6ef362", "00000000", "be1e0823"}) {
      WriteTone(std::string(word) + "/" + speaker + "_nohash_0.wav", hz += 150);
    }
  }
  std::filesystem::create_directory(folder_ / "_background_noise_");
  const std::vector<uint8_t> hum = audio::SerializeWav(Tone(50, 20000));
  ASSERT_TRUE(
      WriteFileAtomically(folder_ / "_background_noise_/hum.wav", std::span<const uint8_t>(hum))
          .ok());
  const Result<Dataset> data =
      LoadCorpus(RecipeOf("kind = \"speech-commands\"\ncopies = 1\n", folder_.path()));
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->class_labels.size(), 12u);
  EXPECT_EQ(data->train.size(), 12);
  EXPECT_EQ(data->validation.size(), 12);
  EXPECT_EQ(data->test.size(), 12);
  EXPECT_THAT(data->licence, HasSubstr("CC BY 4.0"));
}

TEST_F(CorpusTest, ArabicSpeakersAreInOneSplitInEveryRotation) {
  MACLOOM_DATA_PACK(pack, "arabic-speech-commands");
  const Result<Dataset> official = LoadCorpus(RecipeOf("kind = \"arabic\"\ncopies = 1\n", pack));
  ASSERT_TRUE(official.ok()) << official.error().message;
  EXPECT_EQ(official->train.size(), 630);
  EXPECT_EQ(official->validation.size(), 72);
  EXPECT_EQ(official->test.size(), 72);
  EXPECT_EQ(official->class_labels.size(), 11u);
  const Result<Dataset> rotated = LoadCorpus(
      RecipeOf("kind = \"arabic\"\ncopies = 1\nspeaker_groups = 5\nrotation = 2\n", pack));
  ASSERT_TRUE(rotated.ok()) << rotated.error().message;
  const auto speakers = [](const Clips& clips) {
    return std::set<std::string>(clips.speakers.begin(), clips.speakers.end());
  };
  EXPECT_EQ(speakers(rotated->test).size(), 6u);
  EXPECT_EQ(speakers(rotated->validation).size(), 6u);
  std::set<std::string> all = speakers(rotated->test);
  all.merge(speakers(rotated->validation));
  all.merge(speakers(rotated->train));
  EXPECT_EQ(all.size(), 30u);
}

TEST(VaryTest, AShortClipLosesNothingAndALongOneKeepsItsLength) {
  const audio::Recipe front_end = audio::OwnNetwork();
  const audio::Clip clip = Tone(440, 4000);
  Rng rng(1);
  for (int i = 0; i < 20; ++i) {
    const audio::Clip varied = Vary(clip, front_end, rng);
    // Speed 0.9 to 1.1 of 4,000 samples and 50 ms of zeros on both sides.
    EXPECT_GE(std::ssize(varied.samples), 5090);
    EXPECT_LE(std::ssize(varied.samples), 6230);
    // A faster clip is shorter by up to 9 %; noise adds at most 3 %.
    EXPECT_GT(Energy(varied.samples), 0.9 * Energy(clip.samples));
    EXPECT_LT(Energy(varied.samples), 1.15 * Energy(clip.samples));
  }
  const audio::Clip full = Tone(440, 16000);
  const audio::Clip varied = Vary(full, front_end, rng);
  EXPECT_NEAR(static_cast<double>(varied.samples.size()), 16000, 1790);
}

}  // namespace
}  // namespace macloom::train
