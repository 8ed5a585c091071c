// Last pass of the compiler: addresses and the memory image.
#pragma once

#include <vector>

#include "arch/lowering.h"

namespace macloom::arch {

/// What Link() needs beside the job; the tensors are those that own storage.
struct LinkInput {
  const std::vector<LoweredStep>& steps;
  ir::TensorId input = -1, output = -1;
  uint32_t input_bytes = 0, output_bytes = 0;
};

/// Gives every piece an address and writes the image: descriptors, streams (parts of a layer with
/// the same content share one), input; then, beyond the image, records, output, tensors between.
/// @return kUnsupported if the job needs more than 1 GiB or too many descriptors.
Status Link(const LinkInput& input, Job& job);

}  // namespace macloom::arch
