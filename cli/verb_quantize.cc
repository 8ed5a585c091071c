#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "arch/job.h"
#include "cli/common.h"
#include "cli/quantize_samples.h"
#include "flow/samples.h"
#include "ir/float_network_file.h"
#include "ir/network_file.h"
#include "quantize/evaluate.h"
#include "quantize/minifloat_post_training.h"
#include "quantize/post_training.h"

namespace macloom::cli {
namespace {

struct QuantizeOptions {
  std::string model, output, calibrate, evaluate, labels, save_inputs, save_float, json;
  std::string scales = "power-of-two", ranges = "min-max", weight_ranges;
  std::string format = "int", activation_format, output_format = "e5m10";
  std::string accumulator = "exact", preset;
  std::vector<CLI::Option*> integer_only, minifloat_only;
  bool is_for_accelerator = false;
  quantize::PostTrainingOptions quantization;
  int input_bits = 0;
  int calibration_samples = 64;
  double percentile = 99.9;
  RoundingOption rounding;
};

Result<quantize::RangeMethod> RangeMethodOf(const std::string& text) {
  if (text == "min-max") return quantize::RangeMethod::kMinMax;
  if (text == "mse") return quantize::RangeMethod::kMse;
  return quantize::RangeMethod::kPercentile;
}

/// One contract per node for --evaluate: the accumulator asked for, in the orders of the preset.
///
/// The preset compiles an int8 network of the same nodes, because no compiler takes minifloats.
Result<std::vector<ir::Accumulation>> ContractsOf(
    const QuantizeOptions& options, const Source& source, const quantize::QuantizedNetwork& network,
    const std::vector<quantize::FloatValues>& calibration) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Accumulation accumulation,
                           ir::ParseAccumulation(options.accumulator));
  std::vector<ir::Accumulation> contracts(network.graph.nodes.size(), accumulation);
  if (options.preset.empty()) return contracts;
  quantize::PostTrainingOptions twin_options;
  twin_options.scales = quantize::Scales::kAffine;
  MACLOOM_ASSIGN_OR_RETURN(
      const quantize::QuantizedNetwork twin,
      quantize::QuantizePostTraining(source.float_graph, calibration, twin_options));
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, arch::Preset(options.preset));
  MACLOOM_ASSIGN_OR_RETURN(const arch::Job job, arch::Compile(twin.graph, config));
  if (job.accumulation.size() != contracts.size()) {
    return Unsupported(
        fmt::format("--preset {}: the network has other nodes with affine scales", options.preset));
  }
  for (size_t n = 0; n < contracts.size(); ++n) {
    contracts[n].order = job.accumulation[n].order;
    contracts[n].products_per_step = job.accumulation[n].products_per_step;
  }
  return contracts;
}

