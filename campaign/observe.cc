// What a case meets: bins from the network, the descriptors, golden's events and the counters.
#include <algorithm>
#include <limits>

#include "arch/descriptor.h"
#include "campaign/coverage.h"
#include "ir/shape_inference.h"

namespace macloom::campaign {
namespace {

using P = Property;

/// Height, width, channels; vectors are one pixel.
struct Extent {
  int64_t height = 1, width = 1, channels = 1;
};
Extent ExtentOf(const ir::Shape& shape) {
  if (shape.size() == 3) return {shape[0], shape[1], shape[2]};
  return {1, 1, shape.empty() ? 1 : shape.back()};
}

/// Which side of its accumulator a layer left.
struct Overflow {
  bool is_high = false, is_low = false;
};

/// Exact final sums of the layer on its own inputs. One above the range, counted from the start
/// value the register took, proves an event above: wrapping or saturating below only raises a sum.
Overflow OverflowOf(const ir::Graph& graph, const ir::Node& node, const golden::Trace& trace,
                    const ir::Accumulation& accumulation) {
  ir::Graph part = graph;
  part.nodes = {node};
  part.input = node.inputs[0];
  part.output = node.output;
  golden::RunOptions options;
  options.keep_accumulators = true;
  const auto exact = golden::Run(part, trace.tensors[static_cast<size_t>(part.input)], options);
  if (!exact.ok()) return {};
  const int64_t half = int64_t{1} << (accumulation.width_bits - 1);
  const int64_t channels = ExtentOf(graph.tensor(node.output).shape).channels;
  Overflow overflow;
  const std::vector<int64_t>& sums = exact->accumulators[0];
  for (size_t i = 0; i < sums.size(); ++i) {
    const int64_t start =
        ir::HasWeights(node.kind)
            ? ir::AccumulatorStart(graph, node, static_cast<int64_t>(i) % channels)
            : 0;
    const int64_t taken = ((start + half) & (2 * half - 1)) - half;
    const int64_t sum = sums[i] - (start - taken);
    overflow.is_high |= sum > half - 1;
    overflow.is_low |= sum < -half;
  }
  return overflow;
}

class Observer {
 public:
  Observer(const Case& test_case, const Expected& expected)
      : case_(test_case), expected_(expected), job_(expected.job) {}

  std::set<Bin> Run() {
    ObserveStreams();
    for (size_t n = 0; n < job_.graph.nodes.size(); ++n) {
      const ir::Node& node = job_.graph.nodes[n];
      column_ = ColumnOf(node.kind);
      if (column_ < 0) continue;
      ObserveShape(node);
      ObserveWindow(node);
      ObserveSteps(static_cast<int>(n), node);
      ObserveArithmetic(n, node);
    }
    ObserveNetwork();
    return std::move(bins_);
  }

 private:
  void Hit(bool is_met, P property) {
    if (is_met) bins_.insert({property, column_});
  }
  void HitNetwork(bool is_met, P property) {
    if (is_met) bins_.insert({property, kNetworkColumn});
  }

  void ObserveShape(const ir::Node& node) {
    const ir::Graph& graph = job_.graph;
    const Extent in = ExtentOf(graph.tensor(node.inputs[0]).shape);
    const Extent out = ExtentOf(graph.tensor(node.output).shape);
    const int lanes = job_.config.lanes;
    const bool is_image = graph.tensor(node.output).shape.size() == 3;
    Hit(is_image && out.height == 1 && out.width == 1, P::kOnePixel);
    Hit(in.height > 1 && in.width > 1 && in.height % 2 == 1 && in.width % 2 == 1, P::kOddSizes);
    Hit(out.channels == 1, P::kOneChannel);
    Hit(out.channels > lanes, P::kMoreChannelsThanLanes);
    Hit(out.channels % lanes != 0, P::kRemainderLanes);
    if (node.inputs.size() == 2) Hit(node.inputs[0] == node.inputs[1], P::kSameInputTwice);
    if (node.kind == ir::OperatorKind::kConcatenation) {
      const int axis = is_image ? node.axis : 2;
      Hit(true, axis == 0 ? P::kAxis0 : axis == 1 ? P::kAxis1 : P::kAxis2);
    }
    if (node.kind == ir::OperatorKind::kReshape) {
      Hit(in.height * in.width > 1 && !is_image, P::kFlattens);
      Hit(in.height == out.height && in.width == out.width, P::kKeepsLayout);
    }
  }

