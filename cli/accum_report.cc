#include "cli/accum_report.h"

#include <fmt/format.h>

#include <cmath>

namespace macloom::cli {

std::string BitsText(int bits) { return bits == 0 ? "-" : std::to_string(bits); }

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Percent(const explore::Proportion& p) {
  if (p.whole == 0) return "-";
  return fmt::format("{:.1f} [{:.1f}, {:.1f}]", 100 * p.value, 100 * p.low, 100 * p.high);
}

std::string Rate(int64_t part, int64_t whole) {
  if (part == 0 || whole == 0) return "0";
  return fmt::format("{:.2g}", static_cast<double>(part) / static_cast<double>(whole));
}

void PrintLayers(const explore::AccumResult& result) {
  constexpr size_t kFull = 0, kClamp = 1;
  Rows rows = {{"layer", "kind", "K", "type", "l1", "any", "order", "final", "clamp:order", "final",
                "seen:prefix", "final", "dead", "outliers"}};
  const auto add = [&](std::vector<std::string> row, const explore::Widths& w) {
    for (const int bits :
         {w.data_type, w.l1, w.any_order[kFull], w.hardware_order[kFull], w.final_sum[kFull],
          w.hardware_order[kClamp], w.final_sum[kClamp], w.observed_prefix, w.observed_final}) {
      row.push_back(BitsText(bits));
    }
    return row;
  };
  for (const explore::LayerCertificate& layer : result.layers) {
    rows.push_back(add({layer.name, layer.kind, std::to_string(layer.num_products)}, layer.widths));
    int64_t dead = 0, outliers = 0;
    for (const explore::ChannelCertificate& channel : layer.channels) {
      dead += channel.is_dead ? 1 : 0;
      outliers += channel.is_outlier_bias ? 1 : 0;
    }
    rows.back().push_back(std::to_string(dead));
    rows.back().push_back(std::to_string(outliers));
  }
  rows.push_back(add({"network", "", ""}, result.widths));
  PrintTable(rows, 2);
  for (const explore::LayerCertificate& layer : result.layers) {
    for (size_t c = 0; c < layer.channels.size(); ++c) {
      const explore::ChannelCertificate& channel = layer.channels[c];
      if (!channel.is_dead && !channel.is_outlier_bias) continue;
      fmt::print("{} channel {}: {}start value {} ({} bits in hardware order)\n", layer.name, c,
                 channel.is_dead ? "dead, " : "outlier, ", channel.start,
                 channel.bounds[0].hardware_order.RequiredBits());
    }
  }
}

void PrintSweep(const explore::AccumResult& result,
                const std::vector<explore::SweepPoint>& points) {
  Rows rows = {{"policy", "in RTL", "P", "parameter", result.has_labels ? "accuracy % [95 %]" : "",
                "agreement % [95 %]", "SQNR dB", "events/step", "transient", "persistent"}};
  const std::string* refusal = nullptr;  // The widest: what stands in the way.
  for (const explore::SweepPoint& point : points) {
    std::vector<std::string> row = {explore::ToString(point.policy),
                                    explore::ExistsInRtl(point.policy) ? "yes" : "no",
                                    std::to_string(point.width_bits),
                                    point.parameter == 0 ? "" : std::to_string(point.parameter)};
    if (!point.refusal.empty()) {
      refusal = &point.refusal;
      row.insert(row.end(), {"", "not defined"});
      rows.push_back(std::move(row));
      continue;
    }
    int64_t steps = 0, outputs = 0, events = 0, transient = 0, persistent = 0;
    for (const explore::LayerCertificate& layer : result.layers) {
      const int64_t samples = point.agreement.whole;
      steps += layer.num_outputs * explore::StepsPerOutput(layer, point.policy) * samples;
      outputs += layer.num_outputs * samples;
    }
    for (const explore::LayerCounts& counts : point.layers) {
      events += counts.events;
      transient += counts.transient_outputs;
      persistent += counts.persistent_outputs;
    }
    row.insert(row.end(),
               {Percent(point.accuracy), Percent(point.agreement),
                std::isfinite(point.sqnr_db) ? fmt::format("{:.1f}", point.sqnr_db) : "exact",
                Rate(events, steps), Rate(transient, outputs), Rate(persistent, outputs)});
    rows.push_back(std::move(row));
  }
  PrintTable(rows, 2);
  if (refusal != nullptr) fmt::print("not defined, e.g. {}\n", *refusal);
}

/// The first width that stays exact and everything below it, widest last.
std::vector<explore::SweepPoint> Interesting(const std::vector<explore::SweepPoint>& points) {
  std::vector<explore::SweepPoint> shown;
  bool had_exact = false;
  for (const explore::SweepPoint& point : points) {
    if (!shown.empty() && shown.back().policy != point.policy) had_exact = false;
    if (!had_exact) shown.push_back(point);
    had_exact = had_exact || (point.refusal.empty() && point.layers.empty());
  }
  return shown;
}

bool PrintAdversarial(const char* name, const std::optional<explore::AdversarialSummary>& summary) {
  if (!summary) return true;
  fmt::print("adversarial inputs, {}: {}; at P {} hold, at P - 1 {} fail{}\n", name,
             summary->num_inputs, summary->held_at_width, summary->failed_below,
             summary->num_below_minimum == 0
                 ? ""
                 : fmt::format(" ({} need no more than 8 bits: nothing narrower is executed)",
                               summary->num_below_minimum));
  return summary->held_at_width == summary->num_inputs &&
         summary->failed_below + summary->num_below_minimum == summary->num_inputs;
}

void PrintRecommendations(const explore::AccumResult& result) {
  fmt::print("\nrecommended widths, bits ({})\n",
             explore::ToString(result.recommendations.front().policy));
  Rows rows = {{"layer", "proved", "observed", "accuracy"}};
  for (size_t i = 0; i < result.layers.size(); ++i) {
    rows.push_back({result.layers[i].name});
    for (const explore::Recommendation& r : result.recommendations) {
      rows.back().push_back(r.layer_bits.empty() ? "-" : BitsText(r.layer_bits[i]));
    }
  }
  rows.push_back({"network"});
  for (const explore::Recommendation& r : result.recommendations) {
    rows.back().push_back(BitsText(r.width_bits));
  }
  PrintTable(rows, 1);
}

/// The widths on the samples that chose them and on those that did not.
void PrintHeldOut(const explore::AccumResult& result) {
  if (result.num_held_out_samples == 0) return;
  fmt::print("\nchosen on {} samples, judged on {} others: accuracy and agreement %, [95 %]\n",
             result.num_samples, result.num_held_out_samples);
  Rows rows = {{"rule", "P", "agreement, choosing", "judging", "accuracy, choosing", "judging",
                "exact, judging", "events, judging"}};
  for (const explore::Recommendation& r : result.recommendations) {
    if (!r.held_out) continue;
    const explore::SweepPoint& judged = r.held_out->point;
    explore::Proportion agreement, accuracy;  // Stay empty for a width that was not swept.
    for (const explore::SweepPoint& chosen : result.sweep) {
      if (chosen.policy != r.policy || chosen.width_bits != r.width_bits) continue;
      agreement = chosen.agreement;
      accuracy = chosen.accuracy;
    }
    int64_t events = 0;
    for (const explore::LayerCounts& counts : judged.layers) events += counts.events;
    rows.push_back({r.rule, BitsText(r.width_bits), Percent(agreement), Percent(judged.agreement),
                    Percent(accuracy), Percent(judged.accuracy),
                    Percent(r.held_out->exact_accuracy), std::to_string(events)});
  }
  PrintTable(rows, 1);
}

/// Narrowest width from which on agreement stays at least 99.5 %; "-": none.
std::string AgreementWidth(const explore::AccumResult& result, explore::Policy policy) {
  const explore::SweepPoint* narrowest = nullptr;
  for (auto it = result.sweep.rbegin(); it != result.sweep.rend(); ++it) {
    if (it->policy != policy) continue;
    if (!it->refusal.empty() || it->agreement.value < 0.995) break;
    narrowest = &*it;
  }
  if (narrowest == nullptr) return "-";
  return fmt::format("{}: {}", narrowest->width_bits, Percent(narrowest->agreement));
}

}  // namespace

