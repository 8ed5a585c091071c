// Where the cycles of a step go.
#pragma once

#include <cstdint>

namespace macloom::arch {

/// The counters of docs/accelerator.md that depend on time only. total = busy + stalls + idle.
struct CycleCounts {
  int64_t total_cycles = 0, busy_cycles = 0;
  int64_t stall_activation_cycles = 0, stall_weight_cycles = 0, stall_output_cycles = 0;
  int64_t stall_dma_read_cycles = 0, stall_dma_write_cycles = 0, idle_cycles = 0;
  int64_t read_beats = 0, write_beats = 0;
  CycleCounts& operator+=(const CycleCounts& other);
  bool operator==(const CycleCounts&) const = default;
};

}  // namespace macloom::arch
