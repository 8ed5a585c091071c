#include "golden/reference/operators.h"

namespace macloom::golden {

NodeRun Reshape(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x) {
  NodeRun run;
  run.output = {graph.tensor(node.output).shape, x.codes};
  return run;
}

}  // namespace macloom::golden
