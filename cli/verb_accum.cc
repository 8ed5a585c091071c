#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/common.h"
#include "explore/explore.h"
#include "flow/accum_rtl.h"
#include "flow/model.h"
#include "reports/accum_plots.h"
#include "rtl/gen/generator.h"

namespace macloom::cli {
namespace {

struct Options {
  std::vector<std::string> models, inputs, labels;
  std::string policy = "wrap", rule = "proved", json, svg, vectors, emit, apply;
  int random = 32, rtl_samples = 0;
  uint64_t seed = 1;
  bool is_on_rtl = false, has_no_sweep = false, has_no_layers = false, is_descriptor_only = false;
  explore::ExploreOptions explore;
  HardwareOption hardware;
  RoundingOption rounding;
};

struct Network {
  ir::Graph graph;
  flow::Samples samples;
  bool is_random = false;
  explore::AccumResult result;
};

using Rows = std::vector<std::vector<std::string>>;

std::string Bits(int bits) { return bits == 0 ? "-" : std::to_string(bits); }

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
      row.push_back(Bits(bits));
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
      rows.back().push_back(r.layer_bits.empty() ? "-" : Bits(r.layer_bits[i]));
    }
  }
  rows.push_back({"network"});
  for (const explore::Recommendation& r : result.recommendations) {
    rows.back().push_back(Bits(r.width_bits));
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

void PrintSummary(const std::vector<Network>& networks) {
  Rows rows = {{"network", "baseline", "certificate", "clamp", "clamp final", "seen prefix",
                "seen final", "agreement >= 99.5 %, wrap", "saturate"}};
  for (const Network& network : networks) {
    const explore::Widths& w = network.result.widths;
    rows.push_back({network.graph.name, "32", Bits(w.hardware_order[0]), Bits(w.hardware_order[1]),
                    Bits(w.final_sum[1]), Bits(w.observed_prefix), Bits(w.observed_final),
                    AgreementWidth(network.result, explore::Policy::kWrap),
                    AgreementWidth(network.result, explore::Policy::kSaturate)});
  }
  fmt::print("\n");
  PrintTable(rows, 1);
}

/// Adversarial inputs of the governing channels and the sweep of one wide build, three ways.
Result<bool> RunOnRtl(const Options& options, const Network& network,
                      const arch::HardwareConfig& config) {
  MACLOOM_ASSIGN_OR_RETURN(const auto rows, flow::RunAdversarialOnRtl(network.graph, config,
                                                                      options.is_descriptor_only));
  Rows table = {{"layer", "form", "note", "channel", "P", "equal", "holds at P", "fails at P - 1"}};
  bool is_good = true;
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  for (const flow::AdversarialOnRtl& row : rows) {
    table.push_back({row.layer, explore::ToString(row.form), row.note, std::to_string(row.channel),
                     Bits(row.width_bits), yes(row.is_equal), yes(row.holds_at_width),
                     yes(row.fails_below)});
    const bool is_too_narrow = row.width_bits <= explore::kMinSweepBits;
    is_good = is_good && row.is_equal && row.holds_at_width && (row.fails_below || is_too_narrow);
  }
  fmt::print("\nadversarial inputs, the layer alone, golden = descriptor device = RTL\n");
  PrintTable(table, 3);
  flow::Samples samples = network.samples;
  samples.inputs.resize(std::min(samples.inputs.size(), static_cast<size_t>(options.rtl_samples)));
  if (samples.inputs.empty()) return is_good;
  MACLOOM_ASSIGN_OR_RETURN(
      const auto points,
      flow::SweepOnRtl(network.graph, config, samples, options.explore.sweep.min_bits,
                       options.explore.sweep.max_bits, options.is_descriptor_only));
  int64_t mismatches = 0, refused = 0;
  for (const flow::RtlSweepPoint& point : points) {
    mismatches += point.mismatches;
    refused += point.refusal.empty() ? 0 : 1;
    if (!point.first_mismatch.empty()) {
      fmt::print("P = {}: {}\n", point.width_bits, point.first_mismatch);
    }
  }
  fmt::print(
      "one build narrowed to {} widths and policies, {} samples: {} mismatches ({} refused: "
      "a start value does not fit, or the layer cannot be mapped)\n",
      points.size(), samples.inputs.size(), mismatches, refused);
  return is_good && mismatches == 0 && refused < static_cast<int64_t>(points.size());
}

/// hw.toml, RTL and verification of the recommended width.
Result<bool> ApplyTo(const Options& options, const Network& network,
                     const arch::HardwareConfig& config,
                     const explore::Recommendation& recommendation) {
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory out, OutputDirectory::Create(options.apply));
  MACLOOM_RETURN_IF_ERROR(out.Write("hw.toml", std::string_view(arch::ToToml(config))));
  MACLOOM_RETURN_IF_ERROR(rtl_gen::GenerateRtl(config, out.path() / "rtl"));
  MACLOOM_RETURN_IF_ERROR(out.Commit());
  flow::VerifyOptions verify;
  verify.compile.overflow = recommendation.policy == explore::Policy::kWrap
                                ? ir::Overflow::kWrap
                                : ir::Overflow::kSaturate;
  verify.is_descriptor_only = options.is_descriptor_only;
  flow::Samples samples = network.samples;
  samples.inputs.resize(std::min<size_t>(samples.inputs.size(), 4));
  MACLOOM_ASSIGN_OR_RETURN(const flow::VerifyResult run,
                           flow::Verify(network.graph, config, samples, verify));
  fmt::print("applied: {}/hw.toml, {}/rtl; built with {} bits, {} samples: {}\n", options.apply,
             options.apply, config.accumulator_bits, run.num_samples,
             run.mismatches() == 0 ? "PASS" : "FAIL: " + run.first_mismatch);
  return run.mismatches() == 0;
}

