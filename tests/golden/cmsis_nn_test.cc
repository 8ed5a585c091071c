// The integer operator cases of CMSIS-NN: every one that the network format can express is exact.
#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "golden/reference/executor.h"
#include "golden/reference/operators.h"
#include "tests/support/archive_files.h"
#include "tests/support/data_pack.h"

namespace macloom::golden {
namespace {

/// One case: the constants and arrays of the headers that its test_data.h includes.
struct Case {
  std::map<std::string, std::string> constants;        ///< Without the case's prefix.
  std::map<std::string, std::vector<int64_t>> arrays;  ///< By name without prefix.
  bool is_int8 = true;                                 ///< Input and output are int8_t.
  bool is_int4 = false;                                ///< Weights are packed two to a byte.

  bool Has(const std::string& name) const { return constants.count(name) > 0; }
  int64_t Get(const std::string& name) const { return std::stoll(constants.at(name)); }
  int64_t Get(const std::string& name, int64_t otherwise) const {
    return Has(name) ? Get(name) : otherwise;
  }
  int Int(const std::string& name) const { return static_cast<int>(Get(name)); }
  /// The first of `names` that exists.
  const std::vector<int64_t>* Find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      if (const auto found = arrays.find(name); found != arrays.end()) return &found->second;
    }
    return nullptr;
  }
};

void ParseHeader(const std::string& text, const std::string& prefix, Case& one) {
  std::string upper = prefix;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  static const std::regex define("#define\\s+(\\w+)\\s+(\\S+)");
  for (std::sregex_iterator it(text.begin(), text.end(), define), end; it != end; ++it) {
    std::string name = (*it)[1];
    if (name.starts_with(upper)) name = name.substr(upper.size());
    one.constants[name] = (*it)[2];
  }
  const auto plain = [&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  };
  static const std::regex array("(int8_t|int16_t|int32_t|int64_t)\\s+(\\w+)\\[\\d*\\]\\s*=\\s*\\{");
  for (std::sregex_iterator it(text.begin(), text.end(), array), end; it != end; ++it) {
    const std::string name = plain((*it)[2]);
    std::vector<int64_t>& values = one.arrays[name];
    values.clear();
    const char* at = text.data() + it->position() + it->length();
    const char* close = text.data() + text.find('}', static_cast<size_t>(at - text.data()));
    while (at < close) {
      int64_t value = 0;
      const auto [next, error] = std::from_chars(at, close, value);
      if (error == std::errc()) values.push_back(value);
      at = error == std::errc() ? next : at + 1;
    }
    const bool is_code = name.starts_with("input") || name.starts_with("output");
    const bool is_parameter = name.find("mult") != std::string::npos ||
                              name.find("shift") != std::string::npos ||
                              name.find("bias") != std::string::npos;
    if (is_code && !is_parameter && (*it)[1] != "int8_t") one.is_int8 = false;
  }
  static const std::regex alias("\\*\\s*const\\s+(\\w+)\\s*=\\s*(\\w+)\\s*;");
  for (std::sregex_iterator it(text.begin(), text.end(), alias), end; it != end; ++it) {
    const auto source = one.arrays.find(plain((*it)[2]));
    if (source != one.arrays.end()) one.arrays[plain((*it)[1])] = source->second;
  }
}

ir::TensorId AddTensor(ir::Graph& graph, ir::Shape shape, int64_t zero_point) {
  ir::TensorInfo info;
  info.name = "t" + std::to_string(graph.tensors.size());
  info.shape = std::move(shape);
  info.format = ir::NumberFormat::Int8();
  info.quantization = {{0.1f}, {static_cast<int32_t>(zero_point)}, -1};
  graph.tensors.push_back(std::move(info));
  return static_cast<ir::TensorId>(graph.tensors.size()) - 1;
}

ir::ConstantId AddConstant(ir::Graph& graph, ir::Shape shape, int bits,
                           std::vector<int64_t> codes) {
  ir::Constant constant;
  constant.name = "c" + std::to_string(graph.constants.size());
  constant.shape = std::move(shape);
  constant.format.bits = bits;
  constant.codes = std::move(codes);
  graph.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph.constants.size()) - 1;
}

/// Weights as stored, or two to a byte, low half first.
std::optional<std::pair<std::vector<int64_t>, int>> Weights(const Case& one, int64_t count) {
  const std::vector<int64_t>* stored = one.Find({"weights", "input_weights"});
  if (stored == nullptr) return std::nullopt;
  const auto size = static_cast<int64_t>(stored->size());
  if (size == count && !one.is_int4) return std::make_pair(*stored, 8);
  if (!one.is_int4 || size != (count + 1) / 2) return std::nullopt;
  std::vector<int64_t> codes;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t byte = (*stored)[static_cast<size_t>(i / 2)];
    const int64_t half = byte >> (i % 2 * 4) & 15;
    codes.push_back(half >= 8 ? half - 16 : half);
  }
  return std::make_pair(codes, 4);
}

