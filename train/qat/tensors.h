// The part of libtorch that training uses. Only .cc files of this folder include it.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace macloom::train {

using at::Tensor;

/// Values of a tensor, row-major, as doubles.
inline std::vector<double> ToVector(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kDouble).contiguous().view({-1});
  const double* data = flat.data_ptr<double>();
  return {data, data + flat.numel()};
}

}  // namespace macloom::train
