#include "golden/reference/executor.h"

#include <fmt/format.h>

#include "golden/reference/operators.h"

namespace macloom::golden {

Status CheckInput(const ir::Graph& graph, const ir::TensorValue& input) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  if (input.shape != info.shape) {
    return InvalidInput(fmt::format("input has shape {}; accepted by tensor \"{}\" is {}",
                                    ir::ToString(input.shape), info.name,
                                    ir::ToString(info.shape)));
  }
  const int64_t num_elements = ir::NumElements(info.shape);
  if (static_cast<int64_t>(input.codes.size()) != num_elements) {
    return InvalidInput(fmt::format("input has {} codes; accepted for shape {} are {}",
                                    input.codes.size(), ir::ToString(info.shape), num_elements));
  }
  for (size_t i = 0; i < input.codes.size(); ++i) {
    const int32_t code = input.codes[i];
    if (info.format.IsMinifloat() && code >= 0 && code <= info.format.MaxCode() &&
        !info.format.IsFinite(code)) {
      return InvalidInput(
          fmt::format("input code {} is {}, Inf or NaN; accepted are finite codes "
                      "of {}",
                      i, code, ir::ToString(info.format)));
    }
    if (input.codes[i] < info.format.MinCode() || input.codes[i] > info.format.MaxCode()) {
      return InvalidInput(fmt::format("input code {} is {}; accepted by {} are {} to {}", i,
                                      input.codes[i], ir::ToString(info.format),
                                      info.format.MinCode(), info.format.MaxCode()));
    }
  }
  return {};
}

Status CheckContracts(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation) {
  if (accumulation.empty()) return {};
  if (accumulation.size() != graph.nodes.size()) {
    return InvalidInput(
        fmt::format("{} accumulation contracts are given; accepted are 0 or {}, one per node",
                    accumulation.size(), graph.nodes.size()));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const Status status = CheckAccumulation(graph, node, accumulation[i]);
    if (!status.ok()) {
      return Error{status.error().kind,
                   fmt::format("node {} \"{}\" ({}): {}", i, node.name, ir::ToString(node.kind),
                               status.error().message)};
    }
  }
  return {};
}

NodeRun RunNode(const ir::Graph& graph, const ir::Node& node,
                const std::vector<ir::TensorValue>& tensors, const ir::Accumulation& accumulation) {
  const auto input = [&](size_t i) -> const ir::TensorValue& {
    return tensors[static_cast<size_t>(node.inputs[i])];
  };
  switch (node.kind) {
    case ir::OperatorKind::kConv2d:
      return Convolution(graph, node, input(0), accumulation);
    case ir::OperatorKind::kDepthwiseConv2d:
      return DepthwiseConvolution(graph, node, input(0), accumulation);
    case ir::OperatorKind::kFullyConnected:
      return FullyConnected(graph, node, input(0), accumulation);
    case ir::OperatorKind::kAveragePool2d:
      return AveragePool(graph, node, input(0), accumulation);
    case ir::OperatorKind::kAdd:
      return Add(graph, node, input(0), input(1));
    case ir::OperatorKind::kMaxPool2d:
      return MaxPool(graph, node, input(0));
    case ir::OperatorKind::kConcatenation: {
      std::vector<const ir::TensorValue*> parts;
      for (size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(&input(i));
      return Concatenation(graph, node, parts);
    }
    case ir::OperatorKind::kPad:
      return Pad(graph, node, input(0));
    case ir::OperatorKind::kReshape:
      return Reshape(graph, node, input(0));
    case ir::OperatorKind::kSoftmax:
      break;
  }
  return Softmax(graph, node, input(0));
}

Result<Trace> Run(const ir::Graph& graph, const ir::TensorValue& input, const RunOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckInput(graph, input));
  MACLOOM_RETURN_IF_ERROR(CheckContracts(graph, options.accumulation));
  Trace trace;
  trace.tensors.resize(graph.tensors.size());
  trace.tensors[static_cast<size_t>(graph.input)] = input;
  trace.accumulators.resize(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    NodeRun run =
        RunNode(graph, node, trace.tensors,
                options.accumulation.empty() ? ir::Accumulation::Exact() : options.accumulation[i]);
    trace.tensors[static_cast<size_t>(node.output)] = std::move(run.output);
    trace.events.push_back(run.events);
    if (options.keep_accumulators) trace.accumulators[i] = std::move(run.accumulators);
  }
  return trace;
}

}  // namespace macloom::golden
