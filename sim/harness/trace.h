// Waves of a Verilated model: a window of cycles into an FST or VCD file, and the signals in it.
//
// Part of harness.cc. MACLOOM_TRACE_FST or MACLOOM_TRACE_VCD says what the model was built with.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#if defined(MACLOOM_TRACE_FST)
#include "verilated_fst_c.h"
#elif defined(MACLOOM_TRACE_VCD)
#include "verilated_vcd_c.h"
#endif

namespace {

/// Called with the path (`TOP.top.u_core.signal[7:0]`) and the width of every signal.
using SignalCallback = std::function<void(const std::string& path, uint32_t width_bits)>;

/// Joins scopes and a name as both formats write it: `signal [7:0]` becomes `signal[7:0]`.
[[maybe_unused]] inline std::string SignalPath(const std::vector<std::string>& scopes,
                                               const std::string& name) {
  std::string path;
  for (const std::string& scope : scopes) path += scope + ".";
  for (const char c : name) {
    if (c != ' ') path += c;
  }
  return path;
}

#if defined(MACLOOM_TRACE_FST)

using TraceFile = VerilatedFstC;

inline void ForEachSignal(const std::string& path, const SignalCallback& callback) {
  void* reader = fstReaderOpen(path.c_str());
  if (reader == nullptr) return;
  std::vector<std::string> scopes;
  fstReaderIterateHierRewind(reader);
  while (const fstHier* item = fstReaderIterateHier(reader)) {
    if (item->htyp == FST_HT_SCOPE) {
      scopes.push_back(item->u.scope.name);
    } else if (item->htyp == FST_HT_UPSCOPE) {
      scopes.pop_back();
    } else if (item->htyp == FST_HT_VAR) {
      callback(SignalPath(scopes, item->u.var.name), item->u.var.length);
    }
  }
  fstReaderClose(reader);
}

#elif defined(MACLOOM_TRACE_VCD)

using TraceFile = VerilatedVcdC;

inline void ForEachSignal(const std::string& path, const SignalCallback& callback) {
  std::ifstream file(path);
  std::vector<std::string> scopes;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, kind, name;
    words >> key >> kind;
    if (key == "$enddefinitions") return;
    if (key == "$scope") {
      words >> name;
      scopes.push_back(name);
    } else if (key == "$upscope") {
      scopes.pop_back();
    } else if (key == "$var") {
      uint32_t width_bits = 0;
      std::string code;
      words >> width_bits >> code;
      for (std::string part; words >> part && part != "$end";) name += part;
      callback(SignalPath(scopes, name), width_bits);
    }
  }
}

#else

/// A model without tracing.
class TraceFile {
 public:
  bool isOpen() const { return false; }
  void dump(uint64_t) {}
  void close() {}
};

inline void ForEachSignal(const std::string&, const SignalCallback&) {}

#endif

}  // namespace
