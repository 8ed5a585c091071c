#include "golden/fast/prepared_node.h"

#include <algorithm>
#include <utility>

#include "ir/shape_inference.h"

namespace macloom::golden::fast {
namespace {

// Limits within which 32-bit lanes and lane counters cannot overflow.
constexpr int kMaxCertifiedBits = 32;
constexpr int64_t kMaxStepSum = (int64_t{1} << 30) - 1;
constexpr int64_t kMaxSteps = int64_t{1} << 20;
constexpr int64_t kMaxCorrections = int64_t{1} << 24;

constexpr int64_t kQuadChannels = 64;

int64_t RoundUp(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

/// The low 32 bits.
int32_t Low(int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x)); }

struct WindowShape {
  int64_t kernel_h = 1, kernel_w = 1, channels = 1;
  int64_t size() const { return kernel_h * kernel_w * channels; }
};

/// Positions (ky*KW + kx)*C + c of each step, in the order of docs/numerics.md section 2.3.
std::vector<std::vector<int64_t>> StepsOf(const ir::Accumulation& accumulation,
                                          const WindowShape& shape) {
  std::vector<std::vector<int64_t>> steps;
  const int64_t per_step = accumulation.products_per_step;
  const int64_t taps = shape.kernel_h * shape.kernel_w;
  const auto add = [&](int64_t first, int64_t end) {
    std::vector<int64_t> step;
    for (int64_t i = first; i < end; ++i) step.push_back(i);
    steps.push_back(std::move(step));
  };
  switch (accumulation.order) {
    case ir::AccumulationOrder::kFlatTap:
      for (int64_t i = 0; i < shape.size(); i += per_step) {
        add(i, std::min(i + per_step, shape.size()));
      }
      break;
    case ir::AccumulationOrder::kTapSerialColumn:
      for (int64_t i = 0; i < taps; ++i) {
        const int64_t tap = i % shape.kernel_h * shape.kernel_w + i / shape.kernel_h;
        add(tap, tap + 1);
      }
      break;
    case ir::AccumulationOrder::kBlockTap:
    case ir::AccumulationOrder::kTapSerial:
      for (int64_t c = 0; c < shape.channels; c += per_step) {
        const int64_t end = std::min(c + per_step, shape.channels);
        for (int64_t tap = 0; tap < taps; ++tap) {
          add(tap * shape.channels + c, tap * shape.channels + end);
        }
      }
      break;
  }
  return steps;
}

/// What the preparation of an accumulating node shares.
class Builder {
 public:
  Builder(const ir::Graph& graph, const ir::Node& node, const ir::Accumulation& accumulation,
          const Kernels& kernels)
      : graph_(graph),
        node_(node),
        kernels_(kernels),
        accumulation_(accumulation),
        in_(graph.tensor(node.inputs[0])),
        out_(graph.tensor(node.output)) {
    const bool is_matrix =
        node.kind == ir::OperatorKind::kConv2d || node.kind == ir::OperatorKind::kFullyConnected;
    prepared_.form = is_matrix ? NodeForm::kMatrix : NodeForm::kWindow;
    prepared_.num_channels = out_.shape.back();
    prepared_.padded_channels = RoundUp(prepared_.num_channels, kMaxLanes);
    prepared_.num_rows = ir::NumElements(out_.shape) / prepared_.num_channels;
    if (node.kind == ir::OperatorKind::kFullyConnected) {
      shape_ = {1, 1, ir::NumElements(in_.shape)};
    } else {
      shape_ = {node.window.kernel_h, node.window.kernel_w, is_matrix ? in_.shape[2] : 1};
    }
    if (node.weights >= 0) weights_ = &graph.constant(node.weights).codes;
  }

  /// False if the node has no form in 32-bit lanes.
  bool Build() {
    if (!HasByteCodes()) return false;
    const int certified_bits = ir::RequiredAccumulatorBits(graph_, node_);
    if (certified_bits > kMaxCertifiedBits) return false;
    const bool is_exact = accumulation_.width_bits >= certified_bits;
    if (!is_exact) {
      steps_ = StepsOf(accumulation_, shape_);
      if (!StepsFit()) return false;
    } else {
      // One run over all products in the order in which they lie.
      steps_ = StepsOf({64, ir::Overflow::kWrap, static_cast<int>(shape_.size()),
                        ir::AccumulationOrder::kFlatTap},
                       shape_);
    }
    BuildRounding();
    BuildImage();
    BuildStart(is_exact);
    if (prepared_.form == NodeForm::kMatrix) {
      BuildMatrix();
    } else {
      BuildWindow();
    }
    if (is_exact) prepared_.steps.ends.clear();
    PreparedRounding& rounding = prepared_.rounding;
    if (rounding.kind == Rounding::Kind::kDouble && !rounding.has_left_shift &&
        certified_bits <= 31) {
      rounding.kind = Rounding::Kind::kSmallDouble;
    }
    const bool has_quad_rounding =
        rounding.kind == Rounding::Kind::kSmallDouble || rounding.kind == Rounding::Kind::kSingle;
    if (is_exact && has_quad_rounding && kernels_.has_byte_dot &&
        prepared_.form == NodeForm::kWindow) {
      BuildQuads();
    }
    return true;
  }

