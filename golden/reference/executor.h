// The normative execution of a quantized network: slow, obvious, bit-exact.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace macloom::golden {

/// What happened in one node for one sample.
struct LayerEvents {
  int64_t overflow_events = 0;     ///< Steps whose exact acc + sum left the accumulator's range.
  int64_t overflowed_outputs = 0;  ///< Outputs with at least one event (a prefix left the range).
  int64_t wrong_outputs = 0;       ///< Outputs whose final accumulator differs from the exact sum.
  int64_t clamped_low = 0;         ///< Outputs the clamp raised to clamp_min.
  int64_t clamped_high = 0;        ///< Outputs the clamp lowered to clamp_max.

  LayerEvents& operator+=(const LayerEvents& other);
  bool operator==(const LayerEvents&) const = default;
};

/// Every tensor of one sample's run.
struct Trace {
  std::vector<ir::TensorValue> tensors;  ///< By TensorId; the graph's input included.
  std::vector<LayerEvents> events;       ///< By node index.
  /// By node index: accumulators before requantization, output shape; empty unless asked for.
  std::vector<std::vector<int64_t>> accumulators;
};

struct RunOptions {
  /// By node index; empty = Accumulation::Exact() everywhere. Used by convolutions, depthwise,
  /// fully connected and average pooling (pooling sums codes from a start value of 0, one tap per
  /// step).
  std::vector<ir::Accumulation> accumulation;
  bool keep_accumulators = false;
};

/// Runs `graph` on one input. Normative: docs/numerics.md.
///
/// @pre ir::Verify(graph) succeeds.
/// @return kInvalidInput if the input's shape, number of codes or a code's range does not fit
///         graph.input, if `accumulation` has the wrong length, or if one of its entries cannot be
///         executed (CheckAccumulation() in operators.h); the message names node and value.
Result<Trace> Run(const ir::Graph& graph, const ir::TensorValue& input,
                  const RunOptions& options = {});

}  // namespace macloom::golden
