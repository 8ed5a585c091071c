// The state of the descriptor-level machine and the execution of one descriptor.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/config.h"
#include "arch/descriptor.h"
#include "sim/device.h"

namespace macloom::sim {

/// External, activation and staging memory, and the cumulative counters without time.
struct MachineState {
  MachineState(const arch::HardwareConfig& hardware, int accumulator_bits_in)
      : config(hardware),
        accumulator_bits(accumulator_bits_in),
        activation(static_cast<size_t>(hardware.activation_bytes), 0),
        staging(static_cast<size_t>(hardware.staging_bytes), 0) {}

  uint32_t ReadWord(uint64_t address) const {
    uint32_t value = 0;
    for (size_t b = 4; b-- > 0;) value = value << 8 | memory[address + b];
    return value;
  }

  arch::HardwareConfig config;
  int accumulator_bits;
  std::vector<uint8_t> memory, activation, staging;
  StepCounters counters;
};

/// Executes one descriptor. @return kCheckFailed naming tag and field.
Status Execute(MachineState& machine, const arch::Descriptor& descriptor);

}  // namespace macloom::sim
