// A network before quantization: float32 constants, the operators of ir::Graph and batch
// normalization.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace macloom::ir {

/// A float32 constant, row-major; layouts as in ir::Graph (OHWI, HWC for depthwise, OI).
struct FloatConstant {
  std::string name;
  Shape shape;
  std::vector<float> values;
};

/// y_c = gamma_c * (x_c - mean_c) / sqrt(variance_c + epsilon) + beta_c, c = last axis. Follows a
/// node with weights as part of it: before the clamp.
struct BatchNormalization {
  ConstantId gamma = -1;
  ConstantId beta = -1;
  ConstantId mean = -1;
  ConstantId variance = -1;
  double epsilon = 1e-5;
  bool is_present() const { return mean >= 0; }
};

struct FloatTensorInfo {
  std::string name;
  Shape shape;  ///< Without batch axis, as in ir::TensorInfo.
};

/// y = clamp(batch_norm(op(x) + bias), clamp_min, clamp_max); ReLU is clamp_min 0.
struct FloatNode {
  std::string name;
  OperatorKind kind = OperatorKind::kReshape;
  std::vector<TensorId> inputs;
  TensorId output = -1;
  Window window;
  ConstantId weights = -1;
  ConstantId bias = -1;
  int depth_multiplier = 1;
  int axis = 0;  ///< kConcatenation only.
  BatchNormalization batch_norm;
  float clamp_min = -std::numeric_limits<float>::infinity();
  float clamp_max = std::numeric_limits<float>::infinity();
};

struct FloatGraph {
  std::string name;
  std::vector<FloatTensorInfo> tensors;
  std::vector<FloatConstant> constants;
  std::vector<FloatNode> nodes;  ///< In execution order.
  TensorId input = -1;
  TensorId output = -1;
  std::vector<std::string> class_labels;
  std::string front_end;  ///< Feature recipe as JSON text (docs/formats.md); empty: none.
  std::string origin;
  std::string licence;

  const FloatTensorInfo& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }
  const FloatConstant& constant(ConstantId id) const { return constants[static_cast<size_t>(id)]; }
};

/// Checks what execution and quantization rely on: indices, order and shapes as for ir::Graph, all
/// constants finite, batch normalization complete and behind weights only, variance + epsilon > 0,
/// clamps ascending and only where values are computed (not PAD, RESHAPE, CONCATENATION, SOFTMAX).
/// Names the node or constant.
Status Verify(const FloatGraph& graph);

/// Multiply-accumulates of a node, as NumMacs() of ir::Graph counts them.
int64_t NumMacs(const FloatGraph& graph, const FloatNode& node);

/// Readable text form, one line per tensor, constant and node; stable.
std::string ToText(const FloatGraph& graph);

/// SHA-256 (hex) over the canonical serialisation. @pre Verify() accepts the graph.
std::string Digest(const FloatGraph& graph);

}  // namespace macloom::ir
