#include "arch/canonical.h"

#include <fmt/format.h>

#include "arch/legality.h"
#include "ir/shape_inference.h"

namespace macloom::arch {
namespace {

/// The dilation that has to be filled, by axis; 1: none.
ir::Window FilledDilation(const ir::Node& node) {
  ir::Window filled = node.window;
  if (node.kind != ir::OperatorKind::kConv2d) return filled;
  if (filled.pad_top == 0 && filled.pad_bottom == 0) filled.dilation_h = 1;
  if (filled.pad_left == 0 && filled.pad_right == 0) filled.dilation_w = 1;
  return filled;
}

bool IsDilated(const ir::Window& window) {
  return window.dilation_h != 1 || window.dilation_w != 1;
}

Status CheckSize(const ir::Node& node, int64_t num_elements) {
  if (num_elements <= ir::kMaxElements) return {};
  return RefuseNode(node,
                    fmt::format("its weights with zeros filled in have {} elements; supported "
                                "are at most {}",
                                num_elements, ir::kMaxElements));
}

/// Replaces the weights of `node` by a constant of `shape`; `source(o, ky, kx, i)` is the index of
/// an element in the old one, or -1 for 0. For depthwise weights i is the output channel.
template <typename Source>
void Refill(ir::Graph& graph, ir::Node& node, const ir::Shape& shape, Source source) {
  ir::Constant filled = graph.constant(node.weights);
  const std::vector<int64_t> codes = std::move(filled.codes);
  filled.codes.assign(static_cast<size_t>(ir::NumElements(shape)), 0);
  filled.shape = shape;
  filled.quantization = {};
  const bool is_ohwi = shape.size() == 4;
  const int64_t outputs = is_ohwi ? shape[0] : 1;
  const int64_t rows = shape[is_ohwi ? 1 : 0], columns = shape[is_ohwi ? 2 : 1];
  size_t at = 0;
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t ky = 0; ky < rows; ++ky) {
      for (int64_t kx = 0; kx < columns; ++kx) {
        for (int64_t i = 0; i < shape.back(); ++i, ++at) {
          const int64_t from = source(o, ky, kx, i);
          if (from >= 0) filled.codes[at] = codes[static_cast<size_t>(from)];
        }
      }
    }
  }
  node.weights = static_cast<ir::ConstantId>(graph.constants.size());
  graph.constants.push_back(std::move(filled));
}

Status FillDilation(ir::Graph& graph, ir::Node& node) {
  const ir::Window window = FilledDilation(node);
  const int64_t kernel_h = int64_t{window.kernel_h - 1} * window.dilation_h + 1;
  const int64_t kernel_w = int64_t{window.kernel_w - 1} * window.dilation_w + 1;
  const ir::Shape old = graph.constant(node.weights).shape;
  const bool is_depthwise = node.kind == ir::OperatorKind::kDepthwiseConv2d;
  const int64_t outputs = is_depthwise ? 1 : old[0];
  const int64_t inputs = old.back();
  MACLOOM_RETURN_IF_ERROR(CheckSize(node, kernel_h * kernel_w * outputs * inputs));
  const ir::Shape shape = is_depthwise ? ir::Shape{kernel_h, kernel_w, inputs}
                                       : ir::Shape{outputs, kernel_h, kernel_w, inputs};
  Refill(graph, node, shape, [&](int64_t o, int64_t ky, int64_t kx, int64_t i) -> int64_t {
    if (ky % window.dilation_h != 0 || kx % window.dilation_w != 0) return -1;
    const int64_t row = o * window.kernel_h + ky / window.dilation_h;
    return (row * window.kernel_w + kx / window.dilation_w) * inputs + i;
  });
  node.window.kernel_h = static_cast<int>(kernel_h);
  node.window.kernel_w = static_cast<int>(kernel_w);
  if (window.dilation_h != 1) node.window.dilation_h = 1;
  if (window.dilation_w != 1) node.window.dilation_w = 1;
  return {};
}

Status FillDiagonal(ir::Graph& graph, ir::Node& node) {
  const ir::Shape hwc = graph.constant(node.weights).shape;
  const int64_t inputs = graph.tensor(node.inputs[0]).shape[2], outputs = hwc[2];
  MACLOOM_RETURN_IF_ERROR(CheckSize(node, ir::NumElements(hwc) * inputs));
  const int64_t multiplier = node.depth_multiplier;
  Refill(graph, node, {outputs, hwc[0], hwc[1], inputs},
         [&](int64_t o, int64_t ky, int64_t kx, int64_t i) -> int64_t {
           return o / multiplier == i ? (ky * hwc[1] + kx) * outputs + o : -1;
         });
  node.kind = ir::OperatorKind::kConv2d;
  node.depth_multiplier = 1;
  return {};
}

}  // namespace

Result<ir::Graph> Canonical(const ir::Graph& graph) {
  ir::Graph canonical = graph;
  for (ir::Node& node : canonical.nodes) {
    if (ir::HasWeights(node.kind) && IsDilated(FilledDilation(node))) {
      MACLOOM_RETURN_IF_ERROR(FillDilation(canonical, node));
    }
    if (node.kind == ir::OperatorKind::kDepthwiseConv2d && node.depth_multiplier > 1 &&
        canonical.tensor(node.inputs[0]).shape[2] > 1) {
      MACLOOM_RETURN_IF_ERROR(FillDiagonal(canonical, node));
    }
  }
  return canonical;
}

}  // namespace macloom::arch
