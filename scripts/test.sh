#!/usr/bin/env bash
# Same set-up as run.sh, then every test through ctest. Arguments are passed on to ctest.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/setup.sh"
"$root/scripts/build.sh"
cd "${BUILD_DIR:-$root/build}"
exec ctest --output-on-failure -j2 "$@"
