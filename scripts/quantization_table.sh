#!/bin/sh
# Accuracy of kws_ref_model quantized anew to other widths: the table of docs/quantization.md.
# Usage: scripts/quantization_table.sh MODEL.tflite CLIPS_FOLDER (with mfcc_int8.tar, index.csv)
# The built macloom, or the one that $MACLOOM names, runs once per cell.
set -eu
[ $# -eq 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
macloom=${MACLOOM:-$(dirname "$0")/../build/cli/macloom}
model=$1 clips=$2
widths="8/8 6/8 4/8 3/8 6/6 4/6 4/4"

row() {
  label=$1; shift
  line="| $label |"
  for width in $widths; do
    text=$("$macloom" quantize "$model" --calibrate "$clips/mfcc_int8.tar" \
      --evaluate "$clips/mfcc_int8.tar" --labels "$clips/index.csv" \
      --weights "${width%/*}" --activations "${width#*/}" "$@")
    line="$line $(printf '%s\n' "$text" | sed -n 's/^accuracy:.*quantized \([0-9]*\) of .*/\1/p') |"
  done
  echo "$line"
}

echo "| scales, weights per, ranges | W8A8 | W6A8 | W4A8 | W3A8 | W6A6 | W4A6 | W4A4 |"
echo "|---|---|---|---|---|---|---|---|"
for scales in power-of-two affine; do
  row "$scales, tensor, min-max" --scales $scales
  row "$scales, tensor, mse" --scales $scales --ranges mse
  row "$scales, tensor, mse, equalized, bias corrected" --scales $scales --ranges mse \
    --equalize --correct-bias
  row "$scales, channel, min-max" --scales $scales --per-channel
  row "$scales, channel, mse" --scales $scales --per-channel --ranges mse
  row "$scales, channel, mse, bias corrected" --scales $scales --per-channel --ranges mse \
    --correct-bias
done
