#include <algorithm>
#include <optional>

#include "golden/reference/fixed_point_math.h"
#include "golden/reference/operators.h"

namespace macloom::golden {
namespace {

// exp(code - largest) in Q0.31; nothing if the difference is below diff_min and counts as 0.
std::optional<int64_t> ExpOfDifference(int64_t difference, const ir::SoftmaxParameters& softmax) {
  if (difference < softmax.diff_min) return std::nullopt;
  const ir::FixedPointMultiplier pair{softmax.input_multiplier, softmax.input_left_shift};
  return ExpOfNonPositive(softmax.rounding == ir::Rounding::kDouble
                              ? ScaleWithDoubleRounding(difference, pair)
                              : ScaleWithSingleRounding(difference, pair));
}

}  // namespace

NodeRun Softmax(const ir::Graph& graph, const ir::Node& node, const ir::TensorValue& x) {
  NodeRun run;
  run.output.shape = graph.tensor(node.output).shape;
  constexpr int kAccumulationShift = 12;  // Q0.31 -> Q12.19.
  constexpr int kOutputBits = 8;
  const int64_t row_elements = x.shape.back();
  for (auto row = x.codes.begin(); row != x.codes.end(); row += row_elements) {
    const int64_t largest = *std::max_element(row, row + row_elements);
    int64_t sum = 0;
    for (auto code = row; code != row + row_elements; ++code) {
      const auto exponential = ExpOfDifference(*code - largest, node.softmax);
      if (exponential) sum += RoundingDivideByPowerOfTwo(*exponential, kAccumulationShift);
    }
    const Reciprocal reciprocal = ReciprocalOf(sum);
    for (auto code = row; code != row + row_elements; ++code) {
      int64_t value = -128;
      const auto exponential = ExpOfDifference(*code - largest, node.softmax);
      if (exponential) {
        value += RoundingDivideByPowerOfTwo(
            RoundingDoublingHighMultiply(reciprocal.mantissa_q0_31, *exponential),
            reciprocal.num_bits_over_unit + 31 - kOutputBits);
      }
      run.output.codes.push_back(static_cast<int32_t>(std::clamp<int64_t>(value, -128, 127)));
    }
  }
  return run;
}

}  // namespace macloom::golden
