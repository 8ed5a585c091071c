#include "explore/adversarial.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/files.h"
#include "base/npy.h"
#include "explore/certificate.h"
#include "golden/reference/accumulator.h"
#include "golden/reference/summation.h"
#include "golden/reference/window.h"
#include "ir/shape_inference.h"

namespace macloom::explore {
namespace {

constexpr int kMinGoldenBits = 8;

const ir::AccumulatorRange& RangeOf(const ChannelBounds& bounds, BoundForm form) {
  return form == BoundForm::kHardwareOrder ? bounds.hardware_order : bounds.final_sum;
}

/// Flat indices into the input tensor of one output's window positions; -1 in the padding.
std::vector<int64_t> InputIndices(const ir::Graph& graph, const ir::Node& node,
                                  const LayerGeometry& geometry, int64_t channel, int64_t out_y,
                                  int64_t out_x) {
  const ir::Shape& in = graph.tensor(node.inputs[0]).shape;
  std::vector<int64_t> indices;
  const bool is_dense = node.kind == ir::OperatorKind::kFullyConnected;
  const bool is_conv = node.kind == ir::OperatorKind::kConv2d;
  const int64_t num_channels = geometry.extent.num_channels;
  for (int64_t i = 0; i < geometry.extent.num_positions(); ++i) {
    if (is_dense) {
      indices.push_back(i);
      continue;
    }
    const ir::Window& w = node.window;
    const int64_t tap = i / num_channels;
    const int64_t y = out_y * w.stride_h + tap / w.kernel_w * w.dilation_h - w.pad_top;
    const int64_t x = out_x * w.stride_w + tap % w.kernel_w * w.dilation_w - w.pad_left;
    const bool is_inside = y >= 0 && y < in[0] && x >= 0 && x < in[1];
    const int64_t c = is_conv ? i % num_channels
                      : node.kind == ir::OperatorKind::kAveragePool2d
                          ? channel
                          : channel / node.depth_multiplier;
    indices.push_back(is_inside ? (y * in[1] + x) * in[2] + c : -1);
  }
  return indices;
}

/// Steps after which the running extreme of `padding` equals `bound`; -1 if it never does.
int64_t StepsUntil(const LayerGeometry& geometry, const PaddingClass& padding,
                   const golden::StepOrder& order, const std::vector<int64_t>& weights,
                   int64_t start, const ir::CodeRange& codes, BoundForm form, bool is_upper,
                   int64_t bound) {
  int64_t sum = start, next = 0, steps = 0;
  const bool is_prefix = form == BoundForm::kHardwareOrder;
  if (is_prefix && sum == bound) return 0;
  for (const int64_t end : order.step_ends) {
    for (; next < end; ++next) {
      const int64_t position = order.positions[static_cast<size_t>(next)];
      const int64_t w = weights[static_cast<size_t>(position)];
      const bool is_inside = geometry.IsInside(padding, position);
      const int64_t a = w * (is_inside ? codes.min : geometry.pad_code);
      const int64_t b = w * (is_inside ? codes.max : geometry.pad_code);
      sum += is_upper ? std::max(a, b) : std::min(a, b);
    }
    ++steps;
    if (is_prefix && sum == bound) return steps;
  }
  return sum == bound ? steps : -1;
}

golden::WindowSum SumOf(const ir::Graph& graph, const ir::Accumulation& accumulation,
                        const AdversarialInput& adversarial) {
  const ir::Node& node = graph.nodes[static_cast<size_t>(adversarial.node)];
  const LayerGeometry geometry(graph, node);
  std::vector<int32_t> codes;
  for (const int64_t index : InputIndices(graph, node, geometry, adversarial.channel,
                                          adversarial.out_y, adversarial.out_x)) {
    codes.push_back(index < 0 ? static_cast<int32_t>(geometry.pad_code)
                              : adversarial.input.codes[static_cast<size_t>(index)]);
  }
  const std::vector<int64_t> weights = geometry.Weights(graph, node, adversarial.channel);
  return golden::Summation(accumulation, geometry.extent)
      .Run(adversarial.start, {codes.data(), 1}, {weights.data(), 1});
}

/// Whether the accumulator of `width_bits` copes with the input.
bool Holds(const ir::Graph& graph, ir::Accumulation accumulation,
           const AdversarialInput& adversarial, int width_bits) {
  accumulation.width_bits = width_bits;
  accumulation.overflow = ir::Overflow::kWrap;
  const golden::WindowSum wrapped = SumOf(graph, accumulation, adversarial);
  if (adversarial.form == BoundForm::kFinalSum) return wrapped.accumulator == adversarial.bound;
  if (!golden::Accumulator::Holds(width_bits, adversarial.start)) return false;
  accumulation.overflow = ir::Overflow::kSaturate;
  const golden::WindowSum saturated = SumOf(graph, accumulation, adversarial);
  return wrapped.num_events == 0 && saturated.num_events == 0 &&
         saturated.accumulator == wrapped.exact;
}

}  // namespace

std::string ToString(BoundForm form) {
  return form == BoundForm::kHardwareOrder ? "hardware-order" : "final-sum";
}

std::string ToString(RangeKind kind) {
  return kind == RangeKind::kBitWidth ? "bit-width"
         : kind == RangeKind::kClamp  ? "clamp"
                                      : "observed";
}

AdversarialInput MakeAdversarialInput(const ir::Graph& graph, const ir::Accumulation& accumulation,
                                      const LayerCertificate& layer, int64_t channel,
                                      BoundForm form, RangeKind range) {
  const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
  const LayerGeometry geometry(graph, node);
  const golden::StepOrder order = golden::MakeStepOrder(accumulation, geometry.extent);
  const ChannelCertificate& certificate = layer.channels[static_cast<size_t>(channel)];
  const auto kind = static_cast<size_t>(range);
  const ir::AccumulatorRange& bounds = RangeOf(certificate.bounds[kind], form);
  const ir::CodeRange& codes = layer.codes[kind];
  AdversarialInput result;
  result.node = layer.node;
  result.channel = channel;
  result.form = form;
  result.range = range;
  result.width_bits = bounds.RequiredBits();
  const int upper_bits = ir::AccumulatorRange{bounds.high, bounds.high, true}.RequiredBits();
  result.is_upper = upper_bits == result.width_bits;
  result.bound = result.is_upper ? bounds.high : bounds.low;
  result.start = certificate.start;
  result.num_steps = -1;
  const std::vector<int64_t> weights = geometry.Weights(graph, node, channel);
  for (const PaddingClass& padding : geometry.classes) {
    const int64_t steps = StepsUntil(geometry, padding, order, weights, certificate.start, codes,
                                     form, result.is_upper, result.bound);
    if (steps < 0) continue;
    result.num_steps = steps;
    result.out_y = padding.out_y;
    result.out_x = padding.out_x;
    break;
  }
  MACLOOM_CHECK(result.num_steps >= 0);
  const ir::TensorInfo& input = graph.tensor(node.inputs[0]);
  result.input.shape = input.shape;
  result.input.codes.assign(static_cast<size_t>(ir::NumElements(input.shape)),
                            static_cast<int32_t>(codes.min));
  const std::vector<int64_t> indices =
      InputIndices(graph, node, geometry, channel, result.out_y, result.out_x);
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0) continue;
    const bool is_largest = (weights[i] > 0) == result.is_upper;
    result.input.codes[static_cast<size_t>(indices[i])] =
        static_cast<int32_t>(is_largest ? codes.max : codes.min);
  }
  return result;
}

