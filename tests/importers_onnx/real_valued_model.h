// A second model of ONNX operators on real numbers: every node computed in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "importers/onnx/file_model.h"

namespace macloom::testing {

/// A tensor of doubles with its batch axis.
struct RealTensor {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

/// Computes the nodes of `file` one after the other; operators it does not know leave their output
/// out. Broadcasting: one element, one per channel (axis 1), or one per row of a matrix.
class RealValuedModel {
 public:
  explicit RealValuedModel(const importers::onnx::FileModel& file) : file_(file) {}

  std::map<std::string, RealTensor> Run(const RealTensor& input) {
    for (const auto& constant : file_.constants) {
      tensors_[constant.name] = {constant.shape, constant.values};
    }
    tensors_[file_.input.name] = input;
    for (const auto& node : file_.nodes) Compute(node);
    return tensors_;
  }

 private:
  using Node = importers::onnx::FileNode;

  const RealTensor& In(const Node& node, size_t i) { return tensors_[node.inputs[i]]; }

  static double Number(const Node& node, const char* name, double otherwise) {
    const auto found = node.attributes.find(name);
    return found == node.attributes.end() ? otherwise : found->second.number;
  }

  /// Element of `b` that goes with element i of `a`.
  static double Partner(const RealTensor& a, const RealTensor& b, size_t i) {
    if (b.values.size() == 1) return b.values[0];
    if (b.values.size() == a.values.size()) return b.values[i];
    if (a.shape.size() == 2 && b.shape.size() == 2 && b.shape[1] == 1) {
      return b.values[i / static_cast<size_t>(a.shape[1])];
    }
    size_t per_channel = 1;
    for (size_t axis = 2; axis < a.shape.size(); ++axis) {
      per_channel *= static_cast<size_t>(a.shape[axis]);
    }
    return b.values[i / per_channel % b.values.size()];
  }

  template <typename Function>
  void Elementwise(const Node& node, Function function) {
    const bool is_swapped = In(node, 0).values.size() < In(node, 1).values.size();
    const RealTensor& a = In(node, is_swapped ? 1 : 0);
    const RealTensor& b = In(node, is_swapped ? 0 : 1);
    RealTensor out = a;
    for (size_t i = 0; i < a.values.size(); ++i) {
      const double partner = Partner(a, b, i);
      out.values[i] = is_swapped ? function(partner, a.values[i]) : function(a.values[i], partner);
    }
    tensors_[node.outputs[0]] = out;
  }

