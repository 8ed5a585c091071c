// What is synthesised: RTL files with a wrapper that fixes every parameter.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::cost {

/// RTL of one top module. The wrapper has literal parameters, since Yosys 0.23 cannot set them from
/// the command line reliably.
struct RtlUnit {
  std::string name;                          ///< For people, e.g. "int8 acc24 L4".
  std::string top;                           ///< Module to synthesise.
  std::map<std::string, std::string> files;  ///< File name -> text.
  std::vector<std::string> order;            ///< Files in the order in which they are read.
  std::vector<std::string> black_boxes;      ///< Modules that stay empty (memories).
  std::string accumulator_register;  ///< Part of the names of the registers of the feedback loop.

  /// SHA-256 over everything that decides the result.
  std::string Digest() const;
};

}  // namespace macloom::cost
