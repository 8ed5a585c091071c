#include "explore/explore.h"

#include <fmt/format.h>

#include <type_traits>

#include "arch/job.h"
#include "explore/certificate.h"
#include "explore/held_out.h"
#include "explore/observe.h"

namespace macloom::explore {
namespace {

void CheckAdversarialInputs(const ir::Graph& graph,
                            const std::vector<ir::Accumulation>& accumulation, AccumResult& result,
                            std::vector<AdversarialInput>* kept) {
  result.adversarial_hardware_order = result.adversarial_final_sum = AdversarialSummary{};
  for (const LayerCertificate& layer : result.layers) {
    const ir::Accumulation& contract = accumulation[static_cast<size_t>(layer.node)];
    for (size_t channel = 0; channel < layer.channels.size(); ++channel) {
      for (const BoundForm form : {BoundForm::kHardwareOrder, BoundForm::kFinalSum}) {
        for (const RangeKind range : {RangeKind::kBitWidth, RangeKind::kClamp}) {
          const bool is_repeated = range == RangeKind::kClamp && layer.codes[0] == layer.codes[1];
          if (is_repeated) continue;
          AdversarialInput input = MakeAdversarialInput(graph, contract, layer,
                                                        static_cast<int64_t>(channel), form, range);
          CheckAdversarialInput(graph, contract, input,
                                form == BoundForm::kHardwareOrder
                                    ? *result.adversarial_hardware_order
                                    : *result.adversarial_final_sum);
          if (kept != nullptr) kept->push_back(std::move(input));
        }
      }
    }
  }
}

/// Explore() on samples that are all observed and swept.
Result<AccumResult> ExploreAll(const ir::Graph& graph, const arch::HardwareConfig& config,
                               const std::vector<ir::Accumulation>& accumulation,
                               const std::vector<ir::TensorValue>& inputs,
                               const std::vector<int>& labels, const ExploreOptions& options,
                               std::vector<AdversarialInput>* adversarial) {
  AccumResult result;
  result.network = graph.name;
  result.network_digest = ir::Digest(graph);
  result.is_untrained = graph.is_untrained;
  result.configuration = config.name;
  result.configuration_digest = arch::Digest(config);
  result.num_samples = static_cast<int64_t>(inputs.size());
  result.has_labels = !labels.empty();
  result.layers = Certify(graph, accumulation);
  MACLOOM_RETURN_IF_ERROR(Observe(graph, accumulation, inputs, result.layers));
  result.widths = SummarizeNetwork(result.layers);
  if (options.has_adversarial) {
    CheckAdversarialInputs(graph, accumulation, result, adversarial);
  }
  if (!inputs.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(const Evaluation evaluation,
                             Evaluation::Create(graph, inputs, labels));
    SweepPoint exact;
    MACLOOM_RETURN_IF_ERROR(evaluation.JudgeExact(exact));
    result.exact_accuracy = exact.accuracy;
    result.is_identity_agreement = evaluation.is_identity_agreement();
    if (options.has_sweep) {
      MACLOOM_RETURN_IF_ERROR(Sweep(evaluation, accumulation, inputs, options.sweep, result));
    }
  }
  result.recommendations = Recommend(result, options.recommend);
  return result;
}

}  // namespace

Result<std::vector<ir::Accumulation>> HardwareAccumulation(const ir::Graph& graph,
                                                           const arch::HardwareConfig& config) {
  // The order depends on rows and lanes only: the widest configuration refuses no network for its
  // accumulator.
  arch::HardwareConfig wide = config;
  wide.accumulator_policy = arch::AccumulatorPolicy::kWrap;
  wide.accumulator_bits = config.requant_operand_bits();
  MACLOOM_ASSIGN_OR_RETURN(const arch::Job job, arch::Compile(graph, wide));
  return job.accumulation;
}

Result<AccumResult> Explore(const ir::Graph& graph, const arch::HardwareConfig& config,
                            const std::vector<ir::TensorValue>& inputs,
                            const std::vector<int>& labels, const ExploreOptions& options,
                            std::vector<AdversarialInput>* adversarial) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<ir::Accumulation> accumulation,
                           HardwareAccumulation(graph, config));
  if (options.choose_fraction <= 0) {
    return ExploreAll(graph, config, accumulation, inputs, labels, options, adversarial);
  }
  const bool has_labels = !labels.empty();
  if (inputs.size() < 2 || (has_labels && labels.size() != inputs.size())) {
    return InvalidInput(
        fmt::format("{} samples with {} labels cannot be split into those that choose the width "
                    "and those that judge it; accepted are 2 or more, with a label each or none",
                    inputs.size(), labels.size()));
  }
  const Split split = SplitSamples(inputs.size(), options.choose_fraction, options.split_seed);
  const auto part = [](const auto& values, const std::vector<size_t>& numbers) {
    std::remove_cvref_t<decltype(values)> chosen;
    for (const size_t n : numbers) chosen.push_back(values[n]);
    return chosen;
  };
  const auto labels_of = [&](const std::vector<size_t>& numbers) {
    return has_labels ? part(labels, numbers) : std::vector<int>();
  };
  MACLOOM_ASSIGN_OR_RETURN(AccumResult result,
                           ExploreAll(graph, config, accumulation, part(inputs, split.choose),
                                      labels_of(split.choose), options, adversarial));
  result.num_held_out_samples = static_cast<int64_t>(split.judge.size());
  MACLOOM_RETURN_IF_ERROR(JudgeRecommendations(graph, accumulation, part(inputs, split.judge),
                                               labels_of(split.judge), result));
  return result;
}

}  // namespace macloom::explore
