#include "base/result.h"

namespace macloom {

int ExitStatus(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCheckFailed:
      return 1;
    case ErrorKind::kInvalidInput:
    case ErrorKind::kUnsupported:
      return 2;
    case ErrorKind::kToolMissing:
    case ErrorKind::kToolFailed:
      return 3;
    case ErrorKind::kOutput:
      return 74;
    case ErrorKind::kInterrupted:
      return 130;
  }
  return 70;
}

}  // namespace macloom
