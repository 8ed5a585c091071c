#include "importers/max78000/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

#include "base/digest.h"
#include "base/files.h"
#include "base/npy.h"
#include "importers/max78000/layer_table.h"

namespace macloom::importers {
namespace {

using max78000::Layer;
using max78000::LayerKind;
using max78000::LayerTable;
using max78000::Pooling;

constexpr int64_t kMaxParameterBytes = 1 << 20;
constexpr int64_t kMaxElements = int64_t{1} << 24;
constexpr int64_t kBiasGrid = 128;
constexpr int kWeightPoint = 7;  // Weights are q / 128.

std::string Printable(std::string text) {
  text.resize(std::min<size_t>(text.size(), 80));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

/// What the folder holds of one layer.
struct Parameters {
  std::string name;
  int output_shift = 0;
  NpyArray weights;
  std::vector<int64_t> biases;
};

/// NAME of "NAME.suffix", empty if the text ends otherwise.
std::string StemOf(const std::string& text, const std::string& suffix) {
  if (text.size() <= suffix.size() || !text.ends_with(suffix)) return "";
  return text.substr(0, text.size() - suffix.size());
}

Result<std::vector<Parameters>> ReadParameters(const std::filesystem::path& folder,
                                               std::string& digest_input) {
  const std::filesystem::path list = folder / "params.csv";
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(list, kMaxParameterBytes));
  digest_input.append(bytes.begin(), bytes.end());
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::vector<Parameters> layers;
  std::map<std::string, int> shift_of;
  std::map<std::string, bool> has_bias;
  std::string line;
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells.size() < 4) continue;
    if (const std::string name = StemOf(cells[0], ".output_shift"); !name.empty()) {
      char* end = nullptr;
      const double shift = std::strtod(cells[3].c_str(), &end);
      if (end == cells[3].c_str() || !(shift >= -16 && shift <= 7) || shift != std::floor(shift)) {
        return InvalidInput(fmt::format("{}: {} is `{}`; accepted are integers from -16 to 7",
                                        list.string(), Printable(cells[0]), Printable(cells[3])));
      }
      shift_of[name] = static_cast<int>(shift);
    }
    if (const std::string name = StemOf(cells[0], ".weight_bits"); !name.empty()) {
      if (std::strtod(cells[3].c_str(), nullptr) != 8) {
        return Unsupported(fmt::format("{}: {} is `{}`; supported are 8 bits", list.string(),
                                       Printable(cells[0]), Printable(cells[3])));
      }
    }
    if (const std::string name = StemOf(cells[0], ".bias"); !name.empty()) has_bias[name] = true;
    if (const std::string name = StemOf(cells[0], ".weight"); !name.empty()) {
      if (name.find('/') != std::string::npos || layers.size() >= 256) {
        return InvalidInput(fmt::format("{}: tensor `{}`; accepted are at most 256 file names",
                                        list.string(), Printable(name)));
      }
      layers.push_back({name, 0, {}, {}});
    }
  }
  for (Parameters& layer : layers) {
    const auto shift = shift_of.find(layer.name);
    if (shift == shift_of.end()) {
      return InvalidInput(fmt::format("{}: `{}` has no output_shift; accepted is one per layer",
                                      list.string(), Printable(layer.name)));
    }
    layer.output_shift = shift->second;
    const std::filesystem::path weights = folder / (layer.name + ".weight.npy");
    MACLOOM_ASSIGN_OR_RETURN(layer.weights, ReadNpy(weights));
    if (layer.weights.dtype != "|i1") {
      return InvalidInput(
          fmt::format("{}: dtype {}; accepted is int8", weights.string(), layer.weights.dtype));
    }
    digest_input.append(layer.weights.bytes.begin(), layer.weights.bytes.end());
    if (!has_bias[layer.name]) continue;
    const std::filesystem::path biases = folder / (layer.name + ".bias.npy");
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(biases));
    MACLOOM_ASSIGN_OR_RETURN(layer.biases, ToInt64(array));
    digest_input.append(array.bytes.begin(), array.bytes.end());
    for (int64_t& bias : layer.biases) {
      if (bias < -(int64_t{1} << 31) || bias >= int64_t{1} << 31) {
        return InvalidInput(
            fmt::format("{}: bias {}; accepted are 32-bit integers", biases.string(), bias));
      }
      const int64_t remainder = (bias % kBiasGrid + kBiasGrid) % kBiasGrid;
      bias -= remainder;
    }
  }
  return layers;
}

