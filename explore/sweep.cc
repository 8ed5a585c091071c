#include "explore/sweep.h"

#include <algorithm>
#include <ctime>

#include "base/check.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "explore/policy_run.h"
#include "golden/fast/plan.h"
#include "golden/reference/operators.h"

namespace macloom::explore {
namespace {

void AddCounts(const LayerCertificate& layer, const golden::LayerEvents& events,
               int64_t num_samples, SweepPoint& point) {
  if (events.overflow_events == 0 && events.wrong_outputs == 0) return;
  const int64_t outputs = layer.num_outputs * num_samples;
  point.layers.push_back({layer.node, outputs * StepsPerOutput(layer, point.policy), outputs,
                          events.overflow_events, events.overflowed_outputs, events.wrong_outputs});
}

class Sweeper {
 public:
  Sweeper(const Evaluation& evaluation, const std::vector<ir::Accumulation>& accumulation,
          const std::vector<ir::TensorValue>& inputs, AccumResult& result)
      : evaluation_(evaluation), accumulation_(accumulation), inputs_(inputs), result_(result) {
    accumulation_.resize(evaluation.body().nodes.size());
  }

  /// All layers at `width_bits`, or only `node`.
  Result<SweepPoint> Point(int width_bits, ir::Overflow overflow, int node) {
    SweepPoint point;
    point.width_bits = width_bits;
    point.policy = overflow == ir::Overflow::kWrap ? Policy::kWrap : Policy::kSaturate;
    point.node = node;
    // The network's narrowest such width runs all the same: it must show what is claimed.
    const int exact_bits = RequiredBits(node);
    if (width_bits > exact_bits || (width_bits == exact_bits && node >= 0)) {
      MACLOOM_RETURN_IF_ERROR(evaluation_.JudgeExact(point));
      return point;
    }
    const std::clock_t begin = std::clock();
    MACLOOM_ASSIGN_OR_RETURN(point, RunSweepPoint(evaluation_, accumulation_, inputs_,
                                                  result_.layers, width_bits, point.policy, node));
    if (!point.refusal.empty()) return point;
    if (overflow == ir::Overflow::kSaturate && node < 0) {
      saturating_clocks_ += std::clock() - begin;
      saturating_inferences_ += static_cast<int64_t>(inputs_.size());
    }
    MACLOOM_CHECK(width_bits < exact_bits ||
                  (point.layers.empty() && point.identical.part == point.identical.whole));
    return point;
  }

  /// Narrowest width that no observed prefix leaves.
  int RequiredBits(int node) const {
    int bits = 0;
    for (const LayerCertificate& layer : result_.layers) {
      if (node < 0 || layer.node == node) bits = std::max(bits, layer.widths.observed_prefix);
    }
    return bits;
  }

  /// Golden-only policies, ascending until nothing overflows any more.
  Status Policies(const SweepOptions& options, ProgressLine& progress, int64_t done) {
    const size_t count =
        std::min(inputs_.size(), static_cast<size_t>(std::max<int64_t>(options.policy_samples, 0)));
    if (count == 0) return {};
    const std::vector<ir::TensorValue> inputs(inputs_.begin(),
                                              inputs_.begin() + static_cast<int64_t>(count));
    const auto run = [&](Policy policy, int width_bits, int parameter) -> Result<bool> {
      SweepPoint point;
      point.width_bits = width_bits;
      point.policy = policy;
      point.parameter = parameter;
      point.is_rerun = true;
      MACLOOM_ASSIGN_OR_RETURN(
          const PolicyBatch batch,
          RunPolicy(evaluation_.body(), accumulation_, {policy, width_bits, parameter}, inputs));
      MACLOOM_RETURN_IF_ERROR(evaluation_.Judge(batch.outputs, point));
      for (const LayerCertificate& layer : result_.layers) {
        AddCounts(layer, batch.events[static_cast<size_t>(layer.node)], static_cast<int64_t>(count),
                  point);
      }
      const bool is_clean = point.layers.empty();
      result_.policy_sweep.push_back(std::move(point));
      progress.Update(done, ToString(policy));
      return is_clean;
    };
    for (const Policy policy : {Policy::kSaturateAtEnd, Policy::kTwoLevel, Policy::kSorted}) {
      for (int bits = options.min_bits; bits <= options.max_bits; ++bits) {
        MACLOOM_ASSIGN_OR_RETURN(const bool is_clean,
                                 run(policy, bits, policy == Policy::kTwoLevel ? kOuterBits : 0));
        if (is_clean) break;
      }
    }
    const int proved = result_.widths.hardware_order[static_cast<size_t>(RangeKind::kClamp)];
    for (int dropped = 1; dropped <= kMaxDroppedBits; ++dropped) {
      const int width_bits = std::max(proved - dropped, options.min_bits);
      MACLOOM_ASSIGN_OR_RETURN([[maybe_unused]] const bool is_clean,
                               run(Policy::kDroppedBits, width_bits, dropped));
    }
    return {};
  }

