#include "explore/certificate.h"

#include <algorithm>
#include <cstdlib>

#include "ir/shape_inference.h"

namespace macloom::explore {
namespace {

ir::AccumulatorRange PointRange(int64_t value) { return {value, value, true}; }

void Include(ir::AccumulatorRange& range, int64_t low, int64_t high) {
  range.low = std::min(range.low, low);
  range.high = std::max(range.high, high);
}

void MaximizeWidths(const Widths& from, Widths& to) {
  const auto raise = [](int& a, int b) { a = std::max(a, b); };
  raise(to.data_type, from.data_type);
  raise(to.l1, from.l1);
  for (size_t k = 0; k < kNumRangeKinds; ++k) {
    raise(to.any_order[k], from.any_order[k]);
    raise(to.hardware_order[k], from.hardware_order[k]);
    raise(to.final_sum[k], from.final_sum[k]);
  }
  raise(to.observed_prefix, from.observed_prefix);
  raise(to.observed_final, from.observed_final);
  raise(to.start, from.start);
  raise(to.hardware_order_without_outliers, from.hardware_order_without_outliers);
}

/// Bits of b less the start value: what the products alone can reach.
int ProductBits(const ChannelCertificate& channel) {
  const ir::AccumulatorRange& sum = channel.bounds[0].final_sum;
  return ir::AccumulatorRange{std::min<int64_t>(sum.low - channel.start, 0),
                              std::max<int64_t>(sum.high - channel.start, 0), true}
      .RequiredBits();
}

ChannelCertificate CertifyChannel(const ir::Graph& graph, const ir::Node& node,
                                  const LayerGeometry& geometry, int64_t channel) {
  ChannelCertificate result;
  result.start = StartOf(graph, node, channel);
  for (const int64_t w : geometry.Weights(graph, node, channel)) result.l1_norm += std::abs(w);
  const ir::NumberFormat& format = graph.tensor(node.inputs[0]).format;
  const int64_t largest_code = int64_t{1} << (format.bits - (format.is_signed ? 1 : 0));
  const bool has_weights = ir::HasWeights(node.kind);
  const int64_t largest_weight =
      has_weights ? int64_t{1} << (graph.constant(node.weights).format.bits - 1) : 1;
  const int64_t start = std::abs(result.start);
  result.data_type_bits =
      MagnitudeBits(geometry.extent.num_positions() * largest_weight * largest_code + start);
  result.l1_bits = MagnitudeBits(result.l1_norm * largest_code + start);
  const bool is_multiplied =
      node.requantization.kind == ir::RequantizationKind::kMultiplierDouble ||
      node.requantization.kind == ir::RequantizationKind::kMultiplierSingle ||
      node.requantization.kind == ir::RequantizationKind::kMultiplyAddDivide;
  result.is_dead =
      has_weights && (result.l1_norm == 0 ||
                      (is_multiplied && node.requantization.ForChannel(channel).multiplier == 0));
  return result;
}

}  // namespace

ir::AccumulatorRange Hull(const ir::AccumulatorRange& a, const ir::AccumulatorRange& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high), a.fits_63_bits && b.fits_63_bits};
}

int MagnitudeBits(int64_t magnitude) {
  int bits = 1;
  while (magnitude > (int64_t{1} << (bits - 1)) - 1) ++bits;
  return bits;
}

ChannelBounds BoundsInClass(const LayerGeometry& geometry, const PaddingClass& padding,
                            const golden::StepOrder& order, const std::vector<int64_t>& weights,
                            int64_t start, const ir::CodeRange& codes) {
  ChannelBounds bounds{PointRange(start), PointRange(start), PointRange(start)};
  int64_t low = start, high = start, next = 0;
  for (const int64_t end : order.step_ends) {
    for (; next < end; ++next) {
      const int64_t position = order.positions[static_cast<size_t>(next)];
      const int64_t w = weights[static_cast<size_t>(position)];
      const bool is_inside = geometry.IsInside(padding, position);
      const int64_t a = w * (is_inside ? codes.min : geometry.pad_code);
      const int64_t b = w * (is_inside ? codes.max : geometry.pad_code);
      low += std::min(a, b);
      high += std::max(a, b);
      bounds.any_order.low += std::min({a, b, int64_t{0}});
      bounds.any_order.high += std::max({a, b, int64_t{0}});
    }
    Include(bounds.hardware_order, low, high);
  }
  bounds.final_sum = {low, high, true};
  return bounds;
}

