#include <algorithm>

#include "golden/reference/operators.h"
#include "golden/reference/window.h"

namespace macloom::golden {

NodeRun MaxPool(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int64_t num_channels = run.output.shape[2];
  const auto lowest = static_cast<int32_t>(graph.tensor(node.inputs[0]).format.MinCode());
  for (int64_t out_y = 0; out_y < run.output.shape[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < run.output.shape[1]; ++out_x) {
      // A position outside the image never wins: it is the lowest code.
      const WindowCodes window = GatherWindow(x, node.window, out_y, out_x, lowest);
      for (int64_t c = 0; c < num_channels; ++c) {
        int32_t largest = lowest;
        for (size_t i = static_cast<size_t>(c); i < window.codes.size();
             i += static_cast<size_t>(num_channels)) {
          largest = std::max(largest, window.codes[i]);
        }
        run.Append(Clamp(largest, node.requantization));
      }
    }
  }
  return run;
}

}  // namespace macloom::golden
