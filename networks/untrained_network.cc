#include "networks/untrained_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "golden/reference/executor.h"

namespace macloom::networks {
namespace {

constexpr int64_t kNumChannels = 64;
constexpr int64_t kNumClasses = 12;
constexpr int kNumBlocks = 4;
constexpr int kNumCalibrationInputs = 8;
constexpr double kUsedFraction = 0.999;  // Of the activations, below the largest code.

// Drawn properties of a channel's real-valued sums over the calibration inputs.
struct ChannelTarget {
  double min_spread, max_spread;  // Standard deviation.
  double min_centre, max_centre;  // Mean, in standard deviations.
};
constexpr ChannelTarget kReluTarget{0.5, 1.5, -0.5, 1.0};
// Logits near each other, so that SOFTMAX sees contests and not one winner.
constexpr ChannelTarget kLogitTarget{1.0, 1.0, -1.0, 1.0};

// Half of the inputs are white; the others have levels per frame and per coefficient, so that the
// average pooling sees inputs that differ.
ir::TensorValue CalibrationInput(Rng& rng, const ir::Shape& shape, bool is_white) {
  ir::TensorValue input{shape, {}};
  std::vector<int64_t> column_levels;
  for (int64_t x = 0; x < shape[1]; ++x) column_levels.push_back(rng.UniformInt(-60, 60));
  for (int64_t y = 0; y < shape[0]; ++y) {
    const int64_t row_level = rng.UniformInt(-60, 60);
    for (int64_t x = 0; x < shape[1]; ++x) {
      const int64_t level = row_level + column_levels[static_cast<size_t>(x)];
      const int64_t code = is_white ? rng.UniformInt(-128, 127) : level + rng.UniformInt(-40, 40);
      input.codes.push_back(static_cast<int32_t>(std::clamp<int64_t>(code, -128, 127)));
    }
  }
  return input;
}

double UniformIn(Rng& rng, double low, double high) {
  return low + (high - low) * rng.UniformDouble();
}

struct Moments {
  double mean = 0;
  double spread = 1;  // Standard deviation, at least 1 (one unit of the accumulator).
};

Moments MomentsOf(const std::vector<int64_t>& values) {
  __int128 sum = 0, sum_of_squares = 0;
  for (int64_t value : values) {
    sum += value;
    sum_of_squares += static_cast<__int128>(value) * value;
  }
  const auto n = static_cast<__int128>(values.size());
  // n^2 times the variance, exact: no rounding that differs between platforms.
  const __int128 scaled_variance = n * sum_of_squares - sum * sum;
  const auto count = static_cast<double>(n);
  return {static_cast<double>(sum) / count,
          std::max(1.0, std::sqrt(static_cast<double>(scaled_variance)) / count)};
}

// Appends layers one by one; each sees what the calibration inputs became so far.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed) : rng_(seed) {
    graph_.name = "ds-cnn-untrained";
    graph_.is_untrained = true;
    graph_.origin = fmt::format(
        "macloom: pseudo-random weights, seed {}; the shape of the MLPerf Tiny keyword spotting "
        "DS-CNN; not trained",
        seed);
    graph_.class_labels = {"down",  "go",   "left", "no",  "off",     "on",
                           "right", "stop", "up",   "yes", "silence", "unknown"};
    MACLOOM_CHECK(graph_.class_labels.size() == static_cast<size_t>(kNumClasses));
    graph_.input = AddTensor("input", {49, 10, 1}, 0.584702909f, 83);
    graph_.output = graph_.input;
    const ir::Shape& shape = graph_.tensor(graph_.input).shape;
    for (int i = 0; i < kNumCalibrationInputs; ++i) {
      calibration_inputs_.push_back(CalibrationInput(rng_, shape, i % 2 == 0));
    }
  }

  void AppendConvolution(const std::string& name, ir::OperatorKind kind, const ir::Window& window) {
    const ir::Shape in = graph_.tensor(graph_.output).shape;
    const bool is_depthwise = kind == ir::OperatorKind::kDepthwiseConv2d;
    const ir::Shape weights =
        is_depthwise ? ir::Shape{window.kernel_h, window.kernel_w, kNumChannels}
                     : ir::Shape{kNumChannels, window.kernel_h, window.kernel_w, in[2]};
    const auto extent = [](int64_t size, int before, int after, int kernel, int stride) {
      return (size + before + after - kernel) / stride + 1;
    };
    const int64_t out_h =
        extent(in[0], window.pad_top, window.pad_bottom, window.kernel_h, window.stride_h);
    const int64_t out_w =
        extent(in[1], window.pad_left, window.pad_right, window.kernel_w, window.stride_w);
    AppendWeighted(name, kind, window, weights, {out_h, out_w, kNumChannels});
    CalibrateRelu();
  }

