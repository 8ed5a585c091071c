#include "audio/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace macloom::audio {
namespace {

using ::testing::HasSubstr;

Recipe Normalised() {
  Recipe recipe = OwnNetwork();
  recipe.kind = FeatureKind::kLogMel;
  recipe.mel_bands = 2;
  recipe.long_clip = LongClip::kCenter;
  recipe.short_clip = ShortClip::kPadEnd;
  recipe.level = Level::kNone;
  recipe.spectrum = Spectrum::kPower;
  recipe.normalization = Normalization::kPerCoefficient;
  recipe.mean = {0.1, -1.0 / 3.0};
  recipe.standard_deviation = {1e-6, 2.5};
  recipe.clip = 4.0;
  return recipe;
}

std::string MessageAfter(const Recipe& recipe, const std::string& from, const std::string& to) {
  std::string text = ToJson(recipe);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  if (at == std::string::npos) return "";
  const Result<Recipe> read = ParseRecipe(text.replace(at, from.size(), to));
  return read.ok() ? "accepted" : read.error().message;
}

TEST(RecipeTest, JsonGivesTheRecipeBackExactly) {
  for (const Recipe& recipe : {OwnNetwork(), MlperfTinyKws(), Normalised()}) {
    const Result<Recipe> read = ParseRecipe(ToJson(recipe));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, recipe);
    EXPECT_EQ(ToJson(*read), ToJson(recipe));
  }
  EXPECT_EQ(MlperfTinyKws().num_frames(), 49);
  EXPECT_EQ(MlperfTinyKws().num_columns(), 10);
  EXPECT_EQ(Normalised().num_columns(), 2);
}

TEST(RecipeTest, NamesAreThoseListed) {
  for (const std::string& name : RecipeNames()) EXPECT_TRUE(RecipeByName(name).ok()) << name;
  EXPECT_THAT(RecipeByName("x").error().message,
              HasSubstr("feature recipe x: no such name; accepted are mlperf-tiny-kws"));
}

TEST(RecipeTest, BadFieldsAreNamed) {
  const Recipe own = OwnNetwork();
  const auto expect = [](const Recipe& recipe, const char* from, const char* to,
                         const char* message) {
    EXPECT_THAT(MessageAfter(recipe, from, to), HasSubstr(message));
  };
  expect(own, "\"version\":1", "\"version\":2",
         "feature recipe: version is 2; accepted are 1 to 1");
  expect(own, "\"macloom.features\"", "\"x\"", "format is \"x\"");
  expect(own, "\"kind\":\"mfcc\"", "\"kind\":\"plp\"",
         "kind is \"plp\"; accepted are mfcc, log_mel");
  expect(own, "\"level\"", "\"more\":1,\"level\"", "more is not a field of this format version");
  expect(own, "\"hop_samples\":320,", "", "hop_samples is missing");
  expect(own, "\"hop_samples\":320", "\"hop_samples\":0", "hop_samples is 0; accepted are 1 to");
  expect(own, "\"sample_rate_hz\":16000", "\"sample_rate_hz\":96000",
         "sample_rate_hz is 96000; accepted are 4000 to 48000");
  expect(own, "\"fft_samples\":512", "\"fft_samples\":600",
         "fft_samples is 600; accepted are powers of two");
  expect(own, "\"fft_samples\":512", "\"fft_samples\":256",
         "fft_samples is 256; accepted are 480 to 8192");
  expect(own, "\"high_hz\":4000.0", "\"high_hz\":8001.0",
         "high_hz is 8001; accepted are 1 to 8000");
  expect(own, "\"high_hz\":4000.0", "\"high_hz\":\"x\"", "high_hz is not a number");
  expect(own, "\"low_hz\":20.0", "\"low_hz\":4000.0", "low_hz is 4000; accepted are 0 to 3999");
  expect(own, "\"coefficients\":10", "\"coefficients\":41",
         "coefficients is 41; accepted are 1 to 40");
  expect(own, "\"mel_bands\":40", "\"mel_bands\":200",
         "holds no FFT bin (bins are 31.25 Hz apart)");
  expect(own, "\"kind\":\"none\"", "\"kind\":\"none\",\"clip\":1.0", "normalization.clip is not");
  expect(Normalised(), "[1e-06,2.5]", "[0,2.5]",
         "normalization.standard_deviation is 0; accepted are 1e-06 to");
  expect(Normalised(), "[1e-06,2.5]", "[2.5]",
         "normalization.standard_deviation has 1 elements; accepted are 2");
  expect(MlperfTinyKws(), "\"zero_point\":83", "\"zero_point\":128",
         "normalization.zero_point is 128; accepted are -128 to 127");
  EXPECT_THAT(ParseRecipe("{").error().message, HasSubstr("feature recipe: not JSON"));
  EXPECT_THAT(ParseRecipe("[]").error().message, HasSubstr("the recipe is not an object"));
  Recipe short_clip = own;
  short_clip.clip_samples = 479;
  EXPECT_THAT(Validate(short_clip).error().message,
              HasSubstr("clip_samples is 479; accepted are 480 to 480000"));
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "r.json", std::string_view("{}")).ok());
  EXPECT_THAT(ReadRecipe(folder / "r.json").error().message,
              HasSubstr("r.json: feature recipe: format is missing"));
}

}  // namespace
}  // namespace macloom::audio
