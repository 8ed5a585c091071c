// What a descriptor must satisfy before it is executed.
#pragma once

#include "arch/config.h"
#include "arch/descriptor.h"
#include "base/result.h"

namespace macloom::sim {

/// Error of the descriptor-level machine: kCheckFailed, naming the tag.
Error DescriptorError(const arch::Descriptor& descriptor, const std::string& text);

/// Every rule of docs/accelerator.md that needs no memory contents: version, opcode, alignment,
/// sizes, ranges of the fields the opcode uses, and that a stream fits the weight ring. A
/// descriptor that passes is executed in bounded time.
///
/// @return kCheckFailed naming tag, field, value and what is accepted.
Status CheckDescriptor(const arch::HardwareConfig& config, const arch::Descriptor& descriptor);

/// Multiplier within the configuration's bits; shift -31..7, or 0..62 for RequantMode::kMean; lanes
/// without multiplier take powers of two only. @return as above.
Status CheckMultiplier(const arch::HardwareConfig& config, const arch::Descriptor& descriptor,
                       const char* field, int64_t multiplier, int shift);

}  // namespace macloom::sim