/// The element for network `i`: one for all, or one each.
Result<std::string> PathFor(const std::vector<std::string>& paths, size_t i, size_t count,
                            const char* option) {
  if (paths.empty()) return std::string();
  if (paths.size() != 1 && paths.size() != count) {
    return InvalidInput(
        fmt::format("{} is given {} times for {} networks; accepted is once, or "
                    "once for each",
                    option, paths.size(), count));
  }
  return paths.size() == 1 ? paths[0] : paths[i];
}

Result<Network> ExploreOne(const Options& options, size_t i, const arch::HardwareConfig& config,
                           std::vector<explore::AdversarialInput>* adversarial) {
  Network network;
  MACLOOM_ASSIGN_OR_RETURN(network.graph,
                           flow::LoadModel(options.models[i], options.rounding.value()));
  const size_t count = options.models.size();
  MACLOOM_ASSIGN_OR_RETURN(const std::string inputs, PathFor(options.inputs, i, count, "--inputs"));
  MACLOOM_ASSIGN_OR_RETURN(const std::string labels, PathFor(options.labels, i, count, "--labels"));
  std::vector<int> classes;
  if (inputs.empty()) {
    network.is_random = true;
    network.samples = flow::RandomInputs(network.graph, options.random, options.seed);
  } else {
    MACLOOM_ASSIGN_OR_RETURN(network.samples, flow::LoadInputs(inputs, network.graph));
    if (!labels.empty()) {
      MACLOOM_ASSIGN_OR_RETURN(
          classes, flow::LoadLabels(labels, network.samples, network.graph.class_labels));
    }
  }
  explore::ExploreOptions explore = options.explore;
  explore.sweep.has_layers = !options.has_no_layers;
  explore.has_sweep = !options.has_no_sweep;
  explore.recommend.policy =
      options.policy == "wrap" ? explore::Policy::kWrap : explore::Policy::kSaturate;
  MACLOOM_ASSIGN_OR_RETURN(network.result,
                           explore::Explore(network.graph, config, network.samples.inputs, classes,
                                            explore, adversarial));
  return network;
}

void PrintNetwork(const Options& options, const Network& network) {
  const explore::AccumResult& result = network.result;
  fmt::print("{} on {}, {} samples{}\n", NetworkTitle(network.graph), result.configuration,
             result.num_samples,
             network.is_random ? fmt::format(" (random and corner, seed {})", options.seed) : "");
  fmt::print(
      "accumulator widths, bits: what any input of the format can need (data type, l1, any "
      "order, hardware\norder, final sum), what the producing layers' clamps let through "
      "(both proofs), what was seen (no proof)\n\n");
  PrintLayers(result);
}

