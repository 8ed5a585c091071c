#include "base/interrupt.h"

#include <atomic>
#include <csignal>

namespace macloom {
namespace {

std::atomic<bool> is_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may only touch lock-free state");

void OnSignal(int) { is_interrupted.store(true); }

}  // namespace

void InstallInterruptHandlers() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  // RESETHAND: the second signal takes its default action.
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  MACLOOM_CHECK(sigaction(SIGINT, &action, nullptr) == 0);
  MACLOOM_CHECK(sigaction(SIGTERM, &action, nullptr) == 0);
}

bool Interrupted() { return is_interrupted.load(); }

Status CheckInterrupted() {
  if (!Interrupted()) return {};
  return Error{ErrorKind::kInterrupted, "interrupted"};
}

}  // namespace macloom
