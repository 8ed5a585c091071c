// The graph under construction: tensors and constants of the file, checked as they are taken over.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "importers/tflite/file_model.h"
#include "ir/graph.h"

namespace macloom::importers::tflite {

/// Takes tensors of a file into an ir::Graph. Every method checks what it takes: type, shape, batch
/// axis, quantization, data size. Messages name the tensor, not the operator.
class GraphBuilder {
 public:
  /// `file` must outlive the builder.
  GraphBuilder(const FileModel& file, ir::Rounding rounding) : file_(file), rounding_(rounding) {}

  ir::Graph& graph() { return graph_; }
  ir::Rounding rounding() const { return rounding_; }

  /// Adds the graph's input or an operator's output: int8, shape [1, ...] of rank 2 to 5, one
  /// scale, not a constant, not added before. The batch axis is dropped.
  Result<ir::TensorId> AddActivation(int32_t file_index);

  /// The activation that AddActivation() made of a file tensor.
  /// @return kInvalidInput if nothing has produced it yet, kUnsupported if it is a constant.
  Result<ir::TensorId> Activation(int32_t file_index) const;

  /// Whether the file tensor holds data.
  bool IsConstant(int32_t file_index) const { return !FileTensorAt(file_index).data.empty(); }

  /// The elements of a constant INT32 or INT64 tensor of `shape`.
  Result<std::vector<int64_t>> Integers(int32_t file_index, const ir::Shape& shape) const;

  /// Shape of a weight tensor of `rank` dimensions, all >= 1; checks type (INT8, or INT4 packed two
  /// to a byte, low half first) and the data's size.
  Result<ir::Shape> WeightShape(int32_t file_index, size_t rank) const;

  /// Adds the weights [1, 1, num_channels] that leave a map as it is: 1 on a scale of 1.
  Result<ir::ConstantId> AddUnitWeights(const std::string& name, int64_t num_channels);

  /// Adds weights as `shape` (same elements and order as in the file, see WeightShape()), with
  /// one scale or one per index of `file_axis`, which is `ir_axis` of `shape`.
  Result<ir::ConstantId> AddWeights(int32_t file_index, const ir::Shape& shape, int file_axis,
                                    int ir_axis);

  /// Adds an int32 bias of `num_channels` elements. Scales are optional; where given they must be
  /// s_in * s_w within 2 % of the output's scale, the bound of the format's runtime.
  Result<ir::ConstantId> AddBias(int32_t file_index, const ir::Quantization& weights,
                                 int64_t num_channels, float input_scale, float output_scale);

 private:
  const FileTensor& FileTensorAt(int32_t file_index) const;
  std::string UniqueName(const FileTensor& tensor, int32_t file_index);
  std::string UniqueName(const std::string& stem);
  Status Charge(int64_t num_elements);

  const FileModel& file_;
  ir::Rounding rounding_;
  ir::Graph graph_;
  std::unordered_map<int32_t, ir::TensorId> activations_;
  std::unordered_set<std::string> names_;
  std::unordered_map<int32_t, int> num_copies_of_;  ///< By file tensor: suffixes used so far.
  int64_t num_charged_elements_ = 0;
};

}  // namespace macloom::importers::tflite
