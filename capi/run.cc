// Running a network and reading what happened.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "capi/boundary.h"
#include "capi/handle.h"
#include "golden/reference/operators.h"

namespace macloom::capi {
namespace {

Status CheckNode(const macloom_network& network, int32_t node, int32_t lowest) {
  return CheckRange(node, lowest, static_cast<int64_t>(network.graph.nodes.size()) - 1, "node");
}

Status CheckNumElements(size_t given, int64_t expected, const char* argument) {
  return CheckSize(given, static_cast<size_t>(expected), static_cast<size_t>(expected), argument);
}

Status SetAccumulation(macloom_network* network, int32_t node, int32_t width_bits, int32_t overflow,
                       int32_t products_per_step, int32_t order) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckNode(*network, node, MACLOOM_ALL_NODES));
  MACLOOM_RETURN_IF_ERROR(CheckRange(overflow, MACLOOM_WRAP, MACLOOM_SATURATE, "overflow"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(order, MACLOOM_BLOCK_TAP, MACLOOM_TAP_SERIAL_COLUMN, "order"));
  static constexpr ir::AccumulationOrder kOrders[] = {
      ir::AccumulationOrder::kBlockTap, ir::AccumulationOrder::kFlatTap,
      ir::AccumulationOrder::kTapSerial, ir::AccumulationOrder::kTapSerialColumn};
  const ir::Accumulation accumulation = {
      width_bits, overflow == MACLOOM_SATURATE ? ir::Overflow::kSaturate : ir::Overflow::kWrap,
      products_per_step, kOrders[order]};
  const ir::Graph& graph = network->graph;
  // Also where no node has an accumulator, which golden then would not look at.
  MACLOOM_RETURN_IF_ERROR(ir::Validate(accumulation));
  const size_t first = node == MACLOOM_ALL_NODES ? 0 : static_cast<size_t>(node);
  const size_t end = node == MACLOOM_ALL_NODES ? graph.nodes.size() : first + 1;
  for (size_t i = first; i < end; ++i) {
    const Status status = golden::CheckAccumulation(graph, graph.nodes[i], accumulation);
    if (status.ok()) continue;
    return Error{status.error().kind,
                 fmt::format("node {} \"{}\": {}", i, graph.nodes[i].name, status.error().message)};
  }
  std::fill(network->accumulation.begin() + static_cast<ptrdiff_t>(first),
            network->accumulation.begin() + static_cast<ptrdiff_t>(end), accumulation);
  return {};
}

template <typename Code>
Status Run(macloom_network* network, const Code* input, size_t num_input, Code* output,
           size_t num_output) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(input, "input"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(output, "output"));
  const ir::Graph& graph = network->graph;
  const ir::TensorInfo& from = graph.tensor(graph.input);
  const ir::TensorInfo& to = graph.tensor(graph.output);
  MACLOOM_RETURN_IF_ERROR(CheckNumElements(num_input, ir::NumElements(from.shape), "num_input"));
  MACLOOM_RETURN_IF_ERROR(CheckNumElements(num_output, ir::NumElements(to.shape), "num_output"));
  if (to.format.MinCode() < std::numeric_limits<Code>::min() ||
      to.format.MaxCode() > std::numeric_limits<Code>::max()) {
    return Unsupported(
        fmt::format("output tensor \"{}\" is {}, which 8 signed bits do not hold; "
                    "use macloom_run_int32",
                    to.name, ir::ToString(to.format)));
  }
  const std::span<const Code> codes(input, num_input);
  MACLOOM_ASSIGN_OR_RETURN(
      golden::Trace trace,
      golden::Run(graph, {from.shape, {codes.begin(), codes.end()}},
                  {.accumulation = network->accumulation, .keep_accumulators = true}));
  network->last_run = std::move(trace);
  const std::vector<int32_t>& result =
      network->last_run->tensors[static_cast<size_t>(graph.output)].codes;
  std::transform(result.begin(), result.end(), output,
                 [](int32_t code) { return static_cast<Code>(code); });
  return {};
}

