#include "train/data/loaders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/digest.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace macloom::dataset {
namespace {

using ::macloom::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void WriteWav(const std::filesystem::path& path, size_t num_samples = 16000) {
  std::filesystem::create_directories(path.parent_path());
  const audio::Clip clip{16000, std::vector<float>(num_samples, 0.25f)};
  ASSERT_TRUE(WriteFileAtomically(path, std::span<const uint8_t>(audio::SerializeWav(clip))).ok());
}

void WriteText(const std::filesystem::path& path, std::string_view text) {
  ASSERT_TRUE(WriteFileAtomically(path, text).ok());
}

TEST(Sha1Test, IsTheStandardsExample) {
  const std::array<uint8_t, 20> digest = Sha1("abc");  // FIPS 180-2, A.1: a9993e36 ... 9cd0d89d
  EXPECT_EQ(digest[0], 0xa9);
  EXPECT_EQ(digest[19], 0x9d);
}

TEST(SpeechCommandsTest, SplitIsTheOfficialRule) {
  // which_set() of the dataset's README, by Python's hashlib.
  EXPECT_EQ(SpeechCommandsSplit("right/bb05582b_nohash_3.wav"), Split::kTest);
  EXPECT_EQ(SpeechCommandsSplit("learn/ee1d8af6_nohash_0.wav"), Split::kTest);
  EXPECT_EQ(SpeechCommandsSplit("bed/0a7c2a8d_nohash_0.wav"), Split::kTrain);
  EXPECT_EQ(SpeechCommandsSplit("yes/be1e0823_nohash_0.wav"), Split::kTest);
  EXPECT_EQ(SpeechCommandsSplit("9e3779b1_nohash_11.wav"), Split::kValidation);
  EXPECT_EQ(SpeechCommandsSplit("78dde6c4_nohash_0.wav"), Split::kTrain);
}

TEST(SpeechCommandsTest, AMadeTreeGivesItsClasses) {
  const TemporaryFolder folder;
  // One speaker of each split says every word.
  for (const char* word : {"yes", "no", "tree"}) {
    for (const char* speaker : {"3c6ef362", "00000000", "be1e0823"}) {
      WriteWav(folder / (std::string(word) + "/" + speaker + "_nohash_2.wav"), 100);
    }
  }
  WriteWav(folder / "_background_noise_/hum.wav", 16100);
  const std::vector<std::string> classes = {"yes", "no", "_silence_", "_unknown_"};
  const Result<Dataset> dataset = LoadSpeechCommands(folder.path(), classes, 1);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  ASSERT_EQ(dataset->items.size(), 12u);  // 9 words and one silence in each split.
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    std::vector<int> labels;
    for (const size_t i : dataset->ItemsOf(split)) labels.push_back(dataset->items[i].label);
    EXPECT_THAT(labels, ElementsAre(1, 3, 0, 2));
  }
  EXPECT_EQ(dataset->items[0].take, 2);
  EXPECT_EQ(dataset->LoadClip(dataset->items.back())->samples.size(), 16000u);
  // Without the classes of the rest, the rest is left out.
  EXPECT_EQ(LoadSpeechCommands(folder.path(), {"yes"}, 1)->items.size(), 3u);
  const auto message = [&](const std::vector<std::string>& names) {
    return LoadSpeechCommands(folder.path(), names, 1).error().message;
  };
  EXPECT_THAT(message({"yes", "up"}), HasSubstr("class 1 (up) has no clip in split train"));
  EXPECT_THAT(message(TwelveClasses()), HasSubstr("class 0 (down) has no clip"));
  WriteWav(folder / "_background_noise_/click.wav", 15999);
  EXPECT_THAT(message(classes), HasSubstr("click.wav is shorter than one second"));
  std::filesystem::remove_all(folder / "_background_noise_");
  EXPECT_THAT(message(classes), HasSubstr("class _silence_ needs .wav files"));
  WriteWav(folder / "yes/mine.wav", 100);
  EXPECT_THAT(message({"yes"}), HasSubstr("yes/mine.wav: not a file name of Speech Commands"));
  EXPECT_THAT(LoadSpeechCommands(folder / "none", {"yes"}, 1).error().message, HasSubstr("none"));
}

