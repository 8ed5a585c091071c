#!/usr/bin/env bash
# Checks the lane in three steps: vectors, own simulation, compare. `run.sh --bug` builds it with its bug.
# MACLOOM names the macloom program, OUT the folder for what is written.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
macloom=${MACLOOM:-macloom}
out=${OUT:-own_lane_out}
define=()
[ "${1:-}" = --bug ] && define=(-DLANE_BUG)
mkdir -p "$out/dumps/dense"

"$macloom" vectors ds-cnn-untrained --layer dense --random 200 --format hex --accumulator-bits 18 --overflow saturate -o "$out/vectors"

iverilog -g2005 "${define[@]}" -o "$out/lane.vvp" "$here/mac_lane.v" "$here/mac_lane_tb.v"
vvp -n "$out/lane.vvp" "+VECTORS=$out/vectors/dense" "+DUMPS=$out/dumps/dense"

"$macloom" compare "$out/vectors" "$out/dumps"
