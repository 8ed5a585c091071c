#include "audio/recipe.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <nlohmann/json.hpp>

#include "audio/clip.h"
#include "audio/mel.h"
#include "base/files.h"
#include "base/json_fields.h"

namespace macloom::audio {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormatName = "macloom.features";
constexpr int kVersion = 1;
constexpr int kMaxClipSamples = 480'000;
constexpr int kMaxFftSamples = 8192;
constexpr int kMaxMelBands = 256;
constexpr int kMaxCode = 32'767;

template <typename Enum, size_t count>
using Names = std::array<std::pair<std::string_view, Enum>, count>;

constexpr Names<FeatureKind, 2> kKinds = {
    {{"mfcc", FeatureKind::kMfcc}, {"log_mel", FeatureKind::kLogMel}}};
constexpr Names<LongClip, 3> kLongClips = {
    {{"start", LongClip::kStart}, {"center", LongClip::kCenter}, {"loudest", LongClip::kLoudest}}};
constexpr Names<ShortClip, 2> kShortClips = {
    {{"pad_end", ShortClip::kPadEnd}, {"pad_center", ShortClip::kPadCenter}}};
constexpr Names<Level, 3> kLevels = {
    {{"none", Level::kNone}, {"peak", Level::kPeak}, {"positive_peak", Level::kPositivePeak}}};
constexpr Names<Spectrum, 2> kSpectra = {
    {{"magnitude", Spectrum::kMagnitude}, {"power", Spectrum::kPower}}};
constexpr Names<Normalization, 3> kNormalizations = {
    {{"none", Normalization::kNone},
     {"per_coefficient", Normalization::kPerCoefficient},
     {"affine", Normalization::kAffine}}};
constexpr Names<CodeRounding, 2> kRoundings = {
    {{"nearest", CodeRounding::kNearest}, {"truncate", CodeRounding::kTruncate}}};

template <typename Table, typename Enum>
std::string NameIn(const Table& table, Enum value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return std::string(name);
  }
  MACLOOM_CHECK(false);
}

// Keeps the first failure.
class Ranges {
 public:
  template <typename Number>
  void Check(const char* field, Number value, Number low, Number high) {
    if (value >= low && value <= high) return;  // False for NaN.
    Fail(fmt::format("{} is {}; accepted are {} to {}", field, value, low, high));
  }
  void Fail(const std::string& message) {
    if (status_.ok()) status_ = InvalidInput("feature recipe: " + message);
  }
  const Status& status() const { return status_; }

 private:
  Status status_;
};

void CheckNormalization(const Recipe& recipe, Ranges& ranges) {
  if (recipe.normalization == Normalization::kPerCoefficient) {
    const size_t columns = static_cast<size_t>(recipe.num_columns());
    if (recipe.mean.size() != columns || recipe.standard_deviation.size() != columns) {
      ranges.Fail(fmt::format("normalization has {} means and {} deviations; accepted are {} each",
                              recipe.mean.size(), recipe.standard_deviation.size(), columns));
    }
    for (const double mean : recipe.mean) ranges.Check("mean", mean, -1e6, 1e6);
    for (const double deviation : recipe.standard_deviation) {
      ranges.Check("standard_deviation", deviation, 1e-6, 1e6);
    }
    ranges.Check("clip", recipe.clip, 1e-3, 1e3);
  } else if (recipe.normalization == Normalization::kAffine) {
    ranges.Check("scale", recipe.scale, 1e-9, 1e9);
    ranges.Check("code_min", recipe.code_min, -kMaxCode - 1, kMaxCode);
    ranges.Check("code_max", recipe.code_max, recipe.code_min, kMaxCode);
    ranges.Check("zero_point", recipe.zero_point, recipe.code_min, recipe.code_max);
  }
}

Json NormalizationJson(const Recipe& recipe) {
  Json json = {{"kind", NameIn(kNormalizations, recipe.normalization)}};
  if (recipe.normalization == Normalization::kPerCoefficient) {
    json["mean"] = recipe.mean;
    json["standard_deviation"] = recipe.standard_deviation;
    json["clip"] = recipe.clip;
  } else if (recipe.normalization == Normalization::kAffine) {
    json["scale"] = recipe.scale;
    json["zero_point"] = recipe.zero_point;
    json["code_min"] = recipe.code_min;
    json["code_max"] = recipe.code_max;
    json["rounding"] = NameIn(kRoundings, recipe.rounding);
  }
  return json;
}

