#!/usr/bin/env bash
# Builds into build/ (or the folder BUILD_DIR names). Extra arguments go to CMake's configure step.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
if [ ! -f "$build/build.ninja" ] || [ $# -gt 0 ]; then
  # Several sources in one compilation: a first build takes two thirds of the time.
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_UNITY_BUILD=ON "$@" >"$build.configure.log" 2>&1 ||
    { tail -n 20 "$build.configure.log" >&2; echo "build: cmake failed" >&2; exit 1; }
fi
ninja -C "$build" ${TARGETS:-}
