#include "cost/mac_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/check.h"
#include "cost/energy.h"
#include "cost/synthesis.h"

namespace macloom::cost {
namespace {

Result<MacResult> Measure(const MacSpec& spec, const MacRequest& request,
                          const std::vector<LibraryFile>& libraries, Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, MacRtl(spec));
  MacResult result;
  result.name = spec.Name();
  result.format = spec.format;
  result.accumulator_bits = spec.accumulator_bits;
  result.lanes = spec.lanes;
  result.shape = ShapeName(spec.shape);
  result.cut_bits = spec.CutBits();
  MACLOOM_ASSIGN_OR_RETURN(result.gates, synthesizer.Gates(unit));
  MACLOOM_ASSIGN_OR_RETURN(result.mapped, synthesizer.Map(unit, libraries));
  if (request.energy_cycles == 0) return result;
  const OperandTrace normal = GaussianOperands(spec, request.energy_cycles, request.seed);
  std::optional<OperandTrace> of_network;
  if (request.network_operands) {
    Result<OperandTrace> operands = request.network_operands(spec);
    if (operands.ok()) {
      of_network = std::move(*operands);
    } else if (operands.error().kind != ErrorKind::kUnsupported) {
      return operands.error();
    }
  }
  for (size_t l = 0; l < libraries.size(); ++l) {
    if (request.energy_libraries &&
        std::count(request.energy_libraries->begin(), request.energy_libraries->end(), l) == 0) {
      continue;
    }
    MACLOOM_ASSIGN_OR_RETURN(const UnitEnergy energy,
                             MeasureEnergy(spec, normal, libraries[l], synthesizer));
    result.energies.push_back(energy);
    if (!of_network) continue;
    MACLOOM_ASSIGN_OR_RETURN(const UnitEnergy on_network,
                             MeasureEnergy(spec, *of_network, libraries[l], synthesizer));
    result.network_energies.push_back(on_network);
  }
  return result;
}

}  // namespace

int MacResult::ExtraStages(size_t library) const {
  const MappedArea& area = mapped[library];
  if (area.loop_path_ns <= 0.0) return 0;
  return std::max(0, static_cast<int>(std::ceil(area.critical_path_ns / area.loop_path_ns)) - 1);
}

double MacResult::IsoArea(size_t library) const {
  return mapped[library].area_um2 +
         ExtraStages(library) * cut_bits * mapped[library].largest_flip_flop_um2;
}

double MacResult::IsoAreaPeriod(size_t library) const {
  return IsoArea(library) * mapped[library].loop_path_ns / lanes;
}

const MacResult& MacComparison::BaselineOf(const MacResult& result) const {
  for (const MacResult& candidate : baselines) {
    if (candidate.lanes == result.lanes && candidate.shape == result.shape) return candidate;
  }
  MACLOOM_CHECK(false);
  return result;
}

namespace {

/// The units of `request`, first all baselines. @param num_baselines set.
Result<std::vector<MacSpec>> UnitsOf(const MacRequest& request, size_t& num_baselines) {
  std::vector<MacSpec> specs;
  const auto add = [&](const std::string& format, int lanes, MacShape shape) -> Status {
    MACLOOM_ASSIGN_OR_RETURN(MacSpec spec, ParseMacSpec(format));
    spec.lanes = lanes;
    spec.shape = shape;
    const Result<RtlUnit> rtl = MacRtl(spec);
    if (rtl.ok()) {
      specs.push_back(spec);
    } else if (!request.skip_unsupported || rtl.error().kind != ErrorKind::kUnsupported) {
      return rtl.error();
    }
    return {};
  };
  for (const bool is_baseline : {true, false}) {
    const std::vector<std::string> baseline = {kMacBaseline};
    for (const MacShape shape : request.shapes) {
      for (const int lanes : request.lanes) {
        for (const std::string& format : is_baseline ? baseline : request.formats) {
          MACLOOM_RETURN_IF_ERROR(add(format, lanes, shape));
        }
      }
    }
    if (is_baseline) num_baselines = specs.size();
  }
  return specs;
}

/// Shared by the threads of MeasureAll.
struct MacWork {
  std::mutex mutex;
  size_t next = 0;
  int done = 0;
  std::optional<Error> error;
  std::vector<MacResult> results;
  int num_cached = 0;
  int num_made = 0;
};

void MeasureUntilDone(const std::vector<MacSpec>& specs, const MacRequest& request,
                      const std::vector<LibraryFile>& libraries, Synthesizer& synthesizer,
                      const std::function<void(const std::string&, int, int)>& progress,
                      MacWork& work) {
  std::unique_lock lock(work.mutex);
  while (work.next < specs.size() && !work.error.has_value()) {
    const size_t index = work.next++;
    lock.unlock();
    Result<MacResult> result = Measure(specs[index], request, libraries, synthesizer);
    lock.lock();
    if (result.ok()) {
      work.results[index] = std::move(*result);
    } else if (!work.error.has_value()) {
      work.error = result.error();
    }
    if (progress) progress(specs[index].Name(), ++work.done, static_cast<int>(specs.size()));
  }
  work.num_cached += synthesizer.num_cached();
  work.num_made += synthesizer.num_made();
}

}  // namespace

