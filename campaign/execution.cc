#include "campaign/execution.h"

#include <fmt/format.h>

#include <utility>

#include "sim/descriptor_device.h"
#include "sim/scoreboard.h"

namespace macloom::campaign {
namespace {

/// Notes the first difference of one device's run.
void Compare(const Expected& expected, const sim::DeviceRun& run, const sim::Device& device,
             Outcome& outcome) {
  const arch::Job& job = expected.job;
  std::map<int, sim::StepCounters> counts;
  for (const sim::StepResult& step : run.steps) counts[job.steps[step.tag].node] += step.counters;
  for (const sim::LayerComparison& layer : sim::Compare(job, expected.trace.tensors, run, device)) {
    if (layer.mismatches > 0) {
      if (!outcome.is_tensor_wrong)
        outcome.mismatch = fmt::format("device `{}`: {}", device.name(), layer.first);
      outcome.is_tensor_wrong = true;
    }
  }
  for (const auto& [node, have] : counts) {
    if (node < 0) continue;
    const golden::LayerEvents& want = expected.trace.events[static_cast<size_t>(node)];
    if ((have.overflow_events != want.overflow_events || have.clamped_low != want.clamped_low ||
         have.clamped_high != want.clamped_high) &&
        outcome.mismatch.empty()) {
      outcome.mismatch = fmt::format(
          "device `{}`: layer `{}`: overflow events {} (expected {}), clamped low {} ({}), clamped "
          "high {} ({})",
          device.name(), job.graph.nodes[static_cast<size_t>(node)].name, have.overflow_events,
          want.overflow_events, have.clamped_low, want.clamped_low, have.clamped_high,
          want.clamped_high);
    }
  }
}

}  // namespace

Result<Expected> Expect(const Case& test_case) {
  Expected expected;
  MACLOOM_ASSIGN_OR_RETURN(expected.job,
                           arch::Compile(test_case.graph, test_case.config, test_case.compile));
  golden::RunOptions options;
  options.accumulation = expected.job.accumulation;
  MACLOOM_ASSIGN_OR_RETURN(expected.trace, golden::Run(test_case.graph, test_case.input, options));
  return expected;
}

Devices::Devices(sim::DeviceFactory make_rtl)
    : make_rtl_(std::move(make_rtl)), descriptor_(sim::MakeDescriptorDevice()) {}

Result<sim::Device*> Devices::Rtl(const arch::HardwareConfig& config,
                                  const sim::MemoryTiming& timing) {
  const std::string key =
      arch::Digest(config) + (timing.random_stalls ? std::to_string(timing.seed) : "ideal");
  std::unique_ptr<sim::Device>& device = rtl_[key];
  if (device == nullptr) {
    MACLOOM_ASSIGN_OR_RETURN(device, make_rtl_(config, timing));
  }
  return device.get();
}

Result<Outcome> Execute(const Case& test_case, const Expected& expected, Devices& devices) {
  Outcome outcome;
  MACLOOM_ASSIGN_OR_RETURN(sim::Device * rtl, devices.Rtl(test_case.config, test_case.timing));
  for (sim::Device* device : {&devices.descriptor(), rtl}) {
    Result<sim::DeviceRun> run = device->Run(expected.job, test_case.input);
    if (!run.ok()) {
      if (run.error().kind != ErrorKind::kCheckFailed) return run.error();
      if (!outcome.is_tensor_wrong)
        outcome.mismatch = fmt::format("device `{}`: {}", device->name(), run.error().message);
      outcome.is_tensor_wrong = true;
    } else {
      Compare(expected, *run, *device, outcome);
    }
    if (device != rtl) {
      outcome.is_descriptor_wrong = !outcome.mismatch.empty();
    } else if (run.ok()) {
      outcome.rtl = std::move(*run);
    }
  }
  return outcome;
}

}  // namespace macloom::campaign
