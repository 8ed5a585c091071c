#include "golden/reference/output_sum.h"

#include "golden/reference/minifloat_accumulator.h"
#include "golden/reference/minifloat_requantize.h"
#include "golden/reference/operators.h"

namespace macloom::golden {
namespace {

std::vector<DecodedMinifloat> DecodeAll(const ir::NumberFormat& format) {
  std::vector<DecodedMinifloat> decoded;
  for (int64_t code = 0; code <= format.MaxCode(); ++code) decoded.push_back(Decode(format, code));
  return decoded;
}

}  // namespace

OutputSum::OutputSum(const ir::Graph& graph, const ir::Node& node,
                     const ir::Accumulation& accumulation)
    : requantization_(node.requantization),
      accumulation_(accumulation),
      input_format_(graph.tensor(node.inputs[0]).format),
      output_format_(graph.tensor(node.output).format),
      extent_(ExtentOf(graph, node)) {
  if (!input_format_.IsMinifloat()) {
    summation_.emplace_back(accumulation, extent_);
    return;
  }
  const ir::NumberFormat weight_format =
      node.weights < 0 ? input_format_ : graph.constant(node.weights).format;
  order_ = MakeStepOrder(accumulation, extent_);
  product_lsb_ = input_format_.LeastExponent() + weight_format.LeastExponent();
  inputs_ = DecodeAll(input_format_);
  weights_ = DecodeAll(weight_format);
}

int64_t OutputSum::unit_weight() const {
  if (!input_format_.IsMinifloat()) return 1;
  // e = bias, f = 0.
  return int64_t{input_format_.exponent_bias} << input_format_.mantissa_bits;
}

void OutputSum::Append(NodeRun& run, int64_t start, Strided<int32_t> codes,
                       Strided<int64_t> weights, int64_t channel, int64_t num_positions) const {
  if (summation_.empty()) {
    AppendMinifloat(run, start, codes, weights, channel, num_positions);
    return;
  }
  run.Append(summation_[0].Run(start, codes, weights), requantization_, channel, num_positions);
}

void OutputSum::AppendMinifloat(NodeRun& run, int64_t bias, Strided<int32_t> codes,
                                Strided<int64_t> weights, int64_t channel,
                                int64_t num_positions) const {
  MinifloatAccumulator accumulator(accumulation_, product_lsb_, bias);
  __int128 exact = bias;
  std::vector<ProductTerm> step;
  int64_t next = 0;
  for (const int64_t step_end : order_.step_ends) {
    step.clear();
    for (; next < step_end; ++next) {
      const int64_t i = order_.positions[static_cast<size_t>(next)];
      const DecodedMinifloat& input = inputs_[static_cast<size_t>(codes[i])];
      const DecodedMinifloat& weight = weights_[static_cast<size_t>(weights[i])];
      step.push_back(TermOf(input, weight));
      exact += static_cast<__int128>(input.grid_integer()) * weight.grid_integer();
    }
    accumulator.Step(step);
  }
  const ExtendedReal value = accumulator.value();
  const bool is_right =
      value.float_class == FloatClass::kFinite && value.value == ExactReal(exact, product_lsb_);
  run.accumulators.push_back(accumulator.register_bits());
  run.events.overflow_events += accumulator.num_events();
  run.events.overflowed_outputs += accumulator.num_events() > 0 ? 1 : 0;
  run.events.wrong_outputs += is_right ? 0 : 1;
  run.Append(RequantizeToMinifloat(value, output_format_, requantization_, channel, num_positions));
}

}  // namespace macloom::golden
