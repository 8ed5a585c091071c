#!/usr/bin/env bash
# From a bare Debian 12 to a verified keyword-spotting network: installs, builds, runs
# `macloom verify` on the default network. Arguments are passed on to `macloom verify`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/setup.sh"
TARGETS=macloom "$root/scripts/build.sh"
exec "${BUILD_DIR:-$root/build}/cli/macloom" verify "$@"
