#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "flow/clip_inputs.h"
#include "ir/network_file.h"
#include "networks/model.h"

namespace macloom::cli {

Verb AddImport(CLI::App& app) {
  struct Options {
    std::string model, output, front_end;
    std::vector<std::string> class_labels;
    RoundingOption rounding;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("import", "foreign model to network file");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  verb->add_option("-o,--output", options->output, "network file to write (.safetensors)")
      ->required();
  verb->add_option("--front-end", options->front_end,
                   "feature recipe for sounds as inputs: mlperf-tiny-kws, a recipe's JSON file, or "
                   "a network that carries one");
  verb->add_option("--class-labels", options->class_labels, "names of the classes, with commas")
      ->delimiter(',');
  options->rounding.AddTo(*verb);
  return {verb, [options]() -> Result<int> {
            MACLOOM_ASSIGN_OR_RETURN(
                ir::Graph graph, networks::LoadModel(options->model, options->rounding.value()));
            if (!options->front_end.empty()) {
              MACLOOM_ASSIGN_OR_RETURN(const audio::Recipe recipe,
                                       flow::FindRecipe(options->front_end));
              graph.front_end = audio::ToJson(recipe);
              if (const auto fits = flow::RecipeOf(graph); !fits.ok()) return fits.error();
            }
            if (!options->class_labels.empty()) {
              const int64_t classes = ir::NumElements(graph.tensor(graph.output).shape);
              if (std::ssize(options->class_labels) != classes) {
                return InvalidInput(
                    fmt::format("--class-labels has {} names; the network has {} "
                                "classes",
                                options->class_labels.size(), classes));
              }
              graph.class_labels = options->class_labels;
            }
            MACLOOM_RETURN_IF_ERROR(ir::SaveNetwork(graph, options->output));
            fmt::print("{}: {} layers, digest {}\nwritten to {}\n", NetworkTitle(graph),
                       graph.nodes.size(), ir::Digest(graph).substr(0, 16), options->output);
            return 0;
          }};
}

}  // namespace macloom::cli
