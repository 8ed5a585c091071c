#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/npy.h"
#include "cli/common.h"
#include "flow/model.h"
#include "flow/samples.h"
#include "ir/float_network_file.h"
#include "ir/network_file.h"
#include "quantize/dequantize.h"
#include "quantize/evaluate.h"
#include "quantize/post_training.h"

namespace macloom::cli {
namespace {

struct Options {
  std::string model, output, calibrate, evaluate, labels, save_inputs, save_float, json;
  std::string scales = "power-of-two", ranges = "min-max", weight_ranges, format = "int";
  quantize::PostTrainingOptions quantization;
  int input_bits = 0;
  int calibration_samples = 64;
  double percentile = 99.9;
  RoundingOption rounding;
};

/// What is quantized: a float network, or the values of an integer one.
struct Source {
  ir::FloatGraph float_graph;
  std::optional<ir::Graph> graph;
};

Result<Source> LoadSource(const Options& options) {
  const std::filesystem::path path(options.model);
  if (path.extension() == ".safetensors") {
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
    if (ir::LooksLikeFloatNetwork(bytes)) {
      MACLOOM_ASSIGN_OR_RETURN(ir::FloatGraph graph, ir::LoadFloatNetwork(path));
      return Source{std::move(graph), std::nullopt};
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(ir::Graph graph,
                           flow::LoadModel(options.model, options.rounding.value()));
  MACLOOM_ASSIGN_OR_RETURN(ir::FloatGraph float_graph, quantize::Dequantize(graph));
  return Source{std::move(float_graph), std::move(graph)};
}

struct Samples {
  std::vector<quantize::FloatValues> values;
  flow::Samples names;  ///< For labels: as many inputs as values, and their file names.
};

Result<Samples> FromFloatArray(const std::filesystem::path& path, const NpyArray& array,
                               const ir::FloatTensorInfo& info) {
  const auto squeeze = [](std::vector<int64_t> shape) {
    std::erase(shape, 1);
    return shape;
  };
  const bool has_axis = !array.shape.empty() && array.shape[0] > 0;
  const std::vector<int64_t> rest(array.shape.begin() + (has_axis ? 1 : 0), array.shape.end());
  if (!has_axis || squeeze(rest) != squeeze(info.shape)) {
    return InvalidInput(fmt::format("{}: shape {}; expected N x {} (N samples of input `{}`)",
                                    path.string(), ir::ToString(array.shape),
                                    ir::ToString(info.shape), info.name));
  }
  Samples samples;
  const auto size = static_cast<size_t>(ir::NumElements(info.shape));
  const auto count = static_cast<size_t>(array.shape[0]);
  samples.values.resize(count, quantize::FloatValues(size));
  samples.names.inputs.resize(count);
  for (size_t i = 0; i < count * size; ++i) {
    float& value = samples.values[i / size][i % size];
    if (array.dtype == "<f4") {
      std::memcpy(&value, array.bytes.data() + i * sizeof(float), sizeof value);
    } else {
      double wide = 0;
      std::memcpy(&wide, array.bytes.data() + i * sizeof wide, sizeof wide);
      value = static_cast<float>(wide);
    }
  }
  return samples;
}

/// Values: a .npy array of floats, or codes of the integer network that is quantized.
Result<Samples> LoadSamples(const std::filesystem::path& path, const Source& source) {
  const ir::FloatTensorInfo& info = source.float_graph.tensor(source.float_graph.input);
  if (path.extension() == ".npy") {
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(path));
    if (array.dtype == "<f4" || array.dtype == "<f8") return FromFloatArray(path, array, info);
  }
  if (!source.graph) {
    return InvalidInput(fmt::format(
        "{}: inputs of a float network are values; accepted is a .npy array of float32 or float64",
        path.string()));
  }
  Samples samples;
  MACLOOM_ASSIGN_OR_RETURN(samples.names, flow::LoadInputs(path, *source.graph));
  for (const ir::TensorValue& codes : samples.names.inputs) {
    samples.values.push_back(quantize::Values(source.graph->tensor(source.graph->input), codes));
  }
  return samples;
}

/// `count` of the samples, evenly spread.
std::vector<quantize::FloatValues> Spread(const std::vector<quantize::FloatValues>& values,
                                          int count) {
  const size_t wanted = std::min(values.size(), static_cast<size_t>(count));
  std::vector<quantize::FloatValues> chosen;
  for (size_t k = 0; k < wanted; ++k) chosen.push_back(values[k * values.size() / wanted]);
  return chosen;
}

Result<quantize::RangeMethod> RangeMethodOf(const std::string& text) {
  if (text == "min-max") return quantize::RangeMethod::kMinMax;
  if (text == "mse") return quantize::RangeMethod::kMse;
  return quantize::RangeMethod::kPercentile;
}

Status SaveInputs(const std::string& path, const ir::Graph& graph,
                  const std::vector<quantize::FloatValues>& values) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  std::vector<int64_t> shape = info.shape;
  shape.insert(shape.begin(), static_cast<int64_t>(values.size()));
  std::vector<int8_t> codes;
  for (const quantize::FloatValues& sample : values) {
    for (const int32_t code : quantize::Codes(info, sample).codes) {
      codes.push_back(static_cast<int8_t>(code));
    }
  }
  return WriteNpy(path, FromInt8(shape, codes));
}

int NumEqual(const std::vector<int>& a, const std::vector<int>& b) {
  int count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

Status Report(const Options& options, const Source& source,
              const quantize::QuantizedNetwork& network, nlohmann::ordered_json& json) {
  if (options.evaluate.empty()) return {};
  MACLOOM_ASSIGN_OR_RETURN(const Samples samples, LoadSamples(options.evaluate, source));
  std::vector<int> labels;
  if (!options.labels.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(labels, flow::LoadLabels(options.labels, samples.names));
  }
  MACLOOM_ASSIGN_OR_RETURN(const quantize::Evaluation evaluation,
                           quantize::Evaluate(network, samples.values));
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "format", "SQNR dB"}};
  for (size_t n = 0; n < network.graph.nodes.size(); ++n) {
    const ir::Node& node = network.graph.nodes[n];
    const double sqnr = evaluation.sqnr_db[n];
    rows.push_back({node.name, ir::ToString(node.kind),
                    ir::ToString(network.graph.tensor(node.output).format),
                    fmt::format("{:.1f}", sqnr)});
    json["layers"].push_back({{"name", node.name}, {"kind", ir::ToString(node.kind)}});
    if (std::isfinite(sqnr)) json["layers"].back()["sqnr_db"] = sqnr;
  }
  fmt::print("\n");
  PrintTable(rows, 3);
  const size_t total = samples.values.size();
  const int same = NumEqual(evaluation.float_predictions, evaluation.predictions);
  fmt::print("\nthe float network's class in {} of {} samples\n", same, total);
  json["samples"] = total;
  json["same_class_as_float"] = same;
  if (!labels.empty()) {
    const auto percent = [&](int correct) { return 100.0 * correct / static_cast<double>(total); };
    const int exact = NumEqual(evaluation.float_predictions, labels);
    const int correct = NumEqual(evaluation.predictions, labels);
    fmt::print("accuracy: float {} of {} ({:.2f} %), quantized {} of {} ({:.2f} %)\n", exact, total,
               percent(exact), correct, total, percent(correct));
    json["float_correct"] = exact;
    json["correct"] = correct;
  }
  if (options.save_inputs.empty()) return {};
  return SaveInputs(options.save_inputs, network.graph, samples.values);
}

Result<int> Run(Options options) {
  if (options.format != "int") {
    return Unsupported(fmt::format("--format {}: not supported; supported is int", options.format));
  }
  quantize::PostTrainingOptions& quantization = options.quantization;
  quantization.scales =
      options.scales == "affine" ? quantize::Scales::kAffine : quantize::Scales::kPowerOfTwo;
  MACLOOM_ASSIGN_OR_RETURN(quantization.activation_ranges.method, RangeMethodOf(options.ranges));
  MACLOOM_ASSIGN_OR_RETURN(
      quantization.weight_ranges.method,
      RangeMethodOf(options.weight_ranges.empty() ? options.ranges : options.weight_ranges));
  quantization.activation_ranges.percentile = options.percentile;
  quantization.weight_ranges.percentile = options.percentile;
  quantization.input_bits =
      options.input_bits > 0 ? options.input_bits : quantization.activation_bits;
  MACLOOM_ASSIGN_OR_RETURN(const Source source, LoadSource(options));
  MACLOOM_ASSIGN_OR_RETURN(const Samples calibration, LoadSamples(options.calibrate, source));
  MACLOOM_ASSIGN_OR_RETURN(
      const quantize::QuantizedNetwork network,
      quantize::QuantizePostTraining(source.float_graph,
                                     Spread(calibration.values, options.calibration_samples),
                                     quantization));
  fmt::print("{}: W{}A{}, input {} bits, output {} bits, {} scales, weights per {}\n",
             NetworkTitle(network.graph), quantization.weight_bits, quantization.activation_bits,
             quantization.input_bits, quantization.output_bits, options.scales,
             quantization.is_per_channel ? "channel" : "tensor");
  for (const std::string& note : network.notes) fmt::print("{}\n", note);
  int bits = 0;
  for (const ir::Node& node : network.graph.nodes) {
    bits = std::max(bits, ir::RequiredAccumulatorBits(network.graph, node));
  }
  fmt::print("accumulator of {} bits never overflows\n", bits);
  nlohmann::ordered_json json = {{"format", "macloom.quantize"},
                                 {"format_version", 1},
                                 {"network", network.graph.name},
                                 {"network_digest", ir::Digest(network.graph)},
                                 {"weight_bits", quantization.weight_bits},
                                 {"activation_bits", quantization.activation_bits},
                                 {"input_bits", quantization.input_bits},
                                 {"output_bits", quantization.output_bits},
                                 {"scales", options.scales},
                                 {"is_per_channel", quantization.is_per_channel},
                                 {"ranges", options.ranges},
                                 {"accumulator_bits", bits},
                                 {"notes", network.notes}};
  MACLOOM_RETURN_IF_ERROR(Report(options, source, network, json));
  if (!options.output.empty()) {
    MACLOOM_RETURN_IF_ERROR(ir::SaveNetwork(network.graph, options.output));
    fmt::print("written to {}\n", options.output);
  }
  if (!options.save_float.empty()) {
    MACLOOM_RETURN_IF_ERROR(ir::SaveFloatNetwork(source.float_graph, options.save_float));
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return 0;
}

}  // namespace

Verb AddQuantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  quantize::PostTrainingOptions& quantization = options->quantization;
  const CLI::Range widths(2, 8);
  const auto methods = CLI::IsMember({"min-max", "mse", "percentile"});
  CLI::App* verb = app.add_subcommand(
      "quantize", "post-training quantization of a float network, or of an integer one anew");
  verb->add_option("MODEL", options->model,
                   "float network (.safetensors), or any integer network: its values")
      ->required();
  verb->add_option("-o,--output", options->output, "network file to write (.safetensors)");
  verb->add_option("--calibrate", options->calibrate,
                   "sample inputs: .npy of floats, or codes of the integer network")
      ->required();
  verb->add_option("--calibration-samples", options->calibration_samples,
                   "at most this many of them, evenly spread")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--weights", quantization.weight_bits, "bits of weights")
      ->check(widths)
      ->capture_default_str();
  verb->add_option("--activations", quantization.activation_bits, "bits of activations")
      ->check(widths)
      ->capture_default_str();
  verb->add_option("--input", options->input_bits, "bits of the input (default: --activations)")
      ->check(widths);
  verb->add_option("--output-bits", quantization.output_bits, "bits of the network's output")
      ->check(widths)
      ->capture_default_str();
  verb->add_option("--scales", options->scales, "shifts alone, or multipliers and zero points")
      ->check(CLI::IsMember({"power-of-two", "affine"}))
      ->capture_default_str();
  verb->add_flag("--per-channel", quantization.is_per_channel,
                 "one weight scale per output channel");
  verb->add_option("--ranges", options->ranges, "how scales are chosen")
      ->check(methods)
      ->capture_default_str();
  verb->add_option("--weight-ranges", options->weight_ranges,
                   "the same for weights (default: --ranges)")
      ->check(methods);
  verb->add_option("--percentile", options->percentile, "of --ranges percentile")
      ->capture_default_str();
  verb->add_flag("--equalize", quantization.equalize, "cross-layer equalization first");
  verb->add_flag("--correct-bias", quantization.correct_bias,
                 "take the mean error of each channel out of the biases");
  verb->add_option("--accumulator-bits", quantization.accumulator_bits,
                   "coarser weights where an accumulator could overflow this width")
      ->check(CLI::Range(8, 32));
  verb->add_option("--format", options->format, "number family of weights and activations: int")
      ->capture_default_str();
  auto* evaluate = verb->add_option("--evaluate", options->evaluate,
                                    "inputs to compare both networks on: SQNR per layer, classes");
  verb->add_option("--labels", options->labels,
                   "of --evaluate: .npy of class indices, or .csv with label_index and file")
      ->needs(evaluate);
  verb->add_option("--save-inputs", options->save_inputs,
                   "write the inputs of --evaluate as codes of the new network (.npy)")
      ->needs(evaluate);
  verb->add_option("--save-float", options->save_float,
                   "write the float network that was quantized");
  verb->add_option("--json", options->json, "write the result as JSON");
  options->rounding.AddTo(*verb);
  return {verb, [options] { return Run(*options); }};
}

}  // namespace macloom::cli
