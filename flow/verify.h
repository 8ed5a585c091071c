// verify = golden + compile + descriptor device + RTL simulation + comparison.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "arch/cycle_model.h"
#include "arch/job.h"
#include "flow/samples.h"
#include "sim/device.h"
#include "sim/foreign_rtl.h"
#include "sim/waves.h"

namespace macloom::flow {

/// Waves of the RTL around its first mismatch, or around the end of a run that failed.
struct WaveOptions {
  std::filesystem::path directory;  ///< Empty: none.
  bool is_always = false;           ///< Without a mismatch the whole run of the first sample.
  sim::WaveFormat format = sim::WaveFormat::kNone;  ///< kNone: sim::AvailableWaveFormat().
  int64_t cycles_before = 400, cycles_after = 100;
};

struct VerifyOptions {
  arch::CompileOptions compile;
  sim::MemoryTiming timing;            ///< Of the simulated external memory.
  bool is_descriptor_only = false;     ///< Without RTL: no cycles.
  std::optional<sim::ForeignRtl> rtl;  ///< Simulated instead of the generated RTL.
  WaveOptions waves;
};

/// One node of the network that runs on the accelerator.
struct VerifyLayer {
  int node = -1;
  sim::StepCounters counters;  ///< Of the first sample; cycles only with RTL.
  int64_t macs = 0;            ///< Of the network, for one sample.
  int64_t ideal_cycles = 0;    ///< macs / (rows * lanes).
  int64_t elements = 0;        ///< Compared, over all samples and devices.
  int64_t mismatches = 0;
};

struct VerifyResult {
  arch::Job job;
  int num_samples = 0;
  std::vector<VerifyLayer> layers;
  sim::StepCounters transfers;  ///< Loads and stores of the first sample.
  sim::StepCounters total;      ///< Of the first sample.
  /// What the cycle model predicts for the same memory (for random stalls: the mean of eight
  /// draws).
  int64_t predicted_cycles = 0;
  int64_t host_mismatches = 0;   ///< Outputs of the host part that differ.
  int64_t count_mismatches = 0;  ///< Overflow-event and clamp counts that differ.
  std::string first_mismatch;    ///< Readable; empty if all is equal.
  std::optional<sim::WaveFiles> waves;
  sim::WaveWindow wave_window;

  int64_t mismatches() const;
  /// MACs of the network for one sample.
  int64_t macs() const;
  /// macs() / (rows * lanes * total cycles), percent; 0 without RTL.
  double utilization_percent() const;
  /// Deviation of the prediction from the RTL's total cycles, percent; 0 without RTL.
  double prediction_error_percent() const;
};

/// Runs every sample three ways and compares every tensor and every event and clamp count.
/// @return errors of the compiler, of golden, of the tools; mismatches are not errors. The message
/// of an RTL run that failed names the waves, if there are any.
Result<VerifyResult> Verify(const ir::Graph& graph, const arch::HardwareConfig& config,
                            const Samples& samples, const VerifyOptions& options);

}  // namespace macloom::flow
