#if defined(__SSE4_1__)
#include "golden/fast/kernels_body.h"

namespace macloom::golden::fast {

const Kernels* Sse41Kernels() { return &kKernels; }

}  // namespace macloom::golden::fast
#else
#include "golden/fast/kernels.h"

namespace macloom::golden::fast {

const Kernels* Sse41Kernels() { return nullptr; }

}  // namespace macloom::golden::fast
#endif