class Converter {
 public:
  explicit Converter(const Max78000Options& options) : options_(options) {}

  Result<ir::Graph> Convert(const LayerTable& table, std::vector<Parameters> parameters) {
    if (table.layers.size() != parameters.size()) {
      return InvalidInput(
          fmt::format("the table has {} layers, the folder weights for {}; accepted are equal "
                      "numbers",
                      table.layers.size(), parameters.size()));
    }
    MACLOOM_RETURN_IF_ERROR(AddInput(table));
    for (size_t i = 0; i < table.layers.size(); ++i) {
      Layer layer = table.layers[i];
      const bool is_last = i + 1 == table.layers.size();
      if (layer.is_wide && !is_last) {
        return Unsupported(
            fmt::format("layer {}: output_width 32; supported on the last layer", i));
      }
      if (is_last && options_.has_narrow_output && layer.is_wide) {
        layer.is_wide = false;
        layer.extra_shift = options_.extra_output_shift;
      }
      const Status status = AddLayer(layer, parameters[i]);
      if (!status.ok()) {
        return Error{status.error().kind,
                     fmt::format("layer {} `{}`: {}", i, Printable(parameters[i].name),
                                 status.error().message)};
      }
    }
    graph_.output = current_;
    return std::move(graph_);
  }

 private:
  Status AddInput(const LayerTable& table) {
    ir::Shape input = options_.input;
    if (input.size() < 2 || input.size() > 3) {
      return InvalidInput(
          fmt::format("input shape {}; accepted are CxL and CxHxW", ir::ToString(input)));
    }
    int64_t count = 1;
    for (const int64_t d : input) {
      if (d < 1 || d > 65535 || count * d > kMaxElements) {
        return InvalidInput(
            fmt::format("input shape {}; accepted are axes of 1 to 65535, {} "
                        "elements together",
                        ir::ToString(input), kMaxElements));
      }
      count *= d;
    }
    ir::Shape image = input.size() == 3 ? ir::Shape{input[1], input[2], input[0]}
                                        : ir::Shape{1, input[1], input[0]};
    // Layers of one tap do not see the image's shape: the later one can hold from the beginning.
    for (const Layer& layer : table.layers) {
      if (layer.in_h > 0 && int64_t{layer.in_h} * layer.in_w == image[0] * image[1]) {
        image = {layer.in_h, layer.in_w, image[2]};
        break;
      }
      if (layer.kernel != 1 || layer.pad != 0 || layer.pooling != Pooling::kNone) break;
    }
    graph_.tensors.push_back({"input", image, ir::NumberFormat::Int8(), {}});
    graph_.input = current_ = 0;
    is_nonnegative_ = false;
    return {};
  }

  const ir::Shape& shape() const { return graph_.tensor(current_).shape; }

  /// Adds `node` with its output tensor; false bits: the format stays int8.
  void AddNode(ir::Node node, const std::string& name, ir::Shape output, int bits) {
    ir::TensorInfo tensor;
    tensor.name = name;
    tensor.shape = std::move(output);
    tensor.format.bits = bits;
    node.name = fmt::format("op{:02}_{}", graph_.nodes.size(), name);
    node.inputs = {current_};
    graph_.tensors.push_back(std::move(tensor));
    node.output = static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
    graph_.nodes.push_back(std::move(node));
    current_ = graph_.nodes.back().output;
  }

  ir::ConstantId AddConstant(const std::string& name, ir::Shape constant_shape, int bits,
                             std::vector<int64_t> codes) {
    ir::Constant constant;
    constant.name = name;
    constant.shape = std::move(constant_shape);
    constant.format.bits = bits;
    constant.codes = std::move(codes);
    graph_.constants.push_back(std::move(constant));
    return static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
  }