  PreparedNode Take() { return std::move(prepared_); }

 private:
  int64_t WeightAt(int64_t channel, int64_t position) const {
    if (weights_ == nullptr) return 1;
    return prepared_.form == NodeForm::kMatrix
               ? (*weights_)[static_cast<size_t>(channel * shape_.size() + position)]
               : (*weights_)[static_cast<size_t>(position * prepared_.num_channels + channel)];
  }

  bool HasByteCodes() const {
    if (!IsByteFormat(in_.format) || !IsByteFormat(out_.format)) return false;
    return weights_ == nullptr || std::all_of(weights_->begin(), weights_->end(),
                                              [](int64_t w) { return w >= -128 && w <= 127; });
  }

  bool StepsFit() const {
    const auto num_steps = static_cast<int64_t>(steps_.size());
    if (num_steps >= kMaxSteps || num_steps * prepared_.padded_channels > kMaxCorrections) {
      return false;
    }
    int64_t longest = 0;
    for (const auto& step : steps_) longest = std::max(longest, static_cast<int64_t>(step.size()));
    return longest * 128 * 255 <= kMaxStepSum;
  }

  void BuildRounding() {
    const ir::Requantization& requantization = node_.requantization;
    PreparedRounding& rounding = prepared_.rounding;
    const auto size = static_cast<size_t>(prepared_.padded_channels);
    rounding.low = requantization.clamp_min - requantization.zero_point;
    rounding.high = requantization.clamp_max - requantization.zero_point;
    rounding.offset = requantization.zero_point + StorageOffset(out_.format);
    rounding.multiplier.assign(size, 0);
    rounding.left.assign(size, 0);
    rounding.right.assign(size, 0);
    switch (requantization.kind) {
      case ir::RequantizationKind::kMultiplierDouble:
        rounding.kind = Rounding::Kind::kDouble;
        break;
      case ir::RequantizationKind::kMultiplierSingle:
        rounding.kind = Rounding::Kind::kSingle;
        rounding.right.assign(size, 31);
        break;
      case ir::RequantizationKind::kMean:
        rounding.kind = Rounding::Kind::kMean;
        return;
      default:
        rounding.kind = Rounding::Kind::kShift;
        break;
    }
    for (int64_t c = 0; c < prepared_.num_channels; ++c) {
      const ir::FixedPointMultiplier& pair = requantization.ForChannel(c);
      const auto i = static_cast<size_t>(c);
      rounding.multiplier[i] = pair.multiplier;
      if (rounding.kind == Rounding::Kind::kDouble) {
        rounding.left[i] = std::max(pair.shift, 0);
        rounding.right[i] = std::max(-pair.shift, 0);
        rounding.has_left_shift |= pair.shift > 0;
      } else {
        rounding.right[i] = rounding.kind == Rounding::Kind::kSingle ? 31 - pair.shift : pair.shift;
      }
    }
  }

