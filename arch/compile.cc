#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "arch/canonical.h"
#include "arch/job.h"
#include "arch/layout.h"
#include "arch/legality.h"
#include "arch/link.h"
#include "arch/lowering.h"
#include "arch/minifloat.h"

namespace macloom::arch {
namespace {

/// Compiles one graph; the members are the state of the passes, in the order they run.
class Compiler {
 public:
  Compiler(const ir::Graph& graph, const HardwareConfig& config, const CompileOptions& options)
      : graph_(graph), config_(config), memory_(config.activation_words()) {
    job_.config = config;
    job_.graph = graph;
    job_.overflow = options.overflow;
    job_.effective_accumulator_bits = options.effective_accumulator_bits == 0
                                          ? config.accumulator_bits
                                          : options.effective_accumulator_bits;
  }

  /// Whether Run() failed because the activation memory is too small to hold what is in use.
  bool is_out_of_memory() const { return is_out_of_memory_; }

  /// `is_striped`: every tensor stays in external memory and every layer runs in stripes.
  Result<Job> Run(bool is_striped) {
    is_striped_ = is_striped;
    MACLOOM_RETURN_IF_ERROR(CheckOptions(job_));
    MACLOOM_RETURN_IF_ERROR(SplitHostPart());
    MACLOOM_RETURN_IF_ERROR(CheckNodes(graph_, config_, num_device_nodes_));
    MACLOOM_ASSIGN_OR_RETURN(graph_, Canonical(graph_));
    MACLOOM_RETURN_IF_ERROR(ResolveAliases());
    FindLifetimes();
    if (is_striped_) {
      PlaceExternalInput();
    } else {
      MACLOOM_RETURN_IF_ERROR(PlaceInput());
    }
    for (int n = 0; n < num_device_nodes_; ++n) {
      MACLOOM_RETURN_IF_ERROR(LowerNode(n));
    }
    if (!is_striped_) StoreOutput();
    MACLOOM_RETURN_IF_ERROR(Link({.steps = steps_,
                                  .input = graph_.input,
                                  .output = RootOf(job_.device_output),
                                  .input_bytes = input_bytes_,
                                  .output_bytes = output_bytes_},
                                 job_));
    job_.accumulation.resize(graph_.nodes.size());
    return std::move(job_);
  }

 private:
  const ir::Node& node(int n) const { return graph_.nodes[static_cast<size_t>(n)]; }
  /// Whether Canonical() put zeros between the weights of a node.
  bool IsRefilled(int n) const {
    return node(n).weights != job_.graph.nodes[static_cast<size_t>(n)].weights;
  }
  ir::TensorId RootOf(ir::TensorId tensor) const { return root_[static_cast<size_t>(tensor)]; }

  Status SplitHostPart() {
    num_device_nodes_ = static_cast<int>(graph_.nodes.size());
    job_.device_output = graph_.output;
    if (num_device_nodes_ > 0 && graph_.nodes.back().kind == ir::OperatorKind::kSoftmax) {
      --num_device_nodes_;
      job_.host_nodes = {num_device_nodes_};
      job_.device_output = graph_.nodes.back().inputs[0];
    }
    job_.device_input = graph_.input;
    for (int n = 0; n < num_device_nodes_; ++n) {
      if (node(n).kind == ir::OperatorKind::kSoftmax) {
        return RefuseNode(node(n), "only a final SOFTMAX may run on the host");
      }
    }
    if (num_device_nodes_ == 0) return Unsupported("the network has no layer for the accelerator");
    return {};
  }

