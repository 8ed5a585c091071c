#include "flow/generate.h"

#include <fmt/format.h>

#include <sstream>

#include "base/files.h"
#include "base/progress.h"
#include "rtl/gen/generator.h"
#include "rtl/gen/testbench.h"
#include "sim/subprocess.h"

namespace macloom::flow {
namespace {

/// Elaborates the RTL in `folder` and writes TOP.v beside it. Memories start as zeros and
/// registers without reset too: with four values, an undefined byte times a zero weight would be
/// undefined.
Status WriteVerilog(const std::filesystem::path& folder, const std::string& top,
                    const std::string& file_list) {
  std::string script;
  std::istringstream list(file_list);
  for (std::string file; std::getline(list, file);)
    script += fmt::format("read_verilog -sv -DLOOM_ZERO_MEMORY {}\n", file);
  script += fmt::format(
      "hierarchy -check -top {}\nproc\nopt_clean\n"
      "write_verilog -noattr {}.v\n",
      top, top);
  const std::filesystem::path script_file = folder / "elaborate.ys";
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(script_file, std::string_view(script)));
  ProgressLine progress("elaborating " + top, 0);
  progress.Update(0);
  const std::filesystem::path log = folder / "yosys.log";
  MACLOOM_RETURN_IF_ERROR(
      sim::RunTool({"yosys", "-q", "-s", "elaborate.ys"}, folder, log, "yosys"));
  progress.Finish("done");
  std::error_code ignored;
  std::filesystem::remove(script_file, ignored);
  std::filesystem::remove(log, ignored);
  return {};
}

}  // namespace

Status Generate(const arch::HardwareConfig& config, const std::filesystem::path& directory,
                const GenerateOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(auto files, rtl_gen::RenderRtl(config));
  if (options.has_testbench)
    files[rtl_gen::TestbenchName(config) + ".v"] = rtl_gen::RenderTestbench(config);
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory output, OutputDirectory::Create(directory));
  for (const auto& [name, text] : files)
    MACLOOM_RETURN_IF_ERROR(output.Write(name, std::string_view(text)));
  if (options.has_verilog) {
    MACLOOM_RETURN_IF_ERROR(
        WriteVerilog(output.path(), rtl_gen::TopName(config), files.at("macloom.f")));
  }
  return output.Commit();
}

}  // namespace macloom::flow
