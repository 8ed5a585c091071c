// A network over many configurations, by the cycle model.
#pragma once

#include <string>
#include <vector>

#include "flow/estimate.h"

namespace macloom::flow {

/// One configuration key and the values it takes, e.g. "requant.lanes" and {"4", "8"}.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};

/// "KEY=V1,V2,...".
/// @return kInvalidInput without a key or with an empty value.
Result<SweepAxis> ParseSweepAxis(const std::string& text);

struct SweepPoint {
  std::vector<std::string> values;  ///< One per axis.
  std::string refusal;              ///< Why the validator or the compiler refused it; empty: ran.
  int64_t multipliers = 0;          ///< rows * lanes.
  int64_t macs = 0;
  arch::CycleCounts counts;

  /// macs / (multipliers * total cycles), percent.
  double utilization_percent() const;
};

/// Most points of one sweep.
inline constexpr size_t kMaxSweepPoints = 4096;

/// The cross product of the axes over `base`; the last axis varies fastest. A refused configuration
/// is a point with the reason, not an error.
/// @return kInvalidInput for more than kMaxSweepPoints points, and if the validator accepts none of
///         the configurations (a misspelt key).
Result<std::vector<SweepPoint>> Sweep(const ir::Graph& graph, const arch::HardwareConfig& base,
                                      const std::vector<SweepAxis>& axes,
                                      const arch::CompileOptions& compile,
                                      const arch::MemoryModel& memory);

}  // namespace macloom::flow
