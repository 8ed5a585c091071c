#include "golden/reference/minifloat.h"
#include "golden/reference/operators.h"
#include "golden/reference/window.h"

namespace macloom::golden {

NodeRun MaxPool(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const int64_t num_channels = run.output.shape[2];
  const ir::NumberFormat& format = graph.tensor(node.inputs[0]).format;
  const auto lowest = static_cast<int32_t>(
      format.IsMinifloat() ? format.SignBit() | format.MaxFiniteCode() : format.MinCode());
  const auto is_less = [&](int32_t a, int32_t b) {
    return format.IsMinifloat() ? CompareCodes(format, a, b) < 0 : a < b;
  };
  for (int64_t out_y = 0; out_y < run.output.shape[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < run.output.shape[1]; ++out_x) {
      // A position outside the image never wins: it is the lowest code.
      const WindowCodes window = GatherWindow(x, node.window, out_y, out_x, lowest);
      for (int64_t c = 0; c < num_channels; ++c) {
        int32_t largest = lowest;
        for (size_t i = static_cast<size_t>(c); i < window.codes.size();
             i += static_cast<size_t>(num_channels)) {
          if (is_less(largest, window.codes[i])) largest = window.codes[i];
        }
        const ir::Requantization& clamp = node.requantization;
        if (is_less(largest, clamp.clamp_min)) {
          run.Append({clamp.clamp_min, true, false});
        } else if (is_less(clamp.clamp_max, largest)) {
          run.Append({clamp.clamp_max, false, true});
        } else {
          run.Append({largest, false, false});
        }
      }
    }
  }
  return run;
}

}  // namespace macloom::golden
