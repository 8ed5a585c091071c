// A .tflite file as plain data: spans into the file, every index in range, nothing interpreted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::importers::tflite {

/// 64-bit integers of the file, where only 4-byte alignment is certain.
class Int64View {
 public:
  Int64View() = default;
  Int64View(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  size_t size() const { return size_; }
  /// Element `index`. @pre index < size().
  int64_t operator[](size_t index) const {
    int64_t value = 0;
    std::memcpy(&value, data_ + index * sizeof value, sizeof value);
    return value;
  }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Quantization of one tensor as stored; counts and values are unchecked.
struct FileQuantization {
  std::span<const float> scales;
  Int64View zero_points;
  int32_t channel_axis = 0;
  int details_tag = 0;  ///< 0: affine; anything else is a custom or block-wise scheme.
};

/// One tensor as stored; shape, type and sizes are unchecked.
struct FileTensor {
  std::string name;   ///< Printable(), at most 256 characters; may be empty.
  std::string label;  ///< "tensor 7 'name'", for messages.
  std::span<const int32_t> shape;
  std::span<const int32_t> shape_signature;  ///< Empty, or `shape` with -1 for dynamic dimensions.
  int type = 0;                              ///< TensorType, or a code not listed there.
  std::span<const uint8_t> data;             ///< Empty: not a constant.
  FileQuantization quantization;
  bool is_variable = false;
  bool is_sparse = false;
  bool is_external = false;  ///< The data lies behind the flatbuffer.
};

/// Which options table an operator carries.
enum class OptionsKind {
  kNone,
  kConvolution,
  kDepthwise,
  kPool,
  kFullyConnected,
  kSoftmax,
  kConcatenation,
  kAdd,
  kReshape,
  kOther,
};

/// The union of all options; fields an operator's table lacks keep their defaults.
struct FileOptions {
  OptionsKind kind = OptionsKind::kNone;
  int padding = 0;     ///< PaddingScheme.
  int activation = 0;  ///< Activation.
  int32_t stride_h = 0, stride_w = 0;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t kernel_h = 0, kernel_w = 0;
  int32_t depth_multiplier = 0;
  int32_t axis = 0;
  int weights_layout = 0;
  bool keeps_rank = false;
  float beta = 0.0f;
};

struct FileOperator {
  int32_t code = 0;         ///< OperatorCode, or a code not listed there.
  std::string custom_name;  ///< Printable(); custom operators only.
  /// Tensor indices in range; -1 among the inputs is an absent optional input.
  std::span<const int32_t> inputs;
  std::span<const int32_t> outputs;
  FileOptions options;
};

struct FileModel {
  std::string graph_name;  ///< Printable(); may be empty.
  std::vector<FileTensor> tensors;
  std::vector<FileOperator> operators;
  std::span<const int32_t> inputs;   ///< Tensor indices in range.
  std::span<const int32_t> outputs;  ///< Tensor indices in range.
};

/// Largest file that is read, in bytes.
inline constexpr size_t kMaxFileBytes = size_t{1} << 27;

/// Opens the container: identifier, flatbuffer verifier, schema version, one subgraph, and the
/// range of every operator code, tensor and buffer index.
///
/// The result points into `bytes` (at most kMaxFileBytes), which must outlive it and be aligned to
/// 8 bytes.
/// @return kInvalidInput (not a TFLite file, damaged, an index out of range) or kUnsupported
/// (schema
///         version, several subgraphs, more tensors or operators than accepted).
Result<FileModel> OpenContainer(std::span<const uint8_t> bytes);

}  // namespace macloom::importers::tflite
