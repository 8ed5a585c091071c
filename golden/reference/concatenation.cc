#include "golden/reference/operators.h"

namespace macloom::golden {

NodeRun Concatenation(const ir::Graph& graph, const ir::Node& node,
                      const std::vector<const ir::TensorValue*>& inputs) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const size_t axis = static_cast<size_t>(node.axis);
  int64_t num_outer = 1;
  for (size_t i = 0; i < axis; ++i) num_outer *= run.output.shape[i];
  for (int64_t outer = 0; outer < num_outer; ++outer) {
    for (const ir::TensorValue* input : inputs) {
      const int64_t length = ir::NumElements(input->shape) / num_outer;
      const auto first = input->codes.begin() + outer * length;
      run.output.codes.insert(run.output.codes.end(), first, first + length);
    }
  }
  return run;
}

}  // namespace macloom::golden