void ReadNormalization(JsonFields& fields, Recipe& recipe) {
  recipe.normalization = fields.GetEnum("kind", kNormalizations);
  if (recipe.normalization == Normalization::kPerCoefficient) {
    const size_t columns = static_cast<size_t>(recipe.num_columns());
    recipe.mean = fields.GetNumbers("mean", columns, -1e6, 1e6);
    recipe.standard_deviation = fields.GetNumbers("standard_deviation", columns, 1e-6, 1e6);
    recipe.clip = fields.GetNumber("clip", 1e-3, 1e3);
  } else if (recipe.normalization == Normalization::kAffine) {
    recipe.scale = fields.GetNumber("scale", 1e-9, 1e9);
    recipe.code_min = static_cast<int>(fields.GetInt("code_min", -kMaxCode - 1, kMaxCode));
    recipe.code_max = static_cast<int>(fields.GetInt("code_max", recipe.code_min, kMaxCode));
    recipe.zero_point =
        static_cast<int>(fields.GetInt("zero_point", recipe.code_min, recipe.code_max));
    recipe.rounding = fields.GetEnum("rounding", kRoundings);
  }
  fields.RefuseOthers();
}

}  // namespace

Status Validate(const Recipe& recipe) {
  Ranges ranges;
  ranges.Check("sample_rate_hz", recipe.sample_rate_hz, kMinSampleRateHz, kMaxSampleRateHz);
  ranges.Check("window_samples", recipe.window_samples, 2, kMaxFftSamples);
  ranges.Check("clip_samples", recipe.clip_samples, recipe.window_samples, kMaxClipSamples);
  ranges.Check("hop_samples", recipe.hop_samples, 1, recipe.clip_samples);
  ranges.Check("fft_samples", recipe.fft_samples, recipe.window_samples, kMaxFftSamples);
  if (!std::has_single_bit(static_cast<unsigned>(recipe.fft_samples))) {
    ranges.Fail(fmt::format("fft_samples is {}; accepted are powers of two", recipe.fft_samples));
  }
  ranges.Check("silence_peak", recipe.silence_peak, 0.0, 1.0);
  ranges.Check("mel_bands", recipe.mel_bands, 1, kMaxMelBands);
  ranges.Check("high_hz", recipe.high_hz, 1.0, recipe.sample_rate_hz / 2.0);
  ranges.Check("low_hz", recipe.low_hz, 0.0, recipe.high_hz - 1.0);
  ranges.Check("log_offset", recipe.log_offset, 1e-12, 1.0);
  if (recipe.kind == FeatureKind::kMfcc) {
    ranges.Check("coefficients", recipe.coefficients, 1, recipe.mel_bands);
  }
  CheckNormalization(recipe, ranges);
  if (!ranges.status().ok()) return ranges.status();
  const std::vector<MelBand> bands = MelBands(recipe);
  for (size_t i = 0; i < bands.size(); ++i) {
    if (!bands[i].weights.empty()) continue;
    ranges.Fail(fmt::format(
        "mel band {} of {} holds no FFT bin (bins are {} Hz apart); take fewer "
        "bands or a longer FFT",
        i + 1, bands.size(), static_cast<double>(recipe.sample_rate_hz) / recipe.fft_samples));
  }
  return ranges.status();
}

Recipe OwnNetwork() { return {}; }

Recipe MlperfTinyKws() {
  Recipe recipe;
  recipe.long_clip = LongClip::kStart;
  recipe.short_clip = ShortClip::kPadEnd;
  recipe.level = Level::kPositivePeak;
  recipe.silence_peak = 0.0;
  recipe.normalization = Normalization::kAffine;
  recipe.scale = 0.584702909;
  recipe.zero_point = 83;
  recipe.rounding = CodeRounding::kTruncate;
  return recipe;
}

std::vector<std::string> RecipeNames() { return {"mlperf-tiny-kws", "own-network"}; }

