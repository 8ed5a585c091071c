// What `macloom cost` and `macloom cost mac` were asked for, and what runs them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/common.h"
#include "cost/library_file.h"
#include "ir/graph.h"

namespace macloom::cli {

struct CostMacOptions {
  std::vector<std::string> formats;
  std::vector<std::string> libraries = {cost::kDefaultLibrary};
  std::vector<int> lanes = {1};
  std::vector<std::string> shapes = {"bare"};
  std::vector<std::string> fpga;  ///< Families; if any, no libraries.
  int jobs = 2;
  int energy_cycles = 0;
  std::vector<std::string> networks, inputs;  ///< Whose operands the energy is measured on, too.
  uint64_t seed = 1;
  std::string json;
};

struct CostHwOptions {
  HardwareOption hardware;
  std::vector<std::string> libraries;
  bool is_checked = false;
  int jobs = 2;
  std::string model = "ds-cnn-untrained";
  std::vector<std::string> sweep, vary;
  std::string json;
};

/// Share of busy multipliers on `graph`, by the cycle model. A requantization kind that refuses the
/// network takes as many cycles as the one that runs it, but for the depth of its pipeline; then
/// `is_of_32x31` is set.
/// @return errors of the compiler.
Result<double> Utilization(const ir::Graph& graph, arch::HardwareConfig config, bool& is_of_32x31);

/// The table of `cost mac`. @return exit status.
Result<int> RunCostMac(const CostMacOptions& options);

/// The table of `cost mac --fpga`. @return exit status.
Result<int> RunCostFpga(const CostMacOptions& options);

/// The table of `cost`. @return exit status, 1 if --check failed.
Result<int> RunCostHw(const CostHwOptions& options);

}  // namespace macloom::cli