Result<MacMeasurements> MeasureMacs(
    const std::vector<MacSpec>& specs, const MacRequest& request,
    const std::vector<LibraryFile>& libraries,
    const std::function<void(const std::string&, int, int)>& progress) {
  std::vector<Synthesizer> synthesizers;  // One per thread, each with its own cache connection.
  const int jobs = std::max(1, std::min(request.jobs, static_cast<int>(specs.size())));
  for (int job = 0; job < jobs; ++job) {
    MACLOOM_ASSIGN_OR_RETURN(ResultCache cache, ResultCache::OpenDefault());
    MACLOOM_ASSIGN_OR_RETURN(Synthesizer synthesizer, Synthesizer::Create(std::move(cache)));
    synthesizers.push_back(std::move(synthesizer));
  }
  MacWork work;
  work.results.resize(specs.size());
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(jobs));
  for (int job = 0; job < jobs; ++job) {
    threads.emplace_back([&, job] {
      MeasureUntilDone(specs, request, libraries, synthesizers[static_cast<size_t>(job)], progress,
                       work);
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (work.error.has_value()) return *work.error;
  return MacMeasurements{std::move(work.results), work.num_cached, work.num_made};
}

Result<MacComparison> CompareMacs(
    const MacRequest& request, const std::function<void(const std::string&, int, int)>& progress) {
  size_t num_baselines = 0;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<MacSpec> specs, UnitsOf(request, num_baselines));
  MacComparison comparison;
  comparison.baseline = kMacBaseline;
  std::vector<LibraryFile> libraries;
  for (const std::string& name : request.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(LibraryFile library, OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    if (request.energy_cycles > 0) MACLOOM_RETURN_IF_ERROR(library.library.RequirePower());
    comparison.libraries.push_back(library.label);
    libraries.push_back(std::move(library));
  }
  MACLOOM_ASSIGN_OR_RETURN(MacMeasurements measurements,
                           MeasureMacs(specs, request, libraries, progress));
  for (size_t i = 0; i < specs.size(); ++i) {
    (i < num_baselines ? comparison.baselines : comparison.results)
        .push_back(std::move(measurements.results[i]));
  }
  comparison.num_cached = measurements.num_cached;
  comparison.num_made = measurements.num_made;
  return comparison;
}

nlohmann::ordered_json ToJson(const MacComparison& comparison) {
  nlohmann::ordered_json json = {{"baseline", comparison.baseline},
                                 {"libraries", comparison.libraries},
                                 {"units", nlohmann::ordered_json::array()}};
  for (const MacResult& result : comparison.results) {
    const MacResult& base = comparison.BaselineOf(result);
    nlohmann::ordered_json unit = {{"name", result.name},
                                   {"format", result.format},
                                   {"accumulator_bits", result.accumulator_bits},
                                   {"lanes", result.lanes},
                                   {"shape", result.shape},
                                   {"gates", result.gates.gates},
                                   {"inverters", result.gates.inverters},
                                   {"flip_flops", result.gates.flip_flops},
                                   {"gates_ratio", static_cast<double>(result.gates.gates) /
                                                       static_cast<double>(base.gates.gates)}};
    for (size_t l = 0; l < comparison.libraries.size(); ++l) {
      const MappedArea& area = result.mapped[l];
      unit["mapped"].push_back(
          {{"library", comparison.libraries[l]},
           {"area_um2", area.area_um2},
           {"area_ratio", area.area_um2 / base.mapped[l].area_um2},
           {"flip_flop_area_um2", area.flip_flop_area_um2},
           {"leakage_nw", area.leakage_nw},
           {"critical_path_ns", area.critical_path_ns},
           {"loop_path_ns", area.loop_path_ns},
           {"iso_extra_stages", result.ExtraStages(l)},
           {"iso_area_um2", result.IsoArea(l)},
           {"iso_area_period_um2_ns_per_mac", result.IsoAreaPeriod(l)},
           {"iso_area_period_ratio", result.IsoAreaPeriod(l) / base.IsoAreaPeriod(l)}});
    }
    for (const UnitEnergy& energy : result.energies) unit["energy"].push_back(ToJson(energy));
    for (const UnitEnergy& energy : result.network_energies) {
      unit["network_energy"].push_back(ToJson(energy));
    }
    json["units"].push_back(std::move(unit));
  }
  return json;
}

}  // namespace macloom::cost
