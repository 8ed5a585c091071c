// A window of waves of an RTL run, with a GTKWave save file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/verilated_device.h"

namespace macloom::sim {

/// Cycles since the start of the run. In the file a cycle is 10 ns, its rising edge 5 ns in.
struct WaveWindow {
  int64_t first_cycle = 0, last_cycle = 0;
  int64_t marker_cycle = -1;  ///< -1: none.
};

struct WaveFiles {
  std::filesystem::path trace;      ///< STEM.fst or STEM.vcd.
  std::filesystem::path save_file;  ///< STEM.gtkw, opens `trace` with the useful signals.
  size_t num_signals = 0;           ///< Named by the save file.
};

/// kFst, or kVcd if g++ finds no zlib.h, which FST needs.
WaveFormat AvailableWaveFormat();

/// Text of a save file for `trace_name`: those of the signals in the trace that tell how far the
/// accelerator is (interface, sequencer, feeders, array, drain, write-back), in groups.
std::string RenderSaveFile(const std::string& trace_name, const std::vector<WaveSignal>& signals,
                           const WaveWindow& window, size_t* num_named = nullptr);

/// Runs one sample again on a model built with tracing, with the same timing, and writes the window
/// into `directory` (made if it is not there). A run that ends in an error is recorded all the
/// same.
///
/// @return the errors of BuildModel(); kOutput if the files cannot be written.
Result<WaveFiles> RecordWaves(const arch::HardwareConfig& config, VerilatedOptions options,
                              const arch::Job& job, const ir::TensorValue& input,
                              const WaveWindow& window, const std::filesystem::path& directory,
                              const std::string& stem);

}  // namespace macloom::sim
