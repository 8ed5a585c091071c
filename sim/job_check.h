// What a job must satisfy before a device runs it.
#pragma once

#include "arch/job.h"

namespace macloom::sim {

/// Checks what devices rely on outside the descriptors: the image fits the memory, input and output
/// lie inside it, regions lie inside the activation memory and their tensors, and `input` has the
/// shape of the network's input and int8 codes.
///
/// @return kInvalidInput for the input, kCheckFailed for the job; the message names the value.
Status CheckJob(const arch::Job& job, const ir::TensorValue& input);

}  // namespace macloom::sim