  double SaturatingInferencesPerSecond() const {
    if (saturating_clocks_ == 0) return 0;
    return static_cast<double>(saturating_inferences_) * CLOCKS_PER_SEC /
           static_cast<double>(saturating_clocks_);
  }

 private:
  const Evaluation& evaluation_;
  std::vector<ir::Accumulation> accumulation_;
  const std::vector<ir::TensorValue>& inputs_;
  AccumResult& result_;
  std::clock_t saturating_clocks_ = 0;
  int64_t saturating_inferences_ = 0;
};

}  // namespace

int64_t StepsPerOutput(const LayerCertificate& layer, Policy policy) {
  switch (policy) {
    case Policy::kSaturateAtEnd:
      return 1;
    case Policy::kTwoLevel:
      return layer.num_steps + (layer.num_steps + kInnerSteps - 1) / kInnerSteps + 1;
    case Policy::kSorted:
      return layer.num_products + 1;
    case Policy::kDroppedBits:
      return layer.num_steps + 1;
    default:
      return layer.num_steps;
  }
}

Result<SweepPoint> RunSweepPoint(const Evaluation& evaluation,
                                 const std::vector<ir::Accumulation>& accumulation,
                                 const std::vector<ir::TensorValue>& inputs,
                                 const std::vector<LayerCertificate>& layers, int width_bits,
                                 Policy policy, int node) {
  SweepPoint point;
  point.width_bits = width_bits;
  point.policy = policy;
  point.node = node;
  point.is_rerun = true;
  std::vector<ir::Accumulation> contracts = accumulation;
  contracts.resize(evaluation.body().nodes.size());
  for (size_t n = 0; n < contracts.size(); ++n) {
    const bool is_narrow = node < 0 || node == static_cast<int>(n);
    contracts[n].width_bits = is_narrow ? width_bits : ir::Accumulation::Exact().width_bits;
    contracts[n].overflow =
        is_narrow && policy == Policy::kSaturate ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  }
  const Status accepted = golden::CheckContracts(evaluation.body(), contracts);
  if (!accepted.ok()) {
    point.refusal = accepted.error().message;
    return point;
  }
  MACLOOM_ASSIGN_OR_RETURN(
      const golden::fast::Plan plan,
      golden::fast::Plan::Create(evaluation.body(), {contracts, std::nullopt}));
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Batch batch, plan.RunBatch(inputs));
  MACLOOM_RETURN_IF_ERROR(evaluation.Judge(batch.outputs, point));
  for (const LayerCertificate& layer : layers) {
    AddCounts(layer, batch.events[static_cast<size_t>(layer.node)],
              static_cast<int64_t>(inputs.size()), point);
  }
  return point;
}

Status Sweep(const Evaluation& evaluation, const std::vector<ir::Accumulation>& accumulation,
             const std::vector<ir::TensorValue>& inputs, const SweepOptions& options,
             AccumResult& result) {
  Sweeper sweeper(evaluation, accumulation, inputs, result);
  std::vector<int> nodes = {-1};
  if (options.has_layers) {
    for (const LayerCertificate& layer : result.layers) nodes.push_back(layer.node);
  }
  const int64_t widths = options.max_bits - options.min_bits + 1;
  ProgressLine progress("sweep " + result.network, 2 * widths * static_cast<int64_t>(nodes.size()));
  int64_t done = 0;
  for (const int node : nodes) {
    for (const ir::Overflow overflow : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
      for (int bits = options.min_bits; bits <= options.max_bits; ++bits) {
        MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
        MACLOOM_ASSIGN_OR_RETURN(SweepPoint point, sweeper.Point(bits, overflow, node));
        (node < 0 ? result.sweep : result.layer_sweep).push_back(std::move(point));
        progress.Update(++done);
      }
    }
  }
  result.saturating_inferences_per_second = sweeper.SaturatingInferencesPerSecond();
  return sweeper.Policies(options, progress, done);
}

}  // namespace macloom::explore
