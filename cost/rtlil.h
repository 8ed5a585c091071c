// Elaborated designs as Yosys writes them, module by module.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom::cost {

/// One module of `write_rtlil` in a form that depends on nothing but the module: without source
/// positions, automatic names numbered in order of occurrence.
struct RtlilModule {
  std::string text;  ///< From `attribute` lines before `module` to `end`.
  std::string stub;  ///< A black box with the same ports.
};

/// Modules of the text that `write_rtlil` wrote, by name (`\loom_core`, `$paramod$...\loom_row`).
/// @return kToolFailed for a text without modules or one that ends inside a module.
Result<std::map<std::string, RtlilModule>> SplitRtlil(std::string_view text);

/// `module` and the modules below it, those of `modules` only; `module` first.
std::vector<std::string> ModulesBelow(const std::map<std::string, RtlilModule>& modules,
                                      const std::string& module);

/// `module` with the input `port` of `width` bits unused and 0 in its place; as it is if it has no
/// such port. The module has no instance with a port of that name.
RtlilModule WithInputAtZero(const RtlilModule& module, const std::string& port, int width);

/// A design with the bodies of `names` and black boxes for the modules they instantiate.
std::string DesignOf(const std::map<std::string, RtlilModule>& modules,
                     const std::vector<std::string>& names);

}  // namespace macloom::cost
