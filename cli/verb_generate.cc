#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "flow/testbench.h"
#include "rtl/gen/generator.h"
#include "rtl/gen/testbench.h"

namespace macloom::cli {

Verb AddGenerate(CLI::App& app) {
  struct Options {
    HardwareOption hardware;
    std::string output, job;
    bool has_testbench = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "generate", "RTL, signature, register map and file list of a configuration");
  options->hardware.AddTo(*verb);
  verb->add_option("-o,--output", options->output, "folder to write")->required();
  auto* testbench = verb->add_flag(
      "--testbench", options->has_testbench,
      "also a self-checking testbench with scripts for Icarus Verilog and Verilator");
  verb->add_option("--job", options->job,
                   "job folder with samples that the testbench runs; the shipped network without")
      ->needs(testbench);
  return {
      verb, [options]() -> Result<int> {
        MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options->hardware.Load());
        flow::TestbenchSummary summary;
        if (options->has_testbench) {
          MACLOOM_ASSIGN_OR_RETURN(const flow::TestbenchJob job,
                                   options->job.empty()
                                       ? flow::ShippedTestbenchJob(config)
                                       : flow::LoadTestbenchJob(options->job, config));
          MACLOOM_ASSIGN_OR_RETURN(summary, flow::GenerateTestbench(job, options->output));
        } else {
          MACLOOM_RETURN_IF_ERROR(rtl_gen::GenerateRtl(config, options->output));
        }
        fmt::print(
            "top module {}, digest {}\nwritten to {}: SystemVerilog and macloom.f, signature.json, "
            "macloom_regs.h, registers.md, hardware.toml\n",
            rtl_gen::TopName(config), arch::Digest(config).substr(0, 16), options->output);
        if (options->has_testbench) {
          fmt::print(
              "{}.v, run_icarus.sh, run_verilator.sh; job/: {} samples, {} elements expected "
              "of each\n",
              rtl_gen::TestbenchName(config), summary.num_samples, summary.num_expected);
        }
        return 0;
      }};
}

}  // namespace macloom::cli
