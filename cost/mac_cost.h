// Synthesises multiply-accumulate units side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/library_file.h"
#include "cost/mac_result.h"
#include "cost/mac_unit.h"
#include "cost/operand_trace.h"

namespace macloom::cost {

/// Format and accumulator that all ratios are against.
inline constexpr const char* kMacBaseline = "int8/24";

struct MacRequest {
  std::vector<std::string> formats;
  bool skip_unsupported = false;       ///< Leave out formats that a shape does not build.
  std::vector<std::string> libraries;  ///< As OpenLibrary() takes them.
  std::vector<int> lanes = {1};
  std::vector<MacShape> shapes = {MacShape::kBare};
  int jobs = 2;           ///< Units synthesised at the same time.
  int energy_cycles = 0;  ///< Cycles of each of the 64 operand streams; 0: no energy.
  /// Libraries, by index, that get energies; nothing: all.
  std::optional<std::vector<size_t>> energy_libraries;
  uint64_t seed = 1;
  /// Operands of a network for a unit, or kUnsupported if it has none of its format; empty: only
  /// normally distributed operands. Called by several threads.
  std::function<Result<OperandTrace>(const MacSpec&)> network_operands;
};

/// Synthesised units, in the order asked for.
struct MacMeasurements {
  std::vector<MacResult> results;
  int num_cached = 0;
  int num_made = 0;
};

/// Gates of `specs` and their area and delay in `libraries`; of `request` only jobs, seed and what
/// concerns energies count. Libraries must have timing, with energy_cycles also power.
/// @param progress as CompareMacs().
Result<MacMeasurements> MeasureMacs(
    const std::vector<MacSpec>& specs, const MacRequest& request,
    const std::vector<LibraryFile>& libraries,
    const std::function<void(const std::string&, int, int)>& progress = {});

/// @param progress told a unit that is done, units done and their number, by one thread at a time;
///        may be empty.
/// @return errors of ParseMacSpec(), MacRtl(), OpenLibrary() and Synthesizer, before any table.
Result<MacComparison> CompareMacs(
    const MacRequest& request,
    const std::function<void(const std::string&, int, int)>& progress = {});

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const MacComparison& comparison);

}  // namespace macloom::cost
