// From the products of one output to its code, for integer and minifloat nodes alike.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/reference/minifloat.h"
#include "golden/reference/node_run.h"
#include "golden/reference/step_order.h"
#include "golden/reference/summation.h"
#include "ir/graph.h"

namespace macloom::golden {

/// Sums the windows of one node under one contract and requantizes them: docs/numerics.md sections
/// 2 and 4 for integers, 9.3 to 9.5 for minifloats.
class OutputSum {
 public:
  /// @pre CheckAccumulation() accepts the contract.
  OutputSum(const ir::Graph& graph, const ir::Node& node, const ir::Accumulation& accumulation);

  /// Appends the code of one output to `run`: start + sum over window positions i of codes[i] *
  /// weights[i] in the contract's order, requantized; counts events and clamp.
  void Append(NodeRun& run, int64_t start, Strided<int32_t> codes, Strided<int64_t> weights,
              int64_t channel, int64_t num_positions) const;

  /// The weight of average pooling: 1, or the code of 1.0 in the input's minifloat format.
  int64_t unit_weight() const;

 private:
  void AppendMinifloat(NodeRun& run, int64_t bias, Strided<int32_t> codes, Strided<int64_t> weights,
                       int64_t channel, int64_t num_positions) const;

  const ir::Requantization& requantization_;
  ir::Accumulation accumulation_;
  ir::NumberFormat input_format_, output_format_;
  WindowExtent extent_;
  // Integers.
  std::vector<Summation> summation_;  // None or one.
  // Minifloats.
  StepOrder order_;
  int product_lsb_ = 0;
  std::vector<DecodedMinifloat> inputs_, weights_;  // By code.
};

}  // namespace macloom::golden
