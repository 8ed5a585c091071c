// Loading, describing and ending a network.
#include <memory>

#include "capi/boundary.h"
#include "capi/handle.h"
#include "networks/model.h"

namespace macloom::capi {
namespace {

int32_t Size(size_t count) { return static_cast<int32_t>(count); }

Status Load(const char* model, int32_t rounding, macloom_network** network) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  *network = nullptr;
  MACLOOM_RETURN_IF_ERROR(CheckPointer(model, "model"));
  MACLOOM_RETURN_IF_ERROR(
      CheckRange(rounding, MACLOOM_ROUND_DOUBLE, MACLOOM_ROUND_SINGLE, "rounding"));
  auto loaded = std::make_unique<macloom_network>();
  MACLOOM_ASSIGN_OR_RETURN(
      loaded->graph,
      networks::LoadModel(
          model, rounding == MACLOOM_ROUND_SINGLE ? ir::Rounding::kSingle : ir::Rounding::kDouble));
  for (const ir::TensorInfo& tensor : loaded->graph.tensors) {
    loaded->format_names.push_back(ir::ToString(tensor.format));
  }
  for (const ir::Node& node : loaded->graph.nodes) {
    loaded->operator_names.push_back(ir::ToString(node.kind));
  }
  loaded->accumulation.assign(loaded->graph.nodes.size(), ir::Accumulation::Exact());
  *network = loaded.release();
  return {};
}

Status Describe(const macloom_network* network, macloom_network_info* info) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(info, "info"));
  const ir::Graph& graph = network->graph;
  *info = {.name = graph.name.c_str(),
           .origin = graph.origin.c_str(),
           .is_untrained = graph.is_untrained,
           .num_tensors = Size(graph.tensors.size()),
           .num_nodes = Size(graph.nodes.size()),
           .input_tensor = graph.input,
           .output_tensor = graph.output,
           .num_class_labels = Size(graph.class_labels.size())};
  return {};
}

Status DescribeTensor(const macloom_network* network, int32_t tensor, macloom_tensor_info* info) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(info, "info"));
  const ir::Graph& graph = network->graph;
  MACLOOM_RETURN_IF_ERROR(CheckRange(tensor, 0, Size(graph.tensors.size()) - 1, "tensor"));
  const ir::TensorInfo& from = graph.tensor(tensor);
  *info = {.name = from.name.c_str(),
           .shape = from.shape.data(),
           .num_axes = Size(from.shape.size()),
           .num_elements = ir::NumElements(from.shape),
           .format = network->format_names[static_cast<size_t>(tensor)].c_str(),
           .min_code = static_cast<int32_t>(from.format.MinCode()),
           .max_code = static_cast<int32_t>(from.format.MaxCode()),
           .is_affine = from.format.family == ir::NumberFamily::kAffine,
           .fraction_bits = from.format.fraction_bits,
           .zero_point = from.quantization.zero_point(),
           .scale = from.quantization.scale()};
  return {};
}

Status DescribeNode(const macloom_network* network, int32_t index, macloom_node_info* info) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(info, "info"));
  const ir::Graph& graph = network->graph;
  MACLOOM_RETURN_IF_ERROR(CheckRange(index, 0, Size(graph.nodes.size()) - 1, "node"));
  const ir::Node& node = graph.nodes[static_cast<size_t>(index)];
  *info = {.name = node.name.c_str(),
           .operator_name = network->operator_names[static_cast<size_t>(index)].c_str(),
           .num_inputs = Size(node.inputs.size()),
           .inputs = {node.inputs.front(), node.inputs.size() > 1 ? node.inputs[1] : -1},
           .output = node.output,
           .num_macs = ir::NumMacs(graph, node),
           .required_accumulator_bits = ir::RequiredAccumulatorBits(graph, node)};
  return {};
}

Status ClassLabel(const macloom_network* network, int32_t index, const char** label) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(network, "network"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(label, "label"));
  const std::vector<std::string>& labels = network->graph.class_labels;
  MACLOOM_RETURN_IF_ERROR(CheckRange(index, 0, Size(labels.size()) - 1, "class label"));
  *label = labels[static_cast<size_t>(index)].c_str();
  return {};
}

}  // namespace
}  // namespace macloom::capi

using macloom::capi::AtBoundary;

extern "C" {

int macloom_load(const char* model, int32_t rounding, macloom_network** network) {
  return AtBoundary([&] { return macloom::capi::Load(model, rounding, network); });
}

void macloom_free(macloom_network* network) { delete network; }

int macloom_describe(const macloom_network* network, macloom_network_info* info) {
  return AtBoundary([&] { return macloom::capi::Describe(network, info); });
}

int macloom_describe_tensor(const macloom_network* network, int32_t tensor,
                            macloom_tensor_info* info) {
  return AtBoundary([&] { return macloom::capi::DescribeTensor(network, tensor, info); });
}

int macloom_describe_node(const macloom_network* network, int32_t node, macloom_node_info* info) {
  return AtBoundary([&] { return macloom::capi::DescribeNode(network, node, info); });
}

int macloom_class_label(const macloom_network* network, int32_t index, const char** label) {
  return AtBoundary([&] { return macloom::capi::ClassLabel(network, index, label); });
}
}
