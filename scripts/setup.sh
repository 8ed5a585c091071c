#!/usr/bin/env bash
# Installs what the core needs, and the packages given, from the distribution (Debian 12). Quick when
# all is there.
set -euo pipefail

packages=(
  build-essential cmake ninja-build ccache python3 curl
  verilator yosys iverilog opensta qflow-tech-osu018 libsqlite3-dev
  libfmt-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev
  libssl-dev zlib1g-dev libarchive-dev
  libflatbuffers-dev flatbuffers-compiler
  libprotobuf-dev protobuf-compiler libyaml-cpp-dev
  libsoxr-dev libeigen3-dev
  libgtest-dev libgmock-dev libmpfr-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root or install sudo; missing packages: ${missing[*]}" >&2; exit 3; }
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
