#include "rtl/gen/testbench.h"

#include "rtl/gen/generator.h"

namespace macloom::rtl_gen {

std::string TestbenchName(const arch::HardwareConfig& config) {
  return "loom_" + config.name + "_tb";
}

std::string RenderTestbench(const arch::HardwareConfig& config) {
  std::string text = EmbeddedTestbench().at("testbench.v");
  const std::map<std::string, std::string> values = {
      {"@TOP@", TopName(config)},
      {"@TB@", TestbenchName(config)},
      {"@AXI_BITS@", std::to_string(config.axi_data_bits)},
      {"@DIGEST@", arch::Digest(config).substr(0, 8)}};
  for (const auto& [key, value] : values) {
    for (size_t at = text.find(key); at != std::string::npos; at = text.find(key))
      text.replace(at, key.size(), value);
  }
  return text;
}

}  // namespace macloom::rtl_gen
