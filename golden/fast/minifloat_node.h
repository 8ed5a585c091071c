// Sums over minifloat codes in integers: every code decoded once, every sum in 64 or 128 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "golden/reference/node_run.h"
#include "golden/reference/step_order.h"
#include "ir/graph.h"

namespace macloom::golden::fast {

/// One convolution, depthwise convolution, fully connected layer or average pooling of minifloats,
/// prepared for one contract; Run() equals golden::RunNode() in codes, accumulators and counts.
///
/// All of docs/numerics.md section 9.4 is integers on the grid p of the products: grid integers
/// n = +-m 2^t (section 9.1), and registers too, because rounding a multiple of 2^p to a float's
/// grid yields a multiple of 2^p. Test: tests/golden_fast/minifloat_test.cc.
class MinifloatNode {
 public:
  /// @return nothing for other nodes, and where |acc + sum| may pass 2^125 or a float register's
  ///         largest value is no multiple of 2^p: golden/reference runs those.
  /// @pre CheckAccumulation() accepts the contract.
  static std::optional<MinifloatNode> Create(const ir::Graph& graph, const ir::Node& node,
                                             const ir::Accumulation& accumulation);

  /// @param x  the node's input; finite codes.
  NodeRun Run(const ir::TensorValue& x) const;

 private:
  /// A window's inputs in step order, decoded.
  struct Operands {
    std::vector<int64_t> values;
    std::vector<int> steps;
  };
  MinifloatNode() = default;
  template <typename Wide>
  NodeRun RunIn(const ir::TensorValue& x) const;
  template <typename Wide>
  struct Register;
  template <typename Wide>
  void Append(NodeRun& run, const Operands& operands, int64_t channel, int64_t num_positions) const;
  template <typename Wide>
  void AddSteps(Register<Wide>& acc, const Operands& operands, const int64_t* weights) const;
  template <typename Wide>
  Requantized RoundAndClampSum(const Register<Wide>& acc, int64_t channel,
                               int64_t num_positions) const;

  ir::OperatorKind kind_{};
  ir::Window window_;
  int depth_multiplier_ = 1;
  ir::Shape output_shape_;
  ir::Accumulation accumulation_;
  ir::Requantization requantization_;
  ir::NumberFormat output_format_, register_format_;
  StepOrder order_;
  int product_lsb_ = 0;
  bool is_narrow_ = false;              // 64 bits hold every sum.
  std::vector<int64_t> input_values_;   // By code: grid integers, 0 for Inf and NaN.
  std::vector<int> input_steps_;        // By code: t.
  std::vector<int64_t> weight_values_;  // [channel][position in step order].
  std::vector<int> weight_steps_;       // As weight_values_.
  std::vector<int64_t> starts_;         // By channel: the bias.
};

}  // namespace macloom::golden::fast
