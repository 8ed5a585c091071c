#!/usr/bin/env bash
# AddressSanitizer and UndefinedBehaviorSanitizer run of the unit tests (build-sanitize/).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/setup.sh"
export BUILD_DIR=${BUILD_DIR:-$root/build-sanitize}
TARGETS="base_test ir_test importers_test sim_test fuzz_test capi_test capi_boundary_test" "$root/scripts/build.sh" -DMACLOOM_SANITIZE=ON -DCMAKE_BUILD_TYPE=Release
cd "$BUILD_DIR"
exec ctest --output-on-failure -j2 -L '^(base|ir|importers|sim|fuzz|capi)$' "$@"
