// The hand-written SystemVerilog library, embedded at build time.
#pragma once

#include <map>
#include <string>

namespace macloom::rtl_gen {

/// File name -> text of every file of rtl/lib/.
const std::map<std::string, std::string>& EmbeddedRtl();

}  // namespace macloom::rtl_gen
