#!/usr/bin/env bash
# The accumulator table of README on real data, as Markdown.
#   scripts/accum_table.sh DATA [macloom]
# DATA holds the packs mlperf-tiny-models, max78000-qat-models, speech-commands-v2-test-sample,
# cifar10-ic01-sample and mnist-t10k. ROWS="kws resnet ..." takes some rows only. About half a CPU-minute.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: accum_table.sh DATA [macloom]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
data=$1 macloom=${2:-$root/build/cli/macloom}
rows=${ROWS:-kws resnet ad01 str_ww kws20 kws20-v3 mnist w8a8 w4a8 w4a4}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
tiny=$data/mlperf-tiny-models max=$data/max78000-qat-models sounds=$data/speech-commands-v2-test-sample
models=$root/models

# The words of the 21-class networks of max78000-qat-models, in their order; 20: any other.
awk -F, 'BEGIN { n = split("up down left right stop go yes no on off one two three four five six seven eight nine zero", w, " ")
                 for (i = 1; i <= n; ++i) class[w[i]] = i - 1
                 print "file,label_index" }
         NR > 1 && $3 == 1 { split($1, part, "_"); word = tolower(part[3])
                             print $1 "," (word in class ? class[word] : 20) }' \
  "$sounds/index.csv" > "$out/kws20.csv"

row() {  # samples as text, then arguments of macloom accum
  "$macloom" accum "${@:2}" --no-layers --json "$out/row.json" > /dev/null 2> "$out/log" ||
    { cat "$out/log" >&2; exit 1; }
  python3 - "$out/row.json" "$1" <<'PYTHON'
import json, sys
network = json.load(open(sys.argv[1]))["networks"][0]
widths = network["widths_bits"]
def percent(p): return f'{100 * p["value"]:.1f} [{100 * p["low"]:.1f}, {100 * p["high"]:.1f}]'
def narrowest(policy):
    best = None
    for point in sorted((p for p in network["sweep"] if p["policy"] == policy), key=lambda p: -p["width_bits"]):
        if "refusal" in point or point["agreement"]["value"] < 0.995: break
        best = point
    return f'{best["width_bits"]}: {percent(best["agreement"])}' if best else "-"
accuracy = percent(network["exact_accuracy"]) if network["has_labels"] else "-"
name = network["network"] + (" (identical outputs)" if network["agreement_is"] != "top-1" else "")
cells = [name, sys.argv[2], accuracy, widths["bit-width"]["hardware_order"], widths["clamp"]["hardware_order"],
         widths["clamp"]["final_sum"], f'{widths["observed_prefix"]}, {widths["observed_final"]}',
         narrowest("wrap"), narrowest("saturate")]
print("| " + " | ".join(map(str, cells)) + " |", flush=True)
PYTHON
}

echo "| network | samples | accuracy, exact | certificate (all codes) | certificate (clamps) | final sum (clamps) | seen: prefix, final | agreement >= 99.5 %, wrap | saturate |"
echo "|---|---|---|---|---|---|---|---|---|"
for name in $rows; do
  case $name in
    kws) row "300 Speech Commands clips" "$tiny/kws_ref_model.tflite" \
           --inputs "$sounds/mfcc_int8.tar" --labels "$sounds/index.csv" ;;
    resnet) row "102 CIFAR-10 images" "$tiny/pretrainedResnet_quant.tflite" \
              --inputs "$data/cifar10-ic01-sample/images_rgb.tar@pixels" --labels "$data/cifar10-ic01-sample/index.csv" ;;
    ad01) row "100 random" "$tiny/ad01_int8.tflite" --random 100 ;;
    str_ww) row "45 calibration spectrograms" "$tiny/str_ww_ref_model.tflite" \
              --inputs "$tiny/calibration_samples.npz@specs" --labels "$tiny/calibration_samples.npz@labels" ;;
    kws20) row "120 Speech Commands clips" "$max/kws20-hwc.yaml@$max/kws20@128x128@8+6" \
             --inputs "$sounds/audio_pcm16.tar@pcm16" --labels "$out/kws20.csv" ;;
    kws20-v3) row "120 Speech Commands clips" "$max/kws20-v3-hwc.yaml@$max/kws20_v3_noise@128x128@8+6" \
                --inputs "$sounds/audio_pcm16.tar@pcm16" --labels "$out/kws20.csv" ;;
    mnist) row "10,000 MNIST images" "$max/mnist-chw-extrasmall-ai85.yaml@$max/mnist_extrasmall@1x28x28@8+5" \
             --inputs "$data/mnist-t10k/t10k-images-idx3-ubyte.gz@pixels" --labels "$data/mnist-t10k/t10k-labels-idx1-ubyte.gz" ;;
    w8a8 | w4a8) row "580 spoken digits" "digits-$name" --inputs "$models/inputs-8bit.npy" --labels "$models/labels.npy" ;;
    w4a4) row "580 spoken digits" digits-w4a4 --inputs "$models/inputs-4bit.npy" --labels "$models/labels.npy" ;;
    *) echo "accum_table: unknown row $name" >&2; exit 2 ;;
  esac
done