TEST(CsvIndexTest, ReadsLabelsSplitsAndSpeakers) {
  const TemporaryFolder folder;
  WriteWav(folder / "a.wav", 10);
  WriteWav(folder / "b,1.wav", 20);
  WriteText(folder / "i.csv",
            "path,label,split,speaker,take\r\n\"b,1.wav\",10,train,ann,3\r\na.wav,9,train,bob,0\n");
  const Result<Dataset> dataset = LoadCsvIndex(folder / "i.csv");
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->class_names, ElementsAre("9", "10"));
  EXPECT_EQ(dataset->items[0].label, 1);
  EXPECT_EQ(dataset->items[0].speaker, "ann");
  EXPECT_EQ(dataset->items[0].take, 3);
  EXPECT_EQ(dataset->LoadClip(dataset->items[0])->samples.size(), 20u);
}

TEST(CsvIndexTest, BadIndexesAreNamed) {
  const TemporaryFolder folder;
  WriteWav(folder / "a.wav", 10);
  const auto message = [&](std::string_view text) {
    WriteText(folder / "i.csv", text);
    const Result<Dataset> dataset = LoadCsvIndex(folder / "i.csv");
    return dataset.ok() ? std::string("accepted") : dataset.error().message;
  };
  EXPECT_EQ(message("path,label,split\na.wav,x,train\n"), "accepted");
  EXPECT_THAT(message("path,label\na.wav,x\n"),
              HasSubstr("no column `split`; the header has path, label"));
  EXPECT_THAT(message("path,label,split\na.wav,x\n"), HasSubstr("i.csv:2: 2 fields"));
  EXPECT_THAT(message("path,label,split\n"), HasSubstr("no header line with a row below"));
  EXPECT_THAT(message("path,label,split\na.wav,x,exam\n"),
              HasSubstr("a.wav: split `exam`; accepted are train"));
  EXPECT_THAT(message("path,label,split,take\na.wav,x,train,-1\n"), HasSubstr("take `-1`"));
  EXPECT_THAT(message("path,label,split,sha256\na.wav,x,train,00\n"),
              HasSubstr("the index says 00"));
  EXPECT_THAT(message("path,label,split\na.wav,x,train\na.wav,y,train\na.wav,x,test\n"),
              HasSubstr("class 1 (y) has no clip in split test"));
  EXPECT_THAT(LoadCsvIndex(folder / "none.csv").error().message, HasSubstr("none.csv"));
  EXPECT_THAT(LoadFsdd(folder / "none").error().message, HasSubstr("none/index.csv"));
  EXPECT_THAT(LoadArabicCommands(folder / "none").error().message, HasSubstr("none/index.csv"));
  WriteText(folder / "index.csv", "file,split,label,speaker,take\na.wav,test,0,x,0\n");
  EXPECT_THAT(LoadFsdd(folder.path()).error().message, HasSubstr("recordings.tar: no such file"));
  WriteText(folder / "recordings.tar", "not a tar");
  EXPECT_THAT(LoadFsdd(folder.path()).error().message, HasSubstr("not a readable tar archive"));
}

TEST(DatasetTest, BadClipsAreNamed) {
  const TemporaryFolder folder;
  WriteWav(folder / "a.wav", 10);
  std::filesystem::resize_file(folder / "a.wav", 50);
  const Dataset dataset = Dataset::InFolder("x", folder.path());
  Item item;
  item.file = "a.wav";
  EXPECT_THAT(dataset.LoadClip(item).error().message, HasSubstr("a.wav: WAV: truncated"));
  item.file = "none.wav";
  EXPECT_THAT(dataset.LoadClip(item).error().message, HasSubstr("none.wav"));
  WriteWav(folder / "b.wav", 10);
  item.file = "b.wav";
  item.first_sample = 4;
  item.num_samples = 6;
  EXPECT_EQ(dataset.LoadClip(item)->samples.size(), 6u);
  item.num_samples = 7;
  EXPECT_THAT(dataset.LoadClip(item).error().message, HasSubstr("b.wav: samples 4 to 11 of 10"));
}

}  // namespace
}  // namespace macloom::dataset
