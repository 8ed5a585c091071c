#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "flow/generate.h"
#include "rtl/gen/generator.h"
#include "rtl/gen/testbench.h"

namespace macloom::cli {

Verb AddGenerate(CLI::App& app) {
  struct Options {
    HardwareOption hardware;
    std::string output;
    flow::GenerateOptions generate;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "generate", "RTL, signature, register map and file list of a configuration");
  options->hardware.AddTo(*verb);
  verb->add_option("-o,--output", options->output, "folder to write")->required();
  verb->add_flag("--testbench", options->generate.has_testbench,
                 "also a self-checking testbench in Verilog that runs jobs");
  verb->add_flag("--verilog", options->generate.has_verilog,
                 "also the elaborated design as one file of plain Verilog (with Yosys)");
  return {
      verb, [options]() -> Result<int> {
        MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options->hardware.Load());
        MACLOOM_RETURN_IF_ERROR(flow::Generate(config, options->output, options->generate));
        fmt::print(
            "top module {}, digest {}\nwritten to {}: SystemVerilog and macloom.f, signature.json, "
            "macloom_regs.h, registers.md, hardware.toml\n",
            rtl_gen::TopName(config), arch::Digest(config).substr(0, 16), options->output);
        if (options->generate.has_testbench)
          fmt::print("testbench {}: +JOB=FOLDER (compile --random), see its head\n",
                     rtl_gen::TestbenchName(config));
        if (options->generate.has_verilog)
          fmt::print("plain Verilog: {}.v\n", rtl_gen::TopName(config));
        return 0;
      }};
}

}  // namespace macloom::cli
