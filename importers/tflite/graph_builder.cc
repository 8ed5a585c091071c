#include "importers/tflite/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "importers/tflite/names.h"
#include "importers/tflite/quantization.h"
#include "ir/shape_inference.h"

namespace macloom::importers::tflite {
namespace {

// Bounds memory and time of a file whose tensors share one buffer: counted per use, not per buffer.
constexpr int64_t kMaxConstantElements = int64_t{1} << 25;

/// Checks dimensions and their product, and that only the batch axis is dynamic.
Result<ir::Shape> CheckedShape(const FileTensor& tensor, size_t min_rank, size_t max_rank) {
  if (tensor.shape.size() < min_rank || tensor.shape.size() > max_rank) {
    return Unsupported(
        fmt::format("{} has rank {}; supported is {}", tensor.label, tensor.shape.size(),
                    min_rank == max_rank
                        ? fmt::format("{}", min_rank)
                        : fmt::format("{} to {} with a leading batch axis", min_rank, max_rank)));
  }
  if (!tensor.shape_signature.empty() && tensor.shape_signature.size() != tensor.shape.size()) {
    return InvalidInput(
        fmt::format("{} has rank {} and a shape signature of rank {}; accepted are equal ranks",
                    tensor.label, tensor.shape.size(), tensor.shape_signature.size()));
  }
  int64_t product = 1;
  ir::Shape shape;
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const int64_t dimension = tensor.shape[axis];
    const bool is_open = !tensor.shape_signature.empty() && tensor.shape_signature[axis] == -1;
    if (dimension == -1 || (is_open && axis > 0)) {
      return Unsupported(fmt::format(
          "{} has a dynamic dimension (axis {}); supported are static shapes", tensor.label, axis));
    }
    if (dimension < 1) {
      return InvalidInput(fmt::format("{}: dimension {} is {}; accepted are values of at least 1",
                                      tensor.label, axis, dimension));
    }
    // Both factors are below 2^31: no overflow.
    product *= dimension;
    if (product > ir::kMaxElements) {
      return Unsupported(
          fmt::format("{} has more than {} elements; supported are at most that many", tensor.label,
                      ir::kMaxElements));
    }
    shape.push_back(dimension);
  }
  return shape;
}

Status CheckStorage(const FileTensor& tensor) {
  if (tensor.is_variable) {
    return Unsupported(fmt::format(
        "{} is a variable (state between runs); supported are stateless networks", tensor.label));
  }
  if (tensor.is_sparse) {
    return Unsupported(fmt::format("{} is sparse; supported are dense tensors", tensor.label));
  }
  if (tensor.is_external) {
    return Unsupported(fmt::format(
        "{} is stored behind the flatbuffer; supported is data inside it", tensor.label));
  }
  return {};
}

Status CheckType(const FileTensor& tensor, int type, const char* role) {
  if (tensor.type == type) return {};
  return Unsupported(fmt::format(
      "{} ({}) has type {}; supported are INT8 activations, INT8 and INT4 weights and INT32 biases",
      tensor.label, role, TensorTypeName(tensor.type)));
}

Status CheckDataSize(const FileTensor& tensor, int64_t expected) {
  if (tensor.data.empty()) {
    return Unsupported(
        fmt::format("{} holds no data; supported are constant weights and biases", tensor.label));
  }
  if (static_cast<int64_t>(tensor.data.size()) == expected) return {};
  return InvalidInput(fmt::format("{} holds {} bytes; accepted are {} (shape and type)",
                                  tensor.label, tensor.data.size(), expected));
}

/// Whether the accumulator's grid of `weights` is the one the bias was quantized on.
Status CheckBiasScales(const FileTensor& bias, const ir::Quantization& weights,
                       int64_t num_channels, float input_scale, float output_scale) {
  const std::span<const float> scales = bias.quantization.scales;
  if (scales.empty()) return {};
  if (scales.size() != 1 && static_cast<int64_t>(scales.size()) != num_channels) {
    return InvalidInput(fmt::format("{} has {} scales; accepted are 0, 1 or {} (output channels)",
                                    bias.label, scales.size(), num_channels));
  }
  const size_t count = std::max(scales.size(), weights.scales.size());
  for (size_t channel = 0; channel < count; ++channel) {
    const double given = scales.size() == 1 ? scales[0] : scales[channel];
    const double weight = weights.scales.size() == 1 ? weights.scales[0] : weights.scales[channel];
    const double expected = static_cast<double>(input_scale) * weight;
    constexpr double kLargestShareOfOutputScale = 0.02;
    if (std::abs(given - expected) <=
        kLargestShareOfOutputScale * static_cast<double>(output_scale))
      continue;
    return InvalidInput(
        fmt::format("{}: scale {} is {}; accepted is {} (input scale * weight scale)", bias.label,
                    channel, given, expected));
  }
  return {};
}

}  // namespace

