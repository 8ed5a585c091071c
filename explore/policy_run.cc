#include "explore/policy_run.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/interrupt.h"
#include "explore/layer_geometry.h"
#include "golden/reference/operators.h"
#include "golden/reference/window.h"

namespace macloom::explore {
namespace {

/// sat_P, counting.
class Clamper {
 public:
  explicit Clamper(int width_bits) : high_((int64_t{1} << (width_bits - 1)) - 1) {}
  int64_t operator()(int64_t value) {
    const int64_t clamped = std::clamp(value, -high_ - 1, high_);
    if (clamped != value) ++num_events_;
    return clamped;
  }
  int64_t num_events() const { return num_events_; }

 private:
  int64_t high_;
  int64_t num_events_ = 0;
};

std::vector<int64_t> StepSums(const std::vector<int64_t>& products,
                              const std::vector<int64_t>& step_ends) {
  std::vector<int64_t> sums;
  int64_t first = 0;
  for (const int64_t end : step_ends) {
    sums.push_back(std::accumulate(products.begin() + first, products.begin() + end, int64_t{0}));
    first = end;
  }
  return sums;
}

golden::WindowSum TwoLevel(const PolicySetting& setting, int64_t start,
                           const std::vector<int64_t>& sums) {
  Clamper inner_clamp(setting.width_bits), outer_clamp(setting.parameter);
  int64_t outer = outer_clamp(start);
  const auto tile = static_cast<size_t>(kInnerSteps);
  for (size_t first = 0; first < sums.size(); first += tile) {
    int64_t inner = 0;
    for (size_t i = first; i < std::min(first + tile, sums.size()); ++i) {
      inner = inner_clamp(inner + sums[i]);
    }
    outer = outer_clamp(outer + inner);
  }
  return {outer, 0, inner_clamp.num_events() + outer_clamp.num_events()};
}

golden::WindowSum Sorted(const PolicySetting& setting, int64_t start,
                         std::vector<int64_t> products) {
  Clamper clamp(setting.width_bits);
  int64_t acc = clamp(start);
  std::sort(products.begin(), products.end());
  // The most negative product is first, the most positive one last.
  size_t first = 0, last = products.size();
  while (first < last) {
    const bool has_negative = products[first]<0, has_positive = products[last - 1]> 0;
    const bool takes_negative = acc >= 0 ? has_negative : !has_positive;
    acc = clamp(acc + (takes_negative ? products[first++] : products[--last]));
  }
  return {acc, 0, clamp.num_events()};
}

golden::WindowSum DroppedBits(const PolicySetting& setting, int64_t start,
                              const std::vector<int64_t>& sums) {
  Clamper clamp(setting.width_bits);
  int64_t acc = clamp(start >> setting.parameter);
  for (const int64_t sum : sums) acc = clamp(acc + (sum >> setting.parameter));
  return {acc * (int64_t{1} << setting.parameter), 0, clamp.num_events()};
}

/// One accumulating node on one sample.
golden::NodeRun RunLayer(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                         const ir::Accumulation& accumulation, const PolicySetting& setting) {
  const LayerGeometry geometry(graph, node);
  const golden::StepOrder order = golden::MakeStepOrder(accumulation, geometry.extent);
  std::vector<std::vector<int64_t>> weights;
  std::vector<int64_t> starts;
  for (int64_t c = 0; c < geometry.num_channels; ++c) {
    weights.push_back(geometry.Weights(graph, node, c));
    starts.push_back(StartOf(graph, node, c));
  }
  const bool is_dense = node.kind == ir::OperatorKind::kFullyConnected;
  const bool is_shared = is_dense || node.kind == ir::OperatorKind::kConv2d;
  const int64_t multiplier =
      node.kind == ir::OperatorKind::kDepthwiseConv2d ? node.depth_multiplier : 1;
  golden::NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int64_t rows = is_dense ? 1 : run.output.shape[0];
  const int64_t cols = is_dense ? 1 : run.output.shape[1];
  std::vector<int64_t> products(order.positions.size());
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t col = 0; col < cols; ++col) {
      golden::WindowCodes window;
      if (is_dense) {
        window.codes = x.codes;
      } else {
        window =
            golden::GatherWindow(x, node.window, y, col, static_cast<int32_t>(geometry.pad_code));
      }
      for (int64_t c = 0; c < geometry.num_channels; ++c) {
        const auto channel = static_cast<size_t>(c);
        for (size_t i = 0; i < products.size(); ++i) {
          const int64_t position = order.positions[i];
          const int64_t at = is_shared ? position : position * x.shape[2] + c / multiplier;
          products[i] = window.codes[static_cast<size_t>(at)] *
                        weights[channel][static_cast<size_t>(position)];
        }
        run.Append(PolicySum(setting, starts[channel], products, order.step_ends),
                   node.requantization, c, window.num_inside_taps);
      }
    }
  }
  return run;
}

}  // namespace

golden::WindowSum PolicySum(const PolicySetting& setting, int64_t start,
                            const std::vector<int64_t>& products,
                            const std::vector<int64_t>& step_ends) {
  const int64_t exact = std::accumulate(products.begin(), products.end(), start);
  golden::WindowSum sum;
  switch (setting.policy) {
    case Policy::kTwoLevel:
      sum = TwoLevel(setting, start, StepSums(products, step_ends));
      break;
    case Policy::kSorted:
      sum = Sorted(setting, start, products);
      break;
    case Policy::kDroppedBits:
      sum = DroppedBits(setting, start, StepSums(products, step_ends));
      break;
    default: {
      MACLOOM_CHECK(setting.policy == Policy::kSaturateAtEnd);
      Clamper clamp(setting.width_bits);
      sum.accumulator = clamp(exact);
      sum.num_events = clamp.num_events();
    }
  }
  sum.exact = exact;
  return sum;
}

Result<PolicyBatch> RunPolicy(const ir::Graph& graph,
                              const std::vector<ir::Accumulation>& accumulation,
                              const PolicySetting& setting,
                              const std::vector<ir::TensorValue>& inputs) {
  PolicyBatch batch;
  batch.events.resize(graph.nodes.size());
  for (const ir::TensorValue& input : inputs) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_RETURN_IF_ERROR(golden::CheckInput(graph, input));
    std::vector<ir::TensorValue> tensors(graph.tensors.size());
    tensors[static_cast<size_t>(graph.input)] = input;
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const ir::Node& node = graph.nodes[n];
      golden::NodeRun run =
          Accumulates(node) ? RunLayer(graph, node, tensors[static_cast<size_t>(node.inputs[0])],
                                       accumulation[n], setting)
                            : golden::RunNode(graph, node, tensors, ir::Accumulation::Exact());
      batch.events[n] += run.events;
      tensors[static_cast<size_t>(node.output)] = std::move(run.output);
    }
    batch.outputs.push_back(std::move(tensors[static_cast<size_t>(graph.output)]));
  }
  return batch;
}

}  // namespace macloom::explore
