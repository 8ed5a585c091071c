#include "train/tool/run.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/npy.h"
#include "golden/fast/plan.h"
#include "ir/float_network_file.h"
#include "ir/network_file.h"
#include "train/corpus/corpus.h"
#include "train/qat/trainer.h"
#include "train/tool/detection_report.h"

namespace macloom::train {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCalibrationClips = 256;  ///< At most, evenly spread.
constexpr const char* kCheckpoint = "checkpoint.safetensors";

Result<Recipe> RecipeOf(const RunOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(Recipe recipe, LoadRecipe(options.recipe));
  if (!options.data.empty()) recipe.data_path = options.data;
  if (!options.extra.empty()) recipe.extra_path = options.extra;
  if (options.seed > 0) recipe.seed = options.seed;
  if (options.rotation >= 0) recipe.rotation = options.rotation;
  // What the options changed is part of what a checkpoint belongs to.
  recipe.text += fmt::format("\n# seed {} rotation {}\n", recipe.seed, recipe.rotation);
  return recipe;
}

Status CheckFolder(const RunOptions& options) {
  std::error_code code;
  if (fs::exists(options.output, code) && !fs::is_directory(options.output, code)) {
    return OutputError(fmt::format("{}: a file of that name exists", options.output));
  }
  if (!options.is_resumed && fs::exists(fs::path(options.output) / kCheckpoint, code)) {
    return InvalidInput(
        fmt::format("{}: holds a checkpoint of an earlier run; --resume continues it, or give "
                    "another folder",
                    options.output));
  }
  return {};
}

Status MakeFolder(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (!code) return {};
  return OutputError(fmt::format("{}: cannot make the folder: {}", path, code.message()));
}

NpyArray Stacked(const std::vector<ir::TensorValue>& values) {
  std::vector<int64_t> shape = values[0].shape;
  shape.insert(shape.begin(), static_cast<int64_t>(values.size()));
  std::vector<int8_t> codes;
  for (const ir::TensorValue& value : values) {
    for (const int32_t code : value.codes) codes.push_back(static_cast<int8_t>(code));
  }
  return FromInt8(shape, codes);
}

// Plain features of every `step`-th clip, [clips, ...] as the network's input.
NpyArray Features(const Clips& clips, int64_t step, const ir::Shape& shape) {
  const auto elements = static_cast<size_t>(ir::NumElements(shape));
  NpyArray array{"<f4", shape, {}};
  array.shape.insert(array.shape.begin(), (clips.size() + step - 1) / step);
  for (int64_t n = 0; n < clips.size(); n += step) {
    const auto* first =
        reinterpret_cast<const uint8_t*>(clips.features.data() + static_cast<size_t>(n) * elements);
    array.bytes.insert(array.bytes.end(), first, first + elements * sizeof(float));
  }
  return array;
}

Result<int64_t> GoldenMismatches(const TrainResult& result) {
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Plan plan,
                           golden::fast::Plan::Create(result.network));
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Batch batch, plan.RunBatch(result.inputs));
  int64_t mismatches = 0;
  for (size_t n = 0; n < result.logits.size(); ++n) {
    mismatches += batch.outputs[n].codes != result.logits[n].codes ? 1 : 0;
  }
  return mismatches;
}

int64_t NumCorrect(const std::vector<int>& predictions, const std::vector<int>& labels) {
  int64_t correct = 0;
  for (size_t i = 0; i < labels.size(); ++i) correct += predictions[i] == labels[i] ? 1 : 0;
  return correct;
}

void PrintDetection(const nlohmann::ordered_json& detection) {
  for (const char* network : {"twin", "fixed_point"}) {
    for (const auto& at : detection[network]["rates"]) {
      fmt::print(
          "{:<28}threshold for {:.0f} % FRR on validation: test FRR {:.1f} %, FDR {:.1f} %\n",
          network, 100 * at["max_frr"].get<double>(), 100 * at["test"]["frr"].get<double>(),
          100 * at["test"]["fdr"].get<double>());
    }
  }
}

