#!/usr/bin/env bash
# Mutation score of the RTL unit tests (docs/verification.md). Arguments are passed on to
# tests/mutation/mutation.py: modules, --mutants, --seed, --jobs, --report, --prove-all, --no-proof.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
"$root/scripts/setup.sh"
TARGETS="macloom_base macloom_golden macloom_sim macloom_stimulus" "$root/scripts/build.sh"
exec python3 "$root/tests/mutation/mutation.py" --build "$build" --work "$build/mutation" "$@"
