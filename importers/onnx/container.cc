#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "importers/onnx/file_model.h"
#include "importers/onnx/subset.pb.h"

namespace macloom::importers::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw tensor data is little endian");

constexpr int kMaxNodes = 1 << 14;
constexpr int kMaxConstants = 1 << 16;
constexpr int kMaxAttributes = 64;
constexpr int kMaxOperands = 64;
constexpr int kMaxRank = 8;
constexpr int kMaxNesting = 16;
constexpr int64_t kMaxElements = int64_t{1} << 23;
constexpr int64_t kMaxAllElements = int64_t{1} << 25;

// Values of the format's element type field.
enum ElementType {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kDouble = 11,
  kUint32 = 12,
};

template <typename Stored>
std::vector<double> RawValues(const std::string& raw, int64_t count) {
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored value;
    std::memcpy(&value, raw.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<double>(value);
  }
  return values;
}

template <typename Field>
std::vector<double> FieldValues(const Field& field) {
  std::vector<double> values;
  values.reserve(static_cast<size_t>(field.size()));
  for (const auto value : field) values.push_back(static_cast<double>(value));
  return values;
}

int64_t ItemBytes(int32_t type) {
  switch (type) {
    case kUint8:
    case kInt8:
    case kBool:
      return 1;
    case kUint16:
    case kInt16:
      return 2;
    case kFloat:
    case kInt32:
    case kUint32:
      return 4;
    case kInt64:
    case kDouble:
      return 8;
    default:
      return 0;
  }
}

std::vector<double> ValuesOfRaw(int32_t type, const std::string& raw, int64_t count) {
  switch (type) {
    case kUint8:
    case kBool:
      return RawValues<uint8_t>(raw, count);
    case kInt8:
      return RawValues<int8_t>(raw, count);
    case kUint16:
      return RawValues<uint16_t>(raw, count);
    case kInt16:
      return RawValues<int16_t>(raw, count);
    case kFloat:
      return RawValues<float>(raw, count);
    case kInt32:
      return RawValues<int32_t>(raw, count);
    case kUint32:
      return RawValues<uint32_t>(raw, count);
    case kInt64:
      return RawValues<int64_t>(raw, count);
    default:
      return RawValues<double>(raw, count);
  }
}

std::vector<double> ValuesOfFields(int32_t type, const schema::TensorRecord& record) {
  switch (type) {
    case kFloat:
      return FieldValues(record.float_data());
    case kDouble:
      return FieldValues(record.double_data());
    case kInt64:
      return FieldValues(record.int64_data());
    case kUint32:
      return FieldValues(record.uint64_data());
    default:
      return FieldValues(record.int32_data());
  }
}

Result<FileTensor> ReadTensor(const schema::TensorRecord& record, const std::string& where) {
  FileTensor tensor;
  tensor.name = record.name();
  tensor.element_type = record.element_type();
  const int64_t item_bytes = ItemBytes(tensor.element_type);
  if (item_bytes == 0) {
    return Unsupported(fmt::format(
        "{}: element type {}; supported are float32, float64, int8 to int64, uint8 to uint32, bool",
        where, tensor.element_type));
  }
  if (record.data_location() != 0) {
    return Unsupported(where + ": its data is in another file; supported are files with all data");
  }
  if (record.shape_size() > kMaxRank) {
    return Unsupported(
        fmt::format("{}: {} axes; supported are at most {}", where, record.shape_size(), kMaxRank));
  }
  int64_t count = 1;
  for (const int64_t dimension : record.shape()) {
    if (dimension < 1 || dimension > kMaxElements || count * dimension > kMaxElements) {
      return InvalidInput(
          fmt::format("{}: an axis of {} elements; accepted are axes of at least 1 and at most {} "
                      "elements together",
                      where, dimension, kMaxElements));
    }
    count *= dimension;
    tensor.shape.push_back(dimension);
  }
  if (record.has_raw_data()) {
    if (static_cast<int64_t>(record.raw_data().size()) != count * item_bytes) {
      return InvalidInput(fmt::format("{}: {} bytes of data; accepted are {} ({} elements)", where,
                                      record.raw_data().size(), count * item_bytes, count));
    }
    tensor.values = ValuesOfRaw(tensor.element_type, record.raw_data(), count);
  } else {
    tensor.values = ValuesOfFields(tensor.element_type, record);
    if (static_cast<int64_t>(tensor.values.size()) != count) {
      return InvalidInput(fmt::format("{}: {} values; accepted are {} (its shape)", where,
                                      tensor.values.size(), count));
    }
  }
  constexpr double kMaxExact = 9007199254740992.0;
  const bool is_float = tensor.element_type == kFloat || tensor.element_type == kDouble;
  for (const double value : tensor.values) {
    if (std::isfinite(value) && (is_float || std::fabs(value) < kMaxExact)) continue;
    return InvalidInput(fmt::format(
        "{}: holds {}; accepted are finite numbers, integers below 2^53", where, value));
  }
  return tensor;
}