bool PrintAccumNetwork(const AccumOptions& options, const AccumNetwork& network) {
  const explore::AccumResult& result = network.result;
  fmt::print("{} on {}, {} samples{}\n", NetworkTitle(network.graph), result.configuration,
             result.num_samples,
             network.is_random ? fmt::format(" (random and corner, seed {})", options.seed) : "");
  fmt::print(
      "accumulator widths, bits: what any input of the format can need (data type, l1, any "
      "order, hardware\norder, final sum), what the producing layers' clamps let through "
      "(both proofs), what was seen (no proof)\n\n");
  PrintLayers(result);
  bool is_good = PrintAdversarial("hardware order", result.adversarial_hardware_order);
  is_good &= PrintAdversarial("final sum", result.adversarial_final_sum);
  if (!result.sweep.empty()) {
    fmt::print("\nwhole network; widths above the last of each policy are exact too\n");
    PrintSweep(result, Interesting(result.sweep));
    if (!result.policy_sweep.empty()) {
      fmt::print("\nnot in RTL, {} samples\n", result.policy_sweep[0].agreement.whole);
      PrintSweep(result, result.policy_sweep);
    }
    if (result.saturating_inferences_per_second > 0) {
      fmt::print("saturating: {:.0f} inferences per CPU-second\n",
                 result.saturating_inferences_per_second);
    }
  }
  PrintRecommendations(result);
  PrintHeldOut(result);
  return is_good;
}

void PrintAccumSummary(const std::vector<AccumNetwork>& networks) {
  Rows rows = {{"network", "baseline", "certificate", "clamp", "clamp final", "seen prefix",
                "seen final", "agreement >= 99.5 %, wrap", "saturate"}};
  for (const AccumNetwork& network : networks) {
    const explore::Widths& w = network.result.widths;
    rows.push_back({network.graph.name, "32", BitsText(w.hardware_order[0]),
                    BitsText(w.hardware_order[1]), BitsText(w.final_sum[1]),
                    BitsText(w.observed_prefix), BitsText(w.observed_final),
                    AgreementWidth(network.result, explore::Policy::kWrap),
                    AgreementWidth(network.result, explore::Policy::kSaturate)});
  }
  fmt::print("\n");
  PrintTable(rows, 1);
}

}  // namespace macloom::cli
