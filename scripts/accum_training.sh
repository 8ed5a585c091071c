#!/usr/bin/env bash
# How training decides the accumulator's width: networks of models/recipes/digits-accum.toml on FSDD
# (rotation 0, 300 test clips), trained plainly, with sums clipped to P bits, with A2Q and A2Q+, and
# quantized after training, in one sweep. Prints the table of docs/accumulator.md.
#   scripts/accum_training.sh FSDD_FOLDER OUT [macloom]
# OUT/NAME keeps what a run wrote; complete runs are not repeated, broken ones are resumed. NETWORKS
# takes some only; OUT/plots has the plots. About 2 CPU-minutes a network, 4 with 60 epochs.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: accum_training.sh FSDD_FOLDER OUT [macloom]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
fsdd=$1 out=$2 macloom=${3:-$root/build/cli/macloom}
# name:accumulator_bits:weight_bound:epochs. A2Q+ begins with zero-mean weights, and 10 bits leave
# little of the float network: both need more epochs.
networks=${NETWORKS:-fxp:0:none:16 fxp-12:12:none:16 a2q-14:14:a2q:16 a2q-12:12:a2q:16 a2q-10:10:a2q:60
  a2q+-14:14:a2q+:60 a2q+-12:12:a2q+:60 a2q+-10:10:a2q+:60}
mkdir -p "$out"

models=() inputs=() labels=()
for network in $networks; do
  IFS=: read -r name bits bound epochs <<< "$network"
  sed -e "s/^name = .*/name = \"$name\"/" -e "s/^epochs = 16/epochs = $epochs/" \
    "$root/models/recipes/digits-accum.toml" > "$out/$name.toml"
  [ "$bits" = 0 ] || echo "accumulator_bits = $bits" >> "$out/$name.toml"
  [ "$bound" = none ] || echo "weight_bound = \"$bound\"" >> "$out/$name.toml"
  [ -e "$out/$name/result.json" ] ||
    "$macloom" train "$out/$name.toml" --data "$fsdd" -o "$out/$name" --resume > "$out/$name.log" 2>&1 ||
    { echo "accum_training: $name failed, see $out/$name.log" >&2; exit 1; }
  models+=("$out/$name/network.safetensors")
  inputs+=(--inputs "$out/$name/inputs.npy")
  labels+=(--labels "$out/$name/labels.npy")
done

# The float twin of the first network, quantized after training to the same widths.
first=$out/${networks%%:*}
mkdir -p "$out/clips/train" "$out/clips/test"
tar -xf "$fsdd/recordings.tar" -C "$out/clips"
awk -F, 'NR > 1 { print $1, $2 }' "$fsdd/index.csv" | while read -r file split; do
  [ -e "$out/clips/$split/$file" ] || mv "$out/clips/$file" "$out/clips/$split/"
done
for split in train test; do
  "$macloom" features "$out/clips/$split" --recipe "$first/network.safetensors" --float \
    -o "$out/$split.npy" > /dev/null 2>&1
done
{ echo label; (cd "$out/clips/test" && LC_ALL=C ls) | cut -c1; } > "$out/labels.csv"
"$macloom" quantize "$first/float.safetensors" --calibrate "$out/train.npy" --calibration-samples 256 \
  --weights 8 --activations 4 --ranges mse --correct-bias --evaluate "$out/test.npy" \
  --labels "$out/labels.csv" --save-inputs "$out/ptq.npy" -o "$out/ptq.safetensors" > "$out/ptq.log"

"$macloom" accum "${models[@]}" "$out/ptq.safetensors" "${inputs[@]}" --inputs "$out/ptq.npy" \
  "${labels[@]}" --labels "$out/labels.csv" --no-layers --json "$out/accum.json" --svg "$out/plots" > "$out/accum.txt"
# In the file it has the name of the float network.
sed -i "s/${first##*/}-float/ptq/g" "$out/plots/accuracy.svg"
python3 - "$out/accum.json" $(for n in $networks; do echo "${n%%:*}"; done) ptq <<'PYTHON'
import json, sys
def percent(p): return f'{100 * p["value"]:.1f}'
def narrowest(network, policy):
    exact, best = network["exact_accuracy"], None
    for p in sorted((p for p in network["sweep"] if p["policy"] == policy), key=lambda p: -p["width_bits"]):
        if "refusal" in p or 100 * (exact["part"] - p["accuracy"]["part"]) > exact["whole"]: break
        best = p["width_bits"]
    return best or "-"
def at(network, policy, bits):
    p = next(p for p in network["sweep"] if p["policy"] == policy and p["width_bits"] == bits)
    return "not defined" if "refusal" in p else percent(p["accuracy"])
print("| network | accuracy, exact [95 %] | certificate (clamps) | seen: prefix, final | within 1 point: wrap | saturate "
      "| wrap at 10, 11, 12, 13 bits | saturate at 10, 11, 12, 13 bits |")
print("|" + "---|" * 8)
for name, n in zip(sys.argv[2:], json.load(open(sys.argv[1]))["networks"]):
    w, e = n["widths_bits"], n["exact_accuracy"]
    cells = [name, f'{percent(e)} [{100 * e["low"]:.1f}, {100 * e["high"]:.1f}]', w["clamp"]["hardware_order"],
             f'{w["observed_prefix"]}, {w["observed_final"]}', narrowest(n, "wrap"), narrowest(n, "saturate")]
    for policy in ("wrap", "saturate"):
        cells.append(", ".join(at(n, policy, bits) for bits in (10, 11, 12, 13)))
    print("| " + " | ".join(map(str, cells)) + " |")
PYTHON
