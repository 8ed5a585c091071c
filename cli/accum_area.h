// `macloom accum --area`: what hardware of the widths costs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "arch/config.h"
#include "base/result.h"
#include "explore/accum_result.h"
#include "ir/graph.h"

namespace macloom::cli {

struct AccumAreaOptions {
  bool is_on = false;
  std::vector<int> widths;             ///< Empty: those that the recommendations name.
  std::vector<std::string> libraries;  ///< As `cost --library`.
  int jobs = 2;
  void AddTo(CLI::App& app);
};

/// Synthesises `config` with every width, wrapping and saturating, and sets `result.area`.
/// @return errors of the tools and libraries; kInvalidInput for a width that `config` cannot have.
Status MeasureArea(const AccumAreaOptions& options, const ir::Graph& graph,
                   const arch::HardwareConfig& config, explore::AccumResult& result);

/// One line per width and policy: accuracy, overflow rate, area, what is saved against 32 bits.
void PrintArea(const explore::AccumResult& result);

}  // namespace macloom::cli