const FileTensor& GraphBuilder::FileTensorAt(int32_t file_index) const {
  MACLOOM_CHECK(file_index >= 0 && static_cast<size_t>(file_index) < file_.tensors.size());
  return file_.tensors[static_cast<size_t>(file_index)];
}

std::string GraphBuilder::UniqueName(const FileTensor& tensor, int32_t file_index) {
  std::string name = tensor.name.empty() ? fmt::format("tensor_{}", file_index) : tensor.name;
  if (names_.contains(name)) {
    const std::string stem = fmt::format("{}#{}", name, file_index);
    name = stem;
    // The count is kept: a tensor that thousands of operators use is not searched from the start.
    int& num_copies = num_copies_of_[file_index];
    while (names_.contains(name)) name = fmt::format("{}.{}", stem, ++num_copies + 1);
  }
  names_.insert(name);
  return name;
}

std::string GraphBuilder::UniqueName(const std::string& stem) {
  std::string name = stem;
  for (int n = 2; names_.contains(name); ++n) name = fmt::format("{}#{}", stem, n);
  names_.insert(name);
  return name;
}

Status GraphBuilder::Charge(int64_t num_elements) {
  num_charged_elements_ += num_elements;
  if (num_charged_elements_ <= kMaxConstantElements) return {};
  return Unsupported(fmt::format(
      "the weights and biases of all operators have more than {} elements; supported are at most "
      "that many",
      kMaxConstantElements));
}

Result<ir::TensorId> GraphBuilder::AddActivation(int32_t file_index) {
  const FileTensor& tensor = FileTensorAt(file_index);
  if (activations_.contains(file_index)) {
    return InvalidInput(
        fmt::format("{} is produced twice; accepted is one producer", tensor.label));
  }
  MACLOOM_RETURN_IF_ERROR(CheckStorage(tensor));
  MACLOOM_RETURN_IF_ERROR(CheckType(tensor, kTypeInt8, "activation"));
  if (!tensor.data.empty()) {
    return InvalidInput(fmt::format(
        "{} is both a constant and an activation; accepted are activations without data",
        tensor.label));
  }
  constexpr size_t kMinRank = 2;
  constexpr size_t kMaxRank = 5;
  MACLOOM_ASSIGN_OR_RETURN(ir::Shape shape, CheckedShape(tensor, kMinRank, kMaxRank));
  if (shape[0] != 1) {
    return Unsupported(
        fmt::format("{} has batch {}; supported is batch 1 (axis 0)", tensor.label, shape[0]));
  }
  shape.erase(shape.begin());
  ir::TensorInfo info;
  MACLOOM_ASSIGN_OR_RETURN(info.quantization, ActivationQuantization(tensor));
  info.name = UniqueName(tensor, file_index);
  info.shape = std::move(shape);
  info.format = ir::NumberFormat::Int8();
  const auto id = static_cast<ir::TensorId>(graph_.tensors.size());
  graph_.tensors.push_back(std::move(info));
  activations_.emplace(file_index, id);
  return id;
}

Result<ir::TensorId> GraphBuilder::Activation(int32_t file_index) const {
  const FileTensor& tensor = FileTensorAt(file_index);
  if (const auto found = activations_.find(file_index); found != activations_.end())
    return found->second;
  if (!tensor.data.empty()) {
    return Unsupported(fmt::format(
        "{} is a constant operand; supported are operands computed from the input", tensor.label));
  }
  return InvalidInput(fmt::format(
      "{} is used before any operator produces it; accepted are operators in execution order",
      tensor.label));
}

Result<std::vector<int64_t>> GraphBuilder::Integers(int32_t file_index,
                                                    const ir::Shape& shape) const {
  if (file_index < 0) return InvalidInput("an operand is absent (tensor -1); accepted is a tensor");
  const FileTensor& tensor = FileTensorAt(file_index);
  MACLOOM_RETURN_IF_ERROR(CheckStorage(tensor));
  const bool is_wide = tensor.type == kTypeInt64;
  if (!is_wide && tensor.type != kTypeInt32) {
    return Unsupported(fmt::format("{} has type {}; supported are INT32 and INT64", tensor.label,
                                   TensorTypeName(tensor.type)));
  }
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape given, CheckedShape(tensor, shape.size(), shape.size()));
  if (given != shape) {
    return Unsupported(fmt::format("{} has the shape {}; supported is {}", tensor.label,
                                   ir::ToString(given), ir::ToString(shape)));
  }
  const size_t item = is_wide ? sizeof(int64_t) : sizeof(int32_t);
  MACLOOM_RETURN_IF_ERROR(
      CheckDataSize(tensor, ir::NumElements(shape) * static_cast<int64_t>(item)));
  std::vector<int64_t> values(static_cast<size_t>(ir::NumElements(shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    int32_t narrow = 0;
    if (is_wide) {
      std::memcpy(&values[i], tensor.data.data() + i * item, item);
    } else {
      std::memcpy(&narrow, tensor.data.data() + i * item, item);
      values[i] = narrow;
    }
  }
  return values;
}

Result<ir::ConstantId> GraphBuilder::AddUnitWeights(const std::string& name, int64_t num_channels) {
  MACLOOM_RETURN_IF_ERROR(Charge(num_channels));
  ir::Constant constant;
  constant.name = UniqueName(name + "_unit");
  constant.shape = {1, 1, num_channels};
  constant.format = ir::NumberFormat::Int8();
  constant.codes.assign(static_cast<size_t>(num_channels), 1);
  constant.quantization.scales = {1.0f};
  constant.quantization.zero_points = {0};
  graph_.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph_.constants.size() - 1);
}

