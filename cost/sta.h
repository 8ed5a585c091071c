// Static timing of a mapped netlist by OpenSTA.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cost/library_file.h"

namespace macloom::cost {

struct Timing {
  double critical_path_ns = 0.0;  ///< To a register, setup included; else to an output.
  double loop_path_ns = 0.0;      ///< From and to the registers named; 0 without any.
};

/// Version of OpenSTA. @return kToolMissing naming the package.
Result<std::string> StaVersion();

/// @param loop_instances flip-flops of the feedback loop.
/// @return kInvalidInput for a library without timing, kToolMissing, kToolFailed with the last
/// lines.
Result<Timing> AnalyseTiming(const std::string& verilog, const std::string& top,
                             const LibraryFile& library,
                             const std::vector<std::string>& loop_instances);

}  // namespace macloom::cost