  /// RESHAPE is free: its output is its input under another shape.
  Status ResolveAliases() {
    root_.resize(graph_.tensors.size());
    for (size_t i = 0; i < root_.size(); ++i) root_[i] = static_cast<ir::TensorId>(i);
    for (int n = 0; n < num_device_nodes_; ++n) {
      if (node(n).kind != ir::OperatorKind::kReshape) continue;
      root_[static_cast<size_t>(node(n).output)] = RootOf(node(n).inputs[0]);
      const Image from = *ImageOf(graph_.tensor(RootOf(node(n).inputs[0])).shape);
      const Image to = *ImageOf(graph_.tensor(node(n).output).shape);
      const bool is_vector = to.height == 1 && to.width == 1;
      const bool same = from.height == to.height && from.width == to.width;
      if (!same && !is_vector) {
        return RefuseNode(
            node(n),
            fmt::format("reshape {} to {} moves data; supported are flattening in front of "
                        "FULLY_CONNECTED and equal layouts",
                        ir::ToString(graph_.tensor(node(n).inputs[0]).shape),
                        ir::ToString(graph_.tensor(node(n).output).shape)));
      }
      if (same) continue;
      if (node(n).output == job_.device_output) {
        return RefuseNode(node(n), "the flattened image is the network's output");
      }
      for (int user = n + 1; user < num_device_nodes_; ++user) {
        if (std::ranges::count(node(user).inputs, node(n).output) == 0) continue;
        if (node(user).kind != ir::OperatorKind::kFullyConnected) {
          return RefuseNode(node(user), "a flattened image can only feed FULLY_CONNECTED");
        }
      }
    }
    if (RootOf(job_.device_output) == graph_.input) {
      return Unsupported("the network has no layer for the accelerator: its output is its input");
    }
    return {};
  }

  void FindLifetimes() {
    last_use_.assign(graph_.tensors.size(), -1);
    walked_by_window_.assign(graph_.tensors.size(), false);
    for (int n = 0; n < num_device_nodes_; ++n) {
      for (const ir::TensorId input : node(n).inputs) {
        const size_t root = static_cast<size_t>(RootOf(input));
        last_use_[root] = n;
        if (node(n).kind != ir::OperatorKind::kConv2d &&
            node(n).kind != ir::OperatorKind::kFullyConnected) {
          walked_by_window_[root] = true;
        }
      }
    }
    last_use_[static_cast<size_t>(RootOf(job_.device_output))] = num_device_nodes_;
  }

  /// Places a tensor for nodes first_node..its last use. The row pitch is odd where an operator may
  /// walk along y, so that neighbouring words lie in different banks.
  Status Place(ir::TensorId tensor, int first_node) {
    const Image image = *ImageOf(graph_.tensor(tensor).shape);
    OnChipTensor placed;
    placed.image = image;
    placed.placement.col_pitch = 1;
    placed.placement.row_pitch = image.width;
    if (walked_by_window_[static_cast<size_t>(tensor)]) {
      placed.placement.row_pitch |= 1;
    }
    placed.placement.plane_pitch = placed.placement.row_pitch * image.height;
    if (placed.placement.row_pitch * config_.lanes > kMaxTransferBytes &&
        (tensor == graph_.input || tensor == RootOf(job_.device_output))) {
      return Unsupported(
          fmt::format("tensor `{}` ({}): a row of {} pixels exceeds a transfer of {} bytes",
                      graph_.tensor(tensor).name, ir::ToString(graph_.tensor(tensor).shape),
                      image.width, kMaxTransferBytes));
    }
    const int64_t words = placed.placement.plane_pitch * image.Blocks(config_.lanes);
    const int last = std::max(last_use_[static_cast<size_t>(tensor)], first_node);
    std::optional<int> base;
    if (words <= config_.activation_words()) {
      base = memory_.Allocate(static_cast<int>(words), first_node, last);
    }
    if (!base) {
      is_out_of_memory_ = true;
      return Unsupported(
          fmt::format("tensor `{}` ({}, {} words of {} bytes) does not fit the activation memory "
                      "of `{}` ({} words) beside "
                      "the tensors in use; raise memory.activation_bytes",
                      graph_.tensor(tensor).name, ir::ToString(graph_.tensor(tensor).shape), words,
                      config_.lanes, config_.name, config_.activation_words()));
    }
    placed.placement.base = *base;
    on_chip_[tensor] = placed;
    return {};
  }

