// The operators, one function and one source file each.
#pragma once

#include <vector>

#include "golden/reference/node_run.h"
#include "ir/graph.h"

namespace macloom::golden {

// Formulas: docs/numerics.md sections 2 and 4. Every function takes a node of a verified graph, the
// codes of its inputs, and, where products are summed, a contract that CheckAccumulation() accepts.
// z_in is the input tensor's zero point, start_oc = bias_oc - z_in * (sum of the channel's
// weights).

/// x [H, W, IC], weights [OC, KH, KW, IC] -> [OH, OW, OC]:
/// acc(y, x, oc) = start_oc + sum over ky, kx, c of code(ky, kx, c) * w(oc, ky, kx, c), code = z_in
/// outside the image.
NodeRun Convolution(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                    const ir::Accumulation& accumulation);

/// x [H, W, IC], weights [KH, KW, OC] -> [OH, OW, OC], OC = IC * depth_multiplier: output channel
/// oc sees input channel oc / depth_multiplier only; padding as Convolution().
NodeRun DepthwiseConvolution(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                             const ir::Accumulation& accumulation);

/// x flattened to [IC], weights [OC, IC] -> [OC].
NodeRun FullyConnected(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                       const ir::Accumulation& accumulation);

/// x [H, W, C] -> [OH, OW, C]: acc = sum of the codes inside the image, from 0; then their mean.
NodeRun AveragePool(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                    const ir::Accumulation& accumulation);

/// x [H, W, C] -> [OH, OW, C]: the largest code inside the image, clamped.
NodeRun MaxPool(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x);

/// a and b of one shape: MBQM(MBQM((a - z_a)*2^20) + MBQM((b - z_b)*2^20)) + z_out, clamped.
NodeRun Add(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& a,
            const ir::TensorValue& b);

/// Over the last axis, every row on its own. Counts no clamps: its range is part of the function.
NodeRun Softmax(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x);

/// The codes of all inputs, one input after the other along the node's axis.
NodeRun Concatenation(const ir::Graph& graph, const ir::Node& node,
                      const std::vector<const ir::TensorValue*>& inputs);

/// x [H, W, C] -> [H + pads, W + pads, C]: the zero point around the image.
NodeRun Pad(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x);

/// The same codes under the output's shape.
NodeRun Reshape(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x);

/// The window over which each output of `node` sums; depthwise and pooling see one channel.
/// @pre The node is CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED or AVERAGE_POOL_2D.
WindowExtent ExtentOf(const ir::Graph& graph, const ir::Node& node);

/// start_oc for every output channel. @pre The node has weights.
std::vector<int64_t> StartValues(const ir::Graph& graph, const ir::Node& node);

/// Whether golden can execute `node` with `accumulation`. Always, for nodes without accumulator.
///
/// Minifloat nodes take fixed point, float, and the exact 64-bit integer contract; integer nodes
/// integer contracts.
/// @return kInvalidInput if the contract is invalid or of the other kind, is wider than 64 bits, is
/// 33 to 63 bits wide
///         with a multiplier requantization, is tap-serial over several channels, or does not
///         wrap and a start value does not fit (names channel, value and range).
Status CheckAccumulation(const ir::Graph& graph, const ir::Node& node,
                         const ir::Accumulation& accumulation);

/// CheckAccumulation() of every node. @return kInvalidInput if there is neither none nor one
/// contract per node, or one cannot be executed; the message names the node.
Status CheckContracts(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation);

/// @return kInvalidInput if shape, number or range of codes does not fit graph.input.
Status CheckInput(const ir::Graph& graph, const ir::TensorValue& input);

/// Executes one node. `tensors` is indexed by TensorId; only the node's inputs are read.
NodeRun RunNode(const ir::Graph& graph, const ir::Node& node,
                const std::vector<ir::TensorValue>& tensors, const ir::Accumulation& accumulation);

}  // namespace macloom::golden
