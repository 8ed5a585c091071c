#!/usr/bin/env bash
# Trains the shipped digit networks anew and puts them, their vectors and expected results into
# models/. About 2 CPU-minutes each.
#   scripts/ship_digits.sh FSDD_FOLDER VOICES_FOLDER OUT [macloom]
# VOICES_FOLDER: of scripts/make_digit_voices.sh. OUT/<network> keeps everything a run wrote; a run
# that is complete there is not repeated.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: ship_digits.sh FSDD_FOLDER VOICES_FOLDER OUT [macloom]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
fsdd=$1 voices=$2 out=$3 macloom=${4:-$root/build/cli/macloom}
mkdir -p "$out"
for network in digits-w8a8 digits-w4a8 digits-w4a4; do
  "$macloom" train "$root/models/recipes/$network.toml" --data "$fsdd" --extra "$voices/index.csv" \
    -o "$out/$network" --resume
  mkdir -p "$root/models/$network"
  cp "$out/$network/network.safetensors" "$root/models/$network/$network.safetensors"
  cp "$out/$network/logits.npy" "$root/models/$network/"
  "$macloom" run "$out/$network/network.safetensors" --inputs "$root/models/wav" \
    --json "$out/$network/sounds.json" > /dev/null
  python3 - "$out/$network" "$root/models/$network/expected.json" <<'PYTHON'
import json, sys
result = json.load(open(sys.argv[1] + "/result.json"))
sounds = json.load(open(sys.argv[1] + "/sounds.json"))
keys = ["name", "seed", "network_digest", "training_clips", "test_clips", "float_correct",
        "twin_correct", "correct", "golden_mismatches"]
expected = {key: result[key] for key in keys}
for part in ["fsdd", "voices"]:
    picked = [i for i, name in enumerate(result["clips"]) if name.startswith("test/") == (part == "voices")]
    expected[part + "_clips"] = len(picked)
    expected[part + "_correct"] = sum(result["labels"][i] == result["predictions"][i] for i in picked)
    expected[part + "_twin_correct"] = sum(result["labels"][i] == result["twin_predictions"][i] for i in picked)
expected["sounds"] = {f["file"]: f["class"] for f in sounds["files"]}
json.dump(expected, open(sys.argv[2], "w"), indent=1)
open(sys.argv[2], "a").write("\n")
PYTHON
done
cmp "$out/digits-w8a8/inputs.npy" "$out/digits-w4a8/inputs.npy"
cp "$out/digits-w8a8/inputs.npy" "$root/models/inputs-8bit.npy"
cp "$out/digits-w4a4/inputs.npy" "$root/models/inputs-4bit.npy"
cp "$out/digits-w8a8/labels.npy" "$root/models/"