  static int64_t Windowed(int64_t in, int kernel, int stride, int pad) {
    const int64_t rest = in + 2 * pad - kernel;
    return rest < 0 ? 0 : rest / stride + 1;
  }

  Result<ir::Shape> OutputShape(const ir::Window& window, int64_t channels) const {
    const int64_t h = Windowed(shape()[0], window.kernel_h, window.stride_h, window.pad_top);
    const int64_t w = Windowed(shape()[1], window.kernel_w, window.stride_w, window.pad_left);
    if (h >= 1 && w >= 1) return ir::Shape{h, w, channels};
    return InvalidInput(
        fmt::format("a window of {}x{} on an image of {}; accepted are images as "
                    "large as the window",
                    window.kernel_h, window.kernel_w, ir::ToString(shape())));
  }

  Status AddPooling(const Layer& layer, const std::string& name) {
    if (layer.pooling == Pooling::kNone) return {};
    ir::Node node;
    const bool is_flat = layer.kind == LayerKind::kConv1d;
    node.window.kernel_w = layer.pool;
    node.window.stride_w = layer.pool_stride;
    if (!is_flat) {
      node.window.kernel_h = layer.pool;
      node.window.stride_h = layer.pool_stride;
    }
    const int64_t channels = shape()[2];
    MACLOOM_ASSIGN_OR_RETURN(const ir::Shape output, OutputShape(node.window, channels));
    if (layer.pooling == Pooling::kMax) {
      node.kind = ir::OperatorKind::kMaxPool2d;
      AddNode(std::move(node), name + ".max_pool", output, 8);
      return {};
    }
    if (!is_nonnegative_) {
      return Unsupported(
          "averages codes that may be negative, which rounds toward zero; supported is an average "
          "after ReLU");
    }
    const int taps = node.window.kernel_h * node.window.kernel_w;
    int shift = 0;
    while ((1 << shift) < taps) ++shift;
    if ((1 << shift) == taps) {
      // floor(x / 2^s) = (x - 2^(s-1) + 2^(s-1)) >> s: sums with weights 1 from that bias.
      node.kind = ir::OperatorKind::kDepthwiseConv2d;
      node.requantization.kind = ir::RequantizationKind::kShift;
      node.requantization.channels = {{0, shift}};
      node.weights = AddConstant(name + ".avg_pool.ones",
                                 {node.window.kernel_h, node.window.kernel_w, channels}, 8,
                                 std::vector<int64_t>(static_cast<size_t>(taps * channels), 1));
      const int64_t bias = shift == 0 ? 0 : -(int64_t{1} << (shift - 1));
      node.bias = AddConstant(name + ".avg_pool.bias", {channels}, 32,
                              std::vector<int64_t>(static_cast<size_t>(channels), bias));
    } else {
      node.kind = ir::OperatorKind::kAveragePool2d;
      node.requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
      node.requantization.channels = {{1, 0}};
      node.requantization.addends = {0};
      node.requantization.divisor = taps;
    }
    AddNode(std::move(node), name + ".avg_pool", output, 8);
    return {};
  }

