#include <fmt/format.h>

#include <memory>

#include "arch/job.h"
#include "cli/common.h"
#include "flow/replay.h"
#include "networks/model.h"

namespace macloom::cli {

Verb AddCompile(CLI::App& app) {
  struct Options {
    std::string model, output, inputs, overflow = "wrap";
    int random = 0, accumulator_bits = 0;
    uint64_t seed = 1;
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
  verb->add_option("--accumulator-bits", options->accumulator_bits,
                   "narrow the accumulators of the simulated RTL to this width")
      ->check(CLI::Range(8, 32));
  auto* inputs = verb->add_option("--inputs", options->inputs,
                                  "samples to put into the job, with the tensors expected: .npy "
                                  "array, or folder or tar of raw int8 samples");
  verb->add_option("--random", options->random, "this many random and corner samples")
      ->check(CLI::Range(1, 10000))
      ->excludes(inputs);
  verb->add_option("--seed", options->seed, "seed of the random samples")->capture_default_str();
  verb->add_option("-o,--output", options->output, "job folder to write")->required();
  return {verb, [options]() -> Result<int> {
            MACLOOM_ASSIGN_OR_RETURN(
                const ir::Graph graph,
                networks::LoadModel(options->model, options->rounding.value()));
            MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options->hardware.Load());
            arch::CompileOptions compile;
            compile.overflow =
                options->overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
            compile.effective_accumulator_bits = options->accumulator_bits;
            MACLOOM_ASSIGN_OR_RETURN(const arch::Job job, arch::Compile(graph, config, compile));
            flow::Samples samples = flow::RandomInputs(graph, options->random, options->seed);
            if (!options->inputs.empty()) {
              MACLOOM_ASSIGN_OR_RETURN(samples, flow::LoadInputs(options->inputs, graph));
            }
            MACLOOM_ASSIGN_OR_RETURN(const arch::JobSamples expected,
                                     flow::MakeJobSamples(job, samples));
            MACLOOM_RETURN_IF_ERROR(arch::SaveJob(job, options->output, expected));
            fmt::print(
                "{} for {}: {} descriptors, image of {} bytes, memory of {} bytes, {} "
                "samples\nwritten to {}\n",
                NetworkTitle(graph), config.name, job.steps.size(), job.image.size(),
                job.memory_bytes, samples.inputs.size(), options->output);
            return 0;
          }};
}

}  // namespace macloom::cli
