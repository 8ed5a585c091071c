#include "golden/reference/operators.h"
#include "golden/reference/output_sum.h"
#include "golden/reference/window.h"

namespace macloom::golden {

NodeRun DepthwiseConvolution(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x,
                             const ir::Accumulation& accumulation) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int64_t num_inputs = x.shape[2];
  const int64_t num_outputs = run.output.shape[2];
  const int32_t pad_code = graph.tensor(node.inputs[0]).quantization.zero_point();
  const std::vector<int64_t>& weights_hwc = graph.constant(node.weights).codes;
  const std::vector<int64_t> starts = StartValues(graph, node);
  const OutputSum sum(graph, node, accumulation);
  for (int64_t out_y = 0; out_y < run.output.shape[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < run.output.shape[1]; ++out_x) {
      const WindowCodes window = GatherWindow(x, node.window, out_y, out_x, pad_code);
      for (int64_t oc = 0; oc < num_outputs; ++oc) {
        const int64_t ic = oc / node.depth_multiplier;
        sum.Append(run, starts[static_cast<size_t>(oc)], {window.codes.data() + ic, num_inputs},
                   {weights_hwc.data() + oc, num_outputs}, oc, window.num_inside_taps);
      }
    }
  }
  return run;
}

}  // namespace macloom::golden
