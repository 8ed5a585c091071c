// Runs Yosys on a unit.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/unit.h"

namespace macloom::cost {

/// First line of `yosys -V`. @return kToolMissing naming the package.
Result<std::string> YosysVersion();

/// Commands that read `unit` and elaborate it.
std::string ReadScript(const RtlUnit& unit);

/// Runs `script` in a folder of its own that holds the unit's files, and hands back the files
/// `results` that it wrote.
/// @return kToolFailed with the last lines of the log; also if Yosys declared a name implicitly,
///         which it only warns of and which leaves a signal undriven.
Result<std::map<std::string, std::string>> RunYosys(const RtlUnit& unit, const std::string& script,
                                                    const std::vector<std::string>& results);

/// Cells of module `module` in the text that `stat` printed: cell type -> number. Modules are not
/// resolved; a type that is a module of the design appears with its name.
Result<std::map<std::string, int64_t>> CellsOf(const std::string& stat, const std::string& module);

/// Names of all modules in the text that `stat` printed.
std::vector<std::string> ModulesOf(const std::string& stat);

}  // namespace macloom::cost
