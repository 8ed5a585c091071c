#include "cost/hierarchy.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "cost/module_synthesis.h"
#include "cost/yosys.h"

namespace macloom::cost {
namespace {

using CellCounts = std::map<std::string, std::map<std::string, int64_t>>;

bool IsFlipFlop(const std::string& type) {
  return type.starts_with("$_DFF") || type.starts_with("$_SDFF") || type.starts_with("$_ALDFF");
}

/// Cells of every module in the text of `stat`; instances of each module below `top`.
struct Hierarchy {
  CellCounts cells;
  std::map<std::string, int64_t> instances;
};

Result<Hierarchy> HierarchyOf(const std::string& stat, const std::string& top) {
  Hierarchy hierarchy;
  for (const std::string& module : ModulesOf(stat)) {
    MACLOOM_ASSIGN_OR_RETURN(hierarchy.cells[module], CellsOf(stat, module));
  }
  if (hierarchy.cells.count(top) == 0) {
    return Error{ErrorKind::kToolFailed, fmt::format("`yosys` printed no module {}", top)};
  }
  const std::function<void(const std::string&, int64_t)> count = [&](const std::string& module,
                                                                     int64_t number) {
    hierarchy.instances[module] += number;
    for (const auto& [type, times] : hierarchy.cells[module]) {
      if (hierarchy.cells.count(type) > 0 || type.find(kMemoryModule) != std::string::npos) {
        count(type, number * times);
      }
    }
  };
  count(top, 1);
  return hierarchy;
}

}  // namespace

Result<HwCost> Compose(const std::string& stat, const std::string& top) {
  MACLOOM_ASSIGN_OR_RETURN(Hierarchy hierarchy, HierarchyOf(stat, top));
  HwCost cost;
  for (const auto& [module, number] : hierarchy.instances) {
    HwBlock block;
    block.module = PlainModuleName(module);
    block.instances = number;
    for (const auto& [type, times] : hierarchy.cells[module]) {
      if (IsFlipFlop(type)) {
        block.flip_flops_each += times;
      } else if (type.starts_with("$_") && type != "$_NOT_") {
        block.gates_each += times;
      }
    }
    cost.gates += block.gates();
    cost.flip_flops += number * block.flip_flops_each;
    cost.blocks.push_back(std::move(block));
  }
  return cost;
}

/// Adds the areas of `stat`, mapped to `library`, to `cost`, whose blocks are of the same modules.
Status AddAreas(const std::string& stat, const std::string& top, const LibraryFile& library,
                HwCost& cost) {
  MACLOOM_ASSIGN_OR_RETURN(Hierarchy hierarchy, HierarchyOf(stat, top));
  double total = 0.0;
  size_t index = 0;
  for (const auto& [module, number] : hierarchy.instances) {
    double each = 0.0;
    for (const auto& [type, times] : hierarchy.cells[module]) {
      if (hierarchy.instances.count(type) > 0) continue;
      const auto cell = library.library.cells.find(type);
      if (cell == library.library.cells.end() || !cell->second.has_area) {
        return InvalidInput(fmt::format("{}: the netlist of {} has a cell {} without area",
                                        library.library.source, PlainModuleName(module), type));
      }
      each += static_cast<double>(times) * cell->second.area;
    }
    if (index >= cost.blocks.size() || cost.blocks[index].module != PlainModuleName(module)) {
      return Error{ErrorKind::kToolFailed,
                   fmt::format("`yosys` mapped other modules than it counted: {}", module)};
    }
    cost.blocks[index++].area_um2_each.push_back(each);
    total += static_cast<double>(number) * each;
  }
  cost.libraries.push_back(library.label);
  cost.area_um2.push_back(total);
  return {};
}

}  // namespace macloom::cost
