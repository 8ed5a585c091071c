// Adds up what `stat` printed over a hierarchy of modules.
#pragma once

#include <string>

#include "base/result.h"
#include "cost/hw_result.h"
#include "cost/library_file.h"

namespace macloom::cost {

/// Module of the memories, which are a model and no gates.
inline constexpr const char* kMemoryModule = "loom_sram_1r1w";

/// Gates and flip-flops of `top` and everything below it, module by module; memories as blocks
/// without gates.
/// @return kToolFailed if `stat` has no `top`.
Result<HwCost> Compose(const std::string& stat, const std::string& top);

/// Adds the areas of `stat`, mapped to `library`, to `cost`, whose blocks are of the same modules.
/// @return kInvalidInput for a cell without area.
Status AddAreas(const std::string& stat, const std::string& top, const LibraryFile& library,
                HwCost& cost);

}  // namespace macloom::cost