  void AppendClassifier() {
    const ir::Shape in = graph_.tensor(graph_.output).shape;
    AppendWeighted("dense", ir::OperatorKind::kFullyConnected, {}, {kNumClasses, in[0]},
                   {kNumClasses});
    CalibrateLogits();
  }

  void AppendPool() {
    const ir::TensorInfo in = graph_.tensor(graph_.output);
    ir::Node& node = AppendNode("pool", ir::OperatorKind::kAveragePool2d, {1, 1, kNumChannels},
                                in.quantization.scale(), in.quantization.zero_point());
    node.window.kernel_h = node.window.stride_h = static_cast<int>(in.shape[0]);
    node.window.kernel_w = node.window.stride_w = static_cast<int>(in.shape[1]);
    node.requantization.kind = ir::RequantizationKind::kMean;
  }

  void AppendReshape() {
    const ir::TensorInfo in = graph_.tensor(graph_.output);
    AppendNode("flatten", ir::OperatorKind::kReshape, {ir::NumElements(in.shape)},
               in.quantization.scale(), in.quantization.zero_point());
  }

  void AppendSoftmax() {
    const ir::TensorInfo in = graph_.tensor(graph_.output);
    ir::Node& node =
        AppendNode("softmax", ir::OperatorKind::kSoftmax, in.shape, 1.0f / 256.0f, -128);
    constexpr double kInputOne = 67108864.0;  // 1 in Q5.26.
    const double scale =
        std::min(static_cast<double>(in.quantization.scale()) * kInputOne, 2147483647.0);
    const auto pair = ir::QuantizeMultiplier(scale, ir::Rounding::kDouble).value();
    node.softmax = {pair.multiplier, pair.shift,
                    static_cast<int32_t>(-((int64_t{31} << 26) >> pair.shift)),
                    ir::Rounding::kDouble};
  }

  ir::Graph Finish() {
    const Status status = ir::Verify(graph_);
    MACLOOM_CHECK(status.ok());
    return std::move(graph_);
  }

 private:
  ir::TensorId AddTensor(const std::string& name, ir::Shape shape, float scale,
                         int32_t zero_point) {
    graph_.tensors.push_back(
        {name, std::move(shape), ir::NumberFormat::Int8(), {{scale}, {zero_point}, -1}});
    return static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
  }

  ir::Node& AppendNode(const std::string& name, ir::OperatorKind kind, ir::Shape shape, float scale,
                       int32_t zero_point) {
    ir::Node node;
    node.name = name;
    node.kind = kind;
    node.inputs = {graph_.output};
    node.output = AddTensor(name, std::move(shape), scale, zero_point);
    graph_.output = node.output;
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back();
  }

  // Weights are drawn here; biases 0, multipliers and scales stand-ins until calibration.
  void AppendWeighted(const std::string& name, ir::OperatorKind kind, const ir::Window& window,
                      ir::Shape weight_shape, ir::Shape shape) {
    const int64_t num_outputs = shape.back();
    ir::Node& node = AppendNode(name, kind, std::move(shape), 1.0f, -128);
    node.window = window;
    node.requantization.kind = ir::RequantizationKind::kMultiplierDouble;
    node.requantization.zero_point = -128;
    node.requantization.channels = {{1 << 30, -8}};
    ir::Constant weights{
        name + "/weights", std::move(weight_shape), ir::NumberFormat::Int8(), {}, {}};
    // The sum of two uniform numbers: small weights are likelier, as in trained networks.
    for (int64_t i = 0; i < ir::NumElements(weights.shape); ++i) {
      weights.codes.push_back(rng_.UniformInt(-63, 63) + rng_.UniformInt(-64, 64));
    }
    ir::Constant bias{name + "/bias", {num_outputs}, {}, {}, {}};
    bias.format.bits = 32;
    bias.codes.assign(static_cast<size_t>(num_outputs), 0);
    node.weights = static_cast<ir::ConstantId>(graph_.constants.size());
    node.bias = node.weights + 1;
    graph_.constants.push_back(std::move(weights));
    graph_.constants.push_back(std::move(bias));
  }

  // Accumulators of the last node by output channel, over all calibration inputs.
  std::vector<std::vector<int64_t>> AccumulatorsByChannel() const {
    const int64_t num_outputs = graph_.tensor(graph_.output).shape.back();
    std::vector<std::vector<int64_t>> by_channel(static_cast<size_t>(num_outputs));
    golden::RunOptions options;
    options.keep_accumulators = true;
    for (const ir::TensorValue& input : calibration_inputs_) {
      const auto trace = golden::Run(graph_, input, options);
      MACLOOM_CHECK(trace.ok());
      size_t channel = 0;
      for (int64_t accumulator : trace->accumulators.back()) {
        by_channel[channel].push_back(accumulator);
        channel = (channel + 1) % by_channel.size();
      }
    }
    return by_channel;
  }

