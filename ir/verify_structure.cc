#include "ir/verify_structure.h"

#include <fmt/format.h>

#include <vector>

#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

// Names go into JSON and into one-line listings.
bool IsPrintableUtf8(const std::string& text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7f) return false;
    size_t length = 1;
    uint32_t code = lead;
    uint32_t smallest = 0;
    if (lead >= 0x80) {
      if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2, code = lead & 0x1f, smallest = 0x80;
      } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3, code = lead & 0x0f, smallest = 0x800;
      } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4, code = lead & 0x07, smallest = 0x10000;
      } else {
        return false;
      }
    }
    if (i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80) return false;
      code = code << 6 | (byte & 0x3f);
    }
    if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    i += length;
  }
  return true;
}

Status CheckTensorId(const Graph& graph, TensorId id, const std::string& what) {
  if (id >= 0 && id < static_cast<int>(graph.tensors.size())) return {};
  return InvalidInput(fmt::format("{} is tensor {}; accepted are 0 to {}", what, id,
                                  static_cast<int>(graph.tensors.size()) - 1));
}

// Indices of one node, and that its inputs exist by the time it runs.
Status CheckOrder(const Graph& graph, const Node& node, const std::string& where,
                  std::vector<char>& is_produced) {
  for (TensorId id : node.inputs) {
    MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, id, where + ": input"));
    if (!is_produced[static_cast<size_t>(id)]) {
      return InvalidInput(
          fmt::format("{}: input tensor {} \"{}\" is not produced by an earlier node; "
                      "accepted are nodes in execution order",
                      where, id, graph.tensor(id).name));
    }
  }
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, node.output, where + ": output"));
  if (is_produced[static_cast<size_t>(node.output)]) {
    return InvalidInput(
        fmt::format("{}: output tensor {} \"{}\" is written a second time; accepted "
                    "is one producer per tensor",
                    where, node.output, graph.tensor(node.output).name));
  }
  is_produced[static_cast<size_t>(node.output)] = 1;
  return {};
}

}  // namespace

Status CheckName(const std::string& name, const std::string& what) {
  if (IsPrintableUtf8(name)) return {};
  return InvalidInput(
      fmt::format("{} is not printable text; accepted is UTF-8 without control characters", what));
}

Result<int64_t> CheckedElements(const Shape& shape, const std::string& where) {
  if (shape.empty() || shape.size() > static_cast<size_t>(kMaxRank)) {
    return InvalidInput(
        fmt::format("{}: has {} axes; accepted are 1 to {}", where, shape.size(), kMaxRank));
  }
  int64_t count = 1;
  for (int64_t dimension : shape) {
    if (dimension < 1 || dimension > kMaxElements || count * dimension > kMaxElements) {
      return InvalidInput(
          fmt::format("{}: shape {} is out of range; accepted are axes of at least 1 "
                      "and at most {} elements",
                      where, ToString(shape), kMaxElements));
    }
    count *= dimension;
  }
  return count;
}

Status CheckTexts(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.name, "the graph's name"));
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.origin, "the graph's origin"));
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.licence, "the graph's licence"));
  for (size_t i = 0; i < graph.class_labels.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckName(graph.class_labels[i], fmt::format("class label {}", i)));
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(
        CheckName(graph.tensors[i].name, fmt::format("the name of tensor {}", i)));
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(
        CheckName(graph.constants[i].name, fmt::format("the name of constant {}", i)));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckName(graph.nodes[i].name, fmt::format("the name of node {}", i)));
  }
  return {};
}

Status CheckNodes(const Graph& graph, const std::function<Status(const Node&)>& check_node) {
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, graph.input, "the graph's input"));
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, graph.output, "the graph's output"));
  if (graph.nodes.empty()) return InvalidInput("the graph has 0 nodes; accepted is at least 1");
  std::vector<char> is_produced(graph.tensors.size(), 0);
  is_produced[static_cast<size_t>(graph.input)] = 1;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::string where = fmt::format("node {} \"{}\" ({})", i, node.name, ToString(node.kind));
    MACLOOM_RETURN_IF_ERROR(CheckOrder(graph, node, where, is_produced));
    const Status status = check_node(node);
    if (!status.ok()) {
      return Error{status.error().kind, fmt::format("{}: {}", where, status.error().message)};
    }
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (!is_produced[i]) {
      return InvalidInput(
          fmt::format("tensor {} \"{}\" is neither the graph's input nor the output of "
                      "a node",
                      i, graph.tensors[i].name));
    }
  }
  return {};
}

}  // namespace macloom::ir
