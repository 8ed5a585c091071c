// Writes small .tflite files for tests: every property can be set, sensible or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "importers/tflite/names.h"
#include "importers/tflite/subset_generated.h"

namespace macloom::importers::testing {

namespace schema = tflite::schema;

struct FakeTensor {
  std::string name;
  std::vector<int32_t> shape;
  int8_t type = tflite::kTypeInt8;
  std::vector<uint8_t> data;
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  int32_t channel_axis = 0;
  std::vector<int32_t> shape_signature;
  bool is_variable = false;
  bool is_sparse = false;
  uint8_t details_tag = 0;
  uint64_t external_offset = 0;
  std::optional<uint32_t> buffer;  ///< Another buffer than its own.
};

struct FakeOperator {
  int32_t code = 0;
  std::vector<int32_t> inputs = {};
  std::vector<int32_t> outputs = {};
  schema::OperatorOptions options = schema::OperatorOptions_NONE;
  int8_t padding = tflite::kPaddingSame;
  int8_t activation = tflite::kActivationNone;
  int32_t stride_h = 1, stride_w = 1;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t depth_multiplier = 0;
  int32_t axis = 0;
  int8_t weights_layout = 0;
  bool keeps_rank = false;
  float beta = 1.0f;
  std::string custom_name = {};
  std::optional<uint32_t> code_index =
      std::nullopt;                  ///< Another entry of the code table than its own.
  bool has_small_code_only = false;  ///< As files before 2020 store it.
};

struct FakeModel {
  uint32_t version = 3;
  int num_subgraphs = 1;
  std::string name = "small";
  std::vector<FakeTensor> tensors;
  std::vector<FakeOperator> operators;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  bool has_null_lists = false;  ///< No vector at all: tensors, operators, buffers, codes.
};

inline flatbuffers::Offset<void> WriteOptions(flatbuffers::FlatBufferBuilder& builder,
                                              const FakeOperator& op) {
  switch (op.options) {
    case schema::OperatorOptions_ConvolutionOptions:
      return schema::CreateConvolutionOptions(builder, op.padding, op.stride_w, op.stride_h,
                                              op.activation, op.dilation_w, op.dilation_h)
          .Union();
    case schema::OperatorOptions_DepthwiseOptions:
      return schema::CreateDepthwiseOptions(builder, op.padding, op.stride_w, op.stride_h,
                                            op.depth_multiplier, op.activation, op.dilation_w,
                                            op.dilation_h)
          .Union();
    case schema::OperatorOptions_PoolOptions:
      return schema::CreatePoolOptions(builder, op.padding, op.stride_w, op.stride_h, op.kernel_w,
                                       op.kernel_h, op.activation)
          .Union();
    case schema::OperatorOptions_FullyConnectedOptions:
      return schema::CreateFullyConnectedOptions(builder, op.activation, op.weights_layout,
                                                 op.keeps_rank)
          .Union();
    case schema::OperatorOptions_SoftmaxOptions:
      return schema::CreateSoftmaxOptions(builder, op.beta).Union();
    case schema::OperatorOptions_ConcatenationOptions:
      return schema::CreateConcatenationOptions(builder, op.axis, op.activation).Union();
    case schema::OperatorOptions_AddOptions:
      return schema::CreateAddOptions(builder, op.activation).Union();
    case schema::OperatorOptions_ReshapeOptions:
      return schema::CreateReshapeOptions(builder).Union();
    default:
      return 0;
  }
}

/// Vectors and strings that are empty are left out of the file (null on reading).
template <typename T>
flatbuffers::Offset<flatbuffers::Vector<T>> OptionalVector(flatbuffers::FlatBufferBuilder& builder,
                                                           const std::vector<T>& values) {
  return values.empty() ? 0 : builder.CreateVector(values);
}

inline flatbuffers::Offset<flatbuffers::String> OptionalString(
    flatbuffers::FlatBufferBuilder& builder, const std::string& text) {
  return text.empty() ? flatbuffers::Offset<flatbuffers::String>(0) : builder.CreateString(text);
}

inline flatbuffers::Offset<schema::TensorRecord> WriteTensor(
    flatbuffers::FlatBufferBuilder& builder, const FakeTensor& tensor, uint32_t buffer_index) {
  const auto scales = OptionalVector(builder, tensor.scales);
  const auto zero_points = OptionalVector(builder, tensor.zero_points);
  const auto quantization = schema::CreateQuantizationRecord(
      builder, 0, 0, scales, zero_points, tensor.details_tag, tensor.channel_axis);
  const auto shape = OptionalVector(builder, tensor.shape);
  const auto name = OptionalString(builder, tensor.name);
  const auto signature = OptionalVector(builder, tensor.shape_signature);
  flatbuffers::Offset<schema::SparsityRecord> sparsity = 0;
  if (tensor.is_sparse) sparsity = schema::CreateSparsityRecord(builder);
  return schema::CreateTensorRecord(builder, shape, tensor.type, buffer_index, name, quantization,
                                    tensor.is_variable, sparsity, signature);
}

inline std::vector<uint8_t> Serialize(const FakeModel& model) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<schema::BufferRecord>> buffers;
  std::vector<flatbuffers::Offset<schema::TensorRecord>> tensors;
  std::vector<flatbuffers::Offset<schema::OperatorCodeRecord>> codes;
  std::vector<flatbuffers::Offset<schema::OperatorRecord>> operators;
  // Buffer 0 is empty by convention; the buffer of tensor i is i + 1.
  buffers.push_back(schema::CreateBufferRecord(builder));
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const FakeTensor& tensor = model.tensors[i];
    const auto data = OptionalVector(builder, tensor.data);
    buffers.push_back(schema::CreateBufferRecord(builder, data, tensor.external_offset));
    tensors.push_back(
        WriteTensor(builder, tensor, tensor.buffer.value_or(static_cast<uint32_t>(i + 1))));
  }
  for (size_t i = 0; i < model.operators.size(); ++i) {
    const FakeOperator& op = model.operators[i];
    const auto custom_name = OptionalString(builder, op.custom_name);
    const auto small_code = static_cast<int8_t>(op.code > 127 ? 127 : op.code);
    codes.push_back(schema::CreateOperatorCodeRecord(builder, small_code, custom_name, 1,
                                                     op.has_small_code_only ? 0 : op.code));
    const auto inputs = OptionalVector(builder, op.inputs);
    const auto outputs = OptionalVector(builder, op.outputs);
    const auto options = WriteOptions(builder, op);
    operators.push_back(
        schema::CreateOperatorRecord(builder, op.code_index.value_or(static_cast<uint32_t>(i)),
                                     inputs, outputs, op.options, options));
  }
  std::vector<flatbuffers::Offset<schema::SubgraphRecord>> subgraphs;
  for (int i = 0; i < model.num_subgraphs; ++i) {
    if (model.has_null_lists) {
      subgraphs.push_back(schema::CreateSubgraphRecord(builder));
      continue;
    }
    const auto tensor_list = builder.CreateVector(tensors);
    const auto inputs = OptionalVector(builder, model.inputs);
    const auto outputs = OptionalVector(builder, model.outputs);
    const auto operator_list = builder.CreateVector(operators);
    const auto name = OptionalString(builder, model.name);
    subgraphs.push_back(
        schema::CreateSubgraphRecord(builder, tensor_list, inputs, outputs, operator_list, name));
  }
  if (model.has_null_lists) {
    const auto subgraph_list = builder.CreateVector(subgraphs);
    schema::FinishModelRecordBuffer(
        builder, schema::CreateModelRecord(builder, model.version, 0, subgraph_list));
  } else {
    const auto code_list = builder.CreateVector(codes);
    const auto subgraph_list = builder.CreateVector(subgraphs);
    const auto buffer_list = builder.CreateVector(buffers);
    schema::FinishModelRecordBuffer(
        builder, schema::CreateModelRecord(builder, model.version, code_list, subgraph_list, 0,
                                           buffer_list));
  }
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

