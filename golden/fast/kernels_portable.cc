#include "golden/fast/kernels_body.h"

namespace macloom::golden::fast {

const Kernels* PortableKernels() { return &kKernels; }

}  // namespace macloom::golden::fast
