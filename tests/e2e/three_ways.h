// One network executed three times: golden, descriptor device, simulated RTL.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "arch/job.h"
#include "golden/reference/executor.h"
#include "sim/descriptor_device.h"
#include "sim/scoreboard.h"
#include "sim/verilated_device.h"

namespace macloom::testing {

/// The RTL device of a configuration; one per configuration and timing seed in a test program.
inline sim::Device& RtlDevice(const arch::HardwareConfig& config, const sim::MemoryTiming& timing) {
  static std::map<std::string, std::unique_ptr<sim::Device>> devices;
  const std::string key =
      arch::Digest(config) + (timing.random_stalls ? std::to_string(timing.seed) : "ideal");
  if (devices.count(key) == 0) {
    auto device = sim::MakeVerilatedDevice(config, {timing});
    if (!device.ok()) {
      std::fprintf(stderr, "%s\n", device.error().message.c_str());
      std::abort();
    }
    devices[key] = std::move(*device);
  }
  return *devices[key];
}

/// Overflow events and clamps of a node, summed over its steps.
inline sim::StepCounters CountersOf(const arch::Job& job, const sim::DeviceRun& run, int node) {
  sim::StepCounters sum;
  for (const sim::StepResult& step : run.steps) {
    if (job.steps[step.tag].node != node) continue;
    sum.overflow_events += step.counters.overflow_events;
    sum.clamped_low += step.counters.clamped_low;
    sum.clamped_high += step.counters.clamped_high;
  }
  return sum;
}

/// Runs `input` on golden and `device` and expects every tensor, event count and clamp count to be
/// equal.
inline void ExpectEqualToGolden(const arch::Job& job, const ir::TensorValue& input,
                                sim::Device& device) {
  golden::RunOptions options;
  options.accumulation = job.accumulation;
  const auto trace = golden::Run(job.graph, input, options);
  ASSERT_TRUE(trace.ok()) << trace.error().message;
  const auto run = device.Run(job, input);
  ASSERT_TRUE(run.ok()) << device.name() << ": " << run.error().message;
  for (const sim::LayerComparison& layer : sim::Compare(job, trace->tensors, *run, device)) {
    EXPECT_EQ(layer.mismatches, 0) << layer.first;
    const golden::LayerEvents& events = trace->events[static_cast<size_t>(layer.node)];
    const sim::StepCounters counters = CountersOf(job, *run, layer.node);
    EXPECT_EQ(counters.overflow_events, events.overflow_events)
        << device.name() << " node " << layer.node;
    EXPECT_EQ(counters.clamped_low, events.clamped_low) << device.name() << " node " << layer.node;
    EXPECT_EQ(counters.clamped_high, events.clamped_high)
        << device.name() << " node " << layer.node;
  }
}

/// The descriptor device and the RTL against golden.
inline void ExpectThreeWaysEqual(const arch::Job& job, const ir::TensorValue& input,
                                 const sim::MemoryTiming& timing) {
  ExpectEqualToGolden(job, input, *sim::MakeDescriptorDevice());
  ExpectEqualToGolden(job, input, RtlDevice(job.config, timing));
}

}  // namespace macloom::testing