  /// The input goes to the staging memory as raw bytes if its only reader is a convolution that
  /// gains from im2col and everything fits; to the activation memory otherwise.
  Status PlaceInput() {
    const ir::TensorId input = graph_.input;
    const Image image = *ImageOf(graph_.tensor(input).shape);
    std::vector<int> users;
    for (int n = 0; n < num_device_nodes_; ++n) {
      for (const ir::TensorId tensor : node(n).inputs) {
        if (RootOf(tensor) == input) users.push_back(n);
      }
    }
    const int64_t raw_bytes = int64_t{image.height} * image.width * image.channels;
    if (users.size() == 1 && raw_bytes + config_.lanes <= std::min(config_.staging_bytes, 65535)) {
      const ir::Node& user = node(users[0]);
      const bool is_conv = user.kind == ir::OperatorKind::kConv2d ||
                           (user.kind == ir::OperatorKind::kDepthwiseConv2d && image.channels == 1);
      // Im2col sums several taps in a step: with zeros filled in, others than golden does.
      const bool is_dilated = user.window.dilation_h > 1 || user.window.dilation_w > 1;
      if (is_conv && !is_dilated && !IsRefilled(users[0])) {
        on_chip_[input].image = image;
        const NodeContext context = ContextOf(users[0]);
        const ConvShape shape = ConvShapeOf(context);
        const int words = Im2colWords(config_, shape, context.output.image);
        const int steps = words / (context.output.image.height * context.output.image.width);
        if (PrefersIm2col(config_, shape) && shape.window.stride_w * shape.in_channels <= 65535 &&
            steps + 4 <= config_.ring_rows() && words < config_.activation_words()) {
          const std::optional<int> scratch = memory_.Allocate(words, users[0], users[0], true);
          if (scratch) {
            scratch_ = scratch;
            raw_user_ = users[0];
          }
        }
      }
    }
    LoweredStep load;
    load.external_tensor = input;
    Descriptor& d = load.descriptor;
    d.set_opcode(static_cast<int>(Opcode::kLoad));
    const int beat = config_.axi_bytes();
    if (scratch_) {
      job_.input_is_raw = true;
      input_bytes_ = static_cast<uint32_t>((raw_bytes + beat - 1) / beat * beat);
      d.set_to_staging(1).set_row_bytes(input_bytes_).set_dma_rows(1).set_dma_planes(1);
    } else {
      MACLOOM_RETURN_IF_ERROR(Place(input, 0));
      const OnChipTensor& placed = on_chip_[input];
      job_.input_placement = ExternalPlacement(image, config_.lanes);
      input_bytes_ =
          static_cast<uint32_t>(job_.input_placement.plane_pitch * image.Blocks(config_.lanes));
      SetTransfer(placed, config_.lanes, d);
      TensorRegion region;
      region.tensor = input;
      region.num_rows = image.height;
      region.num_cols = image.width;
      region.placement = placed.placement;
      load.produces = {region};
    }
    steps_.push_back(std::move(load));
    return {};
  }

  /// Striped: the input stays where the host writes it.
  void PlaceExternalInput() {
    const Image image = *ImageOf(graph_.tensor(graph_.input).shape);
    job_.input_placement = ExternalPlacement(image, config_.lanes);
    input_bytes_ = ExternalBytes(image, config_.lanes);
    const Image output = *ImageOf(graph_.tensor(RootOf(job_.device_output)).shape);
    job_.output_placement = ExternalPlacement(output, config_.lanes);
    output_bytes_ = ExternalBytes(output, config_.lanes);
  }

