// Mapping to cells: one script for bare units, rows and the modules of an accelerator.
#pragma once

#include <string>

#include "base/result.h"
#include "cost/library_file.h"

namespace macloom::cost {

/// File that MapToCells() reads, with the text of DriveConstraint(); `tag` tells libraries apart
/// that one script maps to.
std::string ConstraintFile(const std::string& tag = "");
/// File that MapToCells() leaves.
std::string NetlistFile(const std::string& tag = "");

/// Yosys commands from gates of Yosys's own library (`synth -noabc`) to cells of the Liberty file
/// `path`: structural choices, then the covering of least area (ABC: dch, amap), buffers so that no
/// output drives more than 16 pins, cells resized along long paths. Reads ConstraintFile(), leaves
/// NetlistFile().
///
/// The script is chosen for low noise: docs/cost.md, "Mapping".
/// @param before_writing commands on the finished netlist.
std::string MapToCells(const std::string& path, const std::string& before_writing = "",
                       const std::string& tag = "");

/// What drives registers' outputs and inputs in ABC, which buffers nothing without: the smallest
/// inverter or buffer.
/// @return kInvalidInput for a library without any.
Result<std::string> DriveConstraint(const LibraryFile& library);

}  // namespace macloom::cost