  // Sets the last node's biases; returns the real value of one accumulator unit per channel.
  std::vector<double> PlaceChannels(std::vector<std::vector<int64_t>>& by_channel,
                                    const ChannelTarget& target, bool is_per_channel) {
    std::vector<int64_t>& biases = LastConstant(1).codes;
    std::vector<double> units;
    double layer_spread = 0;
    for (const auto& values : by_channel) {
      layer_spread = std::max(layer_spread, MomentsOf(values).spread);
    }
    for (size_t c = 0; c < by_channel.size(); ++c) {
      Moments moments = MomentsOf(by_channel[c]);
      if (!is_per_channel) moments.spread = layer_spread;
      const double centre = UniformIn(rng_, target.min_centre, target.max_centre) * moments.spread;
      biases[c] = std::llround(centre - moments.mean);
      for (int64_t& value : by_channel[c]) value += biases[c];
      units.push_back(UniformIn(rng_, target.min_spread, target.max_spread) / moments.spread);
    }
    return units;
  }

  // The last node's weights (0) or biases (1).
  ir::Constant& LastConstant(int index) {
    return graph_.constants[static_cast<size_t>(graph_.nodes.back().weights + index)];
  }

  void CalibrateRelu() {
    auto by_channel = AccumulatorsByChannel();
    const std::vector<double> units = PlaceChannels(by_channel, kReluTarget, true);
    std::vector<double> reals;
    for (size_t c = 0; c < by_channel.size(); ++c) {
      for (int64_t value : by_channel[c]) {
        reals.push_back(std::max(0.0, static_cast<double>(value) * units[c]));
      }
    }
    const auto used = reals.begin() + static_cast<std::ptrdiff_t>(
                                          kUsedFraction * static_cast<double>(reals.size()));
    std::nth_element(reals.begin(), used, reals.end());
    SetScales(units, static_cast<float>(*used / 255.0), -128);
  }

  void CalibrateLogits() {
    auto by_channel = AccumulatorsByChannel();
    // One weight scale for the layer: every channel has the same target and the same unit.
    const std::vector<double> units = PlaceChannels(by_channel, kLogitTarget, false);
    double low = 0, high = 0;
    for (size_t c = 0; c < by_channel.size(); ++c) {
      for (int64_t value : by_channel[c]) {
        low = std::min(low, static_cast<double>(value) * units[c]);
        high = std::max(high, static_cast<double>(value) * units[c]);
      }
    }
    const double scale = (high - low) / 255.0;
    SetScales({units[0]}, static_cast<float>(scale),
              static_cast<int32_t>(std::lround(-128.0 - low / scale)));
  }

  // Turns the real value of an accumulator unit (s_in * s_w) into scales and multipliers.
  void SetScales(const std::vector<double>& units, float output_scale, int32_t zero_point) {
    ir::Node& node = graph_.nodes.back();
    const float input_scale = graph_.tensor(node.inputs[0]).quantization.scale();
    ir::Quantization weights;
    node.requantization.channels.clear();
    for (double unit : units) {
      const auto weight_scale = static_cast<float>(unit / static_cast<double>(input_scale));
      const float product = input_scale * weight_scale;
      weights.scales.push_back(weight_scale);
      weights.zero_points.push_back(0);
      // As importers evaluate it: FULLY_CONNECTED rounds the product to float first.
      const double exact = node.kind == ir::OperatorKind::kFullyConnected
                               ? static_cast<double>(product)
                               : static_cast<double>(input_scale) * weight_scale;
      node.requantization.channels.push_back(
          ir::QuantizeMultiplier(exact / output_scale, ir::Rounding::kDouble).value());
    }
    const bool is_per_channel = units.size() > 1;
    const bool is_channel_last = node.kind == ir::OperatorKind::kDepthwiseConv2d;
    weights.axis = !is_per_channel ? -1 : is_channel_last ? 2 : 0;
    node.requantization.zero_point = zero_point;
    graph_.tensors[static_cast<size_t>(node.output)].quantization = {
        {output_scale}, {zero_point}, -1};
    LastConstant(0).quantization = std::move(weights);
  }

  Rng rng_;
  ir::Graph graph_;
  std::vector<ir::TensorValue> calibration_inputs_;
};

}  // namespace

ir::Graph MakeUntrainedKwsNetwork(uint64_t seed) {
  NetworkBuilder builder(seed);
  builder.AppendConvolution("conv", ir::OperatorKind::kConv2d, {10, 4, 2, 2, 4, 5, 1, 1});
  for (int block = 1; block <= kNumBlocks; ++block) {
    builder.AppendConvolution(fmt::format("depthwise_{}", block),
                              ir::OperatorKind::kDepthwiseConv2d, {3, 3, 1, 1, 1, 1, 1, 1});
    builder.AppendConvolution(fmt::format("pointwise_{}", block), ir::OperatorKind::kConv2d, {});
  }
  builder.AppendPool();
  builder.AppendReshape();
  builder.AppendClassifier();
  builder.AppendSoftmax();
  return builder.Finish();
}

}  // namespace macloom::networks
