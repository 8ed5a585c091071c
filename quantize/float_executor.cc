#include "quantize/float_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/shape_inference.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;
using Sums = std::vector<double>;

/// Calls visit(out_y, out_x, ky, kx, y, x) for every tap inside the image, taps of one output
/// position in sequence.
template <typename Visit>
void ForEachTap(const FloatNode& node, const ir::Shape& in, const ir::Shape& out, Visit visit) {
  const ir::Window& w = node.window;
  for (int64_t out_y = 0; out_y < out[0]; ++out_y) {
    for (int64_t out_x = 0; out_x < out[1]; ++out_x) {
      for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
        const int64_t y = out_y * w.stride_h + ky * w.dilation_h - w.pad_top;
        if (y < 0 || y >= in[0]) continue;
        for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
          const int64_t x = out_x * w.stride_w + kx * w.dilation_w - w.pad_left;
          if (x < 0 || x >= in[1]) continue;
          visit(out_y, out_x, ky, kx, y, x);
        }
      }
    }
  }
}

class NodeExecution {
 public:
  NodeExecution(const ir::FloatGraph& graph, const FloatNode& node,
                const std::vector<FloatValues>& tensors)
      : graph_(graph), node_(node), tensors_(tensors) {}

  Sums Run() {
    Sums sums(static_cast<size_t>(ir::NumElements(out_shape())), 0.0);
    switch (node_.kind) {
      case OperatorKind::kConv2d:
        Convolution(sums);
        break;
      case OperatorKind::kDepthwiseConv2d:
        Depthwise(sums);
        break;
      case OperatorKind::kFullyConnected:
        FullyConnected(sums);
        break;
      case OperatorKind::kAveragePool2d:
        AveragePool(sums);
        break;
      case OperatorKind::kMaxPool2d:
        MaxPool(sums);
        break;
      case OperatorKind::kAdd:
        for (size_t i = 0; i < sums.size(); ++i) sums[i] = double{in(0)[i]} + double{in(1)[i]};
        break;
      case OperatorKind::kConcatenation:
        Concatenation(sums);
        break;
      case OperatorKind::kPad:
        Pad(sums);
        break;
      case OperatorKind::kReshape:
        sums.assign(in(0).begin(), in(0).end());
        break;
      case OperatorKind::kSoftmax:
        Softmax(sums);
        break;
    }
    if (node_.bias >= 0) {
      const FloatValues& bias = graph_.constant(node_.bias).values;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += bias[i % bias.size()];
    }
    return sums;
  }

 private:
  const FloatValues& in(size_t i) const { return tensors_[static_cast<size_t>(node_.inputs[i])]; }
  const ir::Shape& in_shape(size_t i = 0) const { return graph_.tensor(node_.inputs[i]).shape; }
  const ir::Shape& out_shape() const { return graph_.tensor(node_.output).shape; }
  const FloatValues& weights() const { return graph_.constant(node_.weights).values; }

  void Convolution(Sums& sums) {
    const ir::Shape &is = in_shape(), &os = out_shape();
    const ir::Window& w = node_.window;
    const int64_t taps = int64_t{w.kernel_h} * w.kernel_w;
    ForEachTap(node_, is, os, [&](auto out_y, auto out_x, auto ky, auto kx, auto y, auto x) {
      const float* pixel = in(0).data() + (y * is[1] + x) * is[2];
      for (int64_t oc = 0; oc < os[2]; ++oc) {
        const float* row = weights().data() + (oc * taps + ky * w.kernel_w + kx) * is[2];
        double sum = 0;
        for (int64_t c = 0; c < is[2]; ++c) sum += double{row[c]} * double{pixel[c]};
        sums[static_cast<size_t>((out_y * os[1] + out_x) * os[2] + oc)] += sum;
      }
    });
  }

  void Depthwise(Sums& sums) {
    const ir::Shape &is = in_shape(), &os = out_shape();
    ForEachTap(node_, is, os, [&](auto out_y, auto out_x, auto ky, auto kx, auto y, auto x) {
      const float* pixel = in(0).data() + (y * is[1] + x) * is[2];
      const float* row = weights().data() + (ky * node_.window.kernel_w + kx) * os[2];
      double* out = sums.data() + (out_y * os[1] + out_x) * os[2];
      for (int64_t oc = 0; oc < os[2]; ++oc) {
        out[oc] += double{row[oc]} * double{pixel[oc / node_.depth_multiplier]};
      }
    });
  }

  void FullyConnected(Sums& sums) {
    const FloatValues& x = in(0);
    for (size_t oc = 0; oc < sums.size(); ++oc) {
      const float* row = weights().data() + oc * x.size();
      for (size_t i = 0; i < x.size(); ++i) sums[oc] += double{row[i]} * double{x[i]};
    }
  }

