#!/usr/bin/env bash
# Builds the test bench with Verilator against an installed macloom and runs it.
#
# usage: run.sh PREFIX [DEFECT]; DEFECT 1 to 3 puts a mistake into the lane, which must be found
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:?usage: run.sh PREFIX [DEFECT]}
prefix=$(cd "$prefix" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
library=$(dirname "$(find "$prefix" -name libmacloom.so -print -quit)")
verilator --binary --timing -Wall -Wno-DECLFILENAME -j 2 --Mdir "$out" --top-module testbench \
  -GDefect="${2:-0}" "$prefix/share/macloom/dpi/macloom_dpi_pkg.sv" \
  "$here/my_mac_lane.sv" "$here/testbench.sv" \
  -LDFLAGS "-L$library -lmacloom -Wl,-rpath,$library" >"$out/build.log" 2>&1 ||
  { cat "$out/build.log" >&2; exit 3; }
"$out/Vtestbench"
