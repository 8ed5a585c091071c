#include "quantize/range.h"

#include <algorithm>
#include <cmath>

namespace macloom::quantize {
namespace {

constexpr int kMaxFractionBits = 30;
constexpr int kNumFinerGrids = 8;

Grid PowerOfTwoGrid(int fraction_bits, int bits) {
  return {std::ldexp(1.0, -fraction_bits), 0, -(1 << (bits - 1)), (1 << (bits - 1)) - 1};
}

Grid GridOf(const Limits& limits, int bits) {
  Grid grid;
  grid.low = -(1 << (bits - 1));
  grid.high = (1 << (bits - 1)) - 1;
  const double width = limits.high - limits.low;
  if (!(width > 0)) return grid;
  // A scale is stored as float32.
  grid.step = static_cast<double>(static_cast<float>(width / (grid.high - grid.low)));
  if (!(grid.step > 0)) return {1, 0, grid.low, grid.high};
  const double zero_point = grid.low - std::floor(limits.low / grid.step + 0.5);
  grid.zero_point = static_cast<int32_t>(
      std::clamp(zero_point, static_cast<double>(grid.low), static_cast<double>(grid.high)));
  return grid;
}

/// Calls visit(fraction) for 100 %, 98 % ... 20 %.
template <typename Visit>
void ForEachShrink(Visit visit) {
  for (int percent = 100; percent >= 20; percent -= 2) visit(percent / 100.0);
}

}  // namespace

Limits LimitsOf(const Observation& observation, const RangeOptions& options) {
  if (options.method != RangeMethod::kPercentile || observation.values.empty()) {
    return {observation.low, observation.high};
  }
  std::vector<float> sorted = observation.values;
  std::sort(sorted.begin(), sorted.end());
  const double last = static_cast<double>(sorted.size() - 1);
  const auto at = [&](double percent) {
    return double{sorted[static_cast<size_t>(std::lround(last * percent / 100))]};
  };
  return {std::min(0.0, at(100 - options.percentile)), std::max(0.0, at(options.percentile))};
}

int32_t CodeOf(const Grid& grid, double value) {
  const double code = std::floor(value / grid.step + 0.5) + grid.zero_point;
  return static_cast<int32_t>(
      std::clamp(code, static_cast<double>(grid.low), static_cast<double>(grid.high)));
}

double MeanSquareError(const Grid& grid, std::span<const float> values) {
  double sum = 0;
  for (const float value : values) {
    const double error = value - grid.step * (CodeOf(grid, value) - grid.zero_point);
    sum += error * error;
  }
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Observation Observe(std::span<const float> values) {
  Observation observation;
  observation.values.assign(values.begin(), values.end());
  for (const float value : values) {
    observation.low = std::min(observation.low, value);
    observation.high = std::max(observation.high, value);
  }
  return observation;
}

int FractionBits(const Observation& observation, int bits, const RangeOptions& options) {
  const Limits limits = LimitsOf(observation, options);
  if (limits.low == 0 && limits.high == 0) return bits - 1;
  const auto fits = [&](int n) {
    const Grid grid = PowerOfTwoGrid(n, bits);
    return std::floor(limits.high / grid.step + 0.5) <= grid.high &&
           std::floor(limits.low / grid.step + 0.5) >= grid.low;
  };
  int widest = kMaxFractionBits;
  while (widest > -kMaxFractionBits && !fits(widest)) --widest;
  if (options.method != RangeMethod::kMse) return widest;
  int best = widest;
  double least = MeanSquareError(PowerOfTwoGrid(best, bits), observation.values);
  const int last = std::min(widest + kNumFinerGrids, kMaxFractionBits);
  for (int n = widest + 1; n <= last; ++n) {
    const double error = MeanSquareError(PowerOfTwoGrid(n, bits), observation.values);
    if (error < least) least = error, best = n;
  }
  return best;
}

Grid AffineGrid(const Observation& observation, int bits, const RangeOptions& options) {
  const Limits limits = LimitsOf(observation, options);
  Grid best = GridOf(limits, bits);
  if (options.method != RangeMethod::kMse) return best;
  double least = MeanSquareError(best, observation.values);
  Limits kept = limits;
  for (int round = 0; round < 2; ++round) {
    for (const bool is_high : {true, false}) {
      const Limits before = kept;
      ForEachShrink([&](double fraction) {
        Limits tried = before;
        (is_high ? tried.high : tried.low) = (is_high ? limits.high : limits.low) * fraction;
        const Grid grid = GridOf(tried, bits);
        const double error = MeanSquareError(grid, observation.values);
        if (error < least) least = error, best = grid, kept = tried;
      });
    }
  }
  return best;
}

Grid SymmetricGrid(std::span<const float> values, int bits, const RangeOptions& options) {
  const Observation observation = Observe(values);
  const Limits limits = LimitsOf(observation, options);
  const double largest = std::max(limits.high, -limits.low);
  const int high = (1 << (bits - 1)) - 1;
  const auto grid_of = [&](double fraction) {
    return Grid{static_cast<double>(static_cast<float>(largest * fraction / high)), 0, -high, high};
  };
  Grid best = grid_of(1);
  if (!(best.step > 0)) return {1, 0, -high, high};
  if (options.method != RangeMethod::kMse) return best;
  double least = MeanSquareError(best, values);
  ForEachShrink([&](double fraction) {
    const Grid grid = grid_of(fraction);
    if (!(grid.step > 0)) return;
    const double error = MeanSquareError(grid, values);
    if (error < least) least = error, best = grid;
  });
  return best;
}

}  // namespace macloom::quantize