void CheckAdversarialInput(const ir::Graph& graph, const ir::Accumulation& accumulation,
                           const AdversarialInput& adversarial, AdversarialSummary& summary) {
  ++summary.num_inputs;
  const int width_bits = std::max(adversarial.width_bits, kMinGoldenBits);
  if (Holds(graph, accumulation, adversarial, width_bits)) ++summary.held_at_width;
  if (adversarial.width_bits <= kMinGoldenBits) {
    ++summary.num_below_minimum;
  } else if (!Holds(graph, accumulation, adversarial, adversarial.width_bits - 1)) {
    ++summary.failed_below;
  }
}

int64_t GoverningChannel(const LayerCertificate& layer, BoundForm form, RangeKind range) {
  const auto bits = [&](const ChannelCertificate& channel) {
    return RangeOf(channel.bounds[static_cast<size_t>(range)], form).RequiredBits();
  };
  const auto largest = std::max_element(
      layer.channels.begin(), layer.channels.end(),
      [&](const ChannelCertificate& a, const ChannelCertificate& b) { return bits(a) < bits(b); });
  return largest - layer.channels.begin();
}

ir::Graph LayerGraph(const ir::Graph& graph, int node) {
  ir::Node only = graph.nodes[static_cast<size_t>(node)];
  ir::Graph result;
  result.name = graph.name + "/" + only.name;
  result.origin = graph.origin;
  result.licence = graph.licence;
  result.is_untrained = graph.is_untrained;
  result.tensors = {graph.tensor(only.inputs[0]), graph.tensor(only.output)};
  for (ir::ConstantId* id : {&only.weights, &only.bias}) {
    if (*id < 0) continue;
    result.constants.push_back(graph.constant(*id));
    *id = static_cast<ir::ConstantId>(result.constants.size()) - 1;
  }
  only.inputs = {0};
  only.output = result.output = 1;
  result.input = 0;
  result.nodes = {std::move(only)};
  return result;
}

Status WriteAdversarialInputs(const ir::Graph& graph, const std::vector<AdversarialInput>& inputs,
                              const std::filesystem::path& directory) {
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory out, OutputDirectory::Create(directory));
  std::map<int, std::vector<const AdversarialInput*>> by_node;
  for (const AdversarialInput& input : inputs) by_node[input.node].push_back(&input);
  nlohmann::ordered_json index = {{"format", "macloom.adversarial"},
                                  {"format_version", 1},
                                  {"network", graph.name},
                                  {"network_digest", ir::Digest(graph)}};
  for (const auto& [node, list] : by_node) {
    const std::string folder = fmt::format("layer_{:03}", node);
    nlohmann::ordered_json vectors = nlohmann::ordered_json::array();
    std::vector<int32_t> codes;
    for (const AdversarialInput* input : list) {
      codes.insert(codes.end(), input->input.codes.begin(), input->input.codes.end());
      vectors.push_back({{"channel", input->channel},
                         {"form", ToString(input->form)},
                         {"range", ToString(input->range)},
                         {"side", input->is_upper ? "upper" : "lower"},
                         {"bound", input->bound},
                         {"width_bits", input->width_bits},
                         {"start", input->start},
                         {"output", {input->out_y, input->out_x}},
                         {"steps", input->num_steps}});
    }
    std::vector<int64_t> shape = list[0]->input.shape;
    shape.insert(shape.begin(), static_cast<int64_t>(list.size()));
    MACLOOM_RETURN_IF_ERROR(
        out.Write(folder + "/input.npy", SerializeNpy(FromInt32(shape, codes))));
    index["layers"].push_back({{"node", node},
                               {"name", graph.nodes[static_cast<size_t>(node)].name},
                               {"folder", folder},
                               {"vectors", std::move(vectors)}});
  }
  MACLOOM_RETURN_IF_ERROR(out.Write("index.json", std::string_view(index.dump(1) + "\n")));
  return out.Commit();
}

}  // namespace macloom::explore
