#include "explore/observe.h"

#include <algorithm>
#include <limits>

#include "base/interrupt.h"
#include "base/progress.h"
#include "explore/certificate.h"
#include "explore/layer_geometry.h"
#include "golden/fast/plan.h"
#include "golden/reference/window.h"

namespace macloom::explore {
namespace {

/// Smallest and largest sums of one layer, channel by channel.
class LayerObserver {
 public:
  LayerObserver(const ir::Graph& graph, const ir::Accumulation& accumulation, int node)
      : graph_(graph),
        node_(graph.nodes[static_cast<size_t>(node)]),
        geometry_(graph, node_),
        order_(golden::MakeStepOrder(accumulation, geometry_.extent)) {
    const auto channels = static_cast<size_t>(geometry_.num_channels);
    const auto positions = static_cast<size_t>(geometry_.extent.num_positions());
    weights_.resize(channels * positions);
    for (size_t c = 0; c < channels; ++c) {
      const std::vector<int64_t> weights = geometry_.Weights(graph, node_, static_cast<int64_t>(c));
      for (size_t i = 0; i < positions; ++i) weights_[i * channels + c] = weights[i];
      start_.push_back(StartOf(graph, node_, static_cast<int64_t>(c)));
    }
    prefix_low_ = prefix_high_ = start_;
    final_low_.assign(channels, std::numeric_limits<int64_t>::max());
    final_high_.assign(channels, std::numeric_limits<int64_t>::min());
  }

  void Add(const ir::TensorValue& x) {
    for (const int32_t code : x.codes) {
      codes_.min = std::min<int64_t>(codes_.min, code);
      codes_.max = std::max<int64_t>(codes_.max, code);
    }
    if (node_.kind == ir::OperatorKind::kFullyConnected) return AddWindow(x.codes);
    const ir::Shape& out = graph_.tensor(node_.output).shape;
    for (int64_t y = 0; y < out[0]; ++y) {
      for (int64_t xx = 0; xx < out[1]; ++xx) {
        AddWindow(
            golden::GatherWindow(x, node_.window, y, xx, static_cast<int32_t>(geometry_.pad_code))
                .codes);
      }
    }
  }

  void Store(LayerCertificate& layer) const {
    for (size_t c = 0; c < layer.channels.size(); ++c) {
      layer.channels[c].observed_final = ir::AccumulatorRange{final_low_[c], final_high_[c], true};
      layer.channels[c].observed_prefix =
          ir::AccumulatorRange{prefix_low_[c], prefix_high_[c], true};
    }
  }
  const ir::CodeRange& codes() const { return codes_; }

 private:
  /// `codes` in window order; depthwise and pooling hold all channels of each tap.
  void AddWindow(const std::vector<int32_t>& codes) {
    const auto channels = start_.size();
    const bool is_shared =
        node_.kind == ir::OperatorKind::kConv2d || node_.kind == ir::OperatorKind::kFullyConnected;
    const auto multiplier = static_cast<size_t>(
        node_.kind == ir::OperatorKind::kDepthwiseConv2d ? node_.depth_multiplier : 1);
    sum_ = start_;
    int64_t next = 0;
    for (const int64_t end : order_.step_ends) {
      for (; next < end; ++next) {
        const auto position = static_cast<size_t>(order_.positions[static_cast<size_t>(next)]);
        const int64_t* w = weights_.data() + position * channels;
        if (is_shared) {
          const int64_t code = codes[position];
          for (size_t c = 0; c < channels; ++c) sum_[c] += code * w[c];
        } else {
          const int32_t* taps = codes.data() + position * (channels / multiplier);
          for (size_t c = 0; c < channels; ++c) sum_[c] += taps[c / multiplier] * w[c];
        }
      }
      for (size_t c = 0; c < channels; ++c) {
        prefix_low_[c] = std::min(prefix_low_[c], sum_[c]);
        prefix_high_[c] = std::max(prefix_high_[c], sum_[c]);
      }
    }
    for (size_t c = 0; c < channels; ++c) {
      final_low_[c] = std::min(final_low_[c], sum_[c]);
      final_high_[c] = std::max(final_high_[c], sum_[c]);
    }
  }

  const ir::Graph& graph_;
  const ir::Node& node_;
  LayerGeometry geometry_;
  golden::StepOrder order_;
  std::vector<int64_t> weights_;  // [position][channel].
  std::vector<int64_t> start_, sum_, prefix_low_, prefix_high_, final_low_, final_high_;
  ir::CodeRange codes_{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
};

}  // namespace

Status Observe(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation,
               const std::vector<ir::TensorValue>& inputs, std::vector<LayerCertificate>& layers) {
  if (inputs.empty()) return {};
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Plan plan, golden::fast::Plan::Create(graph));
  std::vector<LayerObserver> observers;
  for (const LayerCertificate& layer : layers) {
    observers.emplace_back(graph, accumulation[static_cast<size_t>(layer.node)], layer.node);
  }
  ProgressLine progress("observe " + graph.name, static_cast<int64_t>(inputs.size()));
  for (size_t n = 0; n < inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace, plan.Run(inputs[n]));
    for (size_t i = 0; i < layers.size(); ++i) {
      const ir::Node& node = graph.nodes[static_cast<size_t>(layers[i].node)];
      observers[i].Add(trace.tensors[static_cast<size_t>(node.inputs[0])]);
    }
    progress.Update(static_cast<int64_t>(n + 1));
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    observers[i].Store(layers[i]);
    SetRange(graph, accumulation[static_cast<size_t>(layers[i].node)], RangeKind::kObserved,
             observers[i].codes(), layers[i]);
  }
  return {};
}

}  // namespace macloom::explore