Result<FileNode> ReadNode(const schema::NodeRecord& record, int index) {
  FileNode node;
  node.type = record.operator_type();
  node.name = record.name();
  node.label = fmt::format("node {}{} ({})", index,
                           node.name.empty() ? "" : fmt::format(" '{}'", Printable(node.name)),
                           Printable(node.type));
  if (record.inputs_size() > kMaxOperands || record.outputs_size() > kMaxOperands ||
      record.attributes_size() > kMaxAttributes) {
    return Unsupported(
        fmt::format("{}: {} inputs, {} outputs, {} attributes; supported are at "
                    "most {}, {} and {}",
                    node.label, record.inputs_size(), record.outputs_size(),
                    record.attributes_size(), kMaxOperands, kMaxOperands, kMaxAttributes));
  }
  node.inputs.assign(record.inputs().begin(), record.inputs().end());
  node.outputs.assign(record.outputs().begin(), record.outputs().end());
  for (const schema::AttributeRecord& attribute : record.attributes()) {
    FileAttribute read;
    read.number = attribute.has_float_value() ? static_cast<double>(attribute.float_value())
                                              : static_cast<double>(attribute.int_value());
    read.numbers.assign(attribute.int_values().begin(), attribute.int_values().end());
    read.text = attribute.string_value();
    if (attribute.has_tensor_value()) {
      MACLOOM_ASSIGN_OR_RETURN(read.tensor, ReadTensor(attribute.tensor_value(),
                                                       fmt::format("{}: attribute '{}'", node.label,
                                                                   Printable(attribute.name()))));
    }
    node.attributes[attribute.name()] = std::move(read);
  }
  return node;
}

FileValue ReadValue(const schema::ValueRecord& record) {
  FileValue value;
  value.name = record.name();
  value.element_type = record.type().tensor_type().element_type();
  for (const schema::DimensionRecord& d : record.type().tensor_type().shape().dimensions()) {
    value.shape.push_back(d.has_size() ? d.size() : -1);
  }
  return value;
}

}  // namespace

std::string Printable(const std::string& text) {
  constexpr size_t kMaxLength = 200;
  std::string printable = text.substr(0, kMaxLength);
  for (char& c : printable) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return printable;
}

Result<FileModel> OpenContainer(std::span<const uint8_t> bytes) {
  if (bytes.size() > kMaxFileBytes) {
    return Unsupported(fmt::format("the file has {} bytes; supported are files of at most {} bytes",
                                   bytes.size(), kMaxFileBytes));
  }
  schema::ModelRecord model;
  google::protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kMaxNesting);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() ||
      !model.has_graph()) {
    return InvalidInput(
        "not an ONNX file, or a damaged one: the bytes are no model with a graph; accepted are "
        "complete .onnx files");
  }
  const schema::GraphRecord& graph = model.graph();
  if (graph.nodes_size() == 0 || graph.nodes_size() > kMaxNodes) {
    return InvalidInput(
        fmt::format("the graph has {} nodes; accepted are 1 to {}", graph.nodes_size(), kMaxNodes));
  }
  if (graph.initializers_size() > kMaxConstants) {
    return Unsupported(fmt::format("the graph has {} initializers; supported are at most {}",
                                   graph.initializers_size(), kMaxConstants));
  }
  FileModel result;
  result.graph_name = Printable(graph.name());
  std::set<std::string> constant_names;
  int64_t num_elements = 0;
  for (int i = 0; i < graph.initializers_size(); ++i) {
    const schema::TensorRecord& record = graph.initializers(i);
    MACLOOM_ASSIGN_OR_RETURN(
        FileTensor tensor,
        ReadTensor(record, fmt::format("initializer {} '{}'", i, Printable(record.name()))));
    num_elements += static_cast<int64_t>(tensor.values.size());
    if (num_elements > kMaxAllElements) {
      return Unsupported(
          fmt::format("the initializers have more than {} elements; supported are "
                      "at most that many",
                      kMaxAllElements));
    }
    if (!constant_names.insert(tensor.name).second) {
      return InvalidInput(
          fmt::format("initializer {} '{}' is there twice; accepted is one of a name", i,
                      Printable(tensor.name)));
    }
    result.constants.push_back(std::move(tensor));
  }
  for (int i = 0; i < graph.nodes_size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(FileNode node, ReadNode(graph.nodes(i), i));
    result.nodes.push_back(std::move(node));
  }
  // Older files list their initializers as inputs, too.
  std::vector<FileValue> inputs;
  for (const schema::ValueRecord& record : graph.inputs()) {
    if (constant_names.count(record.name()) == 0) inputs.push_back(ReadValue(record));
  }
  if (inputs.size() != 1 || graph.outputs_size() != 1) {
    return Unsupported(
        fmt::format("the network has {} inputs and {} outputs; supported is one of each",
                    inputs.size(), graph.outputs_size()));
  }
  result.input = inputs[0];
  result.output = graph.outputs(0).name();
  return result;
}

}  // namespace macloom::importers::onnx
