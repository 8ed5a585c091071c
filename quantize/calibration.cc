#include "quantize/calibration.h"

#include <fmt/format.h>

#include <algorithm>

namespace macloom::quantize {
namespace {

bool IsPrime(int64_t n) {
  if (n < 2) return false;
  for (int64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return true;
}

/// 1, or the smallest prime of at least `n`: a stride that does not keep step with channel counts.
int64_t Stride(int64_t n) {
  if (n <= 1) return 1;
  while (!IsPrime(n)) ++n;
  return n;
}

}  // namespace

Result<std::vector<Observation>> Calibrate(const ir::FloatGraph& graph,
                                           const std::vector<FloatValues>& inputs) {
  if (inputs.empty()) {
    return InvalidInput("calibration has 0 samples; accepted is at least 1");
  }
  std::vector<Observation> observations(graph.tensors.size());
  for (size_t n = 0; n < inputs.size(); ++n) {
    const Result<FloatTrace> trace = RunFloat(graph, inputs[n]);
    if (!trace.ok()) {
      return Error{trace.error().kind,
                   fmt::format("calibration sample {}: {}", n, trace.error().message)};
    }
    for (size_t t = 0; t < observations.size(); ++t) {
      const FloatValues& values = trace->tensors[t];
      Observation& observation = observations[t];
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      observation.low = std::min(observation.low, *low);
      observation.high = std::max(observation.high, *high);
      const auto size = static_cast<int64_t>(values.size());
      const auto total = size * static_cast<int64_t>(inputs.size());
      const int64_t stride = Stride((total + kMaxObservedValues - 1) / kMaxObservedValues);
      const int64_t begin = size * static_cast<int64_t>(n);
      const int64_t first = (stride - begin % stride) % stride;
      for (int64_t i = first; i < size; i += stride) {
        observation.values.push_back(values[static_cast<size_t>(i)]);
      }
    }
  }
  return observations;
}

}  // namespace macloom::quantize
