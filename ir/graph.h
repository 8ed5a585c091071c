// What a quantized network is: tensors, constants, nodes in execution order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/accumulation.h"
#include "ir/requantization.h"
#include "ir/tensor.h"

namespace macloom::ir {

using TensorId = int;    ///< Index into Graph::tensors.
using ConstantId = int;  ///< Index into Graph::constants; -1 = none.

enum class OperatorKind {
  kConv2d,           ///< inputs {x}; weights OHWI [OC, KH, KW, IC]; bias [OC] or none.
  kDepthwiseConv2d,  ///< inputs {x}; weights [KH, KW, OC], OC = IC * depth_multiplier, oc = ic*mult
                     ///< + m.
  kFullyConnected,   ///< inputs {x}, x flattened row-major; weights OI [OC, IC]; bias [OC] or none.
  kAveragePool2d,    ///< inputs {x}; requantization kMean or kShift; padding positions are left out
                     ///< and not counted.
  kMaxPool2d,        ///< inputs {x}; clamped largest code; padding positions are left out.
  kAdd,              ///< inputs {a, b} of equal shape.
  kConcatenation,    ///< inputs {x0, x1, ...} of equal format, one after the other along `axis`.
  kPad,              ///< inputs {x}; the zero point around the image, by the window's padding.
  kReshape,          ///< inputs {x}; same elements, row-major.
  kSoftmax,          ///< inputs {x}; over the last axis.
};

/// Upper-case operator name as in TFLite, e.g. "CONV_2D".
std::string ToString(OperatorKind kind);

/// Kernel, stride and explicit padding of convolution and pooling (elements; SAME is resolved by
/// importers). Output size: (in + pad_before + pad_after - ((kernel - 1) * dilation + 1)) / stride
/// + 1. PAD has kernel and stride 1.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int dilation_h = 1, dilation_w = 1;  ///< Distance of neighbouring taps; above 1: weights only.
  bool operator==(const Window&) const = default;
};

struct Node {
  std::string name;
  OperatorKind kind = OperatorKind::kReshape;
  std::vector<TensorId> inputs;
  TensorId output = -1;
  Window window;
  ConstantId weights = -1;
  ConstantId bias = -1;
  int depth_multiplier = 1;
  int axis = 0;  ///< kConcatenation only.
  Requantization requantization;
  AddParameters add;          ///< kAdd only.
  SoftmaxParameters softmax;  ///< kSoftmax only.
  /// Accumulator width the network was trained for, if it states one.
  std::optional<int> required_accumulator_bits;
};

struct Graph {
  std::string name;
  std::vector<TensorInfo> tensors;
  std::vector<Constant> constants;
  std::vector<Node> nodes;  ///< In execution order: a node's inputs are produced before it.
  TensorId input = -1;
  TensorId output = -1;
  std::vector<std::string> class_labels;
  /// Feature recipe as JSON text (docs/audio.md): what turns a sound into the input; empty: none.
  std::string front_end;
  std::string origin;  ///< Where the network comes from, e.g. the imported file's name and sha256.
  std::string licence;
  bool is_untrained = false;  ///< Pseudo-random weights; every print says so.

  const TensorInfo& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }
  const Constant& constant(ConstantId id) const { return constants[static_cast<size_t>(id)]; }
};

/// Checks everything execution relies on: indices, order, shapes against window and weights,
/// formats (activations and weights integer, 2..16 bits; weights' zero point 0), code ranges,
/// number and range of multipliers and shifts, clamp inside the output format, sizes (a tensor or
/// constant has at most 2^26 elements), and that no exact accumulator can leave 63 bits. Names the
/// node.
Status Verify(const Graph& graph);

/// Multiply-accumulates of a node, padding positions counted (OH*OW*OC*KH*KW*IC and so on). 0 for
/// nodes without weights.
int64_t NumMacs(const Graph& graph, const Node& node);

/// acc0 = bias - z_in * sum(w) for output channel `oc` of a node with weights.
int64_t AccumulatorStart(const Graph& graph, const Node& node, int64_t oc);

/// Smallest P such that every prefix of every order fits P bits, over all input codes (the
/// certificate of docs/numerics.md section 3, any order); 0 for nodes without accumulator.
int RequiredAccumulatorBits(const Graph& graph, const Node& node);

/// Readable text form, one line per tensor and node; stable, used by golden tests and `inspect`.
std::string ToText(const Graph& graph);

/// SHA-256 (hex) over the canonical serialisation: identifies a network in jobs and results.
std::string Digest(const Graph& graph);

}  // namespace macloom::ir