inline FakeTensor FakeActivation(std::string name, std::vector<int32_t> shape, float scale,
                                 int64_t zero_point) {
  FakeTensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.scales = {scale};
  tensor.zero_points = {zero_point};
  return tensor;
}

/// Weights -3, -2, ..., 3, -3, ... with one scale per entry of `scales`.
inline FakeTensor FakeWeights(std::string name, std::vector<int32_t> shape,
                              std::vector<float> scales, int32_t channel_axis) {
  FakeTensor tensor;
  tensor.name = std::move(name);
  int32_t count = 1;
  for (const int32_t dimension : shape) count *= dimension;
  for (int32_t i = 0; i < count; ++i) tensor.data.push_back(static_cast<uint8_t>(i % 7 - 3));
  tensor.shape = std::move(shape);
  tensor.zero_points.assign(scales.size(), 0);
  tensor.scales = std::move(scales);
  tensor.channel_axis = channel_axis;
  return tensor;
}

inline FakeTensor FakeInt32(std::string name, const std::vector<int32_t>& values) {
  FakeTensor tensor;
  tensor.name = std::move(name);
  tensor.type = tflite::kTypeInt32;
  tensor.shape = {static_cast<int32_t>(values.size())};
  for (const int32_t value : values) {
    for (int byte = 0; byte < 4; ++byte) {
      tensor.data.push_back(static_cast<uint8_t>(static_cast<uint32_t>(value) >> (8 * byte)));
    }
  }
  return tensor;
}

