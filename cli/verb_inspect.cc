#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/common.h"
#include "ir/float_network_file.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

int64_t NumParameters(const ir::Graph& graph, const ir::Node& node) {
  int64_t count = 0;
  for (const ir::ConstantId id : {node.weights, node.bias}) {
    if (id >= 0) count += ir::NumElements(graph.constant(id).shape);
  }
  return count;
}

bool IsFloatNetwork(const std::string& model) {
  const std::filesystem::path path(model);
  if (path.extension() != ".safetensors") return false;
  const Result<std::vector<uint8_t>> bytes = ReadFile(path);
  return bytes.ok() && ir::LooksLikeFloatNetwork(*bytes);
}

Result<int> InspectFloat(const std::string& model, const std::string& json_path, bool is_text) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::FloatGraph graph, ir::LoadFloatNetwork(model));
  nlohmann::ordered_json json = {{"format", "macloom.inspect_float"},
                                 {"format_version", 1},
                                 {"network", graph.name},
                                 {"network_digest", ir::Digest(graph)}};
  std::vector<std::vector<std::string>> rows = {
      {"layer", "kind", "input", "output", "batch norm", "MACs", "parameters"}};
  int64_t macs = 0, parameters = 0;
  for (const ir::FloatNode& node : graph.nodes) {
    const int64_t node_macs = ir::NumMacs(graph, node);
    const auto& norm = node.batch_norm;
    int64_t node_parameters = 0;
    for (const ir::ConstantId id :
         {node.weights, node.bias, norm.gamma, norm.beta, norm.mean, norm.variance}) {
      if (id >= 0) node_parameters += ir::NumElements(graph.constant(id).shape);
    }
    macs += node_macs;
    parameters += node_parameters;
    const ir::Shape& input = graph.tensor(node.inputs[0]).shape;
    const ir::Shape& output = graph.tensor(node.output).shape;
    rows.push_back({node.name, ir::ToString(node.kind), ir::ToString(input), ir::ToString(output),
                    norm.is_present() ? "yes" : "-", std::to_string(node_macs),
                    std::to_string(node_parameters)});
    json["layers"].push_back({{"name", node.name},
                              {"kind", ir::ToString(node.kind)},
                              {"input_shape", input},
                              {"output_shape", output},
                              {"has_batch_norm", norm.is_present()},
                              {"macs", node_macs},
                              {"parameters", node_parameters}});
  }
  json["macs"] = macs;
  json["parameters"] = parameters;
  if (is_text) {
    fmt::print("{}", ir::ToText(graph));
  } else {
    fmt::print("float network {}\n", graph.name);
    if (!graph.origin.empty()) fmt::print("origin {}\n", graph.origin);
    fmt::print("\n");
    PrintTable(rows, 5);
    fmt::print("\n{} MACs, {} parameters\n", macs, parameters);
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(json_path, json));
  return 0;
}

}  // namespace

Verb AddInspect(CLI::App& app) {
  struct Options {
    std::string model, json;
    RoundingOption rounding;
    bool is_text = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("inspect", "layers, shapes, formats, MACs, accumulator need");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  verb->add_flag("--text", options->is_text, "the network's full text form instead of the table");
  verb->add_option("--json", options->json, "write the table as JSON");
  options->rounding.AddTo(*verb);
  return {
      verb, [options]() -> Result<int> {
        if (IsFloatNetwork(options->model)) {
          return InspectFloat(options->model, options->json, options->is_text);
        }
        MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                                 networks::LoadModel(options->model, options->rounding.value()));
        nlohmann::ordered_json json = {{"format", "macloom.inspect"},
                                       {"format_version", 1},
                                       {"network", graph.name},
                                       {"is_untrained", graph.is_untrained},
                                       {"network_digest", ir::Digest(graph)}};
        std::vector<std::vector<std::string>> rows = {{"layer", "kind", "input", "output", "format",
                                                       "kernel", "MACs", "parameters", "acc bits"}};
        int64_t macs = 0, parameters = 0;
        int bits = 0;
        for (const ir::Node& node : graph.nodes) {
          const int64_t node_macs = ir::NumMacs(graph, node);
          const int64_t node_parameters = NumParameters(graph, node);
          const int node_bits = ir::RequiredAccumulatorBits(graph, node);
          macs += node_macs;
          parameters += node_parameters;
          bits = std::max(bits, node_bits);
          const ir::TensorInfo& output = graph.tensor(node.output);
          const std::string kernel =
              node.window == ir::Window{}
                  ? "-"
                  : fmt::format("{}x{}/{}x{}", node.window.kernel_h, node.window.kernel_w,
                                node.window.stride_h, node.window.stride_w);
          rows.push_back({node.name, ir::ToString(node.kind),
                          ir::ToString(graph.tensor(node.inputs[0]).shape),
                          ir::ToString(output.shape), ir::ToString(output.format), kernel,
                          std::to_string(node_macs), std::to_string(node_parameters),
                          node_bits > 0 ? std::to_string(node_bits) : "-"});
          json["layers"].push_back({{"name", node.name},
                                    {"kind", ir::ToString(node.kind)},
                                    {"input_shape", graph.tensor(node.inputs[0]).shape},
                                    {"output_shape", output.shape},
                                    {"output_format", ir::ToString(output.format)},
                                    {"macs", node_macs},
                                    {"parameters", node_parameters},
                                    {"accumulator_bits", node_bits}});
        }
        json["front_end"] = graph.front_end;
        json["macs"] = macs;
        json["parameters"] = parameters;
        json["accumulator_bits"] = bits;
        if (options->is_text) {
          fmt::print("{}", ir::ToText(graph));
        } else {
          fmt::print("{}\n", NetworkTitle(graph));
          if (!graph.origin.empty()) fmt::print("origin {}\n", graph.origin);
          if (!graph.front_end.empty()) fmt::print("front end {}\n", graph.front_end);
          fmt::print("\n");
          PrintTable(rows, 6);
          fmt::print("\n{} MACs, {} parameters, accumulator of {} bits never overflows\n", macs,
                     parameters, bits);
        }
        MACLOOM_RETURN_IF_ERROR(WriteJson(options->json, json));
        return 0;
      }};
}

}  // namespace macloom::cli