Status WriteResults(const fs::path& folder, const Recipe& recipe, const Dataset& dataset,
                    const TrainResult& result, int64_t mismatches) {
  MACLOOM_RETURN_IF_ERROR(ir::SaveNetwork(result.network, folder / "network.safetensors"));
  MACLOOM_RETURN_IF_ERROR(ir::SaveFloatNetwork(result.twin, folder / "float.safetensors"));
  MACLOOM_RETURN_IF_ERROR(WriteNpy(folder / "inputs.npy", Stacked(result.inputs)));
  MACLOOM_RETURN_IF_ERROR(WriteNpy(folder / "logits.npy", Stacked(result.logits)));
  MACLOOM_RETURN_IF_ERROR(
      WriteNpy(folder / "labels.npy",
               FromInt32({static_cast<int64_t>(result.labels.size())}, result.labels)));
  const ir::Shape& shape = result.inputs[0].shape;
  const int64_t step = (dataset.train.size() + kCalibrationClips - 1) / kCalibrationClips;
  MACLOOM_RETURN_IF_ERROR(
      WriteNpy(folder / "calibration.npy", Features(dataset.train, step, shape)));
  MACLOOM_RETURN_IF_ERROR(WriteNpy(folder / "features.npy", Features(dataset.test, 1, shape)));
  nlohmann::ordered_json json = {
      {"format", "macloom.train"},
      {"format_version", 1},
      {"name", recipe.name},
      {"seed", recipe.seed},
      {"rotation", recipe.rotation},
      {"network_digest", ir::Digest(result.network)},
      {"training_clips", dataset.train.size()},
      {"test_clips", result.labels.size()},
      {"float_correct", NumCorrect(result.float_predictions, result.labels)},
      {"twin_correct", NumCorrect(result.twin_predictions, result.labels)},
      {"correct", NumCorrect(result.predictions, result.labels)},
      {"golden_mismatches", mismatches},
      {"clips", dataset.test.names},
      {"labels", result.labels},
      {"twin_predictions", result.twin_predictions},
      {"predictions", result.predictions}};
  MACLOOM_ASSIGN_OR_RETURN(nlohmann::ordered_json detection, DetectionReport(dataset, result));
  if (!detection.is_null()) {
    PrintDetection(detection);
    json["detection"] = std::move(detection);
  }
  return WriteFileAtomically(folder / "result.json", json.dump(1) + "\n");
}

}  // namespace

Result<int> RunTraining(const RunOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const Recipe recipe, RecipeOf(options));
  MACLOOM_RETURN_IF_ERROR(CheckFolder(options));
  MACLOOM_ASSIGN_OR_RETURN(const Dataset dataset, LoadCorpus(recipe));
  MACLOOM_RETURN_IF_ERROR(MakeFolder(options.output));
  TrainOptions train_options;
  train_options.directory = options.output;
  train_options.float_from = options.float_from;
  train_options.is_resumed = options.is_resumed;
  MACLOOM_ASSIGN_OR_RETURN(const TrainResult result, Train(recipe, dataset, train_options));
  MACLOOM_ASSIGN_OR_RETURN(const int64_t mismatches, GoldenMismatches(result));
  MACLOOM_RETURN_IF_ERROR(WriteResults(options.output, recipe, dataset, result, mismatches));

  const auto total = static_cast<double>(result.labels.size());
  const auto line = [&](const char* what, const std::vector<int>& predictions) {
    const int64_t correct = NumCorrect(predictions, result.labels);
    fmt::print("{:<28}{} of {} ({:.2f} %)\n", what, correct, result.labels.size(),
               100.0 * static_cast<double>(correct) / total);
  };
  fmt::print("network {}, seed {}, {} training clips\n", recipe.name, recipe.seed,
             dataset.train.size());
  line("float", result.float_predictions);
  line("float, extra epochs", result.twin_predictions);
  line("fixed point", result.predictions);
  int bits = 0;
  for (const ir::Node& node : result.network.nodes) {
    bits = std::max(bits, node.required_accumulator_bits.value_or(0));
  }
  fmt::print("accumulator certificate     {} bits\n", bits);
  fmt::print("simulation = golden         {} of {} clips differ: {}\n", mismatches,
             result.labels.size(), mismatches == 0 ? "PASS" : "FAIL");
  fmt::print("written: {}/network.safetensors\n", options.output);
  return mismatches == 0 ? 0 : 1;
}

}  // namespace macloom::train
