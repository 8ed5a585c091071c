#if defined(__AVX2__)
#include "golden/fast/kernels_body.h"

namespace macloom::golden::fast {

const Kernels* Avx2Kernels() { return &kKernels; }

}  // namespace macloom::golden::fast
#else
#include "golden/fast/kernels.h"

namespace macloom::golden::fast {

const Kernels* Avx2Kernels() { return nullptr; }

}  // namespace macloom::golden::fast
#endif
