#include "campaign/cut.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "ir/shape_inference.h"

namespace macloom::campaign {
namespace {

/// A tensor that stays: which old element each new one continues.
struct Kept {
  ir::Shape shape;
  std::vector<int64_t> channels;  ///< Old channel of each new one.
  std::vector<int64_t> elements;  ///< Old flat index of each new element.
};

std::vector<int64_t> Indices(const Range& range) {
  std::vector<int64_t> indices(static_cast<size_t>(range.count));
  std::iota(indices.begin(), indices.end(), range.first);
  return indices;
}

/// Pixels continue the old ones from the first on; where the image grew, they repeat.
void FillElements(const ir::Shape& old_shape, Kept& kept) {
  kept.elements.clear();
  if (kept.shape.size() == 1) {
    kept.elements = kept.channels;
    return;
  }
  for (int64_t y = 0; y < kept.shape[0]; ++y) {
    for (int64_t x = 0; x < kept.shape[1]; ++x) {
      for (const int64_t c : kept.channels) {
        kept.elements.push_back(
            (y % old_shape[0] * old_shape[1] + x % old_shape[1]) * old_shape[2] + c);
      }
    }
  }
}

/// Rebuilds a graph node by node.
class Cutter {
 public:
  Cutter(const Case& test_case, const Cut& cut)
      : old_(test_case.graph), cut_(cut), result_(test_case), kept_(old_.tensors.size()) {}

  std::optional<Case> Run() {
    if (!CutInput()) return std::nullopt;
    for (size_t n = 0; n < old_.nodes.size(); ++n) {
      if (!CutNode(n)) return std::nullopt;
    }
    if (!ir::Verify(result_.graph).ok()) return std::nullopt;
    return std::move(result_);
  }

 private:
  Kept& KeptOf(ir::TensorId id) { return kept_[static_cast<size_t>(id)]; }

  bool CutInput() {
    Kept& kept = KeptOf(old_.input);
    const ir::Shape& shape = old_.tensor(old_.input).shape;
    if (shape.size() != 3 && shape.size() != 1) return false;
    for (const Range& range : cut_.input) kept.shape.push_back(range.count);
    kept.channels = Indices(cut_.input.back());
    if (shape.size() == 1) {
      kept.elements = kept.channels;
    } else {
      for (const int64_t y : Indices(cut_.input[0])) {
        for (const int64_t x : Indices(cut_.input[1])) {
          for (const int64_t c : kept.channels) {
            kept.elements.push_back((y * shape[1] + x) * shape[2] + c);
          }
        }
      }
    }
    ir::TensorValue value{kept.shape, {}};
    for (const int64_t i : kept.elements)
      value.codes.push_back(result_.input.codes[static_cast<size_t>(i)]);
    result_.input = std::move(value);
    result_.graph.tensors[static_cast<size_t>(old_.input)].shape = kept.shape;
    return true;
  }

  bool CutNode(size_t n) {
    ir::Node& node = result_.graph.nodes[n];
    const Kept& in = KeptOf(node.inputs[0]);
    Kept out;
    node.window = cut_.windows[n];
    out.channels = in.channels;
    if (ir::HasWeights(node.kind)) {
      CutWeights(node, in, cut_.output_channels[n], out.channels);
    } else if (node.kind == ir::OperatorKind::kConcatenation &&
               (old_.tensor(node.output).shape.size() == 1 || node.axis == 2)) {
      out.channels.clear();
      int64_t offset = 0;
      for (const ir::TensorId input : node.inputs) {
        for (const int64_t c : KeptOf(input).channels) out.channels.push_back(offset + c);
        offset += old_.tensor(input).shape.back();
      }
    } else if (node.kind == ir::OperatorKind::kReshape) {
      if (old_.tensor(node.output).shape.size() != 1) return false;
      out.shape = {static_cast<int64_t>(in.elements.size())};
      out.channels = out.elements = in.elements;
    }
    if (node.kind != ir::OperatorKind::kReshape) {
      const auto shape = ir::OutputShape(result_.graph, node);
      if (!shape.ok()) return false;
      out.shape = *shape;
      if (out.shape.back() != static_cast<int64_t>(out.channels.size())) return false;
      FillElements(old_.tensor(node.output).shape, out);
    }
    result_.graph.tensors[static_cast<size_t>(node.output)].shape = out.shape;
    KeptOf(node.output) = std::move(out);
    return true;
  }

