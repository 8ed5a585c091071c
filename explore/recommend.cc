#include "explore/recommend.h"

#include <fmt/format.h>

#include <algorithm>

#include "explore/sweep.h"

namespace macloom::explore {
namespace {

constexpr auto kClampIndex = static_cast<size_t>(RangeKind::kClamp);

int Buildable(int bits) { return std::max(bits, kMinSweepBits); }

int ProvedBits(const Widths& widths, Policy policy) {
  return Buildable(policy == Policy::kWrap ? widths.final_sum[kClampIndex]
                                           : widths.hardware_order[kClampIndex]);
}

int ObservedBits(const Widths& widths, const RecommendOptions& options) {
  const int seen = options.policy == Policy::kWrap ? widths.observed_final : widths.observed_prefix;
  return std::min(Buildable(seen + options.margin_bits), ProvedBits(widths, options.policy));
}

/// 0 if even the widest point loses too much.
int NarrowestWithin(const std::vector<SweepPoint>& points, int node, const AccumResult& result,
                    const RecommendOptions& options) {
  int narrowest = 0;
  std::vector<const SweepPoint*> descending;
  for (const SweepPoint& point : points) {
    if (point.node == node && point.policy == options.policy) descending.push_back(&point);
  }
  std::sort(descending.begin(), descending.end(),
            [](const SweepPoint* a, const SweepPoint* b) { return a->width_bits > b->width_bits; });
  for (const SweepPoint* point : descending) {
    const Proportion& p = result.has_labels ? point->accuracy : point->agreement;
    const int64_t exact = result.has_labels ? result.exact_accuracy.part : p.whole;
    // In samples rather than in ratios: a loss of exactly the limit is allowed.
    const bool is_within = 100.0 * static_cast<double>(exact - p.part) <=
                           options.max_loss_points * static_cast<double>(p.whole);
    if (!point->refusal.empty() || !is_within) break;
    narrowest = point->width_bits;
  }
  return narrowest;
}

}  // namespace

std::vector<Recommendation> Recommend(const AccumResult& result, const RecommendOptions& options) {
  Recommendation proved{"proved", options.policy, ProvedBits(result.widths, options.policy), {}};
  Recommendation observed{"observed", options.policy, 0, {}};
  Recommendation accuracy{"accuracy", options.policy, 0, {}};
  for (const LayerCertificate& layer : result.layers) {
    proved.layer_bits.push_back(ProvedBits(layer.widths, options.policy));
  }
  if (result.num_samples > 0) {
    observed.width_bits = ObservedBits(result.widths, options);
    accuracy.width_bits = NarrowestWithin(result.sweep, -1, result, options);
    for (const LayerCertificate& layer : result.layers) {
      observed.layer_bits.push_back(ObservedBits(layer.widths, options));
      accuracy.layer_bits.push_back(
          NarrowestWithin(result.layer_sweep, layer.node, result, options));
    }
  }
  return {proved, observed, accuracy};
}

Result<arch::HardwareConfig> Apply(const arch::HardwareConfig& config,
                                   const Recommendation& recommendation) {
  if (recommendation.width_bits == 0) {
    return InvalidInput(fmt::format(
        "rule `{}` gives no width for this network; accepted are rules that do, e.g. `proved`",
        recommendation.rule));
  }
  arch::HardwareConfig result = config;
  result.name = fmt::format("{}_p{}", config.name, recommendation.width_bits);
  result.accumulator_bits = recommendation.width_bits;
  result.accumulator_policy = recommendation.policy == Policy::kWrap
                                  ? arch::AccumulatorPolicy::kWrap
                                  : arch::AccumulatorPolicy::kSaturate;
  MACLOOM_RETURN_IF_ERROR(arch::Validate(result));
  return result;
}

}  // namespace macloom::explore
