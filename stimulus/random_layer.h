// Single layers with random weights, biases and requantization, appended to a graph.
#pragma once

#include <string>
#include <utility>

#include "ir/shape_inference.h"
#include "stimulus/random_codes.h"
#include "stimulus/random_requantization.h"

namespace macloom::stimulus {

/// What is chosen about one layer; the rest is drawn.
struct LayerSpec {
  ir::OperatorKind kind = ir::OperatorKind::kConv2d;
  ir::Shape input = {6, 5, 3};
  int64_t output_channels = 4;  ///< CONV_2D and FULLY_CONNECTED.
  int depth_multiplier = 1;     ///< DEPTHWISE_CONV_2D.
  ir::Window window;            ///< CONV_2D, DEPTHWISE_CONV_2D, pooling, PAD.
  int axis = 0;                 ///< CONCATENATION.
  ir::NumberFormat input_format;
  ir::NumberFormat weight_format;
  ir::NumberFormat output_format;
  int32_t input_zero_point = 0;
  int32_t output_zero_point = 0;
  bool has_bias = true;
  bool is_per_channel = true;  ///< One multiplier per output channel rather than one per layer.
  CodeStyle weight_style = CodeStyle::kUniform;
  /// kMultiplierDouble, kMultiplierSingle or kShift; ADD and SOFTMAX take their rounding from it.
  ir::RequantizationKind requantization = ir::RequantizationKind::kMultiplierDouble;
};

ir::TensorId AddTensor(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                       int32_t zero_point, float scale = 0.05f);

/// Starts a graph whose input tensor is `spec`'s.
ir::Graph StartGraph(const LayerSpec& spec);

ir::ConstantId AddConstant(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                           std::vector<int64_t> codes);

/// Biases of the size of the sums; now and then one near 2^30, as dead channels have.
std::vector<int64_t> RandomBiases(Rng& rng, int64_t count, int64_t max_sum);

void FillWeighted(Rng& rng, ir::Graph& graph, const LayerSpec& spec, ir::Node& node,
                  const ir::Shape& input);

ir::FixedPointMultiplier PairOf(double real, ir::RequantizationKind kind);

/// Appends a layer that reads `input` and, for ADD and CONCATENATION, `other`; the graph's output
/// becomes its output.
ir::TensorId AppendLayer(Rng& rng, ir::Graph& graph, const LayerSpec& spec, ir::TensorId input,
                         ir::TensorId other = -1);

}  // namespace macloom::stimulus