Result<Recipe> RecipeByName(const std::string& name) {
  if (name == "mlperf-tiny-kws") return MlperfTinyKws();
  if (name == "own-network") return OwnNetwork();
  return InvalidInput(fmt::format("feature recipe {}: no such name; accepted are {}", name,
                                  fmt::join(RecipeNames(), ", ")));
}

Result<Recipe> ParseRecipe(std::string_view json_text) {
  const nlohmann::json json = nlohmann::json::parse(json_text, nullptr, false);
  if (json.is_discarded()) return InvalidInput("feature recipe: not JSON");
  Status status;
  JsonFields fields(json, "", status, "the recipe");
  Recipe recipe;
  const auto integer = [&](const char* key, int64_t low, int64_t high) {
    return static_cast<int>(fields.GetInt(key, low, high));
  };
  const std::string format = fields.GetText("format");
  if (format != kFormatName) {
    fields.Fail("format", fmt::format("is \"{}\"; accepted is \"{}\"", format, kFormatName));
  }
  fields.GetInt("version", kVersion, kVersion);
  recipe.kind = fields.GetEnum("kind", kKinds);
  recipe.sample_rate_hz = integer("sample_rate_hz", kMinSampleRateHz, kMaxSampleRateHz);
  recipe.clip_samples = integer("clip_samples", 2, kMaxClipSamples);
  recipe.long_clip = fields.GetEnum("long_clip", kLongClips);
  recipe.short_clip = fields.GetEnum("short_clip", kShortClips);
  recipe.level = fields.GetEnum("level", kLevels);
  recipe.silence_peak = fields.GetNumber("silence_peak", 0.0, 1.0);
  recipe.window_samples = integer("window_samples", 2, kMaxFftSamples);
  recipe.hop_samples = integer("hop_samples", 1, kMaxClipSamples);
  recipe.fft_samples = integer("fft_samples", 2, kMaxFftSamples);
  recipe.spectrum = fields.GetEnum("spectrum", kSpectra);
  recipe.mel_bands = integer("mel_bands", 1, kMaxMelBands);
  recipe.low_hz = fields.GetNumber("low_hz", 0.0, kMaxSampleRateHz);
  recipe.high_hz = fields.GetNumber("high_hz", 0.0, kMaxSampleRateHz);
  recipe.log_offset = fields.GetNumber("log_offset", 1e-12, 1.0);
  if (recipe.kind == FeatureKind::kMfcc) {
    recipe.coefficients = integer("coefficients", 1, kMaxMelBands);
  }
  JsonFields normalization(fields.Get("normalization"), "normalization", status);
  ReadNormalization(normalization, recipe);
  fields.RefuseOthers();
  if (!status.ok()) return InvalidInput("feature recipe: " + status.error().message);
  MACLOOM_RETURN_IF_ERROR(Validate(recipe));
  return recipe;
}

Result<Recipe> ReadRecipe(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, int64_t{1} << 20));
  Result<Recipe> recipe = ParseRecipe(text);
  if (recipe.ok()) return recipe;
  return InvalidInput(fmt::format("{}: {}", path.string(), recipe.error().message));
}

std::string ToJson(const Recipe& recipe) {
  MACLOOM_CHECK(Validate(recipe).ok());
  Json json = {{"format", kFormatName},
               {"version", kVersion},
               {"kind", NameIn(kKinds, recipe.kind)},
               {"sample_rate_hz", recipe.sample_rate_hz},
               {"clip_samples", recipe.clip_samples},
               {"long_clip", NameIn(kLongClips, recipe.long_clip)},
               {"short_clip", NameIn(kShortClips, recipe.short_clip)},
               {"level", NameIn(kLevels, recipe.level)},
               {"silence_peak", recipe.silence_peak},
               {"window_samples", recipe.window_samples},
               {"hop_samples", recipe.hop_samples},
               {"fft_samples", recipe.fft_samples},
               {"spectrum", NameIn(kSpectra, recipe.spectrum)},
               {"mel_bands", recipe.mel_bands},
               {"low_hz", recipe.low_hz},
               {"high_hz", recipe.high_hz},
               {"log_offset", recipe.log_offset}};
  if (recipe.kind == FeatureKind::kMfcc) json["coefficients"] = recipe.coefficients;
  json["normalization"] = NormalizationJson(recipe);
  return json.dump();
}

}  // namespace macloom::audio
