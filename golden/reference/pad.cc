#include "golden/reference/operators.h"
#include "golden/reference/window.h"

namespace macloom::golden {

NodeRun Pad(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int32_t zero_point = graph.tensor(node.output).quantization.zero_point();
  for (int64_t out_y = 0; out_y < run.output.shape[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < run.output.shape[1]; ++out_x) {
      const WindowCodes pixel = GatherWindow(x, node.window, out_y, out_x, zero_point);
      run.output.codes.insert(run.output.codes.end(), pixel.codes.begin(), pixel.codes.end());
    }
  }
  return run;
}

}  // namespace macloom::golden
