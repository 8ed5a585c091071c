#include "cli/accum_hardware.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/files.h"
#include "cli/accum_report.h"
#include "flow/accum_rtl.h"
#include "rtl/gen/generator.h"

namespace macloom::cli {
namespace {

/// hw.toml, RTL and verification of the recommended width.
Result<bool> ApplyTo(const AccumOptions& options, const AccumNetwork& network,
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

}  // namespace

Result<bool> RunAccumOnRtl(const AccumOptions& options, const AccumNetwork& network,
                           const arch::HardwareConfig& config) {
  MACLOOM_ASSIGN_OR_RETURN(const auto rows, flow::RunAdversarialOnRtl(network.graph, config,
                                                                      options.is_descriptor_only));
  std::vector<std::vector<std::string>> table = {
      {"layer", "form", "note", "channel", "P", "equal", "holds at P", "fails at P - 1"}};
  bool is_good = true;
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  for (const flow::AdversarialOnRtl& row : rows) {
    table.push_back({row.layer, explore::ToString(row.form), row.note, std::to_string(row.channel),
                     BitsText(row.width_bits), yes(row.is_equal), yes(row.holds_at_width),
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

Result<bool> BuildRecommended(const AccumOptions& options, const AccumNetwork& network,
                              const arch::HardwareConfig& config) {
  const explore::Recommendation* chosen = nullptr;
  for (const explore::Recommendation& r : network.result.recommendations) {
    if (r.rule == options.rule) chosen = &r;
  }
  MACLOOM_CHECK(chosen != nullptr);  // Every rule has its line, be it without a width.
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig chosen_config,
                           explore::Apply(config, *chosen));
  if (!options.emit.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        WriteFileAtomically(options.emit, std::string_view(arch::ToToml(chosen_config))));
    fmt::print("{}: {} bits, {}\n", options.emit, chosen->width_bits, options.policy);
  }
  if (!options.apply.empty()) {
    return ApplyTo(options, network, chosen_config, *chosen);
  }
  return true;
}

}  // namespace macloom::cli
