// Sounds as inputs: the recipe in the network file, run, verify, features.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "audio/clip.h"
#include "base/files.h"
#include "base/npy.h"
#include "tests/cli/tool.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::RunTool;
using testing::ToolRun;

class SoundsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(Path("b"));
    WriteTone("a.wav", 16000, 300.0);
    WriteTone("b/c.wav", 8000, 800.0);
    WriteTone("b/b.wav", 22050, 1500.0);
    const ToolRun run = RunTool("import ds-cnn-untrained --front-end mlperf-tiny-kws -o " +
                                Path("net.safetensors"));
    ASSERT_EQ(run.status, 0) << run.text;
  }

  void WriteTone(const std::string& name, int rate_hz, double hz) const {
    audio::Clip clip{rate_hz, {}};
    for (int i = 0; i < rate_hz / 2; ++i) {
      clip.samples.push_back(static_cast<float>(0.4 * std::sin(6.28 * hz * i / rate_hz)));
    }
    const std::vector<uint8_t> bytes = audio::SerializeWav(clip);
    ASSERT_TRUE(WriteFileAtomically(Path(name), std::span<const uint8_t>(bytes)).ok());
  }

  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  nlohmann::json Json(const std::string& name) const {
    return nlohmann::json::parse(*ReadTextFile(Path(name)));
  }
  void ExpectRefused(const std::string& arguments, const std::string& message) const {
    const ToolRun run = RunTool(arguments);
    EXPECT_EQ(run.status, 2) << run.text;
    EXPECT_THAT(run.text, HasSubstr(message));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(SoundsTest, RunNamesTheClassOfEveryFile) {
  const ToolRun run = RunTool("run " + Path("net.safetensors") + " --inputs " + Path("a.wav") +
                              " " + Path("b") + " --json " + Path("r.json"));
  ASSERT_EQ(run.status, 0) << run.text;
  const nlohmann::json files = Json("r.json")["files"];
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0]["file"], "a.wav");
  EXPECT_EQ(files[1]["file"], "b.wav");
  EXPECT_EQ(files[2]["file"], "c.wav");
  for (const nlohmann::json& file : files) {
    EXPECT_THAT(run.text, HasSubstr(file["class"].get<std::string>()));
    EXPECT_GE(file["score"].get<double>(), 1.0 / 12.0 - 1.0 / 256.0);
  }
}

TEST_F(SoundsTest, FeaturesOfTheNetworkAreWhatRunTakes) {
  const std::string inputs = Path("a.wav") + " " + Path("b");
  for (const char* recipe : {"net.safetensors", "mlperf-tiny-kws"}) {
    const std::string name = fs::exists(Path(recipe)) ? Path(recipe) : recipe;
    const ToolRun run =
        RunTool("features " + inputs + " --recipe " + name + " -o " + Path("x.npy"));
    ASSERT_EQ(run.status, 0) << run.text;
    EXPECT_THAT(run.text, HasSubstr("3 clips to 49 x 10 codes"));
    const Result<NpyArray> codes = ReadNpy(Path("x.npy"));
    ASSERT_TRUE(codes.ok());
    EXPECT_EQ(codes->shape, (std::vector<int64_t>{3, 49, 10}));
    EXPECT_EQ(codes->dtype, "|i1");
    const std::string net = "run " + Path("net.safetensors");
    ASSERT_EQ(RunTool(net + " --inputs " + Path("x.npy") + " --outputs " + Path("1.npy")).status,
              0);
    ASSERT_EQ(RunTool(net + " --inputs " + inputs + " --outputs " + Path("2.npy")).status, 0);
    EXPECT_EQ(*ReadNpy(Path("1.npy")), *ReadNpy(Path("2.npy")));
  }
}

TEST_F(SoundsTest, VerifyTakesSoundsAndInspectShowsTheRecipe) {
  const ToolRun run =
      RunTool("verify --no-rtl " + Path("net.safetensors") + " --inputs " + Path("b"));
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("2 inputs"));
  EXPECT_THAT(run.text, HasSubstr("PASS"));
  EXPECT_THAT(RunTool("inspect " + Path("net.safetensors")).text,
              HasSubstr("front end {\"format\":\"macloom.features\""));
}

TEST_F(SoundsTest, FloatFeaturesAndAPrintedRecipe) {
  ASSERT_EQ(RunTool("features --recipe own-network > " + Path("own.json")).status, 0);
  const ToolRun run = RunTool("features " + Path("a.wav") + " --recipe " + Path("own.json") +
                              " -o " + Path("x.npy"));
  ASSERT_EQ(run.status, 0) << run.text;
  EXPECT_EQ(ReadNpy(Path("x.npy"))->dtype, "<f4");
}

TEST_F(SoundsTest, BadSoundsAndRecipesAreRefused) {
  ExpectRefused("run ds-cnn-untrained --inputs " + Path("a.wav"),
                "carries no feature recipe (front_end)");
  ExpectRefused("run " + Path("net.safetensors") + " --inputs " + Path("a.wav") + " x.npy",
                "inputs x.npy: not a sound");
  ExpectRefused("features " + Path("a.wav") + " --recipe x",
                "feature recipe x: no such name; accepted are mlperf-tiny-kws");
  ExpectRefused("features " + Path("a.wav") + " --recipe ds-cnn-untrained", "no such name");
  ExpectRefused("features " + Path("none.wav"), "none.wav: no such file");
  fs::create_directory(Path("empty"));
  ExpectRefused("features " + Path("empty"), "holds no sound; accepted are .bin, .pcm, .raw, .wav");
  fs::resize_file(Path("a.wav"), 1000);
  ExpectRefused("run " + Path("net.safetensors") + " --inputs " + Path("a.wav"),
                "a.wav: WAV: truncated: chunk data at byte 36 states 16000 bytes");
  ASSERT_EQ(RunTool("features --recipe mlperf-tiny-kws > " + Path("m.json")).status, 0);
  const auto import = [&](const std::string& from, const std::string& to) {
    std::string text = *ReadTextFile(Path("m.json"));
    text.replace(text.find(from), from.size(), to);
    EXPECT_TRUE(WriteFileAtomically(Path("n.json"), std::string_view(text)).ok());
    return "import ds-cnn-untrained --front-end " + Path("n.json") + " -o " + Path("n.safetensors");
  };
  ExpectRefused(import("\"coefficients\":10", "\"coefficients\":12"),
                "the front end makes 49x12 features; the input `input` is 49x10x1");
  ExpectRefused(import("\"zero_point\":83", "\"zero_point\":82"), "and zero point 82; the input");
  ExpectRefused("import ds-cnn-untrained --class-labels a,b -o " + Path("n.safetensors"),
                "--class-labels has 2 names; the network has 12 classes");
  EXPECT_FALSE(fs::exists(Path("n.safetensors")));
}

}  // namespace
}  // namespace macloom