  NodeContext ContextOf(int n) {
    NodeContext context{graph_, config_, node(n)};
    context.node_index = n;
    context.accumulator_bits = job_.effective_accumulator_bits;
    context.overflow = job_.overflow;
    for (const ir::TensorId input : node(n).inputs) {
      OnChipTensor placed = on_chip_[RootOf(input)];
      const Image image = *ImageOf(graph_.tensor(input).shape);
      // A flattened image keeps its layout: FULLY_CONNECTED takes it as an image.
      const bool is_flattened = node(n).kind == ir::OperatorKind::kFullyConnected;
      if (!is_flattened) placed.image = image;
      context.inputs.push_back(placed);
    }
    context.output_tensor = node(n).output;
    context.output = on_chip_[node(n).output];
    if (context.output.image.channels == 1 && on_chip_[node(n).output].placement.row_pitch == 0) {
      context.output.image = *ImageOf(graph_.tensor(node(n).output).shape);
    }
    return context;
  }

  /// The tensors' whole images, without places on chip; inputs by the tensor that has the storage.
  NodeContext ExternalContextOf(int n) {
    external_nodes_.push_back(std::make_unique<ir::Node>(node(n)));
    ir::Node& copy = *external_nodes_.back();
    NodeContext context{graph_, config_, copy};
    context.node_index = n;
    context.accumulator_bits = job_.effective_accumulator_bits;
    context.overflow = job_.overflow;
    context.output_tensor = copy.output;
    context.output.image = *ImageOf(graph_.tensor(copy.output).shape);
    for (ir::TensorId& input : copy.inputs) {
      const Image own = *ImageOf(graph_.tensor(input).shape);
      input = RootOf(input);
      const Image root = *ImageOf(graph_.tensor(input).shape);
      OnChipTensor tensor;
      tensor.image = copy.kind == ir::OperatorKind::kFullyConnected ? root : own;
      context.inputs.push_back(tensor);
    }
    if (copy.kind == ir::OperatorKind::kDepthwiseConv2d ||
        copy.kind == ir::OperatorKind::kAveragePool2d) {
      context.mapping = ChooseMapping(config_, copy.window, context.output.image);
    }
    return context;
  }

  Status LowerNode(int n) {
    const ir::Node& current = node(n);
    if (current.kind == ir::OperatorKind::kReshape) {
      for (LoweredStep& step : steps_) AddAliasRegions(step, n);
      return {};
    }
    if (!is_striped_) MACLOOM_RETURN_IF_ERROR(Place(current.output, n));
    NodeContext context = is_striped_ ? ExternalContextOf(n) : ContextOf(n);
    Result<std::vector<LoweredStep>> lowered = std::vector<LoweredStep>{};
    ir::Accumulation accumulation;
    accumulation.width_bits = job_.effective_accumulator_bits;
    accumulation.overflow = job_.overflow;
    accumulation.products_per_step = config_.lanes;
    const bool is_raw = n == raw_user_;
    switch (current.kind) {
      case ir::OperatorKind::kDepthwiseConv2d:
        if (!(current.depth_multiplier > 1 || is_raw)) {
          accumulation.products_per_step = 1;
          accumulation.order = ChooseMapping(config_, current.window, context.output.image).along_y
                                   ? ir::AccumulationOrder::kTapSerialColumn
                                   : ir::AccumulationOrder::kTapSerial;
          if (!is_striped_) lowered = LowerDepthwise(context);
          break;
        }
        [[fallthrough]];
      case ir::OperatorKind::kConv2d:
      case ir::OperatorKind::kFullyConnected:
        accumulation.order =
            is_raw ? ir::AccumulationOrder::kFlatTap : ir::AccumulationOrder::kBlockTap;
        if (!is_striped_) lowered = LowerConv(context, is_raw ? scratch_ : std::nullopt);
        break;
      case ir::OperatorKind::kAveragePool2d:
        accumulation.products_per_step = 1;
        accumulation.order = ChooseMapping(config_, current.window, context.output.image).along_y
                                 ? ir::AccumulationOrder::kTapSerialColumn
                                 : ir::AccumulationOrder::kTapSerial;
        if (!is_striped_) lowered = LowerAveragePool(context);
        break;
      case ir::OperatorKind::kMaxPool2d:
        if (!is_striped_) lowered = LowerMaxPool(context);
        break;
      case ir::OperatorKind::kPad:
        if (!is_striped_) lowered = LowerPad(context);
        break;
      case ir::OperatorKind::kConcatenation:
        if (!is_striped_) lowered = LowerConcatenation(context);
        break;
      case ir::OperatorKind::kAdd:
        if (!is_striped_) lowered = LowerAdd(context);
        break;
      default:
        return RefuseNode(current, "not an operator of the accelerator");
    }
    if (is_striped_) lowered = LowerStriped(context);
    if (!lowered.ok()) return lowered.error();
    const ir::Node& original = job_.graph.nodes[static_cast<size_t>(n)];
    if (original.kind == ir::OperatorKind::kDepthwiseConv2d &&
        current.kind == ir::OperatorKind::kConv2d) {
      accumulation.products_per_step = 1;
      accumulation.order = ir::AccumulationOrder::kTapSerial;
    }
    if (IsRefilled(n)) {
      if (config_.accumulator_alignment_bits >= 0) {
        return RefuseNode(current,
                          "zeros between its weights would take part in the alignment of products "
                          "(acc.alignment_bits)");
      }
      const int64_t filled = ir::NumMacs(graph_, current);
      for (LoweredStep& step : *lowered) {
        step.useful_macs = step.macs * ir::NumMacs(job_.graph, original) / filled;
      }
    }
    if (config_.is_minifloat()) {
      accumulation = MinifloatAccumulation(config_, job_.overflow, accumulation);
    }
    job_.accumulation.resize(graph_.nodes.size());
    job_.accumulation[static_cast<size_t>(n)] = accumulation;
    for (LoweredStep& step : *lowered) steps_.push_back(std::move(step));
    return {};
  }

