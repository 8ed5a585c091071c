#!/usr/bin/env bash
# clang-format and clang-tidy over the C++ sources (all, or the files given). Needs a build that
# compiles file by file, which also finds files that lean on a neighbour in the same compilation.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${BUILD_DIR:-build-tidy}
for tool in clang-format clang-tidy; do
  command -v "$tool" >/dev/null || "$root/scripts/setup.sh" clang-format clang-tidy
done
if ! grep -q 'base/digest.cc"' "$build/compile_commands.json" 2>/dev/null; then
  echo "tidy.sh: $build is no build file by file; run BUILD_DIR=$build scripts/build.sh -DCMAKE_UNITY_BUILD=OFF first" >&2
  exit 2
fi
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files '*.cc' '*.h'); fi
clang-format --dry-run -Werror "${files[@]}"
printf '%s\n' "${files[@]}" | grep '\.cc$' | grep -v '^sim/harness/\|^examples/' |
  nice xargs -P "${JOBS:-2}" -n 4 clang-tidy -p "$build" --quiet
echo "clang-format and clang-tidy: ${#files[@]} files clean"
