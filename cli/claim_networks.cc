#include "cli/claim_networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "flow/estimate.h"
#include "flow/memory_accesses.h"
#include "flow/operand_trace.h"
#include "ir/accumulation.h"
#include "quantize/dequantize.h"
#include "quantize/evaluate.h"
#include "quantize/minifloat_post_training.h"

namespace macloom::cli {
namespace {

constexpr int kCalibrationSamples = 64;
constexpr int kRandomSamples = 16;
/// Operands repeat soon enough.
constexpr size_t kOperandSamples = 8;

/// The unit's accumulator, to which scales leave room.
Result<ir::Accumulation> RoomOf(const cost::MacSpec& spec) {
  if (spec.accumulator == cost::MacAccumulator::kFp16) return ir::ParseAccumulation("fp16");
  if (spec.accumulator == cost::MacAccumulator::kFp32) return ir::ParseAccumulation("fp32");
  if (spec.drop_bits == 0) return ir::Accumulation::Exact();
  return ir::ParseAccumulation(
      fmt::format("fixed{},drop{}", spec.accumulator_bits, spec.drop_bits));
}

}  // namespace

Result<ClaimNetworks> ClaimNetworks::Create(const std::string& model, const std::string& calibrate,
                                            uint64_t seed) {
  ClaimNetworks networks;
  MACLOOM_ASSIGN_OR_RETURN(networks.source_, LoadSource(model, ir::Rounding::kDouble));
  if (!calibrate.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(networks.samples_, LoadSamples(calibrate, networks.source_));
  } else if (!networks.source_.graph) {
    return InvalidInput(model + ": a float network needs samples (--calibrate)");
  } else {
    const ir::Graph& graph = *networks.source_.graph;
    networks.is_random_ = true;
    networks.samples_.names = flow::RandomInputs(graph, kRandomSamples, seed);
    for (const ir::TensorValue& codes : networks.samples_.names.inputs) {
      networks.samples_.values.push_back(quantize::Values(graph.tensor(graph.input), codes));
    }
  }
  networks.calibration_ = Spread(networks.samples_.values, kCalibrationSamples);
  return networks;
}

Result<quantize::QuantizedNetwork> ClaimNetworks::Make(const cost::MacSpec& spec,
                                                       ClaimScales scales,
                                                       bool is_per_channel) const {
  quantize::RangeOptions ranges;
  ranges.method = quantize::RangeMethod::kMse;
  if (spec.is_minifloat) {
    quantize::MinifloatOptions options;
    MACLOOM_ASSIGN_OR_RETURN(options.weight_format, ir::ParseMinifloat(spec.format));
    options.activation_format = options.output_format = options.weight_format;
    options.is_per_channel = is_per_channel;
    options.weight_ranges = options.activation_ranges = ranges;
    options.are_means_shifts = true;
    MACLOOM_ASSIGN_OR_RETURN(options.accumulation, RoomOf(spec));
    return quantize::QuantizeToMinifloats(source_.float_graph, calibration_, options);
  }
  quantize::PostTrainingOptions options;
  options.scales =
      scales == ClaimScales::kAffine ? quantize::Scales::kAffine : quantize::Scales::kPowerOfTwo;
  // The accelerator's output has as many bits as its activations.
  options.activation_bits = options.input_bits = options.output_bits = spec.activation_bits;
  options.weight_bits = spec.weight_bits;
  options.is_per_channel = is_per_channel;
  options.weight_ranges = options.activation_ranges = ranges;
  return quantize::QuantizePostTraining(source_.float_graph, calibration_, options);
}

Status ClaimNetworks::Prepare(const std::vector<std::string>& formats) {
  for (const std::string& format : formats) {
    MACLOOM_ASSIGN_OR_RETURN(const cost::MacSpec spec, cost::ParseMacSpec(format));
    MACLOOM_ASSIGN_OR_RETURN(networks_[spec.Text()], Make(spec, ClaimScales::kAffine, true));
  }
  MACLOOM_ASSIGN_OR_RETURN(const cost::MacSpec int8, cost::ParseMacSpec(cost::kClaimBaselines[0]));
  MACLOOM_ASSIGN_OR_RETURN(shift_network_, Make(int8, ClaimScales::kShift, true));
  return {};
}

Result<cost::OperandTrace> ClaimNetworks::Operands(const cost::MacSpec& spec, int cycles,
                                                   uint64_t seed) const {
  const ir::Graph& graph = networks_.at(spec.Text()).graph;
  const ir::TensorInfo& info = graph.tensor(graph.input);
  std::vector<ir::TensorValue> inputs;
  for (size_t i = 0; i < std::min(kOperandSamples, samples_.values.size()); ++i) {
    inputs.push_back(quantize::Codes(info, samples_.values[i]));
  }
  return flow::NetworkOperands(graph, inputs, spec, cycles, seed);
}

Result<cost::ClaimRun> ClaimNetworks::Run(const cost::MacSpec& spec,
                                          const arch::HardwareConfig& config) const {
  const bool is_shift = config.requant_kind == arch::RequantKind::kShift && !spec.is_minifloat;
  const ir::Graph& graph = is_shift ? shift_network_.graph : networks_.at(spec.Text()).graph;
  MACLOOM_ASSIGN_OR_RETURN(const flow::Estimate estimate,
                           flow::EstimateNetwork(graph, config, {}, {}));
  cost::ClaimRun run;
  run.cycles = estimate.total.counts.total_cycles;
  run.busy_cycles = estimate.total.counts.busy_cycles;
  run.utilization = static_cast<double>(estimate.total.macs) /
                    static_cast<double>(config.rows * config.lanes * run.cycles);
  run.memory_pj = flow::MemoryEnergyPj(flow::CountMemoryAccesses(estimate.job), config);
  return run;
}

Result<cost::ClaimAccuracy> ClaimNetworks::Accuracy(const std::string& name,
                                                    const cost::MacSpec& spec,
                                                    const arch::HardwareConfig& config,
                                                    bool is_per_channel,
                                                    const std::string& labels) const {
  const bool is_shift = config.requant_kind == arch::RequantKind::kShift && !spec.is_minifloat;
  MACLOOM_ASSIGN_OR_RETURN(
      const quantize::QuantizedNetwork network,
      Make(spec, is_shift ? ClaimScales::kShift : ClaimScales::kAffine, is_per_channel));
  MACLOOM_ASSIGN_OR_RETURN(const arch::Job job, arch::Compile(network.graph, config));
  MACLOOM_ASSIGN_OR_RETURN(const quantize::Evaluation evaluation,
                           quantize::Evaluate(network, samples_.values, job.accumulation));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> classes,
                           flow::LoadLabels(labels, samples_.names, network.graph.class_labels));
  cost::ClaimAccuracy accuracy;
  accuracy.name = name;
  accuracy.weights = is_per_channel ? "channel" : "tensor";
  accuracy.samples = static_cast<int>(classes.size());
  accuracy.correct = NumEqual(evaluation.predictions, classes);
  accuracy.float_correct = NumEqual(evaluation.float_predictions, classes);
  accuracy.same_class_as_float = NumEqual(evaluation.predictions, evaluation.float_predictions);
  accuracy.output_sqnr_db = evaluation.sqnr_db.back();
  for (const golden::LayerEvents& events : evaluation.events) {
    accuracy.overflow_events += events.overflow_events;
  }
  return accuracy;
}

}  // namespace macloom::cli
