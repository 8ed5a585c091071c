#include "flow/replay.h"

#include <fmt/format.h>

#include <memory>

#include "base/interrupt.h"
#include "base/progress.h"
#include "golden/reference/executor.h"
#include "sim/descriptor_device.h"
#include "sim/scoreboard.h"
#include "sim/verilated_device.h"

namespace macloom::flow {

Result<arch::JobSamples> MakeJobSamples(const arch::Job& job, const Samples& samples) {
  arch::JobSamples result;
  result.inputs = samples.inputs;
  golden::RunOptions options;
  options.accumulation = job.accumulation;
  for (const ir::TensorValue& input : samples.inputs) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(golden::Trace trace, golden::Run(job.graph, input, options));
    result.expected.push_back(std::move(trace.tensors));
  }
  return result;
}

int64_t ReplayResult::mismatches() const {
  int64_t sum = 0;
  for (const ReplayLayer& layer : layers) sum += layer.mismatches;
  return sum;
}

Result<ReplayResult> Replay(const std::filesystem::path& directory, const ReplayOptions& options) {
  ReplayResult result;
  MACLOOM_ASSIGN_OR_RETURN(result.job, arch::LoadJob(directory));
  const arch::Job& job = result.job;
  MACLOOM_ASSIGN_OR_RETURN(const arch::JobSamples samples, arch::LoadJobSamples(job, directory));
  if (samples.inputs.empty()) {
    return InvalidInput(fmt::format(
        "{}: the job has no inputs.npy; write it with compile --random N or --inputs FILE",
        directory.string()));
  }
  result.is_checked = !samples.expected.empty();
  std::unique_ptr<sim::Device> device = sim::MakeDescriptorDevice();
  if (options.is_rtl) {
    if (options.make_rtl) {
      MACLOOM_ASSIGN_OR_RETURN(device, options.make_rtl(job.config, options.timing));
    } else {
      MACLOOM_ASSIGN_OR_RETURN(device, sim::MakeVerilatedDevice(job.config, {options.timing}));
    }
  }
  ProgressLine progress("replay " + job.graph.name, static_cast<int64_t>(samples.inputs.size()));
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const sim::DeviceRun run, device->Run(job, samples.inputs[n]));
    if (n == 0) result.total = run.total;
    result.outputs.push_back(run.tensors[static_cast<size_t>(job.device_output)]);
    ++result.num_samples;
    progress.Update(result.num_samples);
    if (!result.is_checked) continue;
    const auto layers = sim::Compare(job, samples.expected[n], run, *device);
    result.layers.resize(layers.size());
    for (size_t i = 0; i < layers.size(); ++i) {
      result.layers[i].node = layers[i].node;
      result.layers[i].elements += layers[i].elements;
      result.layers[i].mismatches += layers[i].mismatches;
      if (layers[i].mismatches > 0 && result.first_mismatch.empty())
        result.first_mismatch = fmt::format("sample {}: {}", n, layers[i].first);
    }
  }
  return result;
}

}  // namespace macloom::flow