/// Padding after the image that gives the stated output size.
int PadAfter(int64_t in, int64_t out, int kernel, int stride, int dilation, int before) {
  const int64_t extent = int64_t{kernel - 1} * dilation + 1;
  return static_cast<int>(std::max<int64_t>(0, (out - 1) * stride + extent - in - before));
}

void SetMultipliers(const Case& one, int64_t channels, ir::Node& node) {
  const std::vector<int64_t>* mult = one.Find({"output_mult", "output_multiplier"});
  const std::vector<int64_t>* shift = one.Find({"output_shift"});
  ir::Requantization& requantization = node.requantization;
  requantization.kind = ir::RequantizationKind::kMultiplierDouble;
  if (mult != nullptr && shift != nullptr) {
    for (int64_t c = 0; c < channels; ++c) {
      const size_t i = static_cast<size_t>(c);
      requantization.channels.push_back(
          {static_cast<int32_t>(mult->at(i)), static_cast<int32_t>(shift->at(i))});
    }
  } else {
    requantization.channels = {{one.Int("OUTPUT_MULTIPLIER"), one.Int("OUTPUT_SHIFT")}};
  }
}

void SetClamp(const Case& one, ir::Node& node) {
  const char* low = one.Has("OUT_ACTIVATION_MIN") ? "OUT_ACTIVATION_MIN" : "ACTIVATION_MIN";
  const char* high = one.Has("OUT_ACTIVATION_MAX") ? "OUT_ACTIVATION_MAX" : "ACTIVATION_MAX";
  node.requantization.clamp_min = one.Int(low);
  node.requantization.clamp_max = one.Int(high);
}

/// A one-node network, or why the case is left out.
struct Built {
  ir::Graph graph;
  std::string left_out;
};

Built LeftOut(const std::string& reason) { return {{}, reason}; }

