#include "train/qat/optimizer.h"

#include <cmath>

namespace macloom::train {

void Optimizer::Add(const std::string& name, Tensor& parameter, double decay, double rate_factor) {
  parameter.requires_grad_(true);
  slots_.push_back(
      {name, parameter, at::zeros_like(parameter), at::zeros_like(parameter), decay, rate_factor});
}

void Optimizer::Step(double rate) {
  const at::NoGradGuard no_gradients;
  ++num_steps_;
  const auto t = static_cast<double>(num_steps_);
  for (Slot& slot : slots_) {
    Tensor& gradient = slot.parameter.mutable_grad();
    if (!gradient.defined()) continue;
    const double step = rate * slot.rate_factor;
    if (slot.decay > 0) slot.parameter.mul_(1 - step * slot.decay);
    if (kind_ == OptimizerKind::kSgd) {
      slot.first.mul_(0.9).add_(gradient);
      slot.parameter.add_(slot.first, -step);
    } else {
      slot.first.mul_(0.9).add_(gradient, 0.1);
      slot.second.mul_(0.999).addcmul_(gradient, gradient, 0.001);
      const Tensor root = slot.second.div(1 - std::pow(0.999, t)).sqrt_().add_(1e-8);
      slot.parameter.addcdiv_(slot.first, root, -step / (1 - std::pow(0.9, t)));
    }
    gradient.reset();
  }
}

void Optimizer::ForEach(const std::function<void(const std::string&, Tensor&)>& visit) {
  for (Slot& slot : slots_) {
    visit(slot.name + "/first", slot.first);
    visit(slot.name + "/second", slot.second);
  }
}

}  // namespace macloom::train
