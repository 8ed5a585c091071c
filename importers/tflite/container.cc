#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>

#include "importers/tflite/file_model.h"
#include "importers/tflite/names.h"
#include "importers/tflite/subset_generated.h"

namespace macloom::importers::tflite {
namespace {

static_assert(std::endian::native == std::endian::little, "spans into the file need little endian");

constexpr size_t kMaxTensors = 1 << 16;
constexpr size_t kMaxOperators = 1 << 14;
constexpr uint32_t kSchemaVersion = 3;

/// The verifier guarantees the alignment of a vector's 4-byte length, hence of 4-byte elements.
template <typename T>
std::span<const T> ToSpan(const flatbuffers::Vector<T>* vector) {
  static_assert(sizeof(T) <= sizeof(flatbuffers::uoffset_t));
  if (vector == nullptr) return {};
  return {reinterpret_cast<const T*>(vector->Data()), vector->size()};
}

Int64View ToView(const flatbuffers::Vector<int64_t>* vector) {
  if (vector == nullptr) return {};
  return {vector->Data(), vector->size()};
}

template <typename T>
size_t SizeOf(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string ToPrintable(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : Printable({text->c_str(), text->size()});
}

Status CheckContainer(std::span<const uint8_t> bytes) {
  constexpr size_t kIdentifierEnd = 8;
  if (bytes.size() < kIdentifierEnd) {
    return InvalidInput(
        fmt::format("not a TFLite file: {} bytes; accepted are files of at least {} bytes with the "
                    "identifier \"TFL3\" at byte 4",
                    bytes.size(), kIdentifierEnd));
  }
  if (!schema::ModelRecordBufferHasIdentifier(bytes.data())) {
    const std::string found =
        Printable({reinterpret_cast<const char*>(bytes.data()) + 4, kIdentifierEnd - 4});
    return InvalidInput(fmt::format(
        "not a TFLite file: the identifier at byte 4 is \"{}\"; accepted is \"TFL3\"", found));
  }
  // The deepest accepted nesting is model, subgraph, operator, options.
  flatbuffers::Verifier::Options limits;
  limits.max_depth = 16;
  limits.max_tables = 1 << 18;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits);
  if (!schema::VerifyModelRecordBuffer(verifier)) {
    return InvalidInput(
        "damaged or truncated TFLite file: an offset or size inside the flatbuffer is wrong; "
        "accepted are complete files as the converter wrote them");
  }
  return {};
}

Status CheckIndex(int64_t index, size_t count, const std::string& where, const char* what) {
  if (index >= 0 && index < static_cast<int64_t>(count)) return {};
  return InvalidInput(fmt::format("{} refers to {} {}; accepted are 0 to {} ({} in the file)",
                                  where, what, index, static_cast<int64_t>(count) - 1, count));
}

Status CheckTensorIndices(std::span<const int32_t> indices, size_t num_tensors,
                          const std::string& where, bool allows_absent) {
  for (const int32_t index : indices) {
    if (allows_absent && index == -1) continue;
    MACLOOM_RETURN_IF_ERROR(CheckIndex(index, num_tensors, where, "tensor"));
  }
  return {};
}

template <typename Table>
FileOptions WithWindow(OptionsKind kind, const Table& table) {
  FileOptions options;
  options.kind = kind;
  options.padding = table.padding();
  options.stride_h = table.stride_h();
  options.stride_w = table.stride_w();
  options.activation = table.activation();
  return options;
}

FileOptions ReadOptions(const schema::OperatorRecord& record) {
  FileOptions options;
  if (record.options() == nullptr) return options;
  switch (record.options_type()) {
    case schema::OperatorOptions_ConvolutionOptions: {
      const auto& table = *record.options_as_ConvolutionOptions();
      options = WithWindow(OptionsKind::kConvolution, table);
      options.dilation_h = table.dilation_h();
      options.dilation_w = table.dilation_w();
      return options;
    }
    case schema::OperatorOptions_DepthwiseOptions: {
      const auto& table = *record.options_as_DepthwiseOptions();
      options = WithWindow(OptionsKind::kDepthwise, table);
      options.dilation_h = table.dilation_h();
      options.dilation_w = table.dilation_w();
      options.depth_multiplier = table.depth_multiplier();
      return options;
    }
    case schema::OperatorOptions_PoolOptions: {
      const auto& table = *record.options_as_PoolOptions();
      options = WithWindow(OptionsKind::kPool, table);
      options.kernel_h = table.kernel_h();
      options.kernel_w = table.kernel_w();
      return options;
    }
    case schema::OperatorOptions_FullyConnectedOptions: {
      const auto& table = *record.options_as_FullyConnectedOptions();
      options.kind = OptionsKind::kFullyConnected;
      options.activation = table.activation();
      options.weights_layout = table.weights_layout();
      options.keeps_rank = table.keeps_rank();
      return options;
    }
    case schema::OperatorOptions_SoftmaxOptions:
      options.kind = OptionsKind::kSoftmax;
      options.beta = record.options_as_SoftmaxOptions()->beta();
      return options;
    case schema::OperatorOptions_ConcatenationOptions: {
      const auto& table = *record.options_as_ConcatenationOptions();
      options.kind = OptionsKind::kConcatenation;
      options.axis = table.axis();
      options.activation = table.activation();
      return options;
    }
    case schema::OperatorOptions_AddOptions:
      options.kind = OptionsKind::kAdd;
      options.activation = record.options_as_AddOptions()->activation();
      return options;
    case schema::OperatorOptions_ReshapeOptions:
      options.kind = OptionsKind::kReshape;
      return options;
    default:
      options.kind = OptionsKind::kOther;
      return options;
  }
}

Result<FileTensor> ReadTensor(const schema::ModelRecord& model, const schema::TensorRecord& record,
                              size_t index) {
  FileTensor tensor;
  tensor.name = ToPrintable(record.name());
  tensor.label = fmt::format("tensor {} '{}'", index, tensor.name);
  tensor.shape = ToSpan(record.shape());
  tensor.shape_signature = ToSpan(record.shape_signature());
  tensor.type = record.element_type();
  tensor.is_variable = record.is_variable();
  tensor.is_sparse = record.sparsity() != nullptr;
  MACLOOM_RETURN_IF_ERROR(
      CheckIndex(record.buffer_index(), SizeOf(model.buffers()), tensor.label, "buffer"));
  const schema::BufferRecord& buffer = *model.buffers()->Get(record.buffer_index());
  tensor.data = ToSpan(buffer.data());
  tensor.is_external = buffer.external_offset() > 1;
  if (const schema::QuantizationRecord* quantization = record.quantization()) {
    tensor.quantization = {ToSpan(quantization->scales()), ToView(quantization->zero_points()),
                           quantization->channel_axis(), quantization->details_tag()};
  }
  return tensor;
}

Result<FileOperator> ReadOperator(const schema::ModelRecord& model,
                                  const schema::OperatorRecord& record, size_t num_tensors,
                                  size_t index) {
  const std::string where = fmt::format("operator {}", index);
  MACLOOM_RETURN_IF_ERROR(
      CheckIndex(record.code_index(), SizeOf(model.operator_codes()), where, "operator code"));
  const schema::OperatorCodeRecord& code = *model.operator_codes()->Get(record.code_index());
  FileOperator result;
  result.code = std::max<int32_t>(code.small_code(), code.code());
  result.custom_name = ToPrintable(code.custom_name());
  result.inputs = ToSpan(record.inputs());
  result.outputs = ToSpan(record.outputs());
  MACLOOM_RETURN_IF_ERROR(
      CheckTensorIndices(result.inputs, num_tensors, where + ": an input", true));
  MACLOOM_RETURN_IF_ERROR(
      CheckTensorIndices(result.outputs, num_tensors, where + ": an output", false));
  result.options = ReadOptions(record);
  return result;
}

Status CheckCount(size_t count, size_t limit, const char* what) {
  if (count <= limit) return {};
  return Unsupported(
      fmt::format("the file has {} {}; supported are at most {}", count, what, limit));
}

}  // namespace

Result<FileModel> OpenContainer(std::span<const uint8_t> bytes) {
  MACLOOM_CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(int64_t) == 0);
  MACLOOM_RETURN_IF_ERROR(CheckContainer(bytes));
  const schema::ModelRecord& model = *schema::GetModelRecord(bytes.data());
  if (model.version() != kSchemaVersion) {
    return Unsupported(
        fmt::format("TFLite schema version {}; supported is {}", model.version(), kSchemaVersion));
  }
  const size_t num_subgraphs = SizeOf(model.subgraphs());
  if (num_subgraphs == 0) return InvalidInput("the file has no subgraph; accepted is exactly one");
  if (num_subgraphs > 1) {
    return Unsupported(
        fmt::format("the file has {} subgraphs; supported is exactly one", num_subgraphs));
  }
  const schema::SubgraphRecord& subgraph = *model.subgraphs()->Get(0);
  const size_t num_tensors = SizeOf(subgraph.tensors());
  const size_t num_operators = SizeOf(subgraph.operators());
  MACLOOM_RETURN_IF_ERROR(CheckCount(num_tensors, kMaxTensors, "tensors"));
  MACLOOM_RETURN_IF_ERROR(CheckCount(num_operators, kMaxOperators, "operators"));

  FileModel result;
  result.graph_name = ToPrintable(subgraph.name());
  for (size_t index = 0; index < num_tensors; ++index) {
    const auto position = static_cast<flatbuffers::uoffset_t>(index);
    MACLOOM_ASSIGN_OR_RETURN(FileTensor tensor,
                             ReadTensor(model, *subgraph.tensors()->Get(position), index));
    result.tensors.push_back(std::move(tensor));
  }
  for (size_t index = 0; index < num_operators; ++index) {
    const auto position = static_cast<flatbuffers::uoffset_t>(index);
    MACLOOM_ASSIGN_OR_RETURN(
        FileOperator file_operator,
        ReadOperator(model, *subgraph.operators()->Get(position), num_tensors, index));
    result.operators.push_back(std::move(file_operator));
  }
  result.inputs = ToSpan(subgraph.inputs());
  result.outputs = ToSpan(subgraph.outputs());
  MACLOOM_RETURN_IF_ERROR(
      CheckTensorIndices(result.inputs, num_tensors, "the list of inputs", false));
  MACLOOM_RETURN_IF_ERROR(
      CheckTensorIndices(result.outputs, num_tensors, "the list of outputs", false));
  return result;
}

}  // namespace macloom::importers::tflite