Result<int> Run(const Options& options) {
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options.hardware.Load());
  if (options.explore.sweep.min_bits > options.explore.sweep.max_bits) {
    return InvalidInput(fmt::format("--min-bits {} is above --max-bits {}",
                                    options.explore.sweep.min_bits,
                                    options.explore.sweep.max_bits));
  }
  const bool is_single = options.models.size() == 1;
  const bool writes_one = !options.vectors.empty() || !options.emit.empty() ||
                          !options.apply.empty() || options.is_on_rtl;
  if (!is_single && writes_one) {
    return InvalidInput(
        fmt::format("{} networks are given; --vectors, --emit, --apply and --rtl "
                    "take one",
                    options.models.size()));
  }
  bool is_good = true;
  std::vector<Network> networks;
  std::vector<explore::AdversarialInput> adversarial;
  for (size_t i = 0; i < options.models.size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(
        Network network,
        ExploreOne(options, i, config, options.vectors.empty() ? nullptr : &adversarial));
    PrintNetwork(options, network);
    const explore::AccumResult& result = network.result;
    is_good &= PrintAdversarial("hardware order", result.adversarial_hardware_order);
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
    networks.push_back(std::move(network));
  }
  PrintSummary(networks);
  std::vector<explore::AccumResult> results;
  for (const Network& network : networks) results.push_back(network.result);
  if (!options.json.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        WriteFileAtomically(options.json, std::string_view(explore::ToJsonText(results))));
  }
  if (!options.svg.empty()) {
    MACLOOM_RETURN_IF_ERROR(reports::WriteAccumPlots(results, options.svg));
  }
  if (!is_single) return is_good ? 0 : 1;
  const Network& network = networks.front();
  if (!options.vectors.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        explore::WriteAdversarialInputs(network.graph, adversarial, options.vectors));
  }
  if (!options.emit.empty() || !options.apply.empty()) {
    const explore::Recommendation* chosen = nullptr;
    for (const explore::Recommendation& r : network.result.recommendations) {
      if (r.rule == options.rule) chosen = &r;
    }
    MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig chosen_config,
                             explore::Apply(config, *chosen));
    if (!options.emit.empty()) {
      MACLOOM_RETURN_IF_ERROR(
          WriteFileAtomically(options.emit, std::string_view(arch::ToToml(chosen_config))));
      fmt::print("{}: {} bits, {}\n", options.emit, chosen->width_bits, options.policy);
    }
    if (!options.apply.empty()) {
      MACLOOM_ASSIGN_OR_RETURN(const bool passed,
                               ApplyTo(options, network, chosen_config, *chosen));
      is_good &= passed;
    }
  }
  if (options.is_on_rtl) {
    MACLOOM_ASSIGN_OR_RETURN(const bool passed, RunOnRtl(options, network, config));
    is_good &= passed;
  }
  return is_good ? 0 : 1;
}

}  // namespace

Verb AddAccum(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->models = {flow::ShippedModels()[0]};
  CLI::App* verb = app.add_subcommand(
      "accum", "accumulator widths: proved, observed, swept; hardware for the choice");
  verb->add_option("MODEL", options->models, "one or more .tflite files, network files, names");
  options->hardware.AddTo(*verb);
  options->rounding.AddTo(*verb);
  auto* inputs = verb->add_option("--inputs", options->inputs,
                                  ".npy array, or folder or tar of raw int8 samples; for several "
                                  "networks once, or once for each");
  verb->add_option("--labels", options->labels, ".npy or .csv labels, as --inputs")->needs(inputs);
  verb->add_option("--random", options->random, "without --inputs: random and corner inputs")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "seed of random inputs")->capture_default_str();
  verb->add_option("--min-bits", options->explore.sweep.min_bits, "narrowest width swept")
      ->check(CLI::Range(8, 32))
      ->capture_default_str();
  verb->add_option("--max-bits", options->explore.sweep.max_bits, "widest width swept")
      ->check(CLI::Range(8, 32))
      ->capture_default_str();
  verb->add_flag("--no-sweep", options->has_no_sweep, "certificates and observations only");
  verb->add_flag("--no-layers", options->has_no_layers, "no sweep of single layers");
  verb->add_option("--policies", options->explore.sweep.policy_samples,
                   "also sweep the policies that no RTL has, on this many samples")
      ->check(CLI::Range(1, 100000));
  verb->add_option("--policy", options->policy, "overflow policy of the recommendation")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str();
  verb->add_option("--margin", options->explore.recommend.margin_bits,
                   "bits above what was observed")
      ->check(CLI::Range(0, 16))
      ->capture_default_str();
  verb->add_option("--max-loss", options->explore.recommend.max_loss_points,
                   "percentage points of accuracy that may be lost")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  verb->add_option("--rule", options->rule, "recommendation that --emit and --apply take")
      ->check(CLI::IsMember({"proved", "observed", "accuracy"}))
      ->capture_default_str();
  verb->add_option("--emit", options->emit, "write the hardware TOML file of the recommendation");
  verb->add_option("--apply", options->apply,
                   "folder to write: hw.toml and the RTL, which is then verified");
  verb->add_flag("--rtl", options->is_on_rtl, "adversarial inputs of every layer in RTL");
  verb->add_option(
          "--rtl-samples", options->rtl_samples,
          "with --rtl: also every width and policy of one wide build, on this many samples")
      ->check(CLI::Range(0, 1000));
  verb->add_flag("--no-rtl", options->is_descriptor_only,
                 "--rtl and --apply on the descriptor device only");
  verb->add_option("--vectors", options->vectors, "folder for the adversarial inputs");
  verb->add_option("--svg", options->svg, "folder for the plots");
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return Run(*options); }};
}

}  // namespace macloom::cli
