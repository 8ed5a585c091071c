#!/usr/bin/env bash
# Makes spoken digits with espeak-ng: OUT/<split>/<digit>_<accent>_<variant>_<setting>.wav and
# OUT/index.csv (path, label, split, speaker). Voice variants of the test split speak no training
# clip. About 1,600 clips, 65 MB; equal versions of espeak-ng give equal files.
#   scripts/make_digit_voices.sh OUT
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: make_digit_voices.sh OUT" >&2; exit 2; }
command -v espeak-ng >/dev/null || { echo "make_digit_voices: espeak-ng is missing: apt-get install espeak-ng" >&2; exit 3; }
out=$1
mkdir -p "$out/train" "$out/test"
words=(zero one two three four five six seven eight nine)
accents=(en-us en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029)
train_variants=(m1 m2 m3 m4 m6 m7 f1 f2 f4 Andy)
test_variants=(m5 m8 f3 f5)
echo "path,label,split,speaker" > "$out/index.csv.new"

speak() {  # split accent variant setting speed pitch
  for digit in 0 1 2 3 4 5 6 7 8 9; do
    path="$1/${digit}_$2_$3_$4.wav"
    espeak-ng -v "$2+$3" -s "$5" -p "$6" -w "$out/$path" "${words[digit]}"
    echo "$path,$digit,$1,$2+$3" >> "$out/index.csv.new"
  done
}

for accent in "${accents[@]}"; do
  for variant in "${train_variants[@]}"; do
    speak train "$accent" "$variant" a 130 40
    speak train "$accent" "$variant" b 175 60
  done
  for variant in "${test_variants[@]}"; do speak test "$accent" "$variant" c 150 50; done
done
mv "$out/index.csv.new" "$out/index.csv"
