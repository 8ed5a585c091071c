#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cli/cost_options.h"
#include "cost/fpga.h"

namespace macloom::cli {

Result<int> RunCostFpga(const CostMacOptions& options) {
  std::vector<cost::FpgaFamily> families;
  for (const cost::FpgaFamily family : cost::AllFpgaFamilies()) {
    if (std::count(options.fpga.begin(), options.fpga.end(), cost::FamilyName(family)) > 0) {
      families.push_back(family);
    }
  }
  if (options.shapes != std::vector<std::string>{"bare"}) {
    return InvalidInput("--fpga: only --shape bare");
  }
  std::vector<cost::MacSpec> specs;
  const bool is_all = options.formats.empty() || options.formats[0] == "all";
  for (const std::string& format : is_all ? cost::DefaultMacFormats() : options.formats) {
    for (const int lanes : options.lanes) {
      MACLOOM_ASSIGN_OR_RETURN(cost::MacSpec spec, cost::ParseMacSpec(format));
      spec.lanes = lanes;
      specs.push_back(std::move(spec));
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(cost::ResultCache cache, cost::ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(cost::Synthesizer synthesizer,
                           cost::Synthesizer::Create(std::move(cache)));
  std::vector<std::vector<std::string>> rows = {{"unit", "family", "LUT", "carry", "FF", "DSP",
                                                 "MHz", "with DSP: LUT", "carry", "FF", "DSP"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  {
    ProgressLine progress("synthesis", static_cast<int64_t>(specs.size() * families.size()));
    int64_t done = 0;
    for (const cost::MacSpec& spec : specs) {
      for (const cost::FpgaFamily family : families) {
        progress.Update(done++, spec.Name());
        std::vector<std::string> row = {spec.Name(), cost::FamilyName(family)};
        for (const bool has_dsps : {false, true}) {
          MACLOOM_ASSIGN_OR_RETURN(const cost::FpgaResult result,
                                   cost::MeasureOnFpga(spec, family, has_dsps, synthesizer));
          for (const int64_t number : {result.count.luts, result.count.carries,
                                       result.count.flip_flops, result.count.dsps}) {
            row.push_back(fmt::format("{}", number));
          }
          if (!has_dsps) {
            row.push_back(result.fmax_mhz ? fmt::format("{:.1f}", *result.fmax_mhz) : "-");
          }
          json.push_back(cost::ToJson(result));
        }
        rows.push_back(std::move(row));
      }
    }
  }
  PrintTable(rows, 2);
  fmt::print(
      "\noperands registered, multipliers as operators. Resources after Yosys; MHz: ice40 placed "
      "and routed on an HX8K by\nnextpnr-ice40, clock to clock; ecp5 and xc7 are not placed\n{} of "
      "{} results from the cache\n",
      synthesizer.num_cached(), synthesizer.num_cached() + synthesizer.num_made());
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return 0;
}

}  // namespace macloom::cli