// Tensors and operators of SmallModel(), by index.
enum SmallTensor : int32_t {
  kInput,
  kConvWeights,
  kConvBias,
  kConvOutput,
  kDepthwiseWeights,
  kDepthwiseBias,
  kDepthwiseOutput,
  kAddOutput,
  kPoolOutput,
  kReshapeOutput,
  kReshapeShape,
  kDenseWeights,
  kDenseBias,
  kDenseOutput,
  kSoftmaxOutput,
};
enum SmallOperator : size_t { kConv, kDepthwise, kAdd, kPool, kReshape, kDense, kSoftmax };

/// A valid network with all seven operators:
///   6x6x2 -CONV 3x3/2x2 SAME RELU-> 3x3x4 -DEPTHWISE 2x2 VALID, multiplier 2-> 2x2x8 -ADD itself->
///   2x2x8 -AVERAGE_POOL 2x2-> 1x1x8 -RESHAPE-> 8 -FULLY_CONNECTED-> 3 -SOFTMAX-> 3.
inline FakeModel SmallModel() {
  FakeModel model;
  const std::vector<float> conv_scales = {0.25f, 0.125f, 0.5f, 0.0625f};
  model.tensors = {
      FakeActivation("input", {1, 6, 6, 2}, 0.5f, 3),
      FakeWeights("conv/weights", {4, 3, 3, 2}, conv_scales, 0),
      FakeInt32("conv/bias", {10, -20, 30, -40}),
      FakeActivation("conv", {1, 3, 3, 4}, 0.25f, -128),
      FakeWeights("depthwise/weights", {1, 2, 2, 8}, std::vector<float>(8, 0.03125f), 3),
      FakeInt32("depthwise/bias", {1, 2, 3, 4, 5, 6, 7, 8}),
      FakeActivation("depthwise", {1, 2, 2, 8}, 0.125f, 5),
      FakeActivation("add", {1, 2, 2, 8}, 0.25f, -7),
      FakeActivation("pool", {1, 1, 1, 8}, 0.25f, -7),
      FakeActivation("reshape", {1, 8}, 0.25f, -7),
      FakeInt32("shape", {1, 8}),
      FakeWeights("dense/weights", {3, 8}, {0.015625f}, 0),
      FakeInt32("dense/bias", {100, -100, 7}),
      FakeActivation("dense", {1, 3}, 0.0625f, 11),
      FakeActivation("softmax", {1, 3}, 1.0f / 256.0f, -128),
  };
  FakeOperator conv{tflite::kOperatorConv2d, {kInput, kConvWeights, kConvBias}, {kConvOutput}};
  conv.options = schema::OperatorOptions_ConvolutionOptions;
  conv.stride_h = conv.stride_w = 2;
  conv.activation = tflite::kActivationRelu;
  FakeOperator depthwise{tflite::kOperatorDepthwiseConv2d,
                         {kConvOutput, kDepthwiseWeights, kDepthwiseBias},
                         {kDepthwiseOutput}};
  depthwise.options = schema::OperatorOptions_DepthwiseOptions;
  depthwise.padding = tflite::kPaddingValid;
  depthwise.depth_multiplier = 2;
  FakeOperator add{tflite::kOperatorAdd, {kDepthwiseOutput, kDepthwiseOutput}, {kAddOutput}};
  add.options = schema::OperatorOptions_AddOptions;
  FakeOperator pool{tflite::kOperatorAveragePool2d, {kAddOutput}, {kPoolOutput}};
  pool.options = schema::OperatorOptions_PoolOptions;
  pool.padding = tflite::kPaddingValid;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  FakeOperator reshape{tflite::kOperatorReshape, {kPoolOutput, kReshapeShape}, {kReshapeOutput}};
  reshape.options = schema::OperatorOptions_ReshapeOptions;
  FakeOperator dense{
      tflite::kOperatorFullyConnected, {kReshapeOutput, kDenseWeights, kDenseBias}, {kDenseOutput}};
  dense.options = schema::OperatorOptions_FullyConnectedOptions;
  FakeOperator softmax{tflite::kOperatorSoftmax, {kDenseOutput}, {kSoftmaxOutput}};
  softmax.options = schema::OperatorOptions_SoftmaxOptions;
  model.operators = {conv, depthwise, add, pool, reshape, dense, softmax};
  model.inputs = {kInput};
  model.outputs = {kSoftmaxOutput};
  return model;
}

}  // namespace macloom::importers::testing
