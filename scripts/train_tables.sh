#!/usr/bin/env bash
# The tables of docs/training.md: FSDD by take rotations and seeds, fixed point against the float twin.
#   scripts/train_tables.sh FSDD_FOLDER OUT [macloom]
# OUT/<setting>/<rotation>-<seed> keeps what a run wrote; complete runs are not repeated, broken ones
# are resumed. Environment: ROTATIONS="0 1 2 3 4" SEEDS="1 2 3" SETTINGS="w8a8 w4a8 w4a4 network
# ablation" JOBS=1 (processes of one thread). A run of 40 epochs takes about 1.5 CPU-minutes.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: train_tables.sh FSDD_FOLDER OUT [macloom]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
fsdd=$1 out=$2 macloom=${3:-$root/build/cli/macloom}
rotations=${ROTATIONS:-0 1 2 3 4} seeds=${SEEDS:-1 2 3} jobs=${JOBS:-1}
settings=${SETTINGS:-w8a8 w4a8 w4a4 network ablation}
mkdir -p "$out/recipes"

recipe() {  # name, lines of [qat]
  { printf 'name = "%s"\n[data]\nkind = "fsdd"\n[float]\nepochs = %s\nlearning_rate = 2e-3\n' "$1" "${FLOAT_EPOCHS:-30}"
    printf '[qat]\nepochs = %s\nlearning_rate = 2e-4\n%b\n' "${QAT_EPOCHS:-10}" "$2"; } > "$out/recipes/$1.toml"
  names+=("$1")
}
names=()
bits() { printf 'weight_bits = %s\\nactivation_bits = %s\\ninput_bits = %s\\n' "$1" "$2" "$3"; }
for setting in $settings; do
  case $setting in
    w8a8) recipe w8a8 "$(bits 8 8 8)" ;;
    w4a8) recipe w4a8 "$(bits 4 8 8)" ;;
    w4a4) recipe w4a4 "$(bits 4 4 4)" ;;
    network) recipe network-w4a4 "$(bits 4 4 4)scales = \"network\"" ;;
    ablation)
      for wa in 4:4 3:3 2:4; do
        w=${wa%:*} a=${wa#*:}
        transient="accumulator_bits = 12\\noverflow_penalty = 0.01\\n"
        recipe "ablation-w${w}a${a}-none" "$(bits "$w" "$a" 4)"
        recipe "ablation-w${w}a${a}-swd" "$(bits "$w" "$a" 4)squashed_weights = true"
        recipe "ablation-w${w}a${a}-acr" "$(bits "$w" "$a" 4)cosine_weight = 0.1"
        recipe "ablation-w${w}a${a}-transient" "$(bits "$w" "$a" 4)$transient"
        recipe "ablation-w${w}a${a}-all" "$(bits "$w" "$a" 4)squashed_weights = true\\ncosine_weight = 0.1\\n$transient"
      done ;;
    *) echo "train_tables: unknown setting $setting" >&2; exit 2 ;;
  esac
done

export macloom fsdd out
run() {
  folder="$out/$1/$2-$3"
  [ -e "$folder/result.json" ] && return
  mkdir -p "$out/$1"
  "$macloom" train "$out/recipes/$1.toml" --data "$fsdd" --rotation "$2" --seed "$3" -o "$folder" \
    --resume > "$folder.log" 2>&1 || { echo "train_tables: $1 rotation $2 seed $3 failed, see $folder.log" >&2; return 1; }
}
export -f run
for name in "${names[@]}"; do for rotation in $rotations; do for seed in $seeds; do
  echo "$name $rotation $seed"
done; done; done | xargs -P "$jobs" -L 1 bash -c 'run "$@"' run
python3 "$root/scripts/train_tables.py" "$out" "${names[@]}"
