#include "ir/graph.h"

#include "ir/shape_inference.h"

namespace macloom::ir {

std::string ToString(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::kConv2d:
      return "CONV_2D";
    case OperatorKind::kDepthwiseConv2d:
      return "DEPTHWISE_CONV_2D";
    case OperatorKind::kFullyConnected:
      return "FULLY_CONNECTED";
    case OperatorKind::kAveragePool2d:
      return "AVERAGE_POOL_2D";
    case OperatorKind::kMaxPool2d:
      return "MAX_POOL_2D";
    case OperatorKind::kAdd:
      return "ADD";
    case OperatorKind::kConcatenation:
      return "CONCATENATION";
    case OperatorKind::kPad:
      return "PAD";
    case OperatorKind::kReshape:
      return "RESHAPE";
    case OperatorKind::kSoftmax:
      return "SOFTMAX";
  }
  return "UNKNOWN";
}

int64_t NumMacs(const Graph& graph, const Node& node) {
  if (!HasWeights(node.kind)) return 0;
  const int64_t num_weights = NumElements(graph.constant(node.weights).shape);
  if (node.kind == OperatorKind::kFullyConnected) return num_weights;
  const Shape& out = graph.tensor(node.output).shape;
  return out[0] * out[1] * num_weights;
}

}  // namespace macloom::ir
