#include "flow/vectors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/progress.h"
#include "golden/reference/executor.h"

namespace macloom::flow {
namespace {

constexpr int kExactBits = 64;

/// Letters, digits and `_`, not starting with a digit: good for files, C and Verilog.
std::string FolderName(const std::string& name, std::set<std::string>& taken) {
  std::string folder;
  for (const char c : name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    folder += is_plain ? c : '_';
  }
  if (folder.empty() || (folder[0] >= '0' && folder[0] <= '9')) folder = "layer_" + folder;
  if (folder.size() > 80) folder.resize(80);
  const std::string base = folder;
  for (int n = 2; !taken.insert(folder).second; ++n) folder = fmt::format("{}_{}", base, n);
  return folder;
}

std::string LayoutOf(const ir::Shape& shape) { return shape.size() == 3 ? "NHWC" : "NC"; }

VectorArray Activations(const std::string& name, const ir::TensorInfo& info) {
  VectorArray array{name, LayoutOf(info.shape), info.shape, info.format.bits, info.format.is_signed,
                    {}};
  array.shape.insert(array.shape.begin(), 0);
  return array;
}

void AppendSample(const ir::TensorValue& value, VectorArray& array) {
  ++array.shape[0];
  array.codes.insert(array.codes.end(), value.codes.begin(), value.codes.end());
}

/// 32 bits if every value fits, as it does in most networks, else 64.
int WidthOf(const std::vector<int64_t>& values) {
  const bool fits = std::all_of(values.begin(), values.end(),
                                [](int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; });
  return fits ? 32 : kExactBits;
}

VectorArray Constants(const std::string& name, const std::string& layout, const ir::Shape& shape,
                      int width_bits, std::vector<int64_t> codes) {
  return {name, layout, shape, width_bits, true, std::move(codes)};
}

/// What does not depend on the sample: weights, bias, start values, multipliers and shifts.
void AddConstants(const ir::Graph& graph, const ir::Node& node,
                  const ir::Accumulation& accumulation, VectorLayer& layer) {
  if (node.weights >= 0) {
    const ir::Constant& weights = graph.constant(node.weights);
    const std::string layout = node.kind == ir::OperatorKind::kConv2d            ? "OHWI"
                               : node.kind == ir::OperatorKind::kDepthwiseConv2d ? "HWO"
                                                                                 : "OI";
    layer.arrays.push_back({"weights", layout, weights.shape, weights.format.bits,
                            weights.format.is_signed, weights.codes});
    if (node.bias >= 0) {
      const std::vector<int64_t>& bias = graph.constant(node.bias).codes;
      layer.arrays.push_back(
          Constants("bias", "O", {static_cast<int64_t>(bias.size())}, WidthOf(bias), bias));
    }
    const int64_t outputs = graph.tensor(node.output).shape.back();
    std::vector<int64_t> starts;
    for (int64_t oc = 0; oc < outputs; ++oc)
      starts.push_back(ir::AccumulatorStart(graph, node, oc));
    const int width = std::max(WidthOf(starts),
                               accumulation.width_bits == kExactBits ? 0 : accumulation.width_bits);
    layer.arrays.push_back(Constants("start", "O", {outputs}, width, std::move(starts)));
  }
  std::vector<ir::FixedPointMultiplier> pairs = node.requantization.channels;
  if (node.kind == ir::OperatorKind::kAdd) {
    pairs = {node.add.input[0], node.add.input[1], node.add.output};
  } else if (pairs.size() == 1) {
    pairs.resize(static_cast<size_t>(graph.tensor(node.output).shape.back()), pairs[0]);
  }
  if (pairs.empty()) return;
  const ir::Shape shape = {static_cast<int64_t>(pairs.size())};
  const std::string layout = node.kind == ir::OperatorKind::kAdd ? "a, b, output" : "O";
  std::vector<int64_t> multipliers, shifts;
  for (const ir::FixedPointMultiplier& pair : pairs) {
    multipliers.push_back(pair.multiplier);
    shifts.push_back(pair.shift);
  }
  if (node.requantization.kind != ir::RequantizationKind::kShift) {
    layer.arrays.push_back(Constants("multiplier", layout, shape, 32, std::move(multipliers)));
  }
  layer.arrays.push_back(Constants("shift", layout, shape, 8, std::move(shifts)));
}

Result<std::vector<int>> SelectNodes(const ir::Graph& graph,
                                     const std::vector<std::string>& names) {
  std::vector<int> nodes;
  std::vector<std::string> known;
  for (const ir::Node& node : graph.nodes) known.push_back(node.name);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (names.empty() || std::count(names.begin(), names.end(), known[i]) > 0)
      nodes.push_back(static_cast<int>(i));
  }
  for (const std::string& name : names) {
    if (std::count(known.begin(), known.end(), name) > 0) continue;
    return InvalidInput(
        fmt::format("layer `{}`: the network {} has {}", name, graph.name, fmt::join(known, ", ")));
  }
  return nodes;
}

}  // namespace