void SetRange(const ir::Graph& graph, const ir::Accumulation& accumulation, RangeKind kind,
              const ir::CodeRange& codes, LayerCertificate& layer) {
  const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
  const LayerGeometry geometry(graph, node);
  const golden::StepOrder order = golden::MakeStepOrder(accumulation, geometry.extent);
  const auto index = static_cast<size_t>(kind);
  layer.codes[index] = codes;
  for (int64_t c = 0; c < geometry.num_channels; ++c) {
    ChannelCertificate& channel = layer.channels[static_cast<size_t>(c)];
    if (!ir::HasWeights(node.kind) && c > 0) {
      channel.bounds[index] = layer.channels[0].bounds[index];
      continue;
    }
    const std::vector<int64_t> weights = geometry.Weights(graph, node, c);
    bool is_first = true;
    for (const PaddingClass& padding : geometry.classes) {
      const ChannelBounds b =
          BoundsInClass(geometry, padding, order, weights, channel.start, codes);
      ChannelBounds& hull = channel.bounds[index];
      hull = is_first ? b
                      : ChannelBounds{Hull(hull.any_order, b.any_order),
                                      Hull(hull.hardware_order, b.hardware_order),
                                      Hull(hull.final_sum, b.final_sum)};
      is_first = false;
    }
  }
  SummarizeWidths(layer);
}

std::vector<LayerCertificate> Certify(const ir::Graph& graph,
                                      const std::vector<ir::Accumulation>& accumulation) {
  std::vector<LayerCertificate> layers;
  const std::vector<ir::CodeRange> clamps = ClampRanges(graph);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    if (!Accumulates(node)) continue;
    const LayerGeometry geometry(graph, node);
    LayerCertificate layer;
    layer.node = static_cast<int>(n);
    layer.name = node.name;
    layer.kind = ir::ToString(node.kind);
    layer.num_products = geometry.extent.num_positions();
    layer.num_steps = static_cast<int64_t>(
        golden::MakeStepOrder(accumulation[n], geometry.extent).step_ends.size());
    layer.num_outputs = ir::NumElements(graph.tensor(node.output).shape);
    layer.num_padding_classes = static_cast<int64_t>(geometry.classes.size());
    // "32-bit wrap, 16 per step, block-tap": the width is what is asked for.
    const std::string contract = ir::ToString(accumulation[n]);
    layer.order = contract.substr(contract.find(", ") + 2);
    for (int64_t c = 0; c < geometry.num_channels; ++c) {
      layer.channels.push_back(CertifyChannel(graph, node, geometry, c));
    }
    const ir::CodeRange format = ir::InputCodeRange(graph, node);
    const ir::CodeRange clamp = clamps[static_cast<size_t>(node.inputs[0])];
    SetRange(graph, accumulation[n], RangeKind::kBitWidth, format, layer);
    SetRange(graph, accumulation[n], RangeKind::kClamp, clamp, layer);
    SetRange(graph, accumulation[n], RangeKind::kObserved, clamp, layer);
    for (ChannelCertificate& channel : layer.channels) {
      channel.is_outlier_bias =
          PointRange(channel.start).RequiredBits() > ProductBits(channel) && channel.start != 0;
    }
    SummarizeWidths(layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

void SummarizeWidths(LayerCertificate& layer) {
  layer.widths = {};
  for (const ChannelCertificate& channel : layer.channels) {
    Widths w;
    w.data_type = channel.data_type_bits;
    w.l1 = channel.l1_bits;
    w.start = PointRange(channel.start).RequiredBits();
    for (size_t k = 0; k < kNumRangeKinds; ++k) {
      w.any_order[k] = channel.bounds[k].any_order.RequiredBits();
      w.hardware_order[k] = channel.bounds[k].hardware_order.RequiredBits();
      w.final_sum[k] = channel.bounds[k].final_sum.RequiredBits();
    }
    if (channel.observed_final) w.observed_final = channel.observed_final->RequiredBits();
    if (channel.observed_prefix) w.observed_prefix = channel.observed_prefix->RequiredBits();
    if (!channel.is_dead && !channel.is_outlier_bias) {
      w.hardware_order_without_outliers = w.hardware_order[1];
    }
    MaximizeWidths(w, layer.widths);
  }
}

Widths SummarizeNetwork(const std::vector<LayerCertificate>& layers) {
  Widths widths;
  for (const LayerCertificate& layer : layers) MaximizeWidths(layer.widths, widths);
  return widths;
}

}  // namespace macloom::explore
