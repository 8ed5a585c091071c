#include "golden/reference/operators.h"
#include "golden/reference/output_sum.h"

namespace macloom::golden {

NodeRun FullyConnected(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                       const ir::Accumulation& accumulation) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const std::vector<int64_t>& weights_oi = graph.constant(node.weights).codes;
  const std::vector<int64_t> starts = StartValues(graph, node);
  const WindowExtent extent = ExtentOf(graph, node);
  const OutputSum sum(graph, node, accumulation);
  for (int64_t oc = 0; oc < run.output.shape[0]; ++oc) {
    const int64_t* weights = weights_oi.data() + oc * extent.num_positions();
    sum.Append(run, starts[static_cast<size_t>(oc)], {x.codes.data(), 1}, {weights, 1}, oc, 1);
  }
  return run;
}

}  // namespace macloom::golden
