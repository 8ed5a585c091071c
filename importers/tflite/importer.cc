#include "importers/tflite/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "importers/tflite/convert.h"
#include "importers/tflite/file_model.h"
#include "importers/tflite/graph_builder.h"
#include "importers/tflite/names.h"

namespace macloom::importers {
namespace {

using tflite::FileModel;
using tflite::FileOperator;
using tflite::GraphBuilder;
using tflite::OptionsKind;

constexpr size_t kAll = SIZE_MAX;
constexpr size_t kMaxConcatenated = 64;

/// What one operator of the subset needs.
struct Conversion {
  tflite::OperatorCode code;
  ir::OperatorKind kind;
  OptionsKind options;
  bool needs_options;  ///< Defaults are meaningless (a stride of 0) where they are needed.
  size_t min_inputs;
  size_t max_inputs;
  size_t num_activations;  ///< Leading inputs that are activations; kAll: every input.
  const char* snake_name;
  Status (*convert)(const FileOperator&, GraphBuilder&, ir::Node&);
};

constexpr auto kConversions = std::to_array<Conversion>({
    {tflite::kOperatorConv2d, ir::OperatorKind::kConv2d, OptionsKind::kConvolution, true, 2, 3, 1,
     "conv_2d", tflite::ConvertConv2d},
    {tflite::kOperatorDepthwiseConv2d, ir::OperatorKind::kDepthwiseConv2d, OptionsKind::kDepthwise,
     true, 2, 3, 1, "depthwise_conv_2d", tflite::ConvertDepthwiseConv2d},
    {tflite::kOperatorFullyConnected, ir::OperatorKind::kFullyConnected,
     OptionsKind::kFullyConnected, false, 2, 3, 1, "fully_connected",
     tflite::ConvertFullyConnected},
    {tflite::kOperatorAveragePool2d, ir::OperatorKind::kAveragePool2d, OptionsKind::kPool, true, 1,
     1, 1, "average_pool_2d", tflite::ConvertAveragePool2d},
    {tflite::kOperatorMaxPool2d, ir::OperatorKind::kMaxPool2d, OptionsKind::kPool, true, 1, 1, 1,
     "max_pool_2d", tflite::ConvertMaxPool2d},
    {tflite::kOperatorConcatenation, ir::OperatorKind::kConcatenation, OptionsKind::kConcatenation,
     true, 1, kMaxConcatenated, kAll, "concatenation", tflite::ConvertConcatenation},
    {tflite::kOperatorPad, ir::OperatorKind::kPad, OptionsKind::kOther, false, 2, 2, 1, "pad",
     tflite::ConvertPad},
    {tflite::kOperatorQuantize, ir::OperatorKind::kDepthwiseConv2d, OptionsKind::kOther, false, 1,
     1, 1, "quantize", tflite::ConvertQuantize},
    {tflite::kOperatorAdd, ir::OperatorKind::kAdd, OptionsKind::kAdd, false, 2, 2, 2, "add",
     tflite::ConvertAdd},
    {tflite::kOperatorReshape, ir::OperatorKind::kReshape, OptionsKind::kReshape, false, 1, 2, 1,
     "reshape", tflite::ConvertReshape},
    {tflite::kOperatorSoftmax, ir::OperatorKind::kSoftmax, OptionsKind::kSoftmax, true, 1, 1, 1,
     "softmax", tflite::ConvertSoftmax},
});

const Conversion* FindConversion(int32_t code) {
  for (const Conversion& conversion : kConversions) {
    if (conversion.code == code) return &conversion;
  }
  return nullptr;
}

/// Names every kind of operator outside the subset with its first index, not only the first one.
Status CheckOperators(const FileModel& file) {
  std::map<std::string, size_t> first_index_of;
  for (size_t index = 0; index < file.operators.size(); ++index) {
    const FileOperator& file_operator = file.operators[index];
    if (FindConversion(file_operator.code) != nullptr) continue;
    std::string name = tflite::OperatorName(file_operator.code);
    if (file_operator.code == tflite::kOperatorCustom) {
      name += fmt::format(" '{}'", file_operator.custom_name);
    }
    first_index_of.emplace(std::move(name), index);
  }
  if (first_index_of.empty()) return {};
  constexpr size_t kMaxListed = 16;
  std::string listed;
  size_t num_listed = 0;
  for (const auto& [name, index] : first_index_of) {
    if (num_listed++ == kMaxListed) break;
    listed += fmt::format("{}{} (operator {})", listed.empty() ? "" : ", ", name, index);
  }
  if (first_index_of.size() > kMaxListed) listed += ", ...";
  return Unsupported(fmt::format("unsupported operators: {}; supported are {}", listed,
                                 tflite::kSupportedOperators));
}

Status CheckOperands(const FileOperator& file_operator, const Conversion& conversion) {
  const size_t num_inputs = file_operator.inputs.size();
  if (num_inputs < conversion.min_inputs || num_inputs > conversion.max_inputs) {
    return InvalidInput(fmt::format("{} inputs; accepted are {} to {}", num_inputs,
                                    conversion.min_inputs, conversion.max_inputs));
  }
  if (file_operator.outputs.size() != 1) {
    return InvalidInput(fmt::format("{} outputs; accepted is 1", file_operator.outputs.size()));
  }
  const OptionsKind options = file_operator.options.kind;
  if (options == conversion.options) return {};
  if (options != OptionsKind::kNone)
    return InvalidInput("the options are those of another operator");
  if (conversion.needs_options)
    return InvalidInput("the options (stride, padding, beta) are missing");
  return {};
}

Result<ir::Node> ConvertOperator(const FileOperator& file_operator, const Conversion& conversion,
                                 GraphBuilder& builder) {
  MACLOOM_RETURN_IF_ERROR(CheckOperands(file_operator, conversion));
  ir::Node node;
  node.kind = conversion.kind;
  const size_t num_activations = std::min(conversion.num_activations, file_operator.inputs.size());
  for (size_t operand = 0; operand < num_activations; ++operand) {
    const int32_t file_index = file_operator.inputs[operand];
    if (file_index < 0) {
      return InvalidInput(
          fmt::format("input {} is absent (tensor -1); accepted is a tensor", operand));
    }
    MACLOOM_ASSIGN_OR_RETURN(const ir::TensorId id, builder.Activation(file_index));
    node.inputs.push_back(id);
  }
  MACLOOM_ASSIGN_OR_RETURN(node.output, builder.AddActivation(file_operator.outputs[0]));
  MACLOOM_RETURN_IF_ERROR(conversion.convert(file_operator, builder, node));
  return node;
}

Status CheckOne(std::span<const int32_t> indices, const char* what) {
  if (indices.size() == 1) return {};
  if (indices.empty())
    return InvalidInput(fmt::format("the network has no {}; accepted is one", what));
  return Unsupported(fmt::format("the network has {} {}s; supported is one", indices.size(), what));
}

/// Everything but name and origin, which depend on where the bytes come from.
Result<ir::Graph> Convert(const FileModel& file, const TfliteOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckOperators(file));
  MACLOOM_RETURN_IF_ERROR(CheckOne(file.inputs, "input"));
  MACLOOM_RETURN_IF_ERROR(CheckOne(file.outputs, "output"));
  if (file.operators.empty())
    return InvalidInput("the network has no operators; accepted is at least one");
  GraphBuilder builder(file, options.rounding);
  MACLOOM_ASSIGN_OR_RETURN(builder.graph().input, builder.AddActivation(file.inputs[0]));
  for (size_t index = 0; index < file.operators.size(); ++index) {
    const FileOperator& file_operator = file.operators[index];
    const Conversion& conversion = *FindConversion(file_operator.code);
    auto node = ConvertOperator(file_operator, conversion, builder);
    if (!node.ok()) {
      return Error{node.error().kind,
                   fmt::format("operator {} ({}): {}", index,
                               tflite::OperatorName(file_operator.code), node.error().message)};
    }
    node->name = fmt::format("op{:02}_{}", index, conversion.snake_name);
    builder.graph().nodes.push_back(std::move(node).value());
  }
  const auto output = builder.Activation(file.outputs[0]);
  if (!output.ok()) {
    return Error{output.error().kind, "the network's output: " + output.error().message};
  }
  builder.graph().output = *output;
  builder.graph().name = file.graph_name.empty() ? "network" : file.graph_name;
  return std::move(builder.graph());
}

/// `bytes` at an address that fits the flatbuffer's 8-byte elements.
std::vector<uint64_t> AlignedCopy(std::span<const uint8_t> bytes) {
  std::vector<uint64_t> words((bytes.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Result<ir::Graph> ImportNamed(std::span<const uint8_t> bytes, const TfliteOptions& options,
                              const std::string& graph_name, const std::string& origin_prefix) {
  if (bytes.size() > tflite::kMaxFileBytes) {
    return Unsupported(fmt::format("the file has {} bytes; supported are files of at most {} bytes",
                                   bytes.size(), tflite::kMaxFileBytes));
  }
  const std::vector<uint64_t> words = AlignedCopy(bytes);
  MACLOOM_ASSIGN_OR_RETURN(
      const FileModel file,
      tflite::OpenContainer({reinterpret_cast<const uint8_t*>(words.data()), bytes.size()}));
  MACLOOM_ASSIGN_OR_RETURN(ir::Graph graph, Convert(file, options));
  if (!graph_name.empty()) graph.name = graph_name;
  graph.origin = origin_prefix + "sha256 " + Sha256Hex(bytes);
  MACLOOM_RETURN_IF_ERROR(ir::Verify(graph));
  return graph;
}

}  // namespace

Result<ir::Graph> ImportTflite(std::span<const uint8_t> bytes, const TfliteOptions& options) {
  return ImportNamed(bytes, options, "", "");
}

Result<ir::Graph> ImportTfliteFile(const std::filesystem::path& path,
                                   const TfliteOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes,
                           ReadFile(path, static_cast<int64_t>(tflite::kMaxFileBytes)));
  auto graph = ImportNamed(bytes, options, tflite::Printable(path.stem().string()),
                           tflite::Printable(path.filename().string()) + " ");
  if (graph.ok()) return graph;
  return Error{graph.error().kind, path.string() + ": " + graph.error().message};
}

}  // namespace macloom::importers
