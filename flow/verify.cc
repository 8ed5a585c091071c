#include "flow/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/interrupt.h"
#include "base/progress.h"
#include "golden/reference/executor.h"
#include "sim/descriptor_device.h"
#include "sim/scoreboard.h"
#include "sim/verilated_device.h"

namespace macloom::flow {
namespace {

/// Where the RTL first went wrong.
struct Deviation {
  size_t sample = 0;
  int64_t cycle = 0;
};

/// Cycle in which the last step of a node completed; 0 without time.
int64_t DoneCycle(const arch::Job& job, const sim::DeviceRun& run, int node) {
  int64_t cycle = 0;
  for (const sim::StepResult& step : run.steps) {
    if (job.steps[step.tag].node == node) cycle = step.done_cycle;
  }
  return cycle;
}

/// Adds one device's run of one sample to the result, and its first deviation to `deviation` unless
/// there is one already.
void CompareRun(const sim::Device& device, const sim::DeviceRun& run, const golden::Trace& trace,
                size_t sample, VerifyResult& result, std::optional<Deviation>& deviation) {
  const auto note = [&](const std::string& text) {
    if (result.first_mismatch.empty())
      result.first_mismatch = fmt::format("sample {}: {}", sample, text);
  };
  const arch::Job& job = result.job;
  std::map<int, sim::StepCounters> counts;
  for (const sim::StepResult& step : run.steps) counts[job.steps[step.tag].node] += step.counters;
  for (const sim::LayerComparison& layer : sim::Compare(job, trace.tensors, run, device)) {
    for (VerifyLayer& row : result.layers) {
      if (row.node != layer.node) continue;
      row.elements += layer.elements;
      row.mismatches += layer.mismatches;
    }
    if (layer.mismatches > 0) {
      note(layer.first);
      const int64_t cycle =
          layer.first_cycle >= 0 ? layer.first_cycle : DoneCycle(job, run, layer.node);
      if (!deviation) deviation = {sample, cycle};
    }
    if (counts.count(layer.node) == 0) continue;
    const golden::LayerEvents& want = trace.events[static_cast<size_t>(layer.node)];
    const sim::StepCounters& have = counts[layer.node];
    if (have.overflow_events != want.overflow_events || have.clamped_low != want.clamped_low ||
        have.clamped_high != want.clamped_high) {
      ++result.count_mismatches;
      if (!deviation) deviation = {sample, DoneCycle(job, run, layer.node)};
      note(
          fmt::format("layer `{}`: counts on device `{}`: overflow events {} (expected {}), "
                      "clamped low {} ({}), "
                      "clamped high {} ({})",
                      job.graph.nodes[static_cast<size_t>(layer.node)].name, device.name(),
                      have.overflow_events, want.overflow_events, have.clamped_low,
                      want.clamped_low, have.clamped_high, want.clamped_high));
    }
  }
}

/// The host part: the nodes after the device's output, from the device's own output tensor.
Status CompareHost(const sim::DeviceRun& run, const golden::Trace& trace, size_t sample,
                   VerifyResult& result) {
  const arch::Job& job = result.job;
  if (job.host_nodes.empty()) return {};
  ir::Graph host = job.graph;
  host.nodes.clear();
  for (const int node : job.host_nodes)
    host.nodes.push_back(job.graph.nodes[static_cast<size_t>(node)]);
  host.input = job.device_output;
  const ir::TensorValue& logits = run.tensors[static_cast<size_t>(job.device_output)];
  if (logits.codes.empty()) return {};
  MACLOOM_ASSIGN_OR_RETURN(const golden::Trace output, golden::Run(host, logits));
  const size_t id = static_cast<size_t>(job.graph.output);
  if (output.tensors[id] != trace.tensors[id]) {
    ++result.host_mismatches;
    if (result.first_mismatch.empty()) {
      result.first_mismatch = fmt::format("sample {}: output of the host part differs", sample);
    }
  }
  return {};
}

/// Total cycles by the cycle model, for the memory of the simulation.
Result<int64_t> PredictCycles(const arch::Job& job, const sim::MemoryTiming& timing) {
  arch::MemoryModel memory;
  memory.latency_cycles = timing.latency_cycles;
  if (!timing.random_stalls) {
    MACLOOM_ASSIGN_OR_RETURN(const arch::CycleEstimate estimate, arch::EstimateCycles(job, memory));
    return estimate.total.total_cycles;
  }
  memory.stall_probability = timing.stall_probability;
  memory.max_extra_latency_cycles = timing.max_extra_latency_cycles;
  constexpr int64_t kDraws = 8;
  int64_t sum = 0;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    memory.seed = static_cast<uint64_t>(draw) + 1;
    MACLOOM_ASSIGN_OR_RETURN(const arch::CycleEstimate estimate, arch::EstimateCycles(job, memory));
    sum += estimate.total.total_cycles;
  }
  return (sum + kDraws / 2) / kDraws;
}

/// Records the waves of one sample in the window around `cycle`.
Status RecordAround(const arch::Job& job, const Samples& samples, size_t sample, int64_t cycle,
                    const VerifyOptions& options, VerifyResult& result) {
  result.wave_window = {std::max<int64_t>(cycle - options.waves.cycles_before, 0),
                        cycle + options.waves.cycles_after, cycle};
  sim::VerilatedOptions model{options.timing, {options.rtl, options.waves.format}};
  MACLOOM_ASSIGN_OR_RETURN(
      result.waves,
      sim::RecordWaves(job.config, model, job, samples.inputs[sample], result.wave_window,
                       options.waves.directory, fmt::format("sample{}_cycle{}", sample, cycle)));
  return {};
}

void TakeCounters(const sim::DeviceRun& run, VerifyResult& result) {
  result.total = run.total;
  for (const sim::StepResult& step : run.steps) {
    const int node = result.job.steps[step.tag].node;
    if (node < 0) {
      result.transfers += step.counters;
      continue;
    }
    for (VerifyLayer& layer : result.layers) {
      if (layer.node == node) layer.counters += step.counters;
    }
  }
}

}  // namespace

