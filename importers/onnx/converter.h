// Takes the nodes of a file, one after the other, into a graph.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "importers/onnx/file_model.h"
#include "importers/onnx/graph_builder.h"
#include "importers/onnx/values.h"

namespace macloom::importers::onnx {

/// Operators that some dialect gives a meaning to, for messages.
std::string SupportedOperators();

/// Names of the file and what they stand for so far.
class Converter {
 public:
  /// `file` must outlive the converter.
  explicit Converter(const FileModel& file) : file_(file) {}

  /// Converts all nodes. Messages start with the node's label.
  Result<ir::Graph> Convert();

 private:
  friend struct OperatorTable;
  using Handler = Result<Value> (Converter::*)(const FileNode&);

  // convert_structure.cc: constants, shapes, padding, pooling.
  Result<Value> ConvertConstant(const FileNode& node);
  Result<Value> ConvertIdentity(const FileNode& node);
  Result<Value> ConvertReshape(const FileNode& node);
  Result<Value> ConvertTranspose(const FileNode& node);
  Result<Value> ConvertShapeOf(const FileNode& node);
  Result<Value> ConvertGather(const FileNode& node);
  Result<Value> ConvertUnsqueeze(const FileNode& node);
  Result<Value> ConvertConcat(const FileNode& node);
  Result<Value> ConvertPad(const FileNode& node);
  Result<Value> ConvertMaxPool(const FileNode& node);
  Result<Value> ConvertAveragePool(const FileNode& node);
  Result<Value> ConvertSoftmax(const FileNode& node);

  // convert_weighted.cc: convolutions and matrix products.
  Result<Value> ConvertConv(const FileNode& node);
  Result<Value> ConvertGemm(const FileNode& node);
  Result<Value> ConvertMatMul(const FileNode& node);
  Result<Value> FinishWeighted(const FileNode& node, const ConstantValue& weights,
                               std::vector<double> weight_scales, ir::Node open, double input_scale,
                               ir::Shape file_shape, double alpha, double beta,
                               size_t bias_operand);
  Result<Value> FullyConnect(const FileNode& node, bool is_transposed, double alpha, double beta);

  // convert_affine.cc: elementwise operators and their end in codes.
  Result<Value> ConvertMul(const FileNode& node);
  Result<Value> ConvertAdd(const FileNode& node);
  Result<Value> ConvertSub(const FileNode& node);
  Result<Value> ConvertDiv(const FileNode& node);
  Result<Value> ConvertPow(const FileNode& node);
  Result<Value> ConvertFloor(const FileNode& node);
  Result<Value> ConvertCast(const FileNode& node);
  Result<Value> ConvertRelu(const FileNode& node);
  Result<Value> ConvertClip(const FileNode& node);
  Result<Value> ConvertRequantShift(const FileNode& node);
  Result<Value> ConvertBatchNormalization(const FileNode& node);
  Result<Value> FoldConstants(const FileNode& node);
  Result<Value> AddTensors(ActivationValue a, ActivationValue b);

  // convert_quantizer.cc: Quant, BipolarQuant, QuantizeLinear, DequantizeLinear.
  Result<Value> ConvertQuant(const FileNode& node);
  Result<Value> ConvertBipolarQuant(const FileNode& node);
  Result<Value> ConvertQuantizeLinear(const FileNode& node);
  Result<Value> ConvertDequantizeLinear(const FileNode& node);
  Result<Value> QuantizeValue(const FileNode& node, const CodeFormat& codes,
                              QuantRounding rounding);

  // converter.cc: access to operands and attributes.
  Status AddInput();
  Result<Value> Operand(const FileNode& node, size_t index) const;
  Result<ActivationValue> Activation(const FileNode& node, size_t index) const;
  /// As Activation(), a rounded value made a tensor of its own.
  Result<ActivationValue> Codes(const FileNode& node, size_t index);
  Result<std::shared_ptr<const ConstantValue>> Constant(const FileNode& node, size_t index) const;
  Result<double> Scalar(const FileNode& node, size_t index) const;
  /// The constant's values for the activation's channels: one, or one per channel.
  Result<std::vector<double>> PerChannel(const ConstantValue& constant,
                                         const ActivationValue& activation) const;
  static bool HasOperand(const FileNode& node, size_t index) {
    return index < node.inputs.size() && !node.inputs[index].empty();
  }
  static double Number(const FileNode& node, const char* name, double otherwise);
  /// Number() as an integer; -1 for anything outside 0..65535.
  static int64_t SmallNumber(const FileNode& node, const char* name, int64_t otherwise);
  static Result<std::vector<int64_t>> Numbers(const FileNode& node, const char* name, size_t count,
                                              int64_t otherwise, int64_t low, int64_t high);
  static std::string Text(const FileNode& node, const char* name, const char* otherwise);
  Result<ir::Window> ReadWindow(const FileNode& node, const ActivationValue& input,
                                const std::vector<int64_t>& kernel) const;
  static Result<ir::Shape> WindowedShape(const ActivationValue& input, const ir::Window& window,
                                         int64_t channels);

  static Value Of(ActivationValue activation) { return {nullptr, std::move(activation)}; }
  static Value Of(ConstantValue constant) {
    return {std::make_shared<const ConstantValue>(std::move(constant)), {}};
  }

  const FileModel& file_;
  GraphBuilder builder_;
  std::map<std::string, Value> values_;
};

}  // namespace macloom::importers::onnx