  void Compute(const Node& node) {
    RealTensor out;
    if (node.type == "Constant") {
      out = {node.attributes.at("value").tensor.shape, node.attributes.at("value").tensor.values};
    } else if (node.type == "Mul") {
      return Elementwise(node, [](double a, double b) { return a * b; });
    } else if (node.type == "Add") {
      return Elementwise(node, [](double a, double b) { return a + b; });
    } else if (node.type == "Sub") {
      return Elementwise(node, [](double a, double b) { return a - b; });
    } else if (node.type == "Div") {
      return Elementwise(node, [](double a, double b) { return a / b; });
    } else if (node.type == "Pow") {
      return Elementwise(node, [](double a, double b) { return std::pow(a, b); });
    } else if (node.type == "Reshape" || node.type == "Flatten") {
      out = In(node, 0);
      out.shape = {1, static_cast<int64_t>(out.values.size())};
    } else if (node.type == "Relu") {
      out = In(node, 0);
      for (double& value : out.values) value = std::max(value, 0.0);
    } else if (node.type == "Transpose") {
      const RealTensor& a = In(node, 0);
      out = {{a.shape[1], a.shape[0]}, std::vector<double>(a.values.size())};
      for (size_t i = 0; i < a.values.size(); ++i) {
        const auto columns = static_cast<size_t>(a.shape[1]);
        out.values[i % columns * static_cast<size_t>(a.shape[0]) + i / columns] = a.values[i];
      }
    } else if (node.type == "MatMul" || node.type == "Gemm") {
      const RealTensor& a = In(node, 0);
      const RealTensor& b = In(node, 1);
      const bool is_transposed = Number(node, "transB", 0) != 0;
      const auto outputs = static_cast<size_t>(b.shape[is_transposed ? 0 : 1]);
      out = {{1, static_cast<int64_t>(outputs)}, std::vector<double>(outputs)};
      for (size_t o = 0; o < outputs; ++o) {
        for (size_t i = 0; i < a.values.size(); ++i) {
          out.values[o] +=
              a.values[i] * b.values[is_transposed ? o * a.values.size() + i : i * outputs + o];
        }
        if (node.inputs.size() > 2) out.values[o] += In(node, 2).values[o];
      }
    } else if (node.type == "Conv") {
      out = Convolve(node);
    } else if (node.type == "BatchNormalization") {
      out = In(node, 0);
      for (size_t i = 0; i < out.values.size(); ++i) {
        const auto of = [&](size_t operand) { return Partner(out, In(node, operand), i); };
        out.values[i] =
            (out.values[i] - of(3)) / std::sqrt(of(4) + Number(node, "epsilon", 1e-5)) * of(1) +
            of(2);
      }
    } else if (node.type == "Quant") {
      out = In(node, 0);
      const double bits = In(node, 3).values[0];
      const double zero = In(node, 2).values[0];
      const bool is_signed = Number(node, "signed", 1) != 0;
      const bool is_narrow = Number(node, "narrow", 0) != 0;
      const double low = is_signed ? -std::exp2(bits - 1) + (is_narrow ? 1 : 0) : 0;
      const double high = (is_signed ? std::exp2(bits - 1) : std::exp2(bits)) - 1 -
                          (is_narrow && !is_signed ? 1 : 0);
      for (size_t i = 0; i < out.values.size(); ++i) {
        const double scale = Partner(out, In(node, 1), i);
        out.values[i] =
            (std::nearbyint(std::clamp(out.values[i] / scale + zero, low, high)) - zero) * scale;
      }
    } else if (node.type == "BipolarQuant") {
      out = In(node, 0);
      for (double& value : out.values) value = value >= 0 ? 1 : -1;
      for (double& value : out.values) value *= In(node, 1).values[0];
    } else if (node.type == "QuantizeLinear" || node.type == "DequantizeLinear") {
      out = In(node, 0);
      const double zero = node.inputs.size() > 2 ? In(node, 2).values[0] : 0;
      for (size_t i = 0; i < out.values.size(); ++i) {
        // Per-channel scales here belong to weights, whose channels are axis 0.
        const RealTensor& s = In(node, 1);
        const double scale = s.values.size() == 1
                                 ? s.values[0]
                                 : s.values[i / (out.values.size() / s.values.size())];
        double& value = out.values[i];
        value = node.type == "QuantizeLinear"
                    ? std::clamp(std::nearbyint(value / scale) + zero, -128.0, 127.0)
                    : (value - zero) * scale;
      }
    } else {
      return;
    }
    tensors_[node.outputs[0]] = out;
  }

  RealTensor Convolve(const Node& node) {
    const RealTensor& a = In(node, 0);
    const RealTensor& b = In(node, 1);
    const auto pads = node.attributes.count("pads") != 0 ? node.attributes.at("pads").numbers
                                                         : std::vector<int64_t>{0, 0, 0, 0};
    const auto strides = node.attributes.count("strides") != 0
                             ? node.attributes.at("strides").numbers
                             : std::vector<int64_t>{1, 1};
    const auto group = static_cast<int64_t>(Number(node, "group", 1));
    const int64_t out_h = (a.shape[2] + pads[0] + pads[2] - b.shape[2]) / strides[0] + 1;
    const int64_t out_w = (a.shape[3] + pads[1] + pads[3] - b.shape[3]) / strides[1] + 1;
    RealTensor out{{1, b.shape[0], out_h, out_w}, {}};
    for (int64_t oc = 0; oc < b.shape[0]; ++oc) {
      for (int64_t y = 0; y < out_h; ++y) {
        for (int64_t x = 0; x < out_w; ++x) {
          double sum = node.inputs.size() > 2 ? In(node, 2).values[static_cast<size_t>(oc)] : 0;
          for (int64_t ic = 0; ic < b.shape[1]; ++ic) {
            const int64_t channel = oc / (b.shape[0] / group) * b.shape[1] + ic;
            for (int64_t i = 0; i < b.shape[2]; ++i) {
              for (int64_t j = 0; j < b.shape[3]; ++j) {
                const int64_t in_y = y * strides[0] + i - pads[0];
                const int64_t in_x = x * strides[1] + j - pads[1];
                if (in_y < 0 || in_y >= a.shape[2] || in_x < 0 || in_x >= a.shape[3]) continue;
                sum += a.values[static_cast<size_t>((channel * a.shape[2] + in_y) * a.shape[3] +
                                                    in_x)] *
                       b.values[static_cast<size_t>(
                           ((oc * b.shape[1] + ic) * b.shape[2] + i) * b.shape[3] + j)];
              }
            }
          }
          out.values.push_back(sum);
        }
      }
    }
    return out;
  }

  const importers::onnx::FileModel& file_;
  std::map<std::string, RealTensor> tensors_;
};

}  // namespace macloom::testing