  void BuildImage() {
    if (node_.kind == ir::OperatorKind::kFullyConnected) {
      prepared_.row_offsets = {0};
      return;
    }
    const ir::Window& window = node_.window;
    const bool is_window = prepared_.form == NodeForm::kWindow;
    PreparedImage& image = prepared_.image;
    image.repeat =
        node_.kind == ir::OperatorKind::kDepthwiseConv2d ? int64_t{node_.depth_multiplier} : 1;
    image.top = window.pad_top;
    image.left = window.pad_left;
    image.height = in_.shape[0] + window.pad_top + window.pad_bottom;
    image.width = in_.shape[1] + window.pad_left + window.pad_right;
    image.channels = is_window ? RoundUp(prepared_.num_channels, kernels_.lanes) : in_.shape[2];
    image.is_copied = image.height != in_.shape[0] || image.width != in_.shape[1] ||
                      image.channels != in_.shape[2];
    // Pooling leaves outside taps out: code 0 adds nothing.
    const int32_t outside = weights_ == nullptr ? 0 : in_.quantization.zero_point();
    image.outside = static_cast<uint8_t>(outside + StorageOffset(in_.format));
    for (int64_t y = 0; y < out_.shape[0]; ++y) {
      for (int64_t x = 0; x < out_.shape[1]; ++x) {
        prepared_.row_offsets.push_back((y * window.stride_h * image.width + x * window.stride_w) *
                                        image.channels);
        if (prepared_.rounding.kind != Rounding::Kind::kMean) continue;
        const auto inside = [](int64_t first, int64_t kernel, int64_t size) {
          return std::min(first + kernel, size) - std::max<int64_t>(first, 0);
        };
        prepared_.divisors.push_back(static_cast<int32_t>(
            inside(y * window.stride_h - window.pad_top, window.kernel_h, in_.shape[0]) *
            inside(x * window.stride_w - window.pad_left, window.kernel_w, in_.shape[1])));
      }
    }
  }

  void BuildStart(bool is_exact) {
    PreparedSteps& steps = prepared_.steps;
    const int64_t offset = StorageOffset(in_.format);
    const int unused_bits = 64 - accumulation_.width_bits;
    steps.width_bits = accumulation_.width_bits;
    steps.is_saturating = accumulation_.overflow == ir::Overflow::kSaturate;
    steps.start.assign(static_cast<size_t>(prepared_.padded_channels), 0);
    steps.exact_start = steps.start;
    if (!is_exact) steps.corrections.assign(steps_.size() * steps.start.size(), 0);
    for (int64_t c = 0; c < prepared_.num_channels; ++c) {
      const auto i = static_cast<size_t>(c);
      const int64_t start = weights_ == nullptr ? 0 : ir::AccumulatorStart(graph_, node_, c);
      int64_t total = 0;
      for (size_t s = 0; s < steps_.size(); ++s) {
        int64_t sum = 0;
        for (int64_t position : steps_[s]) sum += WeightAt(c, position);
        total += sum;
        if (!is_exact) steps.corrections[s * steps.start.size() + i] = Low(-offset * sum);
      }
      steps.exact_start[i] = Low(start);
      steps.start[i] =
          is_exact ? Low(start - offset * total)
                   : Low(static_cast<int64_t>(static_cast<uint64_t>(start) << unused_bits) >>
                         unused_bits);
    }
  }

  // Every step filled up to whole groups; a position of -1 has weight 0.
  void BuildMatrix() {
    std::vector<int64_t> positions;
    for (const auto& step : steps_) {
      positions.insert(positions.end(), step.begin(), step.end());
      positions.resize(static_cast<size_t>(RoundUp(static_cast<int64_t>(positions.size()), 4)), -1);
      prepared_.steps.ends.push_back(static_cast<int64_t>(positions.size()) / 4);
    }
    prepared_.num_groups = static_cast<int64_t>(positions.size()) / 4;
    PackWeights(positions);
    const ir::Window& window = node_.window;
    const bool has_rows_in_place = !prepared_.image.is_copied && window.kernel_h == 1 &&
                                   window.kernel_w == 1 && window.stride_h == 1 &&
                                   window.stride_w == 1;
    bool is_ascending = static_cast<int64_t>(positions.size()) == shape_.size();
    for (size_t i = 0; i < positions.size() && is_ascending; ++i) {
      is_ascending = positions[i] == static_cast<int64_t>(i);
    }
    if (has_rows_in_place && is_ascending) return;
    for (size_t i = 0; i < positions.size(); ++i) {
      if (positions[i] < 0) continue;
      const int64_t source = SourceOf(positions[i]);
      const auto destination = static_cast<int64_t>(i);
      if (!prepared_.runs.empty()) {
        CopyRun& last = prepared_.runs.back();
        if (last.source + last.num_bytes == source &&
            last.destination + last.num_bytes == destination) {
          ++last.num_bytes;
          continue;
        }
      }
      prepared_.runs.push_back({source, destination, 1});
    }
  }

  // Pixels of the image from a window's first tap to `tap`.
  int64_t PixelOf(int64_t tap) const {
    const int64_t y = tap / shape_.kernel_w * node_.window.dilation_h;
    const int64_t x = tap % shape_.kernel_w * node_.window.dilation_w;
    return y * prepared_.image.width + x;
  }

  int64_t SourceOf(int64_t position) const {
    return PixelOf(position / shape_.channels) * shape_.channels + position % shape_.channels;
  }

