// Lowers one node to descriptors, given where its tensors lie.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/job.h"
#include "arch/layout.h"
#include "arch/stream.h"

namespace macloom::arch {

/// A descriptor before addresses are known, and what it does.
struct LoweredStep {
  Descriptor descriptor;
  std::shared_ptr<const Stream> stream;  ///< Null: none. Parts of a layer share one.
  int node = -1;
  int64_t macs = 0;
  std::optional<int64_t> useful_macs;  ///< Without those by zeros filled in; none: all.
  std::vector<TensorRegion> produces;
  /// Loads and stores: the tensor in external memory and the byte offset in it.
  ir::TensorId external_tensor = -1;
  int64_t external_offset = 0;
};

/// A tensor on chip.
struct OnChipTensor {
  Image image;
  TensorPlacement placement;  ///< Of (0, 0), in words.
};

/// How a depthwise or pooling layer is mapped to the array.
struct WindowMapping {
  bool along_y = false;  ///< The array's rows run along image y.
  int group_rows = 1;    ///< Output pixels per group.
  int window_taps = 1;   ///< Taps per window chunk.
  int64_t cycles = 0;    ///< Estimate.
};

/// What lowering a node needs to know.
struct NodeContext {
  const ir::Graph& graph;
  const HardwareConfig& config;
  const ir::Node& node;
  int node_index = 0;
  int accumulator_bits = 32;
  ir::Overflow overflow = ir::Overflow::kWrap;
  std::vector<OnChipTensor> inputs = {};
  OnChipTensor output = {};
  ir::TensorId output_tensor = -1;
  /// Mapping of the whole layer, where only a part of it is lowered.
  std::optional<WindowMapping> mapping = {};

  /// The same layer with a part of its node and no tensors. `part` must outlive the result.
  NodeContext WithNode(const ir::Node& part) const {
    return {graph,    config, part, node_index,    accumulator_bits,
            overflow, {},     {},   output_tensor, mapping};
  }
};

/// The cheapest mapping by estimated cycles.
WindowMapping ChooseMapping(const HardwareConfig& config, const ir::Window& window,
                            const Image& output);

/// Weights, kernel and channels of a node that runs as a convolution: CONV_2D, FULLY_CONNECTED (the
/// whole input image is the kernel), DEPTHWISE_CONV_2D of one channel.
struct ConvShape {
  ir::Window window;
  int in_channels = 0, out_channels = 0;
};
ConvShape ConvShapeOf(const NodeContext& context);

/// Words of the virtual im2col tensor of a convolution.
int Im2colWords(const HardwareConfig& config, const ConvShape& shape, const Image& output);
/// Whether im2col takes fewer steps than channel blocks, so that it pays for a raw input.
bool PrefersIm2col(const HardwareConfig& config, const ConvShape& shape);

/// @param scratch  base word of the virtual tensor; nullopt = dense.
Result<std::vector<LoweredStep>> LowerConv(const NodeContext& context, std::optional<int> scratch);
Result<std::vector<LoweredStep>> LowerDepthwise(const NodeContext& context);
Result<std::vector<LoweredStep>> LowerAveragePool(const NodeContext& context);
Result<std::vector<LoweredStep>> LowerMaxPool(const NodeContext& context);
Result<std::vector<LoweredStep>> LowerPad(const NodeContext& context);
Result<std::vector<LoweredStep>> LowerConcatenation(const NodeContext& context);
Result<std::vector<LoweredStep>> LowerAdd(const NodeContext& context);

/// One step over the whole output with all weights 1 and codes unchanged: the largest code or the
/// sum of each window, clamped. Minifloat windows always take the largest code.
struct UnitWindow {
  int64_t pad_code = 0;
  bool is_maximum = false;
  /// None: no code is clamped.
  std::optional<int32_t> clamp_min = std::nullopt, clamp_max = std::nullopt;
};
Result<LoweredStep> LowerUnitWindow(const NodeContext& context, const UnitWindow& unit);

/// Lowers a node whose tensors stay in external memory: stripes of output rows, each loaded with
/// its halo, computed and stored. Depthwise and pooling layers keep the mapping of the whole layer.
Result<std::vector<LoweredStep>> LowerStriped(const NodeContext& context);

/// ceil(a / b), a not negative, b positive.
inline int CeilDivide(int64_t a, int64_t b) { return static_cast<int>((a + b - 1) / b); }

/// Longest run of a load or store: 16 bits, a multiple of every beat.
inline constexpr int64_t kMaxTransferBytes = 65520;

/// Sets the runs of a load or store (by the descriptor's opcode) of a whole tensor between memory
/// (dense planes) and chip: one run, or one per plane where the chip's layout is dense too, else
/// one per row.
void SetTransfer(const OnChipTensor& tensor, int lanes, Descriptor& descriptor);

/// Bytes of a tensor in external memory, at most 2^31.
uint32_t ExternalBytes(const Image& image, int lanes);

/// Layout of a tensor in external memory: dense planes of words, in bytes.
TensorPlacement ExternalPlacement(const Image& image, int lanes);

/// Start values and lane multipliers of all output channels; an error under saturation if a start
/// value does not fit the accumulator, or if the lanes cannot take a multiplier.
Result<std::vector<ChannelParameters>> ChannelParametersOf(const NodeContext& context);

/// Requantization mode, zero point, clamp; returns whether one multiplier serves all channels (it
/// is then in the descriptor). `pair` is that of channel 0.
bool SetRequantization(const ir::Requantization& requantization,
                       const ir::FixedPointMultiplier& pair, Descriptor& descriptor);

/// "node `name` (CONV_2D): reason" as kUnsupported.
Error Unmappable(const NodeContext& context, const std::string& reason);

}  // namespace macloom::arch
