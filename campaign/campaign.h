// The randomized campaign: random networks on many configurations, golden = descriptor device =
// RTL.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "campaign/coverage.h"
#include "campaign/shrink.h"

namespace macloom::campaign {

/// Most configurations of one campaign: each is an RTL model to build.
inline constexpr size_t kMaxConfigs = 12;

struct CampaignOptions {
  std::vector<arch::HardwareConfig> configs;  ///< 1 to kMaxConfigs.
  int64_t num_networks = 240;
  uint64_t seed = 1;
  double time_limit_s = 0;      ///< 0: none. Checked between networks.
  sim::DeviceFactory make_rtl;  ///< Empty: the Verilated RTL.
};

/// The first case whose executions differ, and what it was shrunk to.
struct Failure {
  int64_t index = 0;  ///< Networks executed before it.
  Case original;
  ShrinkResult shrunk;
};

struct CampaignResult {
  explicit CampaignResult(const std::vector<arch::HardwareConfig>& configs) : coverage(configs) {}

  int64_t executed = 0;       ///< Networks executed three ways, a failing one included.
  int64_t refused = 0;        ///< Networks that the compiler refused; not counted as executed.
  int64_t with_overflow = 0;  ///< Of the executed ones, with an overflow event.
  double seconds = 0;
  bool is_time_over = false;
  Coverage coverage;
  std::optional<Failure> failure;
};

/// Runs networks until the count, the time or the first failure, which it shrinks.
///
/// Every other network is aimed at a required bin that was not met yet, or else at a rare one: up
/// to 16 cases are drawn, compiled and run by golden, and the first that meets it is executed. The
/// networks depend on `seed` and on nothing else.
/// @return kInvalidInput for options out of range; errors of the tools. A mismatch is not an error.
Result<CampaignResult> RunCampaign(const CampaignOptions& options);

/// Writes a case as a job folder with its input and what golden expects (docs/formats.md, "Job").
Status SaveCase(const Case& test_case, const Expected& expected,
                const std::filesystem::path& directory);

}  // namespace macloom::campaign