  void CutWeights(ir::Node& node, const Kept& in, const Range& range,
                  std::vector<int64_t>& out_channels) {
    const ir::Constant& old = old_.constant(node.weights);
    ir::Constant& weights = result_.graph.constants[static_cast<size_t>(node.weights)];
    std::vector<int64_t> codes;
    const auto take = [&](int64_t index) {
      codes.push_back(old.codes[static_cast<size_t>(index)]);
    };
    const int kernel_h = node.window.kernel_h, kernel_w = node.window.kernel_w;
    if (node.kind == ir::OperatorKind::kDepthwiseConv2d) {
      out_channels.clear();
      for (const int64_t c : in.channels) {
        for (int m = 0; m < node.depth_multiplier; ++m)
          out_channels.push_back(c * node.depth_multiplier + m);
      }
      for (int64_t ky = 0; ky < kernel_h; ++ky) {
        for (int64_t kx = 0; kx < kernel_w; ++kx) {
          for (const int64_t c : out_channels) take((ky * old.shape[1] + kx) * old.shape[2] + c);
        }
      }
      weights.shape = {kernel_h, kernel_w, static_cast<int64_t>(out_channels.size())};
    } else if (node.kind == ir::OperatorKind::kConv2d) {
      out_channels = Indices(range);
      for (const int64_t o : out_channels) {
        for (int64_t ky = 0; ky < kernel_h; ++ky) {
          for (int64_t kx = 0; kx < kernel_w; ++kx) {
            for (const int64_t c : in.channels)
              take(((o * old.shape[1] + ky) * old.shape[2] + kx) * old.shape[3] + c);
          }
        }
      }
      weights.shape = {range.count, kernel_h, kernel_w, static_cast<int64_t>(in.channels.size())};
    } else {
      out_channels = Indices(range);
      for (const int64_t o : out_channels) {
        for (const int64_t i : in.elements) take(o * old.shape[1] + i);
      }
      weights.shape = {range.count, static_cast<int64_t>(in.elements.size())};
    }
    weights.codes = std::move(codes);
    CutPerChannel(node, out_channels);
  }

  void CutPerChannel(ir::Node& node, const std::vector<int64_t>& out_channels) {
    std::vector<ir::FixedPointMultiplier>& pairs = node.requantization.channels;
    if (pairs.size() > 1) {
      std::vector<ir::FixedPointMultiplier> kept;
      for (const int64_t c : out_channels) kept.push_back(pairs[static_cast<size_t>(c)]);
      pairs = std::move(kept);
    }
    if (node.bias < 0) return;
    ir::Constant& bias = result_.graph.constants[static_cast<size_t>(node.bias)];
    std::vector<int64_t> codes;
    for (const int64_t c : out_channels) codes.push_back(bias.codes[static_cast<size_t>(c)]);
    bias.codes = std::move(codes);
    bias.shape = {static_cast<int64_t>(out_channels.size())};
  }

  const ir::Graph& old_;
  const Cut& cut_;
  Case result_;
  std::vector<Kept> kept_;
};

}  // namespace

Cut WholeOf(const ir::Graph& graph) {
  Cut cut;
  for (const int64_t size : graph.tensor(graph.input).shape) cut.input.push_back({0, size});
  for (const ir::Node& node : graph.nodes) {
    cut.output_channels.push_back({0, graph.tensor(node.output).shape.back()});
    cut.windows.push_back(node.window);
  }
  return cut;
}

std::optional<Case> Apply(const Case& test_case, const Cut& cut) {
  return Cutter(test_case, cut).Run();
}

std::optional<Case> Between(const Case& test_case, ir::TensorId input, ir::TensorId output,
                            const ir::TensorValue& value) {
  const ir::Graph& old = test_case.graph;
  Case result = test_case;
  ir::Graph& graph = result.graph;
  std::set<ir::TensorId> needed = {output};
  std::vector<ir::Node> nodes;
  for (size_t n = old.nodes.size(); n-- > 0;) {
    const ir::Node& node = old.nodes[n];
    if (node.output == input || needed.count(node.output) == 0) continue;
    nodes.insert(nodes.begin(), node);
    needed.insert(node.inputs.begin(), node.inputs.end());
  }
  needed.insert(input);
  std::vector<ir::TensorId> tensor_ids(old.tensors.size(), -1);
  std::vector<ir::ConstantId> constant_ids(old.constants.size(), -1);
  graph.tensors.clear();
  graph.constants.clear();
  for (const ir::TensorId id : needed) {
    tensor_ids[static_cast<size_t>(id)] = static_cast<ir::TensorId>(graph.tensors.size());
    graph.tensors.push_back(old.tensor(id));
  }
  std::set<ir::TensorId> made = {input};
  for (ir::Node& node : nodes) {
    for (ir::TensorId& id : node.inputs) {
      if (made.count(id) == 0) return std::nullopt;
      id = tensor_ids[static_cast<size_t>(id)];
    }
    made.insert(node.output);
    node.output = tensor_ids[static_cast<size_t>(node.output)];
    for (ir::ConstantId* id : {&node.weights, &node.bias}) {
      if (*id < 0) continue;
      ir::ConstantId& renamed = constant_ids[static_cast<size_t>(*id)];
      if (renamed < 0) {
        renamed = static_cast<ir::ConstantId>(graph.constants.size());
        graph.constants.push_back(old.constant(*id));
      }
      *id = renamed;
    }
  }
  graph.nodes = std::move(nodes);
  graph.input = tensor_ids[static_cast<size_t>(input)];
  graph.output = tensor_ids[static_cast<size_t>(output)];
  result.input = value;
  if (graph.nodes.empty() || !ir::Verify(graph).ok()) return std::nullopt;
  return result;
}

}  // namespace macloom::campaign
