// A generated top with a self-checking testbench and the images of a job.
#pragma once

#include <filesystem>

#include "arch/job.h"

namespace macloom::flow {

struct TestbenchSummary {
  size_t num_samples = 0;
  int64_t num_expected = 0;  ///< Elements that the testbench compares, per sample.
};

/// The job that a testbench runs without another: the shipped network with two seeded samples.
struct TestbenchJob {
  arch::Job job;
  arch::JobSamples samples;
};
Result<TestbenchJob> ShippedTestbenchJob(const arch::HardwareConfig& config);

/// Reads a job folder with samples and expected tensors.
/// @return the errors of arch::LoadJob() and LoadJobSamples(); kInvalidInput if it has no samples,
/// no expected tensors, or is for another configuration than `config`.
Result<TestbenchJob> LoadTestbenchJob(const std::filesystem::path& directory,
                                      const arch::HardwareConfig& config);

/// Writes everything of rtl_gen::GenerateRtl() and RenderTestbench(), and `job/`: `testbench.hex`,
/// `sampleN_memory.hex`, `sampleN_expected.hex`, `layers.txt` (docs/bring-your-own-rtl.md). The
/// folder appears completely or not at all.
Result<TestbenchSummary> GenerateTestbench(const TestbenchJob& job,
                                           const std::filesystem::path& directory);

}  // namespace macloom::flow
