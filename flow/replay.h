// Runs a compiled job folder on a device.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "arch/job.h"
#include "flow/samples.h"
#include "sim/device.h"

namespace macloom::flow {

/// What golden expects of `job` for `samples`, for arch::SaveJob().
Result<arch::JobSamples> MakeJobSamples(const arch::Job& job, const Samples& samples);

struct ReplayOptions {
  bool is_rtl = true;  ///< Else the descriptor device: no cycles.
  sim::MemoryTiming timing;
  sim::DeviceFactory make_rtl;  ///< Empty: the Verilated RTL.
};

struct ReplayLayer {
  int node = -1;
  int64_t elements = 0, mismatches = 0;  ///< Over all samples.
};

struct ReplayResult {
  arch::Job job;
  int64_t num_samples = 0;
  bool is_checked = false;  ///< The job carries expected tensors.
  std::vector<ReplayLayer> layers;
  std::string first_mismatch;            ///< Readable; empty if all is equal.
  std::vector<ir::TensorValue> outputs;  ///< Of the device, by sample.
  sim::StepCounters total;               ///< Of the first sample.
  int64_t mismatches() const;
};

/// Loads the job with its memory image and samples, runs every sample, compares every tensor.
/// @return the errors of arch::LoadJob() and LoadJobSamples(), of the device and its tools;
/// kInvalidInput if the job has no inputs. Mismatches are not errors.
Result<ReplayResult> Replay(const std::filesystem::path& directory, const ReplayOptions& options);

}  // namespace macloom::flow
