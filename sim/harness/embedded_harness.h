// The C++ harness that is compiled together with a Verilated model, embedded at build time.
#pragma once

#include <map>
#include <string>

namespace macloom::sim {

/// File name -> text: harness.cc and harness_abi.h.
const std::map<std::string, std::string>& EmbeddedHarness();

}  // namespace macloom::sim