Result<ir::Shape> GraphBuilder::WeightShape(int32_t file_index, size_t rank) const {
  const FileTensor& tensor = FileTensorAt(file_index);
  MACLOOM_RETURN_IF_ERROR(CheckStorage(tensor));
  const bool is_int4 = tensor.type == kTypeInt4;
  if (!is_int4) MACLOOM_RETURN_IF_ERROR(CheckType(tensor, kTypeInt8, "weights"));
  MACLOOM_ASSIGN_OR_RETURN(ir::Shape shape, CheckedShape(tensor, rank, rank));
  const int64_t num_elements = ir::NumElements(shape);
  MACLOOM_RETURN_IF_ERROR(CheckDataSize(tensor, is_int4 ? (num_elements + 1) / 2 : num_elements));
  return shape;
}

Result<ir::ConstantId> GraphBuilder::AddWeights(int32_t file_index, const ir::Shape& shape,
                                                int file_axis, int ir_axis) {
  const FileTensor& tensor = FileTensorAt(file_index);
  const int64_t num_channels = shape[static_cast<size_t>(ir_axis)];
  const size_t num_elements = static_cast<size_t>(ir::NumElements(shape));
  MACLOOM_RETURN_IF_ERROR(Charge(ir::NumElements(shape)));
  ir::Constant constant;
  MACLOOM_ASSIGN_OR_RETURN(constant.quantization,
                           WeightQuantization(tensor, file_axis, num_channels, ir_axis));
  constant.name = UniqueName(tensor, file_index);
  constant.shape = shape;
  constant.format = ir::NumberFormat::Int8();
  constant.codes.reserve(num_elements);
  if (tensor.type == kTypeInt4) {
    constant.format.bits = 4;
    for (size_t i = 0; i < num_elements; ++i) {
      const int half = tensor.data[i / 2] >> (i % 2 * 4) & 15;
      constant.codes.push_back(half >= 8 ? half - 16 : half);
    }
  } else {
    for (const uint8_t byte : tensor.data) constant.codes.push_back(static_cast<int8_t>(byte));
  }
  graph_.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph_.constants.size() - 1);
}

Result<ir::ConstantId> GraphBuilder::AddBias(int32_t file_index, const ir::Quantization& weights,
                                             int64_t num_channels, float input_scale,
                                             float output_scale) {
  const FileTensor& tensor = FileTensorAt(file_index);
  MACLOOM_RETURN_IF_ERROR(CheckStorage(tensor));
  MACLOOM_RETURN_IF_ERROR(CheckType(tensor, kTypeInt32, "bias"));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape shape, CheckedShape(tensor, 1, 1));
  if (shape[0] != num_channels) {
    return InvalidInput(fmt::format("{} has {} elements; accepted are {} (output channels)",
                                    tensor.label, shape[0], num_channels));
  }
  MACLOOM_RETURN_IF_ERROR(CheckDataSize(tensor, num_channels * int64_t{sizeof(int32_t)}));
  for (size_t index = 0; index < tensor.quantization.zero_points.size(); ++index) {
    const int64_t zero_point = tensor.quantization.zero_points[index];
    if (zero_point != 0) {
      return Unsupported(
          fmt::format("{} has the bias zero point {}; supported is 0", tensor.label, zero_point));
    }
  }
  MACLOOM_RETURN_IF_ERROR(
      CheckBiasScales(tensor, weights, num_channels, input_scale, output_scale));
  MACLOOM_RETURN_IF_ERROR(Charge(num_channels));
  ir::Constant constant;
  constant.name = UniqueName(tensor, file_index);
  constant.shape = shape;
  constant.format.bits = 32;
  // Scales follow from input and weights; the stored copy has no further meaning.
  constant.codes.resize(static_cast<size_t>(num_channels));
  for (size_t index = 0; index < constant.codes.size(); ++index) {
    int32_t code = 0;
    std::memcpy(&code, tensor.data.data() + index * sizeof code, sizeof code);
    constant.codes[index] = code;
  }
  graph_.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph_.constants.size() - 1);
}

}  // namespace macloom::importers::tflite
