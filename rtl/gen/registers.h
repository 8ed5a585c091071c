// The register map as data: one source for the C header, the Markdown table and the signature.
#pragma once

#include <string>
#include <vector>

namespace macloom::rtl_gen {

/// One AXI4-Lite register. RTL twin: rtl/lib/loom_csr.sv.
struct Register {
  std::string name;    ///< Upper case, as in the C header without prefix.
  int offset = 0;      ///< Byte offset.
  std::string access;  ///< "ro", "rw", "w1" (write 1, self-clearing), "w1c" (write 1 to clear).
  std::string meaning;
};

/// All registers in address order; a 64-bit counter is two (low, high).
std::vector<Register> Registers();

/// C header (C and C++) with one `MACLOOM_REG_<NAME>` per register.
std::string RegisterHeader();
/// Markdown table.
std::string RegisterMarkdown();

}  // namespace macloom::rtl_gen
