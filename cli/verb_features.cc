#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "audio/features.h"
#include "base/file_set.h"
#include "base/files.h"
#include "base/npy.h"
#include "base/progress.h"
#include "cli/common.h"
#include "flow/clip_inputs.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

struct FeaturesOptions {
  std::vector<std::string> inputs;
  std::string recipe = audio::RecipeNames()[0];
  std::string output, json;
  int pcm_rate_hz = 16000;
  int count = 1;
  bool is_float = false;
};

struct ClipRow {
  std::string name;
  std::vector<float> values;
};

/// The network whose input format the codes get, if --recipe names one.
Result<std::optional<ir::Graph>> NetworkOf(const FeaturesOptions& options) {
  std::error_code code;
  if (!std::filesystem::exists(options.recipe, code) || LowerExtension(options.recipe) == ".json") {
    return std::optional<ir::Graph>();
  }
  MACLOOM_ASSIGN_OR_RETURN(ir::Graph graph,
                           networks::LoadModel(options.recipe, ir::Rounding::kDouble));
  return std::optional<ir::Graph>(std::move(graph));
}

NpyArray ArrayOf(const std::vector<ClipRow>& rows, const audio::Recipe& recipe, bool are_codes) {
  const std::vector<int64_t> shape = {std::ssize(rows), recipe.num_frames(), recipe.num_columns()};
  std::vector<int32_t> codes;
  bool fits_int8 = true;
  NpyArray array{"<f4", shape, {}};
  for (const ClipRow& row : rows) {
    for (const float value : row.values) {
      if (are_codes) {
        codes.push_back(static_cast<int32_t>(value));
        fits_int8 = fits_int8 && value >= -128.0f && value <= 127.0f;
      } else {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
        array.bytes.insert(array.bytes.end(), bytes, bytes + sizeof(value));
      }
    }
  }
  if (!are_codes) return array;
  if (!fits_int8) return FromInt32(shape, codes);
  return FromInt8(shape, std::vector<int8_t>(codes.begin(), codes.end()));
}

Result<int> RunFeatures(const FeaturesOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const audio::Recipe recipe, flow::FindRecipe(options.recipe));
  if (options.inputs.empty()) {
    fmt::print("{}\n", audio::ToJson(recipe));
    return 0;
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<ir::Graph> network, NetworkOf(options));
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(recipe));
  const bool is_quantized = network.has_value() && !options.is_float;
  std::vector<ClipRow> rows;
  ProgressLine progress("features", 0);
  std::clock_t used = 0;
  for (const std::string& path : options.inputs) {
    const size_t first = rows.size();
    MACLOOM_RETURN_IF_ERROR(
        flow::VisitClips({path}, options.pcm_rate_hz, [&](const flow::NamedClip& sound) -> Status {
          const std::clock_t start = std::clock();
          std::vector<float> values;
          for (int i = 0; i < options.count; ++i) values = extractor.Compute(sound.clip);
          used += std::clock() - start;
          if (is_quantized) {
            const ir::TensorValue codes =
                flow::QuantizeFeatures(values, recipe, network->tensor(network->input));
            values.assign(codes.codes.begin(), codes.codes.end());
          }
          rows.push_back({sound.name, std::move(values)});
          progress.Update(std::ssize(rows));
          return {};
        }));
    std::sort(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
              [](const ClipRow& a, const ClipRow& b) { return a.name < b.name; });
  }
  const bool are_codes = is_quantized || recipe.normalization == audio::Normalization::kAffine;
  if (!options.output.empty()) {
    MACLOOM_RETURN_IF_ERROR(WriteNpy(options.output, ArrayOf(rows, recipe, are_codes)));
  }
  const double seconds = static_cast<double>(used) / CLOCKS_PER_SEC;
  const double computed = static_cast<double>(rows.size()) * options.count;
  fmt::print("{} clips to {} x {} {}", rows.size(), recipe.num_frames(), recipe.num_columns(),
             are_codes ? "codes" : "features");
  if (seconds > 0.0) {
    fmt::print(", {:.2f} CPU-s: {:.0f} clips per CPU-second", seconds, computed / seconds);
  }
  fmt::print("\n");
  nlohmann::ordered_json json = {{"format", "macloom.feature-run"},
                                 {"format_version", 1},
                                 {"recipe", nlohmann::ordered_json::parse(audio::ToJson(recipe))},
                                 {"are_codes", are_codes}};
  for (const ClipRow& row : rows) json["files"].push_back(row.name);
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return 0;
}

}  // namespace

Verb AddFeatures(CLI::App& app) {
  auto options = std::make_shared<FeaturesOptions>();
  CLI::App* verb = app.add_subcommand("features", "sounds to a network's input features");
  verb->add_option("INPUTS", options->inputs,
                   ".wav or raw .bin, .pcm, .raw files, folders or tar archives of them; none: "
                   "print the recipe");
  verb->add_option("--recipe", options->recipe,
                   "mlperf-tiny-kws, own-network, a recipe's JSON file, or a network with a front "
                   "end (its input's codes)")
      ->capture_default_str();
  verb->add_option("-o,--output", options->output,
                   "write [clips, frames, columns] as .npy, each input's clips sorted by name");
  verb->add_flag("--float", options->is_float, "a network's features before quantization");
  verb->add_option("--pcm-rate", options->pcm_rate_hz, "sample rate of raw files, in Hz")
      ->check(CLI::Range(audio::kMinSampleRateHz, audio::kMaxSampleRateHz))
      ->capture_default_str();
  verb->add_option("--count", options->count, "compute every clip this often, to measure the speed")
      ->check(CLI::Range(1, 100000));
  verb->add_option("--json", options->json, "write recipe and file names as JSON");
  return {verb, [options] { return RunFeatures(*options); }};
}

}  // namespace macloom::cli