  /// A reshape of a vector shows the same words under another tensor.
  void AddAliasRegions(LoweredStep& step, int n) const {
    const Image from = *ImageOf(graph_.tensor(node(n).inputs[0]).shape);
    const Image to = *ImageOf(graph_.tensor(node(n).output).shape);
    if (from.height != to.height || from.width != to.width) return;
    std::vector<TensorRegion> aliases;
    for (const TensorRegion& region : step.produces) {
      if (region.tensor != node(n).inputs[0]) continue;
      aliases.push_back(region);
      aliases.back().tensor = node(n).output;
    }
    step.produces.insert(step.produces.end(), aliases.begin(), aliases.end());
  }

  void StoreOutput() {
    const OnChipTensor& placed = on_chip_[RootOf(job_.device_output)];
    LoweredStep store;
    store.external_tensor = RootOf(job_.device_output);
    store.descriptor.set_opcode(static_cast<int>(Opcode::kStore));
    SetTransfer(placed, config_.lanes, store.descriptor);
    job_.output_placement = ExternalPlacement(placed.image, config_.lanes);
    output_bytes_ = static_cast<uint32_t>(job_.output_placement.plane_pitch *
                                          placed.image.Blocks(config_.lanes));
    steps_.push_back(std::move(store));
  }

  ir::Graph graph_;  ///< Canonical.
  const HardwareConfig& config_;
  Job job_;
  MemoryPlan memory_;
  bool is_striped_ = false, is_out_of_memory_ = false;
  std::vector<std::unique_ptr<ir::Node>> external_nodes_;
  int num_device_nodes_ = 0;
  std::vector<ir::TensorId> root_;
  std::vector<int> last_use_;
  std::vector<bool> walked_by_window_;
  std::map<ir::TensorId, OnChipTensor> on_chip_;
  std::optional<int> scratch_;
  int raw_user_ = -1;
  uint32_t input_bytes_ = 0, output_bytes_ = 0;
  std::vector<LoweredStep> steps_;
};

}  // namespace

Result<Job> Compile(const ir::Graph& graph, const HardwareConfig& config,
                    const CompileOptions& options) {
  Compiler on_chip(graph, config, options);
  Result<Job> job = on_chip.Run(false);
  if (job.ok() || !on_chip.is_out_of_memory()) return job;
  return Compiler(graph, config, options).Run(true);
}

}  // namespace macloom::arch