Status CheckHasRun(const macloom_network* network) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  if (network->last_run) return {};
  return InvalidInput("network has not run yet; call macloom_run_int8 or macloom_run_int32 first");
}

Status ReadTensor(const macloom_network* network, int32_t tensor, int32_t* codes,
                  size_t num_codes) {
  MACLOOM_RETURN_IF_ERROR(CheckHasRun(network));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(codes, "codes"));
  const std::vector<ir::TensorValue>& tensors = network->last_run->tensors;
  MACLOOM_RETURN_IF_ERROR(
      CheckRange(tensor, 0, static_cast<int64_t>(tensors.size()) - 1, "tensor"));
  const std::vector<int32_t>& values = tensors[static_cast<size_t>(tensor)].codes;
  MACLOOM_RETURN_IF_ERROR(CheckNumElements(num_codes, std::ssize(values), "num_codes"));
  std::copy(values.begin(), values.end(), codes);
  return {};
}

Status ReadAccumulators(const macloom_network* network, int32_t node, int64_t* accumulators,
                        size_t num_accumulators) {
  MACLOOM_RETURN_IF_ERROR(CheckHasRun(network));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(accumulators, "accumulators"));
  MACLOOM_RETURN_IF_ERROR(CheckNode(*network, node, 0));
  const auto index = static_cast<size_t>(node);
  const std::vector<int64_t>& values = network->last_run->accumulators[index];
  if (values.empty()) {
    return Unsupported(fmt::format("node {} \"{}\" ({}) has no accumulators", node,
                                   network->graph.nodes[index].name,
                                   network->operator_names[index]));
  }
  MACLOOM_RETURN_IF_ERROR(
      CheckNumElements(num_accumulators, std::ssize(values), "num_accumulators"));
  std::copy(values.begin(), values.end(), accumulators);
  return {};
}

Status ReadEvents(const macloom_network* network, int32_t node, macloom_events* events) {
  MACLOOM_RETURN_IF_ERROR(CheckHasRun(network));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(events, "events"));
  MACLOOM_RETURN_IF_ERROR(CheckNode(*network, node, 0));
  const golden::LayerEvents& from = network->last_run->events[static_cast<size_t>(node)];
  *events = {from.overflow_events, from.overflowed_outputs, from.wrong_outputs, from.clamped_low,
             from.clamped_high};
  return {};
}

}  // namespace
}  // namespace macloom::capi

using macloom::capi::AtBoundary;

extern "C" {

int macloom_set_accumulation(macloom_network* network, int32_t node, int32_t width_bits,
                             int32_t overflow, int32_t products_per_step, int32_t order) {
  return AtBoundary([&] {
    return macloom::capi::SetAccumulation(network, node, width_bits, overflow, products_per_step,
                                          order);
  });
}

int macloom_run_int8(macloom_network* network, const int8_t* input, size_t num_input,
                     int8_t* output, size_t num_output) {
  return AtBoundary(
      [&] { return macloom::capi::Run(network, input, num_input, output, num_output); });
}

int macloom_run_int32(macloom_network* network, const int32_t* input, size_t num_input,
                      int32_t* output, size_t num_output) {
  return AtBoundary(
      [&] { return macloom::capi::Run(network, input, num_input, output, num_output); });
}

int macloom_read_tensor(const macloom_network* network, int32_t tensor, int32_t* codes,
                        size_t num_codes) {
  return AtBoundary([&] { return macloom::capi::ReadTensor(network, tensor, codes, num_codes); });
}

int macloom_read_accumulators(const macloom_network* network, int32_t node, int64_t* accumulators,
                              size_t num_accumulators) {
  return AtBoundary([&] {
    return macloom::capi::ReadAccumulators(network, node, accumulators, num_accumulators);
  });
}

int macloom_read_events(const macloom_network* network, int32_t node, macloom_events* events) {
  return AtBoundary([&] { return macloom::capi::ReadEvents(network, node, events); });
}
}
