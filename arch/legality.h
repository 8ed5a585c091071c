// What a configuration and the accelerator accept, before anything is lowered.
#pragma once

#include <string>

#include "arch/job.h"

namespace macloom::arch {

/// `job` with its options set: configuration, accumulator width, overflow policy.
/// @return kInvalidInput naming the option, its value and what is accepted.
Status CheckOptions(const Job& job);

/// Formats, shapes and attributes of the first `num_nodes` nodes.
/// @return kUnsupported naming node and reason.
Status CheckNodes(const ir::Graph& graph, const HardwareConfig& config, int num_nodes);

/// "node `name` (CONV_2D): reason" as kUnsupported.
Error RefuseNode(const ir::Node& node, const std::string& reason);

}  // namespace macloom::arch
