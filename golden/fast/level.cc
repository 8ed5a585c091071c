#include "golden/fast/level.h"

#include "golden/fast/kernels.h"

namespace macloom::golden::fast {
namespace {

bool CpuHas(Level level) {
#if defined(__x86_64__)
  switch (level) {
    case Level::kPortable:
      return true;
    case Level::kSse41:
      return __builtin_cpu_supports("sse4.1");
    case Level::kAvx2:
      return __builtin_cpu_supports("avx2");
    case Level::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
  }
#endif
  return level == Level::kPortable;
}

}  // namespace

std::string ToString(Level level) {
  switch (level) {
    case Level::kPortable:
      return "portable";
    case Level::kSse41:
      return "sse4.1";
    case Level::kAvx2:
      return "avx2";
    case Level::kAvx512:
      break;
  }
  return "avx512-vnni";
}

const Kernels* KernelsOf(Level level) {
  switch (level) {
    case Level::kPortable:
      return PortableKernels();
    case Level::kSse41:
      return Sse41Kernels();
    case Level::kAvx2:
      return Avx2Kernels();
    case Level::kAvx512:
      break;
  }
  return Avx512Kernels();
}

std::vector<Level> SupportedLevels() {
  std::vector<Level> levels;
  for (Level level : {Level::kPortable, Level::kSse41, Level::kAvx2, Level::kAvx512}) {
    if (KernelsOf(level) != nullptr && CpuHas(level)) levels.push_back(level);
  }
  return levels;
}

}  // namespace macloom::golden::fast