  void AveragePool(Sums& sums) {
    const ir::Shape &is = in_shape(), &os = out_shape();
    std::vector<int> count(static_cast<size_t>(os[0] * os[1]), 0);
    ForEachTap(node_, is, os, [&](auto out_y, auto out_x, auto, auto, auto y, auto x) {
      ++count[static_cast<size_t>(out_y * os[1] + out_x)];
      for (int64_t c = 0; c < os[2]; ++c) {
        sums[static_cast<size_t>((out_y * os[1] + out_x) * os[2] + c)] +=
            in(0)[static_cast<size_t>((y * is[1] + x) * is[2] + c)];
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) sums[i] /= count[i / static_cast<size_t>(os[2])];
  }

  void MaxPool(Sums& sums) {
    const ir::Shape &is = in_shape(), &os = out_shape();
    std::fill(sums.begin(), sums.end(), -std::numeric_limits<double>::infinity());
    ForEachTap(node_, is, os, [&](auto out_y, auto out_x, auto, auto, auto y, auto x) {
      for (int64_t c = 0; c < os[2]; ++c) {
        double& out = sums[static_cast<size_t>((out_y * os[1] + out_x) * os[2] + c)];
        out = std::max(out, double{in(0)[static_cast<size_t>((y * is[1] + x) * is[2] + c)]});
      }
    });
  }

  void Concatenation(Sums& sums) {
    const size_t axis = static_cast<size_t>(node_.axis);
    const auto inner = [axis](const ir::Shape& shape) {
      return ir::NumElements({shape.begin() + static_cast<int64_t>(axis), shape.end()});
    };
    const int64_t out_run = inner(out_shape());
    const int64_t num_runs = ir::NumElements(out_shape()) / out_run;
    int64_t offset = 0;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      const int64_t run = inner(in_shape(i));
      for (int64_t r = 0; r < num_runs; ++r) {
        std::copy_n(in(i).begin() + r * run, run, sums.begin() + r * out_run + offset);
      }
      offset += run;
    }
  }

  void Pad(Sums& sums) {
    const ir::Shape &is = in_shape(), &os = out_shape();
    for (int64_t y = 0; y < is[0]; ++y) {
      std::copy_n(
          in(0).begin() + y * is[1] * is[2], is[1] * is[2],
          sums.begin() + ((y + node_.window.pad_top) * os[1] + node_.window.pad_left) * os[2]);
    }
  }

  void Softmax(Sums& sums) {
    const size_t row = static_cast<size_t>(in_shape().back());
    for (size_t begin = 0; begin < sums.size(); begin += row) {
      const auto first = in(0).begin() + static_cast<int64_t>(begin);
      const double largest = *std::max_element(first, first + static_cast<int64_t>(row));
      double total = 0;
      for (size_t i = begin; i < begin + row; ++i) {
        sums[i] = std::exp(double{in(0)[i]} - largest);
        total += sums[i];
      }
      for (size_t i = begin; i < begin + row; ++i) sums[i] /= total;
    }
  }

  const ir::FloatGraph& graph_;
  const FloatNode& node_;
  const std::vector<FloatValues>& tensors_;
};

void Normalize(const ir::FloatGraph& graph, const ir::BatchNormalization& norm, Sums& sums) {
  const FloatValues& gamma = graph.constant(norm.gamma).values;
  const FloatValues& beta = graph.constant(norm.beta).values;
  const FloatValues& mean = graph.constant(norm.mean).values;
  const FloatValues& variance = graph.constant(norm.variance).values;
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i % mean.size();
    sums[i] = gamma[c] * (sums[i] - mean[c]) / std::sqrt(variance[c] + norm.epsilon) + beta[c];
  }
}

}  // namespace

Result<FloatTrace> RunFloat(const ir::FloatGraph& graph, const FloatValues& input, bool keep_sums) {
  const ir::FloatTensorInfo& info = graph.tensor(graph.input);
  if (static_cast<int64_t>(input.size()) != ir::NumElements(info.shape)) {
    return InvalidInput(fmt::format("input has {} values; accepted are {} (`{}`, {})", input.size(),
                                    ir::NumElements(info.shape), info.name,
                                    ir::ToString(info.shape)));
  }
  for (size_t i = 0; i < input.size(); ++i) {
    if (std::isfinite(input[i])) continue;
    return InvalidInput(
        fmt::format("input value {} is {}; accepted are finite values", i, input[i]));
  }
  FloatTrace trace;
  trace.tensors.resize(graph.tensors.size());
  trace.sums.resize(keep_sums ? graph.nodes.size() : 0);
  trace.tensors[static_cast<size_t>(graph.input)] = input;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const FloatNode& node = graph.nodes[n];
    Sums sums = NodeExecution(graph, node, trace.tensors).Run();
    if (keep_sums && ir::HasWeights(node.kind)) trace.sums[n].assign(sums.begin(), sums.end());
    if (node.batch_norm.is_present()) Normalize(graph, node.batch_norm, sums);
    FloatValues& output = trace.tensors[static_cast<size_t>(node.output)];
    output.resize(sums.size());
    for (size_t i = 0; i < sums.size(); ++i) {
      output[i] =
          static_cast<float>(std::clamp(sums[i], double{node.clamp_min}, double{node.clamp_max}));
    }
  }
  return trace;
}

}  // namespace macloom::quantize
