#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "flow/model.h"
#include "ir/network_file.h"

namespace macloom::cli {

Verb AddImport(CLI::App& app) {
  struct Options {
    std::string model, output;
    RoundingOption rounding;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("import", "foreign model to network file");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  verb->add_option("-o,--output", options->output, "network file to write (.safetensors)")
      ->required();
  options->rounding.AddTo(*verb);
  return {verb, [options]() -> Result<int> {
            MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                                     flow::LoadModel(options->model, options->rounding.value()));
            MACLOOM_RETURN_IF_ERROR(ir::SaveNetwork(graph, options->output));
            fmt::print("{}: {} layers, digest {}\nwritten to {}\n", NetworkTitle(graph),
                       graph.nodes.size(), ir::Digest(graph).substr(0, 16), options->output);
            return 0;
          }};
}

}  // namespace macloom::cli