  void ObserveWindow(const ir::Node& node) {
    if (!ir::HasWindow(node.kind)) return;
    const ir::Window& w = node.window;
    const bool before = w.pad_top > 0 || w.pad_left > 0;
    const bool after = w.pad_bottom > 0 || w.pad_right > 0;
    Hit(!before && !after, P::kNoPadding);
    Hit(before, P::kPadBefore);
    Hit(after, P::kPadAfter);
    Hit(w.pad_top != w.pad_bottom || w.pad_left != w.pad_right, P::kPadUneven);
    Hit((before || after) && job_.graph.tensor(node.inputs[0]).quantization.zero_point() != 0,
        P::kPadCode);
    Hit(w.stride_h > 1 || w.stride_w > 1, P::kStride);
    Hit(w.dilation_h > 1 || w.dilation_w > 1, P::kDilation);
    Hit(node.depth_multiplier > 1, P::kDepthMultiplier);
  }

  void ObserveSteps(int index, const ir::Node& node) {
    const arch::HardwareConfig& config = job_.config;
    int completed = 0;
    for (const arch::JobStep& step : job_.steps) {
      const arch::Descriptor& d = step.descriptor;
      if (step.node != index) continue;
      for (const arch::TensorRegion& region : step.produces) {
        completed += region.tensor == node.output ? 1 : 0;
      }
      if (d.opcode() == static_cast<uint32_t>(arch::Opcode::kConv)) {
        const auto rows = static_cast<uint32_t>(config.rows);
        Hit(d.out_channels() % rows != 0, P::kRemainderRows);
        Hit(d.out_w() * d.out_h() > static_cast<uint32_t>(config.tile_pixels), P::kSeveralTiles);
        Hit(d.im2col() != 0, P::kIm2col);
        Hit(d.pixel_outer() != 0, P::kWeightsKept);
        Hit(d.release_rows() != 0, P::kRowsReleased);
        Hit(d.per_layer() != 0, P::kOneScale);
      } else if (d.opcode() == static_cast<uint32_t>(arch::Opcode::kDepthwise)) {
        Hit(d.out_w() % d.group_rows() != 0, P::kRemainderRows);
        Hit(d.out_w() > d.group_rows(), P::kSeveralTiles);
        Hit(d.window_taps() < d.kernel_w(), P::kWindowChunks);
        Hit(d.per_layer() != 0, P::kOneScale);
      }
    }
    Hit(completed > 1, P::kStriped);
  }

  /// The stream of the whole list runs through the ring row after row.
  void ObserveStreams() {
    const int64_t row_bytes = int64_t{job_.config.rows} * job_.config.lanes;
    int64_t rows = 0;
    for (const arch::JobStep& step : job_.steps) {
      const arch::Descriptor& d = step.descriptor;
      const auto opcode = static_cast<arch::Opcode>(d.opcode());
      const bool has_stream = opcode == arch::Opcode::kConv || opcode == arch::Opcode::kDepthwise;
      if (!has_stream || d.stream_groups() == 0) continue;
      const int64_t parameter_rows = (d.stream_param_bytes() + row_bytes - 1) / row_bytes;
      const int64_t first = rows;
      rows += int64_t{d.stream_groups()} * (parameter_rows + d.stream_weight_rows());
      column_ =
          step.node < 0 ? -1 : ColumnOf(job_.graph.nodes[static_cast<size_t>(step.node)].kind);
      Hit(column_ >= 0 && first / job_.config.ring_rows() != (rows - 1) / job_.config.ring_rows(),
          P::kRingWrap);
    }
  }

