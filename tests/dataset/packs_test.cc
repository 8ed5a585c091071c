// The data packs: counts, official splits and their features.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/data_pack.h"
#include "train/data/clip_features.h"
#include "train/data/loaders.h"

namespace macloom::dataset {
namespace {

using ::testing::HasSubstr;

TEST(PacksTest, FsddHasItsOfficialSplitAndRotations) {
  MACLOOM_DATA_PACK(pack, "fsdd");
  Result<Dataset> dataset = LoadFsdd(pack);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->items.size(), 1500u);
  EXPECT_EQ(dataset->ItemsOf(Split::kTest).size(), 300u);
  EXPECT_EQ(Speakers(*dataset).size(), 6u);
  std::set<std::string> tested;
  for (int rotation = 0; rotation < 5; ++rotation) {
    const std::vector<size_t> official = dataset->ItemsOf(Split::kTest);
    ASSERT_TRUE(AssignTakeRotation(*dataset, rotation).ok());
    const std::vector<size_t> test = dataset->ItemsOf(Split::kTest);
    EXPECT_EQ(test.size(), 300u);
    if (rotation == 0) {
      EXPECT_EQ(test, official);
    }
    for (const size_t i : test) tested.insert(dataset->items[i].file);
    EXPECT_TRUE(dataset->CheckClasses().ok());
  }
  EXPECT_EQ(tested.size(), 1500u);
  const Status missing = AssignTakeRotation(*dataset, 5);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("rotation 5: no clip has a take of 25 to 29"));
  ASSERT_TRUE(HoldOutSpeaker(*dataset, "theo").ok());
  EXPECT_EQ(dataset->ItemsOf(Split::kTest).size(), 250u);
  const Status stranger = HoldOutSpeaker(*dataset, "anna");
  ASSERT_FALSE(stranger.ok());
  EXPECT_THAT(stranger.error().message, HasSubstr("no speaker `anna`; there are george, jackson"));
}

TEST(PacksTest, FsddFeaturesAreNormalisedByTheTrainingSplit) {
  MACLOOM_DATA_PACK(pack, "fsdd");
  Result<Dataset> dataset = LoadFsdd(pack);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  // Every tenth clip of each split is enough to see the rule.
  std::vector<Item> few;
  for (size_t i = 0; i < dataset->items.size(); i += 10) few.push_back(dataset->items[i]);
  dataset->items = few;
  const Result<audio::Recipe> recipe = FitToTrainingSplit(*dataset, audio::OwnNetwork(), 4.0);
  ASSERT_TRUE(recipe.ok()) << recipe.error().message;
  const Result<std::vector<ClipFeatures>> clips = ComputeFeatures(*dataset, *recipe);
  ASSERT_TRUE(clips.ok()) << clips.error().message;
  ASSERT_EQ(clips->size(), few.size());
  double sum = 0.0, squares = 0.0, count = 0.0;
  for (const ClipFeatures& clip : *clips) {
    ASSERT_EQ(clip.features.size(), 490u);
    EXPECT_EQ(clip.label, clip.file[0] - '0');
    if (clip.split != Split::kTrain) continue;
    for (const float value : clip.features) {
      ASSERT_LE(std::abs(value), 4.0f);
      sum += value, squares += double{value} * value, count += 1.0;
    }
  }
  // Clipping at 4 deviations moves little of the unit variance.
  EXPECT_NEAR(sum / count, 0.0, 0.05);
  EXPECT_NEAR(squares / count, 1.0, 0.1);
}

TEST(PacksTest, ArabicSpeakersAreInOneSplit) {
  MACLOOM_DATA_PACK(pack, "arabic-speech-commands");
  Result<Dataset> dataset = LoadArabicCommands(pack);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->class_names.size(), 11u);
  EXPECT_EQ(dataset->ItemsOf(Split::kTrain).size(), 630u);
  EXPECT_EQ(dataset->ItemsOf(Split::kValidation).size(), 72u);
  EXPECT_EQ(dataset->ItemsOf(Split::kTest).size(), 72u);
  EXPECT_EQ(Speakers(*dataset).size(), 30u);
  ASSERT_TRUE(AssignSpeakerRotation(*dataset, 4, 5).ok());
  std::set<std::string> test, others;
  for (const Item& item : dataset->items) {
    (item.split == Split::kTest ? test : others).insert(item.speaker);
  }
  EXPECT_EQ(test.size(), 6u);
  EXPECT_EQ(others.size(), 24u);
  const Status bad = AssignSpeakerRotation(*dataset, 5, 5);
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message, HasSubstr("speaker rotation 5 of 5"));
}

}  // namespace
}  // namespace macloom::dataset
