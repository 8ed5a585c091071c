// Conversion of single operators.
#pragma once

#include "importers/tflite/file_model.h"
#include "importers/tflite/graph_builder.h"
#include "ir/graph.h"

namespace macloom::importers::tflite {

/// Each fills `node`, whose kind, inputs and output are set, from its operator: window, weights,
/// bias, requantization. The caller has checked the options' kind and the number of operands.
/// Errors name the property, not the operator.
Status ConvertConv2d(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
Status ConvertDepthwiseConv2d(const FileOperator& file_operator, GraphBuilder& builder,
                              ir::Node& node);
Status ConvertFullyConnected(const FileOperator& file_operator, GraphBuilder& builder,
                             ir::Node& node);
Status ConvertAveragePool2d(const FileOperator& file_operator, GraphBuilder& builder,
                            ir::Node& node);
Status ConvertMaxPool2d(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
Status ConvertConcatenation(const FileOperator& file_operator, GraphBuilder& builder,
                            ir::Node& node);
Status ConvertPad(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
/// Between int8 tensors: a depthwise 1x1 convolution with the weight 1, which is the same
/// arithmetic.
Status ConvertQuantize(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
Status ConvertAdd(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
Status ConvertReshape(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);
Status ConvertSoftmax(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node);

/// Error unless `tensor` is a feature map [H, W, C].
Status CheckFeatureMap(const ir::TensorInfo& tensor);

}  // namespace macloom::importers::tflite
