// Codes of the TFLite format that the importer knows, and their names for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace macloom::importers::tflite {

enum OperatorCode : int32_t {
  kOperatorAdd = 0,
  kOperatorAveragePool2d = 1,
  kOperatorConcatenation = 2,
  kOperatorConv2d = 3,
  kOperatorDepthwiseConv2d = 4,
  kOperatorFullyConnected = 9,
  kOperatorMaxPool2d = 17,
  kOperatorReshape = 22,
  kOperatorSoftmax = 25,
  kOperatorCustom = 32,
  kOperatorPad = 34,
  kOperatorQuantize = 114,
};

enum TensorType : int { kTypeInt32 = 2, kTypeInt64 = 4, kTypeInt8 = 9, kTypeInt4 = 17 };

enum PaddingScheme : int { kPaddingSame = 0, kPaddingValid = 1 };

enum Activation : int {
  kActivationNone = 0,
  kActivationRelu = 1,
  kActivationReluN1To1 = 2,
  kActivationRelu6 = 3,
};

inline constexpr std::string_view kSupportedOperators =
    "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, AVERAGE_POOL_2D, MAX_POOL_2D, ADD, "
    "CONCATENATION, PAD, QUANTIZE, RESHAPE, SOFTMAX";
inline constexpr std::string_view kSupportedActivations = "NONE, RELU, RELU6, RELU_N1_TO_1";

/// "SVDF", or "operator code 207" for a code without a known name.
std::string OperatorName(int32_t code);

/// "FLOAT32", or "type code 99".
std::string TensorTypeName(int type);

/// "TANH", or "activation code 9".
std::string ActivationName(int activation);

/// `text` fit for messages and network files: bytes outside printable ASCII become '?', quotes and
/// backslashes too; cut to 256 characters.
std::string Printable(std::string_view text);

}  // namespace macloom::importers::tflite
