#include "flow/accum_rtl.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/progress.h"
#include "explore/certificate.h"
#include "explore/explore.h"
#include "golden/reference/executor.h"

namespace macloom::flow {
namespace {

constexpr int kMinBits = 8;

/// `config` with the widest accumulator it can have and both policies.
arch::HardwareConfig WideBuild(arch::HardwareConfig config) {
  config.accumulator_bits = config.requant_operand_bits();
  config.accumulator_policy = arch::AccumulatorPolicy::kSelectable;
  config.name += "_wide";
  return config;
}

bool IsRefusal(const Error& error) {
  return error.kind == ErrorKind::kInvalidInput || error.kind == ErrorKind::kUnsupported;
}

VerifyOptions OptionsAt(int width_bits, ir::Overflow overflow, bool is_descriptor_only) {
  VerifyOptions options;
  options.compile.effective_accumulator_bits = width_bits;
  options.compile.overflow = overflow;
  options.is_descriptor_only = is_descriptor_only;
  return options;
}

int64_t Events(const VerifyResult& result) {
  int64_t events = 0;
  for (const VerifyLayer& layer : result.layers) events += layer.counters.overflow_events;
  return events;
}

/// Runs `row` at P and P - 1. The three ways being equal, what golden says holds for the RTL.
Status RunAt(const ir::Graph& layer, const arch::HardwareConfig& config,
             const explore::AdversarialInput& input, bool is_descriptor_only,
             AdversarialOnRtl& row) {
  const bool is_final = row.form == explore::BoundForm::kFinalSum;
  const ir::Overflow overflow = is_final ? ir::Overflow::kWrap : ir::Overflow::kSaturate;
  const Samples samples{{input.input}, {}};
  const auto wrong_outputs = [&](const arch::Job& job) -> Result<int64_t> {
    golden::RunOptions options;
    options.accumulation = job.accumulation;
    MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace, golden::Run(layer, input.input, options));
    return trace.events[0].wrong_outputs;
  };
  row.is_equal = true;
  for (const int width_bits : {std::max(row.width_bits, kMinBits), row.width_bits - 1}) {
    if (width_bits < kMinBits) {
      row.note = "P - 1 is below the 8 bits that can be built";
      continue;
    }
    const bool is_below = width_bits < row.width_bits;
    const Result<VerifyResult> run =
        Verify(layer, config, samples, OptionsAt(width_bits, overflow, is_descriptor_only));
    if (!run.ok()) {
      if (!IsRefusal(run.error())) return run.error();
      row.note = run.error().message;
      row.fails_below = row.fails_below || is_below;
      row.is_equal = row.is_equal && is_below;
      continue;
    }
    if (run->mismatches() > 0) {
      row.is_equal = false;
      row.note = run->first_mismatch;
    }
    MACLOOM_ASSIGN_OR_RETURN(const int64_t wrong, wrong_outputs(run->job));
    const bool is_bad = is_final ? wrong > 0 : Events(*run) > 0;
    (is_below ? row.fails_below : row.holds_at_width) = is_below ? is_bad : !is_bad;
  }
  return {};
}

}  // namespace

Result<std::vector<AdversarialOnRtl>> RunAdversarialOnRtl(const ir::Graph& graph,
                                                          const arch::HardwareConfig& config,
                                                          bool is_descriptor_only) {
  const arch::HardwareConfig wide = WideBuild(config);
  std::vector<AdversarialOnRtl> rows;
  ProgressLine progress("adversarial " + graph.name, static_cast<int64_t>(graph.nodes.size()));
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    progress.Update(static_cast<int64_t>(n));
    if (!explore::Accumulates(graph.nodes[n])) continue;
    const ir::Graph layer = explore::LayerGraph(graph, static_cast<int>(n));
    // The layer alone may be mapped to another order than inside the network: it is certified anew.
    const auto accumulation = explore::HardwareAccumulation(layer, wide);
    for (const auto form : {explore::BoundForm::kHardwareOrder, explore::BoundForm::kFinalSum}) {
      AdversarialOnRtl row;
      row.layer = graph.nodes[n].name;
      row.form = form;
      if (!accumulation.ok()) {
        row.note = accumulation.error().message;
        rows.push_back(row);
        continue;
      }
      const explore::LayerCertificate certificate = explore::Certify(layer, *accumulation)[0];
      row.channel = explore::GoverningChannel(certificate, form, explore::RangeKind::kBitWidth);
      const explore::AdversarialInput input =
          explore::MakeAdversarialInput(layer, accumulation->front(), certificate, row.channel,
                                        form, explore::RangeKind::kBitWidth);
      row.width_bits = input.width_bits;
      MACLOOM_RETURN_IF_ERROR(RunAt(layer, wide, input, is_descriptor_only, row));
      rows.push_back(row);
    }
  }
  return rows;
}

Result<std::vector<RtlSweepPoint>> SweepOnRtl(const ir::Graph& graph,
                                              const arch::HardwareConfig& config,
                                              const Samples& samples, int min_bits, int max_bits,
                                              bool is_descriptor_only) {
  const arch::HardwareConfig wide = WideBuild(config);
  std::vector<RtlSweepPoint> points;
  for (const ir::Overflow overflow : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
    for (int bits = min_bits; bits <= std::min(max_bits, wide.accumulator_bits); ++bits) {
      RtlSweepPoint point{bits, overflow, "", 0, 0, ""};
      const Result<VerifyResult> run =
          Verify(graph, wide, samples, OptionsAt(bits, overflow, is_descriptor_only));
      if (run.ok()) {
        point.mismatches = run->mismatches();
        point.events = Events(*run);
        point.first_mismatch = run->first_mismatch;
      } else if (IsRefusal(run.error())) {
        point.refusal = run.error().message;
      } else {
        return run.error();
      }
      points.push_back(std::move(point));
    }
  }
  return points;
}

}  // namespace macloom::flow
