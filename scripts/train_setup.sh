#!/usr/bin/env bash
# Installs what `macloom train` needs beyond the core (about 880 MB on disk); the next build finds it.
# espeak-ng makes the training voices of scripts/make_digit_voices.sh.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
exec "$root/scripts/setup.sh" libtorch-dev libopenblas0-pthread espeak-ng "$@"
