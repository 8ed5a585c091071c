#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace macloom {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(
      stderr,
      "internal error: %s:%d: %s\n"
      "This is a bug in macloom, not in your input. Please report it with the command line "
      "and the input files.\n",
      file, line, condition);
  std::fflush(stderr);
  std::_Exit(70);
}

}  // namespace macloom
