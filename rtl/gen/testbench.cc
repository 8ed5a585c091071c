#include "rtl/gen/testbench.h"

#include "rtl/gen/embedded_testbench.h"
#include "rtl/gen/generator.h"

namespace macloom::rtl_gen {
namespace {

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

std::string TestbenchName(const arch::HardwareConfig& config) {
  return "loom_" + config.name + "_tb";
}

std::map<std::string, std::string> RenderTestbench(const arch::HardwareConfig& config,
                                                   const TestbenchSizes& sizes) {
  std::map<std::string, std::string> files = EmbeddedTestbench();
  for (auto& [name, text] : files) {
    ReplaceAll(text, "@TOP@", TopName(config));
    ReplaceAll(text, "@TB@", TestbenchName(config));
    ReplaceAll(text, "@DIGEST@", arch::Digest(config).substr(0, 8));
    ReplaceAll(text, "@AXI_BITS@", std::to_string(config.axi_data_bits));
    ReplaceAll(text, "@LANES@", std::to_string(config.lanes));
    ReplaceAll(text, "@BANKS@", std::to_string(config.activation_banks));
    ReplaceAll(text, "@ACTIVATION_BYTES@", std::to_string(config.activation_bytes));
    ReplaceAll(text, "@MEMORY_WORDS@", std::to_string(sizes.memory_words));
    ReplaceAll(text, "@MAX_EXPECTED@", std::to_string(sizes.max_expected));
  }
  auto testbench = files.extract("testbench.v");
  testbench.key() = TestbenchName(config) + ".v";
  files.insert(std::move(testbench));
  return files;
}

}  // namespace macloom::rtl_gen
