#include "golden/reference/minifloat_requantize.h"
#include "golden/reference/operators.h"

namespace macloom::golden {
namespace {

/// clamp(RNE(x_0 * 2^k_0 + x_1 * 2^k_1)).
NodeRun AddMinifloats(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& a,
                      const ir::TensorValue& b) {
  NodeRun run;
  const ir::TensorInfo& out = graph.tensor(node.output);
  run.output.shape = out.shape;
  const auto scaled = [&](size_t operand, int32_t code) {
    return ValueOf(graph.tensor(node.inputs[operand]).format, code)
        .value.ScaledBy(node.add.input[operand].shift);
  };
  for (size_t i = 0; i < a.codes.size(); ++i) {
    const ExactReal sum = scaled(0, a.codes[i]) + scaled(1, b.codes[i]);
    run.Append(RoundAndClamp({FloatClass::kFinite, sum.IsNegative(), sum}, out.format,
                             node.requantization));
  }
  return run;
}

}  // namespace

NodeRun Add(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& a,
            const ir::TensorValue& b) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  const ir::Requantization& requantization = node.requantization;
  if (requantization.kind == ir::RequantizationKind::kToMinifloat) {
    return AddMinifloats(graph, node, a, b);
  }
  constexpr int64_t kHeadroom = int64_t{1} << ir::AddParameters::kLeftShift;
  const auto scaled = [&](int operand, int32_t code) {
    const size_t i = static_cast<size_t>(operand);
    const int64_t zero_point = graph.tensor(node.inputs[i]).quantization.zero_point();
    return Scale((code - zero_point) * kHeadroom, node.add.input[i], requantization.kind);
  };
  if (requantization.kind == ir::RequantizationKind::kShift) {
    const auto aligned = [&](size_t i, int32_t code) {
      const int64_t zero_point = graph.tensor(node.inputs[i]).quantization.zero_point();
      return (code - zero_point) * (int64_t{1} << node.add.input[i].shift);
    };
    for (size_t i = 0; i < a.codes.size(); ++i) {
      const int64_t sum = aligned(0, a.codes[i]) + aligned(1, b.codes[i]);
      run.Append(Clamp(RoundingShiftRight(sum, node.add.output.shift) + requantization.zero_point,
                       requantization));
    }
    return run;
  }
  if (requantization.kind == ir::RequantizationKind::kMultiplyAddDivide) {
    const auto weighted = [&](size_t i, int32_t code) {
      const int64_t zero_point = graph.tensor(node.inputs[i]).quantization.zero_point();
      return (code - zero_point) * int64_t{node.add.input[i].multiplier};
    };
    for (size_t i = 0; i < a.codes.size(); ++i) {
      const int64_t sum = weighted(0, a.codes[i]) + weighted(1, b.codes[i]);
      const int64_t divided =
          MultiplyAddDivide(sum, 1, requantization.addends[0], requantization.divisor);
      run.Append(Clamp(divided + requantization.zero_point, requantization));
    }
    return run;
  }
  for (size_t i = 0; i < a.codes.size(); ++i) {
    const int64_t sum = scaled(0, a.codes[i]) + scaled(1, b.codes[i]);
    const int64_t rounded = Scale(sum, node.add.output, requantization.kind);
    run.Append(Clamp(rounded + requantization.zero_point, requantization));
  }
  return run;
}

}  // namespace macloom::golden