int64_t VerifyResult::mismatches() const {
  int64_t sum = host_mismatches + count_mismatches;
  for (const VerifyLayer& layer : layers) sum += layer.mismatches;
  return sum;
}

int64_t VerifyResult::macs() const {
  int64_t sum = 0;
  for (const VerifyLayer& layer : layers) sum += layer.macs;
  return sum;
}

double VerifyResult::utilization_percent() const {
  if (total.total_cycles == 0) return 0;
  return 100.0 * static_cast<double>(macs()) /
         (static_cast<double>(job.config.rows * job.config.lanes) *
          static_cast<double>(total.total_cycles));
}

double VerifyResult::prediction_error_percent() const {
  if (total.total_cycles == 0) return 0;
  return 100.0 *
         (static_cast<double>(predicted_cycles) / static_cast<double>(total.total_cycles) - 1);
}

Result<VerifyResult> Verify(const ir::Graph& graph, const arch::HardwareConfig& config,
                            const Samples& samples, const VerifyOptions& options) {
  VerifyResult result;
  MACLOOM_ASSIGN_OR_RETURN(result.job, arch::Compile(graph, config, options.compile));
  const arch::Job& job = result.job;
  std::map<int, VerifyLayer> layers;
  for (const arch::JobStep& step : job.steps) {
    if (step.node < 0) continue;
    layers[step.node].node = step.node;
    layers[step.node].macs += step.useful_macs;
    layers[step.node].ideal_cycles += step.ideal_cycles;
  }
  for (const auto& [node, layer] : layers) result.layers.push_back(layer);

  std::vector<std::unique_ptr<sim::Device>> devices;
  devices.push_back(sim::MakeDescriptorDevice());
  if (!options.is_descriptor_only) {
    MACLOOM_ASSIGN_OR_RETURN(std::unique_ptr<sim::Device> rtl,
                             sim::MakeVerilatedDevice(config, {options.timing, {options.rtl}}));
    MACLOOM_ASSIGN_OR_RETURN(result.predicted_cycles, PredictCycles(job, options.timing));
    devices.push_back(std::move(rtl));
  }
  const bool has_waves = !options.waves.directory.empty() && !options.is_descriptor_only;
  std::optional<Deviation> deviation;
  golden::RunOptions golden_options;
  golden_options.accumulation = job.accumulation;
  ProgressLine progress("verify " + graph.name, static_cast<int64_t>(samples.inputs.size()));
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace,
                             golden::Run(graph, samples.inputs[n], golden_options));
    for (const std::unique_ptr<sim::Device>& device : devices) {
      Result<sim::DeviceRun> attempt = device->Run(job, samples.inputs[n]);
      if (!attempt.ok() && attempt.error().kind == ErrorKind::kCheckFailed && has_waves &&
          device->EndCycle() >= 0) {
        MACLOOM_RETURN_IF_ERROR(RecordAround(job, samples, n, device->EndCycle(), options, result));
        return Error{ErrorKind::kCheckFailed, fmt::format("{}; waves: {}", attempt.error().message,
                                                          result.waves->save_file.string())};
      }
      MACLOOM_ASSIGN_OR_RETURN(const sim::DeviceRun run, std::move(attempt));
      std::optional<Deviation> without_time;
      const bool is_rtl = device->EndCycle() >= 0;
      CompareRun(*device, run, trace, n, result, is_rtl ? deviation : without_time);
      MACLOOM_RETURN_IF_ERROR(CompareHost(run, trace, n, result));
      if (n == 0 && device == devices.back()) TakeCounters(run, result);
    }
    ++result.num_samples;
    progress.Update(static_cast<int64_t>(n + 1));
  }
  if (has_waves && deviation.has_value()) {
    MACLOOM_RETURN_IF_ERROR(
        RecordAround(job, samples, deviation->sample, deviation->cycle, options, result));
  } else if (has_waves && options.waves.is_always) {
    VerifyOptions whole = options;
    whole.waves.cycles_after = result.total.total_cycles;
    MACLOOM_RETURN_IF_ERROR(RecordAround(job, samples, 0, 0, whole, result));
  }
  return result;
}

}  // namespace macloom::flow
