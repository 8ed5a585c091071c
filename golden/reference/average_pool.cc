#include "golden/reference/operators.h"
#include "golden/reference/output_sum.h"
#include "golden/reference/window.h"

namespace macloom::golden {

NodeRun AveragePool(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                    const ir::Accumulation& accumulation) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int64_t num_channels = run.output.shape[2];
  const WindowExtent extent = ExtentOf(graph, node);
  const OutputSum sum(graph, node, accumulation);
  const std::vector<int64_t> ones(static_cast<size_t>(extent.num_positions()), sum.unit_weight());
  for (int64_t out_y = 0; out_y < run.output.shape[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < run.output.shape[1]; ++out_x) {
      // A position outside the image adds 0, which is no event in any accumulator.
      const WindowCodes window = GatherWindow(x, node.window, out_y, out_x, 0);
      for (int64_t c = 0; c < num_channels; ++c) {
        sum.Append(run, 0, {window.codes.data() + c, num_channels}, {ones.data(), 1}, c,
                   window.num_inside_taps);
      }
    }
  }
  return run;
}

}  // namespace macloom::golden
