#include <fmt/format.h>

#include <memory>

#include "arch/job.h"
#include "cli/common.h"
#include "flow/model.h"

namespace macloom::cli {

Verb AddCompile(CLI::App& app) {
  struct Options {
    std::string model, output, overflow = "wrap";
    HardwareOption hardware;
    RoundingOption rounding;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("compile", "network to job: descriptors, memory image, manifest");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  options->hardware.AddTo(*verb);
  options->rounding.AddTo(*verb);
  verb->add_option("--overflow", options->overflow, "accumulator policy")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "job folder to write")->required();
  return {verb, [options]() -> Result<int> {
            MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                                     flow::LoadModel(options->model, options->rounding.value()));
            MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options->hardware.Load());
            arch::CompileOptions compile;
            compile.overflow =
                options->overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
            MACLOOM_ASSIGN_OR_RETURN(const arch::Job job, arch::Compile(graph, config, compile));
            MACLOOM_RETURN_IF_ERROR(arch::SaveJob(job, options->output));
            fmt::print(
                "{} for {}: {} descriptors, image of {} bytes, memory of {} bytes\nwritten to {}\n",
                NetworkTitle(graph), config.name, job.steps.size(), job.image.size(),
                job.memory_bytes, options->output);
            return 0;
          }};
}

}  // namespace macloom::cli
