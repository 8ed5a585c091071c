#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/common.h"
#include "flow/compare.h"

namespace macloom::cli {
namespace {

struct CompareOptions {
  std::string expected, got, json;
  flow::CompareOptions compare;
};

Result<int> RunCompare(const CompareOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const flow::CompareResult result,
                           flow::CompareVectors(options.expected, options.got, options.compare));
  std::vector<std::vector<std::string>> rows = {{"layer", "array", "elements", "mismatches"}};
  const bool is_equal = result.mismatches() == 0;
  nlohmann::ordered_json json = {{"format", "macloom.compare"},
                                 {"format_version", 1},
                                 {"passed", is_equal},
                                 {"mismatches", result.mismatches()},
                                 {"first_mismatch", result.first_mismatch()}};
  for (const flow::ArrayComparison& array : result.arrays) {
    rows.push_back({array.layer, array.array, std::to_string(array.elements),
                    std::to_string(array.mismatches)});
    json["arrays"].push_back({{"layer", array.layer},
                              {"array", array.array},
                              {"file", array.file},
                              {"elements", array.elements},
                              {"mismatches", array.mismatches},
                              {"first_mismatch", array.first}});
  }
  PrintTable(rows, 2);
  if (!is_equal) fmt::print("\nfirst mismatch: {}\n", result.first_mismatch());
  fmt::print("\n{} of {}: {}\n", options.got, options.expected, is_equal ? "PASS" : "FAIL");
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return is_equal ? 0 : 1;
}

}  // namespace

Verb AddCompare(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* verb =
      app.add_subcommand("compare", "dumped tensors (.npy, .hex) against vectors; exit 1 if wrong");
  verb->add_option("DIR", options->expected, "folder written by vectors")->required();
  verb->add_option("GOT", options->got, "folder LAYER/ARRAY.npy or .hex, or one file")->required();
  verb->add_option("--layer", options->compare.layers, "only this layer; repeatable");
  verb->add_option("--array", options->compare.array, "what GOT is if it is a file")
      ->capture_default_str();
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return RunCompare(*options); }};
}

}  // namespace macloom::cli
