// Synthesises the modules of a design one by one, each once for all designs that have it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "arch/config.h"
#include "base/result.h"
#include "cost/library_file.h"
#include "cost/rtlil.h"
#include "cost/synthesis.h"
#include "cost/unit.h"

namespace macloom::cost {

/// Told a module that is done, modules done and their number, by one thread at a time.
using ModuleProgress = std::function<void(const std::string&, int, int)>;

/// The generated RTL of `config` in the order of its file list. @return errors of the generator.
Result<RtlUnit> AcceleratorUnit(const arch::HardwareConfig& config);

/// The elaborated modules of `unit`, from the cache if known. The input that narrows accumulators
/// in simulation is 0 inside every row: hardware ties it off.
Result<std::map<std::string, RtlilModule>> Elaborate(const RtlUnit& unit, Synthesizer& synthesizer);

/// What synthesis of modules gave, in texts that can be appended to each other.
struct SynthesizedModules {
  std::string stat;     ///< What `stat` printed, one section per module.
  std::string netlist;  ///< Mapped modules in Verilog; empty without a library.
};

struct ModuleRequest {
  /// Modules with bodies; the first is the top. More than one: synthesised together.
  std::vector<std::string> names;
  bool is_flat = false;  ///< Made one module before gates are made.
};

/// Synthesises each request by itself, its multipliers with the structural body, in two-input gates
/// or, with `library`, mapped to cells. Modules that a request does not name are black boxes. Key
/// of the cache: the modules' elaborated text without source positions, the multiplier's RTL,
/// script, library and version of Yosys; so a module is made again only if itself changes.
/// @param jobs runs of Yosys at the same time.
/// @return for each request its result; kToolFailed with the last lines of Yosys.
Result<std::vector<SynthesizedModules>> SynthesizeModules(
    const std::map<std::string, RtlilModule>& modules, const std::vector<ModuleRequest>& requests,
    const LibraryFile* library, Synthesizer& synthesizer, int jobs, const ModuleProgress& progress);

/// Modules of the Verilog text `netlist` whose names are not in `seen`, which is added to.
std::string NewModules(const std::string& netlist, std::set<std::string>& seen);

/// "loom_row" of "$paramod$0123abcd\loom_row" and of "$paramod\loom_row\Lanes=...".
std::string PlainModuleName(const std::string& module);

}  // namespace macloom::cost