  Status AddLayer(const Layer& layer, const Parameters& parameters) {
    const bool is_reshaped =
        layer.in_h > 0 && (shape()[0] != layer.in_h || shape()[1] != layer.in_w);
    if (is_reshaped) {
      const ir::Shape wanted = {layer.in_h, layer.in_w, shape()[2]};
      if (ir::NumElements(wanted) != ir::NumElements(shape())) {
        return InvalidInput(
            fmt::format("in_dim is {}x{} for an input of {}; accepted are as many "
                        "elements",
                        layer.in_h, layer.in_w, ir::ToString(shape())));
      }
      ir::Node node;
      node.kind = ir::OperatorKind::kReshape;
      AddNode(std::move(node), parameters.name + ".in_dim", wanted, 8);
    }
    MACLOOM_RETURN_IF_ERROR(AddPooling(layer, parameters.name));
    ir::Node node;
    ir::Shape output;
    if (layer.kind == LayerKind::kMlp) {
      MACLOOM_RETURN_IF_ERROR(SetFullyConnected(parameters, node, output));
    } else {
      MACLOOM_RETURN_IF_ERROR(SetConvolution(layer, parameters, node, output));
    }
    if (!parameters.biases.empty()) {
      if (static_cast<int64_t>(parameters.biases.size()) != output.back()) {
        return InvalidInput(fmt::format("{} biases; accepted are {} (output channels)",
                                        parameters.biases.size(), output.back()));
      }
      node.bias = AddConstant(parameters.name + ".bias", {output.back()}, 32, parameters.biases);
    }
    node.requantization.kind = ir::RequantizationKind::kShift;
    node.requantization.channels = {
        {0, layer.is_wide ? 0 : kWeightPoint - parameters.output_shift + layer.extra_shift}};
    if (layer.is_wide) {
      node.requantization.clamp_min = INT32_MIN;
      node.requantization.clamp_max = INT32_MAX;
    } else if (layer.has_relu) {
      node.requantization.clamp_min = 0;
    }
    is_nonnegative_ = layer.has_relu;
    AddNode(std::move(node), parameters.name, output, layer.is_wide ? 32 : 8);
    return {};
  }

  /// [OC, IC, K] or [OC, IC, K, K] to OHWI.
  Status SetConvolution(const Layer& layer, const Parameters& parameters, ir::Node& node,
                        ir::Shape& output) {
    const bool is_flat = layer.kind == LayerKind::kConv1d;
    const std::vector<int64_t>& w = parameters.weights.shape;
    const int64_t channels = shape()[2];
    if (shape().size() != 3 || w.size() != (is_flat ? 3u : 4u) || w[1] != channels) {
      return InvalidInput(
          fmt::format("weights of shape {} on an input of {}; accepted are OC x {} "
                      "x taps",
                      ir::ToString(w), ir::ToString(shape()), channels));
    }
    const int64_t kernel_h = is_flat ? 1 : w[2];
    const int64_t kernel_w = w.back();
    if (kernel_h > 9 || kernel_w > 9 || (layer.kernel != 0 && kernel_w != layer.kernel)) {
      return InvalidInput(
          fmt::format("weights of {}x{} taps, the table says {}; accepted are the "
                      "table's, at most 9",
                      kernel_h, kernel_w, layer.kernel));
    }
    node.kind = ir::OperatorKind::kConv2d;
    node.window.kernel_h = static_cast<int>(kernel_h);
    node.window.kernel_w = static_cast<int>(kernel_w);
    node.window.pad_left = node.window.pad_right = layer.pad;
    if (!is_flat) node.window.pad_top = node.window.pad_bottom = layer.pad;
    const int64_t taps = kernel_h * kernel_w;
    std::vector<int64_t> codes(parameters.weights.bytes.size());
    for (int64_t oc = 0; oc < w[0]; ++oc) {
      for (int64_t ic = 0; ic < channels; ++ic) {
        for (int64_t tap = 0; tap < taps; ++tap) {
          codes[static_cast<size_t>((oc * taps + tap) * channels + ic)] = static_cast<int8_t>(
              parameters.weights.bytes[static_cast<size_t>((oc * channels + ic) * taps + tap)]);
        }
      }
    }
    node.weights = AddConstant(parameters.name + ".weight", {w[0], kernel_h, kernel_w, channels}, 8,
                               std::move(codes));
    MACLOOM_ASSIGN_OR_RETURN(output, OutputShape(node.window, w[0]));
    return {};
  }

