// Estimates of multiply-accumulate units per second.
#include <benchmark/benchmark.h>

#include "cost/estimator.h"
#include "cost/estimator_fit.h"

namespace macloom {
namespace {

void EstimateUnits(benchmark::State& state) {
  const Result<cost::EstimatorCard> card = cost::OpenEstimatorCard("osu018");
  if (!card.ok()) {
    state.SkipWithError(card.error().message.c_str());
    return;
  }
  const auto family = static_cast<cost::UnitFamily>(state.range(0));
  const std::vector<cost::MacSpec> units = cost::DrawUnits(family, 30, 1, 1).training;
  state.SetLabel(cost::FamilyName(family));
  for (auto _ : state) {
    for (const cost::MacSpec& unit : units) {
      benchmark::DoNotOptimize(cost::EstimateUnit(*card, unit));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(units.size()));
}
BENCHMARK(EstimateUnits)->DenseRange(0, cost::kNumUnitFamilies - 1);

}  // namespace
}  // namespace macloom
