#!/usr/bin/env bash
# Fetches the public MLPerf Tiny models (int8 .tflite) and their licence, checked by sha256.
set -euo pipefail

commit=1afd2c9820f795965a6134facd0b4dfae41ef23f
root=$(cd "$(dirname "$0")/.." && pwd)
source_url="https://raw.githubusercontent.com/mlcommons/tiny/$commit"
folder="$root/models/mlperf-tiny"

usage() {
  cat <<END
usage: fetch_models.sh [-h] [--from URL] [FOLDER]

Fetches the MLPerf Tiny reference models from the source repository mlcommons/tiny
(commit ${commit:0:12}, Apache-2.0) into FOLDER:
  kws_ref_model.tflite           keyword spotting
  pretrainedResnet_quant.tflite  image classification
  ad01_int8.tflite               anomaly detection
  str_ww_ref_model.tflite        streaming wake word
  LICENSE.md
Every file is checked by sha256. FOLDER appears complete or not at all; files that are already
there and right are not fetched again.

  FOLDER      default: models/mlperf-tiny in the source tree
  --from URL  another copy of that repository at that commit, e.g. file:///srv/tiny
  -h, --help  this text

Exit status: 0 done; 1 a fetched file has the wrong sha256; 2 wrong command line; 3 curl is missing
or a file could not be fetched (offline?); 74 FOLDER could not be written.
END
}

fail() {
  local status=$1
  shift
  echo "fetch_models: $*" >&2
  exit "$status"
}

has_folder=0
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --from)
      if [ -z "${2:-}" ]; then fail 2 "--from needs a URL"; fi
      source_url=${2%/}
      shift ;;
    -*) fail 2 "unknown option $1; accepted are -h and --from URL" ;;
    *)
      if [ "$has_folder" -eq 1 ] || [ -z "$1" ]; then
        fail 2 "more than one FOLDER, or an empty one; accepted is one"
      fi
      folder=${1%/}
      has_folder=1 ;;
  esac
  shift
done

# sha256, path in the repository; the file keeps its base name.
training=benchmark/training
files=(
  "aeea436800704fce17b17292e4412630ad856e9d777c044c64ef748a880bd0ae $training/keyword_spotting/trained_models/kws_ref_model.tflite"
  "3c002613d1b2475eb51dd78dfb85a546c8ae658dee71cf6ade43b022fe205415 $training/image_classification/trained_models/pretrainedResnet_quant.tflite"
  "87cf24194ef93d1d9b11a591d805526b98008e351655d29883c825c9c106ba24 $training/anomaly_detection/trained_models/ad01_int8.tflite"
  "3af8550895ba7d5c584277102b5075c52dcfa63ba9d2b2240f37c4e6abd5dd2b $training/streaming_wakeword/trained_models/str_ww_ref_model.tflite"
  "0d542e0c8804e39aa7f37eb00da5a762149dc682d7829451287e11b938e94594 LICENSE.md"
)

has_sha256() {
  [ -f "$1" ] && [ "$(sha256sum -- "$1" | cut -d ' ' -f 1)" = "$2" ]
}

wanted=()
for entry in "${files[@]}"; do
  has_sha256 "$folder/$(basename "${entry#* }")" "${entry%% *}" || wanted+=("$entry")
done
if [ ${#wanted[@]} -eq 0 ]; then
  echo "fetch_models: all ${#files[@]} files are in $folder"
  exit 0
fi

command -v curl >/dev/null || fail 3 "curl is missing; install the package curl"

download=$(mktemp -d) || fail 74 "no temporary folder"
staging=
trap 'rm -rf -- "$download" ${staging:+"$staging"}' EXIT
for entry in "${wanted[@]}"; do
  path=${entry#* }
  name=$(basename "$path")
  curl --fail --silent --show-error --location --connect-timeout 20 --max-time 300 \
    --output "$download/$name" "$source_url/$path" ||
    fail 3 "could not fetch $source_url/$path (offline?); nothing was written to $folder"
  has_sha256 "$download/$name" "${entry%% *}" ||
    fail 1 "$source_url/$path has the wrong sha256 (expected ${entry%% *}); nothing was written to $folder"
done

# A sibling of the target, so that the final rename stays inside one file system.
parent=$(dirname "$folder")
mkdir -p -- "$parent" 2>/dev/null || fail 74 "cannot create $parent"
staging=$(mktemp -d "$parent/.fetch_models.XXXXXX" 2>/dev/null) || fail 74 "cannot write to $parent"
cp -- "$download"/* "$staging" || fail 74 "cannot write to $staging"
chmod 755 "$staging"
if [ -e "$folder" ]; then
  [ -d "$folder" ] || fail 74 "$folder is not a folder"
  mv -f -- "$staging"/* "$folder" || fail 74 "cannot write to $folder"
else
  mv -T -- "$staging" "$folder" || fail 74 "cannot create $folder"
  staging=
fi
echo "fetch_models: ${#wanted[@]} files fetched into $folder"
