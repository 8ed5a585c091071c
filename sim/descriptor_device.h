// Executes descriptors in C++: what the compiler emitted, without RTL and without golden.
#pragma once

#include <memory>

#include "sim/device.h"

namespace macloom::sim {

/// A device that reads the job's memory image as the hardware does (docs/accelerator.md):
/// descriptor list, parameter and weight streams, loads, stores, accumulators of P bits stepped in
/// hardware order, requantization, completion records.
///
/// It keeps no time: cycle counters are 0. A malformed descriptor, an access outside a memory, or a
/// stream that does not match its descriptor is kCheckFailed, naming tag and field
/// (descriptor_check.h); a job or an input that does not fit is the error of job_check.h.
std::unique_ptr<Device> MakeDescriptorDevice();

}  // namespace macloom::sim
