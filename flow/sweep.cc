#include "flow/sweep.h"

#include <fmt/format.h>

#include "base/progress.h"

namespace macloom::flow {
namespace {

/// The settings of point `index`; the last axis varies fastest.
std::vector<std::string> ValuesAt(const std::vector<SweepAxis>& axes, size_t index) {
  std::vector<std::string> values(axes.size());
  for (size_t a = axes.size(); a-- > 0;) {
    values[a] = axes[a].values[index % axes[a].values.size()];
    index /= axes[a].values.size();
  }
  return values;
}

Result<arch::HardwareConfig> ConfigAt(const arch::HardwareConfig& base,
                                      const std::vector<SweepAxis>& axes,
                                      const std::vector<std::string>& values) {
  arch::HardwareConfig config = base;
  for (size_t a = 0; a < axes.size(); ++a) {
    MACLOOM_ASSIGN_OR_RETURN(config, arch::WithSetting(config, axes[a].key + "=" + values[a]));
  }
  return config;
}

}  // namespace

Result<SweepAxis> ParseSweepAxis(const std::string& text) {
  SweepAxis axis;
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidInput(fmt::format("sweep \"{}\": accepted is KEY=VALUE,VALUE,...", text));
  }
  axis.key = text.substr(0, equals);
  for (size_t at = equals + 1; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma == at) {
      return InvalidInput(
          fmt::format("sweep \"{}\": value {} is empty; accepted is "
                      "KEY=VALUE,VALUE,...",
                      text, axis.values.size()));
    }
    axis.values.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return axis;
}

double SweepPoint::utilization_percent() const {
  const int64_t slots = multipliers * counts.total_cycles;
  return slots == 0 ? 0 : 100.0 * static_cast<double>(macs) / static_cast<double>(slots);
}

Result<std::vector<SweepPoint>> Sweep(const ir::Graph& graph, const arch::HardwareConfig& base,
                                      const std::vector<SweepAxis>& axes,
                                      const arch::CompileOptions& compile,
                                      const arch::MemoryModel& memory) {
  size_t num_points = 1;
  for (const SweepAxis& axis : axes) {
    num_points *= axis.values.size();
    if (num_points > kMaxSweepPoints) {
      return InvalidInput(fmt::format(
          "the sweep has more than {} points; accepted are at most that many", kMaxSweepPoints));
    }
  }
  std::vector<SweepPoint> points;
  bool is_any_accepted = false;
  ProgressLine progress("sweep " + graph.name, static_cast<int64_t>(num_points));
  for (size_t i = 0; i < num_points; ++i) {
    SweepPoint point;
    point.values = ValuesAt(axes, i);
    const Result<arch::HardwareConfig> config = ConfigAt(base, axes, point.values);
    if (config.ok()) {
      is_any_accepted = true;
      point.multipliers = int64_t{config->rows} * config->lanes;
      const Result<Estimate> estimate = EstimateNetwork(graph, *config, compile, memory);
      if (estimate.ok()) {
        point.macs = estimate->total.macs;
        point.counts = estimate->total.counts;
      } else {
        point.refusal = estimate.error().message;
      }
    } else {
      point.refusal = config.error().message;
    }
    points.push_back(std::move(point));
    progress.Update(static_cast<int64_t>(i + 1));
  }
  if (!is_any_accepted) return InvalidInput(points.front().refusal);
  return points;
}

}  // namespace macloom::flow
