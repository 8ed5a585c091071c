#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cli/common.h"
#include "cost/mac_cost.h"

namespace macloom::cli {
namespace {

struct MacOptions {
  std::vector<std::string> formats;
  std::vector<std::string> libraries = {cost::kDefaultLibrary};
  std::vector<int> lanes = {1};
  std::string shape = "bare";
  std::string json;
};

std::vector<std::string> Header(const cost::MacComparison& comparison) {
  std::vector<std::string> header = {"unit", "gates", "ratio", "FF"};
  for (const std::string& library : comparison.libraries) {
    for (const std::string& column :
         {library + " um2", std::string("ratio"), std::string("ns"), std::string("loop ns"),
          std::string("iso um2*ns/MAC"), std::string("ratio")}) {
      header.push_back(column);
    }
  }
  return header;
}

void PrintMacTable(const cost::MacComparison& comparison) {
  std::vector<std::vector<std::string>> rows = {Header(comparison)};
  for (const cost::MacResult& result : comparison.results) {
    const cost::MacResult& base = comparison.BaselineOf(result);
    std::vector<std::string> row = {
        result.name, fmt::format("{}", result.gates.gates),
        fmt::format("{:.2f}", static_cast<double>(result.gates.gates) /
                                  static_cast<double>(base.gates.gates)),
        fmt::format("{}", result.gates.flip_flops)};
    for (size_t l = 0; l < comparison.libraries.size(); ++l) {
      const cost::MappedArea& area = result.mapped[l];
      row.push_back(fmt::format("{:.0f}", area.area_um2));
      row.push_back(fmt::format("{:.2f}", area.area_um2 / base.mapped[l].area_um2));
      row.push_back(fmt::format("{:.2f}", area.critical_path_ns));
      row.push_back(fmt::format("{:.2f}", area.loop_path_ns));
      row.push_back(fmt::format("{:.0f}", result.IsoAreaPeriod(l)));
      row.push_back(fmt::format("{:.2f}", result.IsoAreaPeriod(l) / base.IsoAreaPeriod(l)));
    }
    rows.push_back(std::move(row));
  }
  PrintTable(rows, 1);
}

Result<int> RunMac(const MacOptions& options) {
  cost::MacRequest request;
  request.formats = options.formats.empty() || options.formats[0] == "all"
                        ? cost::DefaultMacFormats()
                        : options.formats;
  request.libraries = options.libraries;
  request.lanes = options.lanes;
  request.shape = options.shape == "bare"  ? cost::MacShape::kBare
                  : options.shape == "row" ? cost::MacShape::kRow
                                           : cost::MacShape::kRowDepthwise;
  std::unique_ptr<ProgressLine> progress;
  MACLOOM_ASSIGN_OR_RETURN(
      const cost::MacComparison comparison,
      cost::CompareMacs(request, [&](const std::string& what, int done, int total) {
        if (!progress) progress = std::make_unique<ProgressLine>("synthesis", total);
        progress->Update(done, what);
      }));
  progress.reset();
  PrintMacTable(comparison);
  fmt::print(
      "\ngates: two-input gates without inverters and flip-flops; um2: all cells, no wires; ns: longest "
      "path; loop: accumulator to\naccumulator; iso: feed-forward part pipelined to the loop's period, "
      "registers counted. Ratios: against {} of the same lanes.\n{} of {} results from the cache\n",
      comparison.baseline, comparison.num_cached, comparison.num_cached + comparison.num_made);
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, cost::ToJson(comparison)));
  return 0;
}

}  // namespace

Verb AddCost(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("cost", "area, delay and energy by synthesis");
  auto mac_options = std::make_shared<MacOptions>();
  CLI::App* mac = verb->add_subcommand("mac", "multiply-accumulate units, format by format");
  mac->add_option("--formats", mac_options->formats,
                  "FORMAT/ACCUMULATOR, e.g. int8/24,int4/16; all")
      ->delimiter(',');
  mac->add_option("--library", mac_options->libraries,
                  "osu018, or a Liberty file (.lib, .lib.gz); repeatable")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option("--lanes", mac_options->lanes, "products per step")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option("--shape", mac_options->shape,
                  "bare: multipliers, adder, accumulator; row: a row of the array with its storage; "
                  "row+dw: with depthwise mode")
      ->check(CLI::IsMember({"bare", "row", "row+dw"}))
      ->capture_default_str();
  mac->add_option("--json", mac_options->json, "machine-readable results");
  verb->require_subcommand(1);
  return {verb, [mac, mac_options]() -> Result<int> {
            if (mac->parsed()) return RunMac(*mac_options);
            return 2;
          }};
}

}  // namespace macloom::cli