  /// [OC, C*H*W] to OI with I = H*W*C.
  Status SetFullyConnected(const Parameters& parameters, ir::Node& node, ir::Shape& output) {
    const std::vector<int64_t>& w = parameters.weights.shape;
    const int64_t count = ir::NumElements(shape());
    if (w.size() != 2 || w[1] != count) {
      return InvalidInput(fmt::format("weights of shape {} on an input of {}; accepted are OC x {}",
                                      ir::ToString(w), ir::ToString(shape()), count));
    }
    const int64_t channels = shape().back();
    const int64_t positions = count / channels;
    std::vector<int64_t> codes(parameters.weights.bytes.size());
    for (int64_t oc = 0; oc < w[0]; ++oc) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t to = (i % positions) * channels + i / positions;
        codes[static_cast<size_t>(oc * count + to)] =
            static_cast<int8_t>(parameters.weights.bytes[static_cast<size_t>(oc * count + i)]);
      }
    }
    node.kind = ir::OperatorKind::kFullyConnected;
    node.weights = AddConstant(parameters.name + ".weight", {w[0], count}, 8, std::move(codes));
    output = {w[0]};
    return {};
  }

  const Max78000Options& options_;
  ir::Graph graph_;
  ir::TensorId current_ = -1;
  bool is_nonnegative_ = false;
};

constexpr int kMaxExtraShift = 16;

/// N of "8+N", 0 of "8"; nullopt for any other text.
std::optional<int> ExtraShift(const std::string& text) {
  if (text == "8") return 0;
  int shift = -1;
  const char* end = text.data() + text.size();
  if (text.rfind("8+", 0) != 0 || std::from_chars(text.data() + 2, end, shift).ptr != end) {
    return std::nullopt;
  }
  if (shift < 0 || shift > kMaxExtraShift) return std::nullopt;
  return shift;
}

}  // namespace

Result<ir::Graph> ImportMax78000(const std::filesystem::path& table,
                                 const std::filesystem::path& folder,
                                 const Max78000Options& options) {
  MACLOOM_ASSIGN_OR_RETURN(const LayerTable layers, max78000::ReadLayerTable(table));
  std::string digest_input;
  MACLOOM_ASSIGN_OR_RETURN(std::vector<Parameters> parameters,
                           ReadParameters(folder, digest_input));
  auto graph = Converter(options).Convert(layers, std::move(parameters));
  if (!graph.ok()) {
    return Error{graph.error().kind, fmt::format("{}: {}", table.string(), graph.error().message)};
  }
  graph->name = Printable(table.stem().string());
  const std::vector<uint8_t> digested(digest_input.begin(), digest_input.end());
  graph->origin = fmt::format("{} parameters sha256 {}", Printable(table.filename().string()),
                              Sha256Hex(digested));
  const Status status = ir::Verify(*graph);
  if (!status.ok()) {
    return Error{status.error().kind,
                 fmt::format("{}: {}", table.string(), status.error().message)};
  }
  return graph;
}

Result<ir::Graph> ImportMax78000(const std::string& model) {
  std::vector<std::string> parts;
  std::istringstream text(model);
  for (std::string part; std::getline(text, part, '@');) parts.push_back(part);
  Max78000Options options;
  options.has_narrow_output = parts.size() == 4;
  const auto shift = options.has_narrow_output ? ExtraShift(parts[3]) : 0;
  if (parts.size() < 3 || parts.size() > 4 || !shift) {
    return InvalidInput(fmt::format(
        "model `{}`: accepted is TABLE.yaml@FOLDER@SHAPE, for example net.yaml@weights@1x28x28, "
        "and @8 at the end for 8-bit outputs of a last layer of 32 bits, or @8+N with N from 0 to "
        "{} for N more bits shifted out",
        model, kMaxExtraShift));
  }
  options.extra_output_shift = *shift;
  std::istringstream axes(parts[2]);
  for (std::string axis; std::getline(axes, axis, 'x');) {
    const bool is_number =
        !axis.empty() && axis.size() <= 5 &&
        std::all_of(axis.begin(), axis.end(), [](char c) { return c >= '0' && c <= '9'; });
    options.input.push_back(is_number ? std::stoll(axis) : 0);
  }
  return ImportMax78000(std::filesystem::path(parts[0]), std::filesystem::path(parts[1]), options);
}

}  // namespace macloom::importers
