// Text of the files in rtl/gen/testbench, by name; generated at build time.
#pragma once

#include <map>
#include <string>

namespace macloom::rtl_gen {

const std::map<std::string, std::string>& EmbeddedTestbench();

}  // namespace macloom::rtl_gen
