// What stands behind a macloom_network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "golden/reference/executor.h"

struct macloom_network {
  macloom::ir::Graph graph;
  std::vector<std::string> format_names;                ///< By TensorId.
  std::vector<std::string> operator_names;              ///< By node index.
  std::vector<macloom::ir::Accumulation> accumulation;  ///< By node index.
  std::optional<macloom::golden::Trace> last_run;
};