  void PackWeights(const std::vector<int64_t>& positions) {
    const int64_t lanes = kernels_.lanes;
    const int64_t words_per_group = kernels_.has_byte_dot ? 1 : 2;
    const int64_t num_vectors = prepared_.padded_channels / lanes;
    prepared_.weights.assign(
        static_cast<size_t>(
            RoundUp(num_vectors * prepared_.num_groups * words_per_group * lanes, 16) / 16),
        {});
    int64_t word = 0;
    const auto code = [&](int64_t channel, int64_t packed) -> uint32_t {
      const int64_t position = positions[static_cast<size_t>(packed)];
      if (position < 0 || channel >= prepared_.num_channels) return 0;
      return static_cast<uint32_t>(WeightAt(channel, position));
    };
    for (int64_t v = 0; v < num_vectors; ++v) {
      for (int64_t g = 0; g < prepared_.num_groups; ++g) {
        for (int64_t half = 0; half < words_per_group; ++half) {
          for (int64_t lane = 0; lane < lanes; ++lane, ++word) {
            const int64_t channel = v * lanes + lane;
            const int64_t first = 4 * g + 2 * half;
            uint32_t bits = 0;
            if (kernels_.has_byte_dot) {
              for (int k = 0; k < 4; ++k) bits |= (code(channel, first + k) & 0xff) << (8 * k);
            } else {
              for (int k = 0; k < 2; ++k) bits |= (code(channel, first + k) & 0xffff) << (16 * k);
            }
            prepared_.weights[static_cast<size_t>(word / 16)].words[word % 16] = Low(bits);
          }
        }
      }
    }
  }

  void BuildWindow() {
    const PreparedImage& image = prepared_.image;
    for (const auto& step : steps_) {
      for (int64_t tap : step) {
        prepared_.tap_offsets.push_back(PixelOf(tap) * image.channels);
        for (int64_t c = 0; c < prepared_.padded_channels; ++c) {
          prepared_.tap_weights.push_back(
              c < prepared_.num_channels ? static_cast<int32_t>(WeightAt(c, tap)) : 0);
        }
      }
      prepared_.steps.ends.push_back(static_cast<int64_t>(prepared_.tap_offsets.size()));
    }
  }

  void BuildQuads() {
    const int64_t num_blocks = prepared_.num_channels / kQuadChannels;
    PreparedQuads& quads = prepared_.quads;
    quads.tap_offsets = prepared_.tap_offsets;
    // Taps that fill the last quad have weight 0 and read the first one's codes.
    while (quads.tap_offsets.size() % 4 != 0) {
      quads.tap_offsets.push_back(prepared_.tap_offsets[0]);
    }
    for (int64_t block = 0; block < num_blocks; ++block) {
      const auto channel_of = [&](int64_t vector, int64_t lane) {
        return kQuadChannels * block + lane / 4 * 16 + 4 * vector + lane % 4;
      };
      for (int64_t vector = 0; vector < 4; ++vector) {
        for (int64_t lane = 0; lane < kMaxLanes; ++lane) {
          const auto channel = static_cast<size_t>(channel_of(vector, lane));
          quads.start.push_back(prepared_.steps.start[channel]);
          quads.multiplier.push_back(prepared_.rounding.multiplier[channel]);
          quads.right.push_back(prepared_.rounding.right[channel]);
        }
      }
      for (int64_t first = 0; first < shape_.size(); first += 4) {
        for (int64_t vector = 0; vector < 4; ++vector) {
          WeightBlock weights{};
          for (int64_t lane = 0; lane < kMaxLanes; ++lane) {
            uint32_t bits = 0;
            for (int64_t tap = first; tap < std::min(first + 4, shape_.size()); ++tap) {
              const auto weight = static_cast<uint32_t>(WeightAt(channel_of(vector, lane), tap));
              bits |= (weight & 0xff) << (8 * (tap - first));
            }
            weights.words[lane] = Low(bits);
          }
          quads.weights.push_back(weights);
        }
      }
    }
  }

