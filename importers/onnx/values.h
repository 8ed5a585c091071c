// What a name of the file stands for while the graph is read: a constant, or codes under an affine
// map that no node has been made of yet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "importers/onnx/file_model.h"
#include "ir/graph.h"

namespace macloom::importers::onnx {

/// A constant of the file; after a quantizer, values = codes * scales.
struct ConstantValue {
  ir::Shape shape;
  std::vector<double> values;
  std::vector<double> codes;   ///< Empty: not quantized.
  std::vector<double> scales;  ///< As many as codes.
  int code_bits = 0;           ///< Width that the quantizer names.
};

/// x -> (num[c] * x + add[c]) / div where all constants were integers, and the same as doubles.
/// One entry, or one per channel.
struct AffineMap {
  std::vector<double> slope{1};
  std::vector<double> offset{0};
  bool is_exact = true;  ///< num, add and div hold; false after an overflow or a fraction.
  std::vector<int64_t> num{1};
  std::vector<int64_t> add{0};
  int64_t div = 1;
};

/// Values of the running network: an affine map of x, where x is code - zero point of `tensor`, or
/// the accumulator of `open`, a node whose requantization is still unknown.
struct ActivationValue {
  ir::TensorId tensor = -1;
  std::shared_ptr<const ir::Node> open;
  ir::Shape shape;  ///< As in the file without batch axis: [C, H, W], [C, W] or [C].
  ir::Shape image;  ///< Shape before flattening; empty if nothing was flattened.
  AffineMap map;
  bool is_graph_input = false;  ///< The unquantized input of the network.
  bool is_integer_type = false;
  bool is_floored = false;    ///< value = outer * floor(map(x)).
  bool is_truncated = false;  ///< As floored, but negative values were rounded toward zero.
  int64_t outer = 1;
  bool has_relu = false;      ///< max(value, 0) comes next.
  bool is_host_side = false;  ///< Softmax of it: must be the network's output.
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;

  bool has_padding() const { return pad_top + pad_bottom + pad_left + pad_right != 0; }
};

struct Value {
  std::shared_ptr<const ConstantValue> constant;  ///< Null: an activation.
  ActivationValue activation;
};

}  // namespace macloom::importers::onnx
