#!/usr/bin/env bash
# The tables of docs/training.md: FSDD by take rotations and seeds, fixed point against the float
# twin, and post-training quantization of the twins.
#   scripts/train_tables.sh FSDD_FOLDER OUT [macloom]
# OUT/<setting>/<rotation>-<seed> keeps what a run wrote; complete runs are not repeated, broken ones
# are resumed. The settings of a rotation and seed share the float network and the twin that the
# first of them trains. Seeds are the outer loop, so that a stop leaves a table of whole seeds.
# Environment: ROTATIONS="0 1 2 3 4" SEEDS="1 2 3" SETTINGS="w8a8 w4a8 w4a4 network ablation
# speakers ptq" (ablation and ptq need w8a8) ABLATION_SEEDS="1 2 3" FLOAT_EPOCHS=30 QAT_EPOCHS=60.
# A float network with twin takes about 60 CPU-seconds, a setting on it 50.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: train_tables.sh FSDD_FOLDER OUT [macloom]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
fsdd=$1 out=$2 macloom=${3:-$root/build/cli/macloom}
rotations=${ROTATIONS:-0 1 2 3 4} seeds=${SEEDS:-1 2 3} ablation_seeds=${ABLATION_SEEDS:-1 2 3}
settings=${SETTINGS:-w8a8 w4a8 w4a4 network ablation speakers ptq}
mkdir -p "$out/recipes"

recipe() {  # name, lines of [qat], further lines of [data]
  local regular="weight_decay = 0.02\nlabel_smoothing = 0.1\n"
  { printf 'name = "%s"\n[data]\nkind = "fsdd"\ncopies = 8\n%b' "$1" "${3:-}"
    printf '[float]\nepochs = %s\nlearning_rate = 2e-3\n%b' "${FLOAT_EPOCHS:-30}" "$regular"
    printf '[qat]\nepochs = %s\nlearning_rate = 1e-3\n%b' "${QAT_EPOCHS:-60}" "$regular"
    printf 'equalize = true\n%b\n' "$2"
  } > "$out/recipes/$1.toml"
}

run() {  # name, rotation, seed, [folder with the float network]
  local folder="$out/$1/$2-$3" sharing=()
  [ -e "$folder/result.json" ] && return
  mkdir -p "$out/$1"
  if [ -n "${4:-}" ]; then sharing=(--float-from "$4"); fi
  "$macloom" train "$out/recipes/$1.toml" --data "$fsdd" --rotation "$2" --seed "$3" -o "$folder" \
    --resume "${sharing[@]}" > "$folder.log" 2>&1 ||
    # Status 1 with a result: clips whose sums the simulation cut differ from golden; the table says
    # how many.
    [ -e "$folder/result.json" ] ||
    { echo "train_tables: $1 rotation $2 seed $3 failed, see $folder.log" >&2; exit 1; }
}

has() { [[ " $settings " == *" $1 "* ]]; }
bits() {  # weights, activations, input, [codes of ReLU outputs]
  printf 'weight_bits = %s\\nactivation_bits = %s\\ninput_bits = %s\\nrelu_codes = "%s"\\n' "$1" "$2" "$3" "${4:-offset}"
}
main=() ablation=() speakers=()
if has w8a8; then recipe w8a8 "$(bits 8 8 8)"; main+=(w8a8); fi
if has w4a8; then recipe w4a8 "$(bits 4 8 8)"; main+=(w4a8); fi
if has w4a4; then recipe w4a4 "$(bits 4 4 4)"; main+=(w4a4); fi
if has network; then
  recipe network-w8a8 "$(bits 8 8 8 signed)scales = \"network\""
  main+=(network-w8a8)
fi
if has ablation; then
  # P is two bits below what weights and activations of that width need here, so that it acts.
  for wa in 4:4:10 3:3:8 2:4:8; do
    IFS=: read -r w a p <<< "$wa"
    transient="accumulator_bits = $p\\noverflow_penalty = 0.01\\n"
    recipe "ablation-w${w}a${a}-none" "$(bits "$w" "$a" 4)"
    recipe "ablation-w${w}a${a}-swd" "$(bits "$w" "$a" 4)squashed_weights = true"
    recipe "ablation-w${w}a${a}-acr" "$(bits "$w" "$a" 4)cosine_weight = 0.1"
    recipe "ablation-w${w}a${a}-transient" "$(bits "$w" "$a" 4)$transient"
    recipe "ablation-w${w}a${a}-all" "$(bits "$w" "$a" 4)squashed_weights = true\\ncosine_weight = 0.1\\n$transient"
    for switch in none swd acr transient all; do ablation+=("ablation-w${w}a${a}-$switch"); done
  done
fi
if has speakers; then
  for speaker in george jackson lucas nicolas theo yweweler; do
    recipe "speaker-$speaker" "$(bits 8 8 8)" "left_out_speaker = \"$speaker\"\\n"
    speakers+=("speaker-$speaker")
  done
fi

for seed in $seeds; do
  for rotation in $rotations; do
    for name in "${main[@]}"; do
      shared="$out/w8a8/$rotation-$seed"
      [ -e "$shared/checkpoint.safetensors" ] || shared=""
      run "$name" "$rotation" "$seed" "$shared"
    done
  done
done
for name in "${speakers[@]}"; do run "$name" 0 1; done
for seed in $ablation_seeds; do
  for name in "${ablation[@]}"; do run "$name" 0 "$seed" "$out/w8a8/0-$seed"; done
done

ptq() {  # folder of a run, its output: every way of post-training quantization of its twin
  [ -e "$2" ] && return
  local rows="" wa scales line
  for wa in "8 8 8" "4 8 8" "4 4 4"; do
    read -r w a i <<< "$wa"
    for scales in "min-max" "mse" "min-max --per-channel" "mse --per-channel"; do
      # shellcheck disable=SC2086
      "$macloom" quantize "$1/float.safetensors" --calibrate "$1/calibration.npy" \
        --calibration-samples 256 --evaluate "$1/features.npy" --labels "$1/labels.npy" \
        --weights "$w" --activations "$a" --input "$i" --ranges $scales --json "$2.part" > /dev/null
      line=$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r["correct"], r["float_correct"], r["samples"])' "$2.part")
      rows+="w${w}a${a}|$scales|$line"$'\n'
    done
  done
  printf '%s' "$rows" > "$2"
  rm "$2.part"
}
if has ptq; then
  mkdir -p "$out/ptq"
  for rotation in $rotations; do
    seed=${seeds%% *}
    ptq "$out/w8a8/$rotation-$seed" "$out/ptq/$rotation-$seed.txt"
  done
fi
python3 "$root/scripts/train_tables.py" "$out" "${main[@]}" "${speakers[@]}" "${ablation[@]}"
