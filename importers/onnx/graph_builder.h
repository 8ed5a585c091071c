// The graph under construction: nodes are added once their requantization is known.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "importers/onnx/values.h"
#include "ir/graph.h"

namespace macloom::importers::onnx {

/// Codes that a quantizer of the file makes.
struct CodeFormat {
  ir::NumberFormat format;
  int64_t min_code = 0;  ///< Narrow ranges leave the format's smallest code out.
  int64_t max_code = 0;
  double scale = 1;
  int32_t zero_point = 0;
};

/// How a quantizer of the file rounds code + zero point.
enum class QuantRounding { kHalfEven, kFloor, kCeil, kTowardZero, kBipolar };

class GraphBuilder {
 public:
  ir::Graph& graph() { return graph_; }

  /// The network's input as codes of `codes`.
  Result<ActivationValue> AddInput(const std::string& name, const ir::Shape& file_shape,
                                   const CodeFormat& codes);

  /// `value` as a node that is still open: its own, or a depthwise convolution with weights 1.
  Result<std::shared_ptr<const ir::Node>> OpenNode(const ActivationValue& value);

  /// The tensor of a value that is s * (code - zero point), padding made if `makes_padding`.
  /// @return kUnsupported if it is anything else.
  Result<ir::TensorId> TensorOf(const ActivationValue& value, double* scale, bool makes_padding);

  /// clamp(floor(map(x)), low, high) as a node; all constants must have been integers.
  Result<ActivationValue> RequantizeExactly(const ActivationValue& value, int64_t low, int64_t high,
                                            const std::string& name);

  /// floor(map(x)) as a node whose tensor holds every value it can take.
  Result<ActivationValue> RequantizeUnclamped(const ActivationValue& value,
                                              const std::string& name);

  /// round(value / scale) + zero point, clamped, as a node equal for every reachable accumulator.
  Result<ActivationValue> Quantize(const ActivationValue& value, const CodeFormat& codes,
                                   QuantRounding rounding, const std::string& name);

  /// The accumulator itself as the network's output; its scale is kept where there is one.
  Result<ir::TensorId> Finish(const ActivationValue& value, const std::string& name);

  /// Adds a node that moves or chooses codes.
  ActivationValue AddMoving(ir::Node node, const ActivationValue& from, const ir::Shape& file_shape,
                            const std::string& name);

  /// Adds integer weights or biases.
  ir::ConstantId AddConstant(const std::string& name, ir::Shape shape, int bits,
                             std::vector<int64_t> codes);

  std::string UniqueName(const std::string& wanted);

  /// Elements of all weights and biases so far.
  int64_t num_constant_elements() const { return num_constant_elements_; }

 private:
  Result<ActivationValue> AddNode(ir::Node node, const ActivationValue& from,
                                  const CodeFormat& codes, const std::string& name);
  ir::TensorId AddTensor(const std::string& name, const ir::Shape& file_shape,
                         const CodeFormat& codes);

  ir::Graph graph_;
  std::set<std::string> names_;
  int64_t num_constant_elements_ = 0;
};

/// [C, H, W] as [H, W, C], [C, W] as [1, W, C], [C] as [C].
ir::Shape ImageShape(const ir::Shape& file_shape);

/// Smallest and largest accumulator of an open node of `graph`, one pair per channel or one.
struct Reach {
  int64_t low = 0;
  int64_t high = 0;
};
Result<std::vector<Reach>> ReachOf(const ir::Graph& graph, const ir::Node& node,
                                   int64_t num_channels);

}  // namespace macloom::importers::onnx
