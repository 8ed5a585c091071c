// A flat netlist of library cells, as Yosys writes it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace macloom::cost {

/// Nets are numbered; the constants have numbers of their own.
inline constexpr int kNetZero = 0;
inline constexpr int kNetOne = 1;

struct NetlistInstance {
  std::string cell;
  std::string name;
  std::vector<std::pair<std::string, int>> pins;  ///< Pin name, net.

  /// Net at `pin`; -1 if it is not connected.
  int Net(std::string_view pin) const;
};

struct Netlist {
  std::string top;
  std::vector<std::string> net_names;              ///< One name of each net, bits as `name[3]`.
  std::map<std::string, std::vector<int>> inputs;  ///< Port -> nets, bit 0 first.
  std::map<std::string, std::vector<int>> outputs;
  std::vector<NetlistInstance> instances;

  int num_nets() const { return static_cast<int>(net_names.size()); }
};

/// Reads what `write_verilog -noattr -noexpr -nohex` writes for one flat module: declarations,
/// instances with named single-bit connections, assigns of nets and constants.
/// @return kInvalidInput naming the line for anything else.
Result<Netlist> ReadNetlist(std::string_view verilog, const std::string& source);

}  // namespace macloom::cost
