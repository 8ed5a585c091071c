// What `macloom accum` is told, and a network with what was found out about it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/accum_area.h"
#include "cli/common.h"
#include "explore/explore.h"
#include "flow/samples.h"
#include "ir/graph.h"

namespace macloom::cli {

struct AccumOptions {
  std::vector<std::string> models, inputs, labels;
  std::string policy = "wrap", rule = "proved", json, svg, vectors, emit, apply;
  int random = 32, rtl_samples = 0;
  uint64_t seed = 1;
  bool is_on_rtl = false, has_no_sweep = false, has_no_layers = false, is_descriptor_only = false;
  explore::ExploreOptions explore;
  HardwareOption hardware;
  RoundingOption rounding;
  AccumAreaOptions area;

  void AddTo(CLI::App& verb);
  /// @return kInvalidInput for options that contradict each other.
  Status Check() const;
};

struct AccumNetwork {
  ir::Graph graph;
  flow::Samples samples;
  bool is_random = false;
  explore::AccumResult result;
};

}  // namespace macloom::cli
