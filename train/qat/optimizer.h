// Adam and SGD with decoupled weight decay, their state open to checkpoints.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/qat/tensors.h"
#include "train/recipe/recipe.h"

namespace macloom::train {

/// Adam: m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g^2, p -= rate m' / (sqrt(v') + 1e-8), m' and v'
/// divided by 1 - 0.9^t and 1 - 0.999^t. SGD: m = 0.9 m + g, p -= rate m. Before either:
/// p -= rate * decay * p.
class Optimizer {
 public:
  explicit Optimizer(OptimizerKind kind) : kind_(kind) {}

  /// `parameter` requires gradients from now on; its rate is the step's times `rate_factor`.
  void Add(const std::string& name, Tensor& parameter, double decay, double rate_factor = 1);
  /// One step with the gradients of the parameters, which are then cleared.
  void Step(double rate);

  int64_t num_steps() const { return num_steps_; }
  void set_num_steps(int64_t num_steps) { num_steps_ = num_steps; }
  /// Calls `visit(name, tensor)` for both moments of every parameter.
  void ForEach(const std::function<void(const std::string&, Tensor&)>& visit);

 private:
  struct Slot {
    std::string name;
    Tensor parameter, first, second;
    double decay, rate_factor;
  };
  OptimizerKind kind_;
  std::vector<Slot> slots_;
  int64_t num_steps_ = 0;
};

}  // namespace macloom::train
