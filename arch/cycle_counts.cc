#include "arch/cycle_counts.h"

namespace macloom::arch {

CycleCounts& CycleCounts::operator+=(const CycleCounts& other) {
  total_cycles += other.total_cycles;
  busy_cycles += other.busy_cycles;
  stall_activation_cycles += other.stall_activation_cycles;
  stall_weight_cycles += other.stall_weight_cycles;
  stall_output_cycles += other.stall_output_cycles;
  stall_dma_read_cycles += other.stall_dma_read_cycles;
  stall_dma_write_cycles += other.stall_dma_write_cycles;
  idle_cycles += other.idle_cycles;
  read_beats += other.read_beats;
  write_beats += other.write_beats;
  return *this;
}

}  // namespace macloom::arch