  void ObserveArithmetic(size_t n, const ir::Node& node) {
    switch (node.requantization.kind) {
      case ir::RequantizationKind::kMultiplierDouble:
        Hit(true, P::kDoubleRounding);
        break;
      case ir::RequantizationKind::kMultiplierSingle:
        Hit(true, P::kSingleRounding);
        break;
      case ir::RequantizationKind::kShift:
        Hit(true, P::kShift);
        break;
      case ir::RequantizationKind::kMean:
        Hit(true, P::kMean);
        break;
      default:
        break;
    }
    const golden::LayerEvents& events = expected_.trace.events[n];
    Hit(events.clamped_low > 0, P::kClampLow);
    Hit(events.clamped_high > 0, P::kClampHigh);
    if (!ir::HasWeights(node.kind) && node.kind != ir::OperatorKind::kAveragePool2d) return;
    const bool is_saturating = job_.overflow == ir::Overflow::kSaturate;
    const ir::Accumulation& accumulation = job_.accumulation[n];
    Hit(job_.effective_accumulator_bits < job_.config.accumulator_bits,
        is_saturating ? P::kNarrowedSaturate : P::kNarrowedWrap);
    Hit(accumulation.order == ir::AccumulationOrder::kTapSerialColumn, P::kAlongY);
    if (events.overflow_events == 0) return;
    const Overflow overflow = OverflowOf(job_.graph, node, expected_.trace, accumulation);
    Hit(overflow.is_high, is_saturating ? P::kSaturateHigh : P::kWrapHigh);
    Hit(overflow.is_low, is_saturating ? P::kSaturateLow : P::kWrapLow);
  }

  template <typename Code>
  void ObserveCodes(const std::vector<Code>& codes, const ir::NumberFormat& format, P extreme,
                    P equal, P alternating) {
    if (codes.size() < 2) return;
    const auto is_extreme = [&](Code code) {
      return code == format.MinCode() || code == format.MaxCode();
    };
    const bool all_extreme = std::ranges::all_of(codes, is_extreme);
    const bool all_equal = std::ranges::all_of(codes, [&](Code code) { return code == codes[0]; });
    bool changes_always = true;
    for (size_t i = 1; i < codes.size(); ++i) changes_always &= codes[i] != codes[i - 1];
    HitNetwork(all_equal, equal);
    HitNetwork(all_extreme && changes_always, alternating);
    HitNetwork(all_extreme && !all_equal && !changes_always, extreme);
  }

  void ObserveNetwork() {
    const ir::Graph& graph = job_.graph;
    for (const ir::Node& node : graph.nodes) {
      if (node.weights < 0) continue;
      const ir::Constant& weights = graph.constant(node.weights);
      ObserveCodes(weights.codes, weights.format, P::kExtremeWeights, P::kEqualWeights,
                   P::kAlternatingWeights);
      HitNetwork(true, static_cast<P>(static_cast<int>(P::kWeightBits2) + weights.format.bits - 2));
    }
    ObserveCodes(case_.input.codes, graph.tensor(graph.input).format, P::kExtremeInput,
                 P::kEqualInput, P::kAlternatingInput);
    for (const ir::TensorInfo& tensor : graph.tensors) {
      HitNetwork(true,
                 static_cast<P>(static_cast<int>(P::kActivationBits2) + tensor.format.bits - 2));
    }
    HitNetwork(graph.nodes.size() >= 3, P::kChain);
    HitNetwork(true, case_.timing.random_stalls ? P::kStallingMemory : P::kIdealMemory);
  }

  const Case& case_;
  const Expected& expected_;
  const arch::Job& job_;
  std::set<Bin> bins_;
  int column_ = 0;
};

}  // namespace

std::set<Bin> StaticBins(const Case& test_case, const Expected& expected) {
  return Observer(test_case, expected).Run();
}

std::set<Bin> CounterBins(const arch::Job& job, const sim::DeviceRun& rtl) {
  std::set<Bin> bins;
  for (const sim::StepResult& step : rtl.steps) {
    const int node = job.steps[step.tag].node;
    const sim::StepCounters& c = step.counters;
    if (c.stall_dma_read_cycles > 0) bins.insert({P::kStallDmaRead, kNetworkColumn});
    if (c.stall_dma_write_cycles > 0) bins.insert({P::kStallDmaWrite, kNetworkColumn});
    if (node < 0) continue;
    const int column = ColumnOf(job.graph.nodes[static_cast<size_t>(node)].kind);
    if (c.stall_activation_cycles > 0) bins.insert({P::kStallActivation, column});
    if (c.stall_weight_cycles > 0) bins.insert({P::kStallWeight, column});
    if (c.stall_output_cycles > 0) bins.insert({P::kStallOutput, column});
    if (c.idle_cycles > 0) bins.insert({P::kIdle, column});
  }
  return bins;
}

}  // namespace macloom::campaign