Built BuildWeighted(const Case& one) {
  Built built;
  ir::Graph& graph = built.graph;
  ir::Node node;
  node.name = "case";
  const bool is_dense = !one.Has("FILTER_X");
  const bool is_depthwise = one.Has("CH_MULT");
  const int64_t in_channels = one.Get("IN_CH"), out_channels = one.Get("OUT_CH");
  if (one.Get("FILTER_OFFSET", 0) != 0) return LeftOut("weights with a zero point");
  if (one.Get("OUTPUT_OFFSET") > 127) return LeftOut("output zero point that is no int8 code");
  ir::Shape shape, in, out;
  if (is_dense) {
    node.kind = ir::OperatorKind::kFullyConnected;
    const int64_t depth = one.Get("ACCUMULATION_DEPTH");
    in = {depth};
    out = {out_channels};
    shape = {out_channels, depth};
  } else {
    node.kind = is_depthwise ? ir::OperatorKind::kDepthwiseConv2d : ir::OperatorKind::kConv2d;
    if (is_depthwise) node.depth_multiplier = one.Int("CH_MULT");
    ir::Window& w = node.window;
    w.kernel_h = one.Int("FILTER_Y");
    w.kernel_w = one.Int("FILTER_X");
    w.stride_h = one.Int("STRIDE_Y");
    w.stride_w = one.Int("STRIDE_X");
    w.dilation_h = static_cast<int>(one.Get("DILATION_Y", 1));
    w.dilation_w = static_cast<int>(one.Get("DILATION_X", 1));
    w.pad_top = one.Int("PAD_Y");
    w.pad_left = one.Int("PAD_X");
    in = {one.Get("INPUT_H"), one.Get("INPUT_W"), in_channels};
    out = {one.Get("OUTPUT_H"), one.Get("OUTPUT_W"), out_channels};
    w.pad_bottom = PadAfter(in[0], out[0], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
    w.pad_right = PadAfter(in[1], out[1], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
    shape = is_depthwise ? ir::Shape{w.kernel_h, w.kernel_w, out_channels}
                         : ir::Shape{out_channels, w.kernel_h, w.kernel_w, in_channels};
  }
  const auto weights = Weights(one, ir::NumElements(shape));
  if (!weights) return LeftOut("grouped convolution");
  graph.input = AddTensor(graph, in, -one.Get("INPUT_OFFSET"));
  graph.output = AddTensor(graph, out, one.Get("OUTPUT_OFFSET"));
  node.inputs = {graph.input};
  node.output = graph.output;
  node.weights = AddConstant(graph, shape, weights->second, weights->first);
  const std::vector<int64_t>* bias = one.Find({"biases", "input_bias", "bias"});
  if (bias != nullptr && !bias->empty()) {
    node.bias = AddConstant(graph, {out_channels}, 32, *bias);
  }
  SetMultipliers(one, out_channels, node);
  node.requantization.zero_point = one.Int("OUTPUT_OFFSET");
  SetClamp(one, node);
  graph.nodes = {node};
  return built;
}

Built BuildPool(const Case& one, bool is_maximum) {
  Built built;
  ir::Graph& graph = built.graph;
  ir::Node node;
  node.name = "case";
  node.kind = is_maximum ? ir::OperatorKind::kMaxPool2d : ir::OperatorKind::kAveragePool2d;
  const ir::Shape in = {one.Get("INPUT_H"), one.Get("INPUT_W"), one.Get("INPUT_C")};
  const ir::Shape out = {one.Get("OUTPUT_H"), one.Get("OUTPUT_W"), one.Get("OUTPUT_C")};
  ir::Window& w = node.window;
  w.kernel_h = one.Int("FILTER_H");
  w.kernel_w = one.Int("FILTER_W");
  w.stride_h = one.Int("STRIDE_H");
  w.stride_w = one.Int("STRIDE_W");
  w.pad_top = one.Int("PADDING_H");
  w.pad_left = one.Int("PADDING_W");
  w.pad_bottom = PadAfter(in[0], out[0], w.kernel_h, w.stride_h, 1, w.pad_top);
  w.pad_right = PadAfter(in[1], out[1], w.kernel_w, w.stride_w, 1, w.pad_left);
  graph.input = AddTensor(graph, in, 0);
  graph.output = AddTensor(graph, out, 0);
  node.inputs = {graph.input};
  node.output = graph.output;
  if (!is_maximum) node.requantization.kind = ir::RequantizationKind::kMean;
  SetClamp(one, node);
  graph.nodes = {node};
  return built;
}

Built BuildSoftmax(const Case& one) {
  Built built;
  ir::Graph& graph = built.graph;
  const ir::Shape shape = {one.Get("NUM_ROWS"), one.Get("ROW_SIZE")};
  graph.input = AddTensor(graph, shape, 0);
  graph.output = AddTensor(graph, shape, -128);
  ir::Node node;
  node.name = "case";
  node.kind = ir::OperatorKind::kSoftmax;
  node.inputs = {graph.input};
  node.output = graph.output;
  node.softmax = {one.Int("INPUT_MULT"), one.Int("INPUT_LEFT_SHIFT"), one.Int("DIFF_MIN"),
                  ir::Rounding::kDouble};
  graph.nodes = {node};
  return built;
}

/// Two inputs, tensors 0 and 1: more than a network has, so that the operator is called directly.
Built BuildAdd(const Case& one) {
  Built built;
  ir::Graph& graph = built.graph;
  const int64_t size = one.Get("DST_SIZE");
  graph.input = AddTensor(graph, {size}, -one.Get("INPUT1_OFFSET"));
  const ir::TensorId other = AddTensor(graph, {size}, -one.Get("INPUT2_OFFSET"));
  graph.output = AddTensor(graph, {size}, one.Get("OUTPUT_OFFSET"));
  ir::Node node;
  node.name = "case";
  node.kind = ir::OperatorKind::kAdd;
  node.inputs = {graph.input, other};
  node.output = graph.output;
  node.add.input[0] = {one.Int("INPUT1_MULT"), one.Int("INPUT1_SHIFT")};
  node.add.input[1] = {one.Int("INPUT2_MULT"), one.Int("INPUT2_SHIFT")};
  node.add.output = {one.Int("OUTPUT_MULT"), one.Int("OUTPUT_SHIFT")};
  node.requantization.kind = ir::RequantizationKind::kMultiplierDouble;
  node.requantization.zero_point = one.Int("OUTPUT_OFFSET");
  SetClamp(one, node);
  graph.nodes = {node};
  return built;
}

/// The constants and arrays of one layer of a network, e.g. "CONV_2D_1_" and "layer_1_conv_2d_".
Case LayerOf(const Case& network, int index, const std::string& kind) {
  Case layer;
  std::string upper = kind;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string constants = upper + "_" + std::to_string(index) + "_";
  const std::string arrays = "layer_" + std::to_string(index) + "_" + kind + "_";
  for (const auto& [name, value] : network.constants) {
    if (name.starts_with(constants)) layer.constants[name.substr(constants.size())] = value;
  }
  for (const auto& [name, values] : network.arrays) {
    if (name.starts_with(arrays)) layer.arrays[name.substr(arrays.size())] = values;
  }
  return layer;
}

/// Appends a one-node network; a map in front of a vector is flattened.
void AppendLayer(const Built& layer, ir::Graph& graph) {
  ir::Node node = layer.graph.nodes[0];
  const auto add = [&](const ir::TensorInfo& info) {
    graph.tensors.push_back(info);
    graph.tensors.back().name = "t" + std::to_string(graph.tensors.size());
    return static_cast<ir::TensorId>(graph.tensors.size()) - 1;
  };
  const ir::TensorInfo& input = layer.graph.tensor(node.inputs[0]);
  if (graph.tensors.empty()) graph.input = graph.output = add(input);
  if (graph.tensor(graph.output).shape != input.shape) {
    ir::Node reshape;
    reshape.name = "flatten";
    reshape.inputs = {graph.output};
    ir::TensorInfo flat = graph.tensor(graph.output);
    flat.shape = input.shape;
    reshape.output = graph.output = add(flat);
    graph.nodes.push_back(reshape);
  }
  node.inputs = {graph.output};
  node.output = graph.output = add(layer.graph.tensor(node.output));
  node.name = "n" + std::to_string(graph.nodes.size());
  for (ir::ConstantId* id : {&node.weights, &node.bias}) {
    if (*id < 0) continue;
    graph.constants.push_back(layer.graph.constant(*id));
    *id = static_cast<ir::ConstantId>(graph.constants.size()) - 1;
    graph.constants.back().name = "c" + std::to_string(*id);
  }
  graph.nodes.push_back(node);
}

/// A DS-CNN: convolution, depthwise and pointwise in turn, pooling, dense, softmax.
Built BuildNetwork(const Case& one) {
  Built built;
  for (int index = 1; index <= 9; ++index) {
    const bool is_depthwise = index % 2 == 0;
    Case layer = LayerOf(one, index, is_depthwise ? "depthwise_conv_2d" : "conv_2d");
    if (is_depthwise) layer.constants["CH_MULT"] = "1";
    AppendLayer(BuildWeighted(layer), built.graph);
  }
  // Names differ between the operator cases and the layers of a network.
  Case pool = LayerOf(one, 10, "average_pool_2d");
  pool.constants["INPUT_C"] = pool.constants["OUTPUT_C"] = pool.constants["OUT_CH"];
  pool.constants["PADDING_H"] = pool.constants["PADDING_W"] = "0";
  Built pooled = BuildPool(pool, false);
  for (ir::TensorInfo& tensor : pooled.graph.tensors) tensor.quantization.zero_points = {-128};
  AppendLayer(pooled, built.graph);
  Case dense = LayerOf(one, 12, "fully_connected");
  dense.constants["ACCUMULATION_DEPTH"] = dense.constants["OUT_CH"];
  dense.constants["OUT_CH"] = dense.constants["IN_CH"];
  dense.constants.erase("FILTER_X");
  AppendLayer(BuildWeighted(dense), built.graph);
  Case softmax = LayerOf(one, 13, "softmax");
  softmax.constants["INPUT_MULT"] = softmax.constants["MULT"];
  softmax.constants["INPUT_LEFT_SHIFT"] = softmax.constants["SHIFT"];
  Built last = BuildSoftmax(softmax);
  for (ir::TensorInfo& tensor : last.graph.tensors) tensor.shape = {tensor.shape.back()};
  AppendLayer(last, built.graph);
  return built;
}

Built Build(const std::string& name, const Case& one) {
  if (!one.is_int8) return LeftOut("16-bit activations");
  if (name.starts_with("maxpool") || name.starts_with("avgpool")) {
    return BuildPool(one, name.starts_with("max"));
  }
  if (name == "softmax") return BuildSoftmax(one);
  if (name == "ds_cnn_s") return BuildNetwork(one);
  if (name == "add") return BuildAdd(one);
  if (name.find("transpose_conv") != std::string::npos) return LeftOut("TRANSPOSE_CONV");
  const bool is_weighted = one.Find({"weights", "input_weights"}) != nullptr && one.Has("OUT_CH") &&
                           one.Has("INPUT_OFFSET");
  if (is_weighted && name.find("lstm") == std::string::npos &&
      name.find("svdf") == std::string::npos) {
    return BuildWeighted(one);
  }
  static const std::pair<const char*, const char*> kOthers[] = {
      {"pad_", "PAD of the channel axis"}, {"lstm", "LSTM"},       {"svdf", "SVDF"},
      {"transpose", "TRANSPOSE"},          {"maximum", "MAXIMUM"}, {"minimum", "MINIMUM"},
      {"batch_matmul", "BATCH_MATMUL"},    {"mul", "MUL"}};
  for (const auto& [prefix, reason] : kOthers) {
    if (name.starts_with(prefix)) return LeftOut(reason);
  }
  return LeftOut("unknown operator");
}

int64_t AddMismatches(const ir::Graph& graph, const Case& one) {
  ir::TensorValue operands[2];
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<int64_t>& codes = *one.Find({i == 0 ? "input1" : "input2"});
    operands[i].shape = graph.tensors[i].shape;
    operands[i].codes.assign(codes.begin(), codes.end());
  }
  const NodeRun run = Add(graph, graph.nodes[0], operands[0], operands[1]);
  const std::vector<int64_t>& expected = *one.Find({"output_ref"});
  int64_t mismatches = run.output.codes.size() != expected.size();
  for (size_t i = 0; i < expected.size(); ++i) mismatches += run.output.codes[i] != expected[i];
  return mismatches;
}

/// Mismatching codes over all batches; the accumulator is checked at 32 bits, where it is exact.
int64_t Mismatches(const ir::Graph& graph, const Case& one) {
  const std::vector<int64_t>* input = one.Find({"input", "input_tensor", "input1"});
  const std::vector<int64_t>* output = one.Find({"output_ref", "output"});
  if (input == nullptr || output == nullptr) return -1;
  const int64_t in_size = ir::NumElements(graph.tensor(graph.input).shape);
  const int64_t out_size = ir::NumElements(graph.tensor(graph.output).shape);
  const int64_t batches = static_cast<int64_t>(output->size()) / out_size;
  if (batches < 1 || static_cast<int64_t>(input->size()) < batches * in_size) return -1;
  int64_t mismatches = 0;
  for (int64_t batch = 0; batch < batches; ++batch) {
    ir::TensorValue value{graph.tensor(graph.input).shape, {}};
    value.codes.assign(input->begin() + batch * in_size, input->begin() + (batch + 1) * in_size);
    const auto trace = Run(graph, value);
    if (!trace.ok()) return -1;
    const std::vector<int32_t>& got = trace->tensors[static_cast<size_t>(graph.output)].codes;
    for (int64_t i = 0; i < out_size; ++i) {
      mismatches +=
          got[static_cast<size_t>(i)] != (*output)[static_cast<size_t>(batch * out_size + i)];
    }
  }
  return mismatches;
}

TEST(CmsisNnTest, EveryExpressibleCaseIsExact) {
  MACLOOM_DATA_PACK(archive, "cmsis-nn-vectors/vectors.tar.gz");
  std::map<std::string, std::map<std::string, std::string>> folders;
  for (auto& [path, content] : testing::ReadArchiveFiles(archive)) {
    const std::filesystem::path file(path);
    folders[file.parent_path().filename()][file.filename()] = std::move(content);
  }
  folders.erase("");
  int exact = 0;
  std::map<std::string, int> left_out;
  for (const auto& [name, headers] : folders) {
    Case one;
    one.is_int4 = name.find("int4") != std::string::npos;
    static const std::regex include("#include \"([^\"]+)\"");
    const std::string& list = headers.count("test_data.h") ? headers.at("test_data.h") : "";
    for (std::sregex_iterator it(list.begin(), list.end(), include), end; it != end; ++it) {
      std::string file = (*it)[1];
      file = file.substr(file.rfind('/') + 1);
      if (headers.count(file) > 0) ParseHeader(headers.at(file), name + "_", one);
    }
    const Built built = Build(name, one);
    if (!built.left_out.empty()) {
      std::printf("%-60s left out: %s\n", name.c_str(), built.left_out.c_str());
      ++left_out[built.left_out];
      continue;
    }
    const bool is_add = name == "add";
    if (!is_add) {
      const Status status = ir::Verify(built.graph);
      ASSERT_TRUE(status.ok()) << name << ": " << status.error().message;
    }
    const int64_t mismatches =
        is_add ? AddMismatches(built.graph, one) : Mismatches(built.graph, one);
    std::printf("%-60s %s\n", name.c_str(), mismatches == 0 ? "exact" : "DIFFERENT");
    EXPECT_EQ(mismatches, 0) << name;
    exact += mismatches == 0;
  }
  std::printf("%d of %zu cases exact\n", exact, folders.size());
  EXPECT_EQ(left_out.count("unknown operator"), 0u);
  EXPECT_EQ(exact, 52);
}

}  // namespace
}  // namespace macloom::golden