Status Report(const QuantizeOptions& options, const Source& source,
              const std::vector<quantize::FloatValues>& calibration,
              const quantize::QuantizedNetwork& network, nlohmann::ordered_json& json) {
  if (options.evaluate.empty()) return {};
  MACLOOM_ASSIGN_OR_RETURN(const Samples samples, LoadSamples(options.evaluate, source));
  std::vector<int> labels;
  if (!options.labels.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(
        labels, flow::LoadLabels(options.labels, samples.names, source.float_graph.class_labels));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<ir::Accumulation> contracts,
                           ContractsOf(options, source, network, calibration));
  MACLOOM_ASSIGN_OR_RETURN(const quantize::Evaluation evaluation,
                           quantize::Evaluate(network, samples.values, contracts));
  std::vector<std::vector<std::string>> rows = {
      {"layer", "kind", "format", "SQNR dB", "overflows", "changed sums"}};
  for (size_t n = 0; n < network.graph.nodes.size(); ++n) {
    const ir::Node& node = network.graph.nodes[n];
    const double sqnr = evaluation.sqnr_db[n];
    rows.push_back(
        {node.name, ir::ToString(node.kind), ir::ToString(network.graph.tensor(node.output).format),
         fmt::format("{:.1f}", sqnr), std::to_string(evaluation.events[n].overflow_events),
         std::to_string(evaluation.events[n].wrong_outputs)});
    json["layers"].push_back({{"name", node.name},
                              {"kind", ir::ToString(node.kind)},
                              {"overflow_events", evaluation.events[n].overflow_events},
                              {"wrong_outputs", evaluation.events[n].wrong_outputs}});
    if (std::isfinite(sqnr)) json["layers"].back()["sqnr_db"] = sqnr;
  }
  fmt::print("\n");
  PrintTable(rows, 3);
  const ir::Accumulation& accumulation = contracts.front();
  if (!accumulation.IsExact()) {
    fmt::print("\naccumulators: {}{}\n", options.accumulator,
               options.preset.empty() ? "" : ", order of " + options.preset);
  }
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

Status CheckUses(const QuantizeOptions& options) {
  const bool is_integer = options.format == "int";
  for (const CLI::Option* option : is_integer ? options.minifloat_only : options.integer_only) {
    if (option->count() == 0) continue;
    return InvalidInput(
        fmt::format("{}: not accepted with --format {}; accepted there are {}", option->get_name(),
                    options.format,
                    is_integer ? "--weights, --activations, --scales and other options of integers"
                               : "--activation-format, --output-format, --accelerator, "
                                 "--per-channel, --ranges, --equalize"));
  }
  return {};
}

/// A quantized network, what the first line says of it, and its JSON.
struct Made {
  quantize::QuantizedNetwork network;
  std::string title;
  nlohmann::ordered_json json;
};

Result<Made> MakeIntegers(const QuantizeOptions& options, const Source& source,
                          const std::vector<quantize::FloatValues>& calibration) {
  const quantize::PostTrainingOptions& quantization = options.quantization;
  Made made;
  MACLOOM_ASSIGN_OR_RETURN(
      made.network, quantize::QuantizePostTraining(source.float_graph, calibration, quantization));
  made.title = fmt::format("W{}A{}, input {} bits, output {} bits, {} scales",
                           quantization.weight_bits, quantization.activation_bits,
                           quantization.input_bits, quantization.output_bits, options.scales);
  made.json = {{"weight_bits", quantization.weight_bits},
               {"activation_bits", quantization.activation_bits},
               {"input_bits", quantization.input_bits},
               {"output_bits", quantization.output_bits},
               {"scales", options.scales}};
  return made;
}

Result<Made> MakeMinifloats(const QuantizeOptions& options, const Source& source,
                            const std::vector<quantize::FloatValues>& calibration) {
  quantize::MinifloatOptions minifloats;
  MACLOOM_ASSIGN_OR_RETURN(minifloats.weight_format, ir::ParseMinifloat(options.format));
  const std::string& activations =
      options.activation_format.empty() ? options.format : options.activation_format;
  MACLOOM_ASSIGN_OR_RETURN(minifloats.activation_format, ir::ParseMinifloat(activations));
  MACLOOM_ASSIGN_OR_RETURN(
      minifloats.output_format,
      ir::ParseMinifloat(options.is_for_accelerator ? options.format : options.output_format));
  minifloats.are_means_shifts = options.is_for_accelerator;
  MACLOOM_ASSIGN_OR_RETURN(minifloats.accumulation, ir::ParseAccumulation(options.accumulator));
  minifloats.is_per_channel = options.quantization.is_per_channel;
  minifloats.weight_ranges = options.quantization.weight_ranges;
  minifloats.activation_ranges = options.quantization.activation_ranges;
  minifloats.equalize = options.quantization.equalize;
  Made made;
  MACLOOM_ASSIGN_OR_RETURN(
      made.network, quantize::QuantizeToMinifloats(source.float_graph, calibration, minifloats));
  const std::string weight = ir::ToString(minifloats.weight_format);
  const std::string activation = ir::ToString(minifloats.activation_format);
  const std::string output = ir::ToString(minifloats.output_format);
  made.title = fmt::format("{} weights, {} activations, {} output, power-of-two scales", weight,
                           activation, output);
  made.json = {
      {"weight_format", weight}, {"activation_format", activation}, {"output_format", output}};
  return made;
}

Result<int> RunQuantize(QuantizeOptions options) {
  MACLOOM_RETURN_IF_ERROR(CheckUses(options));
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
  MACLOOM_ASSIGN_OR_RETURN(const Source source,
                           LoadSource(options.model, options.rounding.value()));
  MACLOOM_ASSIGN_OR_RETURN(const Samples samples, LoadSamples(options.calibrate, source));
  const auto calibration = Spread(samples.values, options.calibration_samples);
  MACLOOM_ASSIGN_OR_RETURN(Made made, options.format == "int"
                                          ? MakeIntegers(options, source, calibration)
                                          : MakeMinifloats(options, source, calibration));
  const quantize::QuantizedNetwork& network = made.network;
  fmt::print("{}: {}, weights per {}\n", NetworkTitle(network.graph), made.title,
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
                                 {"network_digest", ir::Digest(network.graph)}};
  json.update(made.json);
  json.update({{"is_per_channel", quantization.is_per_channel},
               {"ranges", options.ranges},
               {"accumulator_bits", bits},
               {"accumulator", options.accumulator},
               {"notes", network.notes}});
  MACLOOM_RETURN_IF_ERROR(Report(options, source, calibration, network, json));
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
  auto options = std::make_shared<QuantizeOptions>();
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
  options->integer_only.push_back(
      verb->add_option("--weights", quantization.weight_bits, "bits of weights")
          ->check(widths)
          ->capture_default_str());
  options->integer_only.push_back(
      verb->add_option("--activations", quantization.activation_bits, "bits of activations")
          ->check(widths)
          ->capture_default_str());
  options->integer_only.push_back(
      verb->add_option("--input", options->input_bits, "bits of the input (default: --activations)")
          ->check(widths));
  options->integer_only.push_back(
      verb->add_option("--output-bits", quantization.output_bits, "bits of the network's output")
          ->check(widths)
          ->capture_default_str());
  options->integer_only.push_back(
      verb->add_option("--scales", options->scales, "shifts alone, or multipliers and zero points")
          ->check(CLI::IsMember({"power-of-two", "affine"}))
          ->capture_default_str());
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
  options->integer_only.push_back(
      verb->add_flag("--correct-bias", quantization.correct_bias,
                     "take the mean error of each channel out of the biases"));
  options->integer_only.push_back(
      verb->add_option("--accumulator-bits", quantization.accumulator_bits,
                       "coarser weights where an accumulator could overflow this width")
          ->check(CLI::Range(8, 32)));
  verb->add_option("--format", options->format,
                   "weights and activations: int, or the weights' minifloat (e4m3, e5m2, e3m4 ...)")
      ->capture_default_str();
  options->minifloat_only.push_back(
      verb->add_option("--activation-format", options->activation_format,
                       "minifloat of input and activations (default: --format)"));
  options->minifloat_only.push_back(verb->add_option("--output-format", options->output_format,
                                                     "minifloat of the network's output")
                                        ->capture_default_str());
  options->minifloat_only.push_back(
      verb->add_flag("--accelerator", options->is_for_accelerator,
                     "as the accelerator runs minifloats: means as sums and powers of two, the "
                     "output in --format")
          ->excludes("--activation-format")
          ->excludes("--output-format"));
  auto* evaluate = verb->add_option("--evaluate", options->evaluate,
                                    "inputs to compare both networks on: SQNR per layer, classes");
  verb->add_option("--accumulator", options->accumulator,
                   "every layer's contract in --evaluate, e.g. fp16,step16 (as run); minifloat "
                   "scales leave its register room")
      ->capture_default_str();
  verb->add_option("--preset", options->preset,
                   "order and products per step of this preset in --evaluate")
      ->needs(evaluate);
  verb->add_option(
          "--labels", options->labels,
          "of --evaluate: .npy of class indices, or .csv with label (index or class name) and file")
      ->needs(evaluate);
  verb->add_option("--save-inputs", options->save_inputs,
                   "write the inputs of --evaluate as codes of the new network (.npy)")
      ->needs(evaluate);
  verb->add_option("--save-float", options->save_float,
                   "write the float network that was quantized");
  verb->add_option("--json", options->json, "write the result as JSON");
  options->rounding.AddTo(*verb);
  return {verb, [options] { return RunQuantize(*options); }};
}

}  // namespace macloom::cli
