// Measures the units of the claim at every level.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "arch/config.h"
#include "base/result.h"
#include "cost/claim_result.h"
#include "cost/library_file.h"
#include "cost/mac_unit.h"
#include "cost/operand_trace.h"

namespace macloom::cost {

/// What a network does on one accelerator.
struct ClaimRun {
  double utilization = 0.0;
  int64_t cycles = 0;
  int64_t busy_cycles = 0;
  double memory_pj = 0.0;  ///< Of an inference, memories' model.
};

struct ClaimRequest {
  std::vector<std::string> formats;  ///< kClaimBaselines are added.
  std::vector<std::string> levels;   ///< Of kClaimLevels.
  std::vector<LibraryFile> libraries;
  size_t num_system_libraries = 1;  ///< Accelerators are mapped to the first so many.
  int lanes = 16;                   ///< Of rows.
  arch::HardwareConfig config;      ///< Of the accelerators, but for format and accumulator.
  int jobs = 2;
  int energy_cycles = 0;  ///< As MacRequest; 0: no energy.
  uint64_t seed = 1;
  std::vector<size_t> energy_libraries;  ///< Indices into `libraries`.
  /// One of them, of about the memories' node: the accelerators' energy is there. None: none.
  std::optional<size_t> memory_library;
  /// Operands of the network in the unit's format; empty: none.
  std::function<Result<OperandTrace>(const MacSpec&)> network_operands;
  std::function<Result<ClaimRun>(const MacSpec&, const arch::HardwareConfig&)> run;
  /// Told what is synthesised.
  std::function<void(const std::string& level, const std::string& unit, int done, int total)>
      progress;
};

struct ClaimMeasurements {
  ClaimTable table;
  int num_cached = 0, num_made = 0;
};

/// Formats of the claim: the 8-bit minifloats with every accumulator that rows have, and integers.
std::vector<std::string> ClaimFormats();
/// kClaimBaselines and what else is in `formats`.
std::vector<std::string> WithBaselines(const std::vector<std::string>& formats);

/// The accelerator of `base` with lanes of `spec`. @return kUnsupported for a format that has none.
Result<arch::HardwareConfig> ConfigOf(const MacSpec& spec, const arch::HardwareConfig& base);

/// Synthesises everything that is not in the cache. A level leaves out formats that it does not
/// build. At system level int8/24 is there a second time with requantization by shifts.
///
/// Energy of an accelerator: that of a row with depthwise mode on the network's operands, times
/// rows and busy cycles, plus memory accesses; nothing for control and requantization.
/// @return errors of the tools, of the callbacks and of ParseMacSpec().
Result<ClaimMeasurements> MeasureClaim(const ClaimRequest& request);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const ClaimTable& table);

}  // namespace macloom::cost
