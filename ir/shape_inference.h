// Shapes that follow from an operator, its window and its weights.
#pragma once

#include "ir/graph.h"

namespace macloom::ir {

/// Largest kernel extent, stride and padding of a Window, in elements.
inline constexpr int kMaxWindowExtent = 4096;
/// Most elements of one tensor or constant, and of all activation tensors of a graph together.
inline constexpr int64_t kMaxElements = int64_t{1} << 26;
inline constexpr int64_t kMaxTotalElements = int64_t{1} << 28;
/// Most axes of a tensor or constant.
inline constexpr int kMaxRank = 8;

/// Output size of one axis: (in + pad_before + pad_after - extent) / stride + 1, rounded down, with
/// extent = (kernel - 1) * dilation + 1.
///
/// @return kInvalidInput unless in is in 1..2^26, kernel, stride and dilation in 1..4096, each
///         padding in 0..extent-1, and the extent fits into the padded input. Without dilation
///         every window then holds an element of the image.
Result<int64_t> OutputExtent(int64_t in, int kernel, int stride, int dilation, int pad_before,
                             int pad_after);

/// Shape of `node`'s output from its inputs' shapes, its window and its weights.
///
/// For kReshape, whose output shape is free, the shape of the output tensor.
/// @pre node.inputs, node.output and node.weights are valid indices where the operator needs them.
/// @return kInvalidInput if ranks, channels, kernel or element counts contradict each other.
Result<Shape> OutputShape(const Graph& graph, const Node& node);

/// True for CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.
bool HasWeights(OperatorKind kind);
/// True for AVERAGE_POOL_2D and MAX_POOL_2D.
bool IsPool(OperatorKind kind);
/// True for CONV_2D, DEPTHWISE_CONV_2D, pooling and PAD: Node::window is used.
bool HasWindow(OperatorKind kind);

/// Output channels of a node with weights, from the weights' shape.
int64_t NumOutputChannels(const Graph& graph, const Node& node);

}  // namespace macloom::ir
