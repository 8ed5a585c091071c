#include "train/qat/quantizers.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <numbers>

namespace macloom::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct FixedPointFunction : public Function<FixedPointFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& log2_range,
                        int64_t fraction_bits, int64_t min_code, int64_t max_code) {
    context->save_for_backward({x, log2_range});
    context->saved_data["fraction_bits"] = fraction_bits;
    context->saved_data["min_code"] = min_code;
    context->saved_data["max_code"] = max_code;
    const double unit = std::ldexp(1.0, static_cast<int>(-fraction_bits));
    return (x * (1 / unit)).add_(0.5).floor_().clamp_(min_code, max_code).mul_(unit);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const int64_t min_code = context->saved_data["min_code"].toInt();
    const int64_t max_code = context->saved_data["max_code"].toInt();
    const double unit =
        std::ldexp(1.0, static_cast<int>(-context->saved_data["fraction_bits"].toInt()));
    const Tensor scaled = saved[0] * (1 / unit);
    const Tensor inside = scaled.ge(static_cast<double>(min_code) - 0.5)
                              .logical_and_(scaled.le(static_cast<double>(max_code) + 0.5));
    Tensor range_gradient;
    if (saved[1].requires_grad()) {
      const Tensor code = (scaled + 0.5).floor_().clamp_(min_code, max_code);
      range_gradient =
          (gradients[0] * (code - scaled * inside)).sum().mul_(unit * std::numbers::ln2);
    }
    return {gradients[0] * inside, range_gradient, {}, {}, {}};
  }
};

struct TruncateFunction : public Function<TruncateFunction> {
  static Tensor forward(AutogradContext*, const Tensor& x) { return x.trunc(); }
  static variable_list backward(AutogradContext*, variable_list gradients) { return gradients; }
};

}  // namespace

Tensor QuantizeFixedPoint(const Tensor& x, const Tensor& log2_range, const Grid& grid) {
  // Function takes defined tensors only.
  const Tensor range = log2_range.defined() ? log2_range : at::zeros({}, x.options());
  return FixedPointFunction::apply(x, range, static_cast<int64_t>(grid.fraction_bits),
                                   grid.min_code, grid.max_code);
}

Tensor TruncateStraightThrough(const Tensor& x) { return TruncateFunction::apply(x); }

Tensor CosineDistance(const Tensor& weights, double step) {
  return (1 - (weights * (std::numbers::pi / step)).cos().abs()).mean();
}

}  // namespace macloom::train
