#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "rtl/gen/generator.h"

namespace macloom::cli {

Verb AddGenerate(CLI::App& app) {
  struct Options {
    HardwareOption hardware;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "generate", "RTL, signature, register map and file list of a configuration");
  options->hardware.AddTo(*verb);
  verb->add_option("-o,--output", options->output, "folder to write")->required();
  return {
      verb, [options]() -> Result<int> {
        MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options->hardware.Load());
        MACLOOM_RETURN_IF_ERROR(rtl_gen::GenerateRtl(config, options->output));
        fmt::print(
            "top module {}, digest {}\nwritten to {}: SystemVerilog and macloom.f, signature.json, "
            "macloom_regs.h, registers.md, hardware.toml\n",
            rtl_gen::TopName(config), arch::Digest(config).substr(0, 16), options->output);
        return 0;
      }};
}

}  // namespace macloom::cli
