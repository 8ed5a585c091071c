#if defined(__AVX512VNNI__)
#include "golden/fast/kernels_body.h"

namespace macloom::golden::fast {

const Kernels* Avx512Kernels() { return &kKernels; }

}  // namespace macloom::golden::fast
#else
#include "golden/fast/kernels.h"

namespace macloom::golden::fast {

const Kernels* Avx512Kernels() { return nullptr; }

}  // namespace macloom::golden::fast
#endif