  const ir::Graph& graph_;
  const ir::Node& node_;
  const Kernels& kernels_;
  const ir::Accumulation accumulation_;
  const ir::TensorInfo& in_;
  const ir::TensorInfo& out_;
  WindowShape shape_;
  const std::vector<int64_t>* weights_ = nullptr;  // Null: pooling, every weight is 1.
  std::vector<std::vector<int64_t>> steps_;
  PreparedNode prepared_;
};

PreparedNode PrepareAdd(const ir::Graph& graph, const ir::Node& node) {
  PreparedNode prepared;
  const ir::TensorInfo& out = graph.tensor(node.output);
  if (!IsByteFormat(out.format)) return prepared;
  const ir::Requantization& requantization = node.requantization;
  const bool is_shift = requantization.kind == ir::RequantizationKind::kShift;
  const bool is_single = requantization.kind == ir::RequantizationKind::kMultiplierSingle;
  for (size_t i = 0; i < 2; ++i) {
    const ir::TensorInfo& in = graph.tensor(node.inputs[i]);
    if (!IsByteFormat(in.format)) return prepared;
    const ir::FixedPointMultiplier& pair = node.add.input[i];
    for (int32_t byte = 0; byte < 256; ++byte) {
      // Bytes that no code has are never looked up; they stay inside 32 bits by taking the nearest.
      const int64_t code = std::clamp<int64_t>(byte - StorageOffset(in.format), in.format.MinCode(),
                                               in.format.MaxCode());
      const int64_t distance = code - in.quantization.zero_point();
      prepared.tables[i].push_back(static_cast<int32_t>(
          is_shift
              ? distance * (int64_t{1} << pair.shift)
              : ScaleByMultiplier(distance * (int64_t{1} << ir::AddParameters::kLeftShift), pair,
                                  is_single ? ir::Rounding::kSingle : ir::Rounding::kDouble)));
    }
  }
  const ir::FixedPointMultiplier& pair = node.add.output;
  PreparedRounding& rounding = prepared.rounding;
  rounding.kind = is_shift    ? Rounding::Kind::kShift
                  : is_single ? Rounding::Kind::kSingle
                              : Rounding::Kind::kDouble;
  rounding.has_left_shift = rounding.kind == Rounding::Kind::kDouble && pair.shift > 0;
  const int32_t right = is_shift ? pair.shift : is_single ? 31 - pair.shift : -pair.shift;
  rounding.multiplier.assign(kMaxLanes, pair.multiplier);
  rounding.left.assign(kMaxLanes, std::max(pair.shift, 0));
  rounding.right.assign(kMaxLanes, std::max(right, 0));
  rounding.low = requantization.clamp_min - requantization.zero_point;
  rounding.high = requantization.clamp_max - requantization.zero_point;
  rounding.offset = requantization.zero_point + StorageOffset(out.format);
  prepared.form = NodeForm::kAdd;
  prepared.num_channels = prepared.padded_channels = kMaxLanes;
  prepared.num_rows = ir::NumElements(out.shape);
  return prepared;
}

PreparedNode PrepareSoftmax(const ir::Graph& graph, const ir::Node& node) {
  PreparedNode prepared;
  prepared.form = NodeForm::kSoftmax;
  prepared.num_channels = graph.tensor(node.output).shape.back();
  prepared.num_rows = ir::NumElements(graph.tensor(node.output).shape) / prepared.num_channels;
  const ir::SoftmaxParameters& softmax = node.softmax;
  const ir::FixedPointMultiplier pair{softmax.input_multiplier, softmax.input_left_shift};
  for (int64_t difference = 0; difference >= -255; --difference) {
    prepared.exponentials.push_back(
        difference < softmax.diff_min
            ? -1
            : Exponential(ScaleByMultiplier(difference, pair, softmax.rounding)));
  }
  return prepared;
}

}  // namespace

bool IsByteFormat(const ir::NumberFormat& format) { return format.IsInteger() && format.bits <= 8; }

int32_t StorageOffset(const ir::NumberFormat& format) { return format.is_signed ? 128 : 0; }

PreparedNode Prepare(const ir::Graph& graph, const ir::Node& node,
                     const ir::Accumulation& accumulation, const Kernels& kernels) {
  if (graph.tensor(node.inputs[0]).format.IsMinifloat()) return {};
  switch (node.kind) {
    case ir::OperatorKind::kConv2d:
    case ir::OperatorKind::kDepthwiseConv2d:
    case ir::OperatorKind::kFullyConnected:
    case ir::OperatorKind::kAveragePool2d: {
      Builder builder(graph, node, accumulation, kernels);
      return builder.Build() ? builder.Take() : PreparedNode{};
    }
    case ir::OperatorKind::kAdd:
      return PrepareAdd(graph, node);
    case ir::OperatorKind::kSoftmax:
      return PrepareSoftmax(graph, node);
    case ir::OperatorKind::kReshape: {
      PreparedNode prepared;
      if (IsByteFormat(graph.tensor(node.output).format)) prepared.form = NodeForm::kReshape;
      return prepared;
    }
    default:
      return {};
  }
}

}  // namespace macloom::golden::fast