Result<VectorSet> MakeVectors(const ir::Graph& graph, const Samples& samples,
                              const VectorOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> nodes, SelectNodes(graph, options.layers));
  for (const int n : nodes) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(n)];
    const ir::NumberFormat& format = graph.tensor(node.inputs[0]).format;
    if (!format.IsMinifloat()) continue;
    return Unsupported(
        fmt::format("layer \"{}\" computes with {} codes; supported are vectors of integer layers",
                    node.name, ir::ToString(format)));
  }
  VectorSet set;
  set.graph = graph;
  set.num_samples = static_cast<int64_t>(samples.inputs.size());
  set.accumulation = options.accumulation;
  golden::RunOptions run;
  run.accumulation.assign(graph.nodes.size(), ir::Accumulation::Exact());
  for (const int node : nodes) run.accumulation[static_cast<size_t>(node)] = options.accumulation;
  run.keep_accumulators = true;

  // Per layer: its inputs, then accumulator and output, then the constants in between.
  std::set<std::string> taken;
  std::vector<std::vector<VectorArray>> inputs(nodes.size()), results(nodes.size());
  for (size_t k = 0; k < nodes.size(); ++k) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(nodes[k])];
    VectorLayer layer;
    layer.node = nodes[k];
    layer.folder = FolderName(node.name, taken);
    set.layers.push_back(std::move(layer));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string name =
          node.inputs.size() == 1 ? "input" : fmt::format("input_{}", static_cast<char>('a' + i));
      inputs[k].push_back(Activations(name, graph.tensor(node.inputs[i])));
    }
    VectorArray accumulators = Activations("accumulator", graph.tensor(node.output));
    accumulators.is_signed = true;
    results[k] = {std::move(accumulators), Activations("output", graph.tensor(node.output))};
  }
  ProgressLine progress("vectors " + graph.name, set.num_samples);
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace, golden::Run(graph, samples.inputs[n], run));
    for (size_t k = 0; k < nodes.size(); ++k) {
      const size_t index = static_cast<size_t>(nodes[k]);
      const ir::Node& node = graph.nodes[index];
      for (size_t i = 0; i < node.inputs.size(); ++i)
        AppendSample(trace.tensors[static_cast<size_t>(node.inputs[i])], inputs[k][i]);
      const std::vector<int64_t>& sums = trace.accumulators[index];
      ++results[k][0].shape[0];
      results[k][0].codes.insert(results[k][0].codes.end(), sums.begin(), sums.end());
      AppendSample(trace.tensors[static_cast<size_t>(node.output)], results[k][1]);
      set.layers[k].overflow_events += trace.events[index].overflow_events;
    }
    progress.Update(static_cast<int64_t>(n + 1));
  }
  for (size_t k = 0; k < nodes.size(); ++k) {
    VectorLayer& layer = set.layers[k];
    layer.arrays = std::move(inputs[k]);
    AddConstants(graph, graph.nodes[static_cast<size_t>(layer.node)], options.accumulation, layer);
    VectorArray& sums = results[k][0];
    sums.width_bits = options.accumulation.width_bits == kExactBits
                          ? WidthOf(sums.codes)
                          : options.accumulation.width_bits;
    if (!sums.codes.empty()) layer.arrays.push_back(std::move(sums));
    layer.arrays.push_back(std::move(results[k][1]));
  }
  return set;
}

}  // namespace macloom::flow
