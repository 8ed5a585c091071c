#include "campaign/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/interrupt.h"
#include "base/progress.h"
#include "campaign/random_case.h"
#include "sim/verilated_device.h"

namespace macloom::campaign {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status Check(const CampaignOptions& options) {
  if (options.configs.empty() || options.configs.size() > kMaxConfigs) {
    return InvalidInput(fmt::format("{} configurations: a campaign takes 1 to {}",
                                    options.configs.size(), kMaxConfigs));
  }
  if (options.num_networks < 1) {
    return InvalidInput(
        fmt::format("{} networks: a campaign runs at least 1", options.num_networks));
  }
  if (options.time_limit_s < 0) {
    return InvalidInput(
        fmt::format("time limit {} s: accepted are 0 (none) and more", options.time_limit_s));
  }
  for (const arch::HardwareConfig& config : options.configs) {
    MACLOOM_RETURN_IF_ERROR(arch::Validate(config));
  }
  return {};
}

/// A case that compiles, what golden expects of it, and the bins it meets.
struct Drawn {
  Case test_case;
  Expected expected;
  std::set<Bin> bins;
};

class Generator {
 public:
  Generator(const CampaignOptions& options, CampaignResult& result)
      : options_(options), result_(result), rng_(options.seed) {}

  /// The next case. @return errors other than a refusal of the compiler.
  Result<Drawn> Next(int64_t index) {
    const std::optional<Bin> aim = index % 2 == 1 ? std::optional(Aim()) : std::nullopt;
    std::optional<Drawn> spare;
    constexpr int kAimedDraws = 16, kMaxDraws = 4000;
    for (int draw = 0; draw < kMaxDraws; ++draw) {
      MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
      const arch::HardwareConfig& config =
          options_.configs[aim ? static_cast<size_t>(
                                     rng_.UniformInt(0, std::ssize(options_.configs) - 1))
                               : static_cast<size_t>(index) % options_.configs.size()];
      Drawn drawn;
      drawn.test_case = RandomCase(rng_, config, aim);
      Result<Expected> expected = Expect(drawn.test_case);
      if (!expected.ok()) {
        if (expected.error().kind != ErrorKind::kUnsupported) return expected.error();
        ++result_.refused;
        continue;
      }
      drawn.expected = std::move(*expected);
      drawn.bins = StaticBins(drawn.test_case, drawn.expected);
      // Cycle classes show only when the network runs.
      const bool is_met =
          !aim || drawn.bins.count(*aim) > 0 ||
          (aim->property >= Property::kStallActivation && aim->property <= Property::kIdle);
      if (is_met) return drawn;
      spare = std::move(drawn);
      if (draw >= kAimedDraws) return std::move(*spare);
    }
    if (spare) return std::move(*spare);
    return InvalidInput(fmt::format(
        "{} networks in sequence were refused by the compiler on configuration `{}`", kMaxDraws,
        options_.configs[static_cast<size_t>(index) % options_.configs.size()].name));
  }

 private:
  /// A bin not yet met, else the rarest of four.
  Bin Aim() {
    std::vector<Bin> bins = result_.coverage.missing();
    const bool is_missing = !bins.empty();
    if (!is_missing)
      bins.assign(result_.coverage.required().begin(), result_.coverage.required().end());
    const auto draw = [&] {
      return bins[static_cast<size_t>(rng_.UniformInt(0, std::ssize(bins) - 1))];
    };
    Bin aim = draw();
    for (int i = 0; i < 3 && !is_missing; ++i) {
      const Bin other = draw();
      if (result_.coverage.hits(other) < result_.coverage.hits(aim)) aim = other;
    }
    return aim;
  }

  const CampaignOptions& options_;
  CampaignResult& result_;
  Rng rng_;
};

bool HasOverflow(const golden::Trace& trace) {
  for (const golden::LayerEvents& events : trace.events) {
    if (events.overflow_events > 0) return true;
  }
  return false;
}

}  // namespace

Result<CampaignResult> RunCampaign(const CampaignOptions& options) {
  MACLOOM_RETURN_IF_ERROR(Check(options));
  CampaignResult result(options.configs);
  Devices devices(options.make_rtl
                      ? options.make_rtl
                      : [](const arch::HardwareConfig& config, const sim::MemoryTiming& timing) {
                          return sim::MakeVerilatedDevice(config, {timing});
                        });
  ProgressLine models("RTL models", std::ssize(options.configs));
  for (size_t i = 0; i < options.configs.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_RETURN_IF_ERROR(devices.Rtl(options.configs[i], sim::MemoryTiming::Ideal()));
    models.Update(static_cast<int64_t>(i) + 1);
  }
  const Clock::time_point start = Clock::now();
  Generator generator(options, result);
  ProgressLine progress("campaign", options.num_networks);
  while (result.executed < options.num_networks) {
    result.is_time_over = options.time_limit_s > 0 && SecondsSince(start) >= options.time_limit_s;
    if (result.is_time_over) break;
    MACLOOM_ASSIGN_OR_RETURN(const Drawn drawn, generator.Next(result.executed));
    MACLOOM_ASSIGN_OR_RETURN(const Outcome outcome,
                             Execute(drawn.test_case, drawn.expected, devices));
    ++result.executed;
    result.with_overflow += HasOverflow(drawn.expected.trace) ? 1 : 0;
    if (!outcome.mismatch.empty()) {
      MACLOOM_ASSIGN_OR_RETURN(ShrinkResult shrunk, Shrink(drawn.test_case, devices));
      result.failure = Failure{result.executed - 1, drawn.test_case, std::move(shrunk)};
      break;
    }
    result.coverage.Add(drawn.bins);
    result.coverage.AddCrosses(drawn.bins, drawn.test_case.compile.overflow);
    result.coverage.Add(CounterBins(drawn.expected.job, outcome.rtl));
    progress.Update(
        result.executed,
        fmt::format("{:.1f} networks/s, {} of {} bins",
                    static_cast<double>(result.executed) / std::max(1e-3, SecondsSince(start)),
                    result.coverage.num_hit(), result.coverage.num_required()));
  }
  result.seconds = SecondsSince(start);
  return result;
}

Status SaveCase(const Case& test_case, const Expected& expected,
                const std::filesystem::path& directory) {
  arch::JobSamples samples;
  samples.inputs = {test_case.input};
  samples.expected = {expected.trace.tensors};
  return arch::SaveJob(expected.job, directory, samples);
}

}  // namespace macloom::campaign
