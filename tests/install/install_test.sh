#!/usr/bin/env bash
# Installs a build, moves the prefix, and uses it from there: tool, CMake package, ctypes, DPI.
#
# usage: install_test.sh CMAKE SOURCE_FOLDER BUILD_FOLDER; exit 77 = skipped for want of a tool
set -euo pipefail
cmake=$1 source=$2 build=$3

fail() {
  echo "install_test: $*" >&2
  exit 1
}

for tool in verilator python3; do
  if ! command -v "$tool" >/dev/null; then
    [ "${MACLOOM_REQUIRE_DATA:-0}" = 1 ] && fail "$tool is missing and MACLOOM_REQUIRE_DATA=1"
    echo "install_test: skipped, $tool is missing"
    exit 77
  fi
done
command -v ccache >/dev/null && export OBJCACHE=ccache

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# A second macloom that the machine has must not stand in for this one.
unset LD_LIBRARY_PATH MACLOOM_LIBRARY CMAKE_PREFIX_PATH PYTHONPATH macloom_ROOT macloom_DIR

"$cmake" --install "$build" --prefix "$work/first" >install.log || fail "$(cat install.log)"
mv first prefix
prefix=$work/prefix

echo "== prefix"
if grep -rlF -e "$source/" -e "$build/" -e "$work/first" "$prefix"; then
  fail "the files above name the folder they were built or installed in"
fi
library=$(find "$prefix" -name libmacloom.so)
foreign=$(nm -D --defined-only "$library" | awk '$3 !~ /^macloom_/ {print $3}')
[ -z "$foreign" ] || fail "libmacloom.so exports $foreign"
nm -D --defined-only "$library" | awk '{print $3}' | sort >exported
sed -n 's/^MACLOOM_API .*\(macloom_[a-z0-9_]*\)(.*/\1/p' "$prefix/include/macloom.h" | sort >documented
diff exported documented || fail "macloom.h and the exported symbols differ"

echo "== tool"
"$prefix/bin/macloom" preset show m8l16 >m8l16.toml
"$prefix/bin/macloom" generate --config m8l16.toml -o generated >/dev/null
for file in "$prefix"/share/macloom/rtl/*.sv; do
  cmp "$file" "$(find generated -name "$(basename "$file")" | grep .)" || fail "$file is not what generate writes"
done
"$prefix/bin/macloom" inspect ds-cnn-untrained | grep -q untrained || fail "macloom inspect"

echo "== find_package"
"$cmake" -S "$source/examples/find_package" -B c -D CMAKE_PREFIX_PATH="$prefix" >c.log 2>&1 &&
  "$cmake" --build c >>c.log 2>&1 || fail "$(cat c.log)"
grep -q "^macloom_DIR.*=$prefix/" c/CMakeCache.txt || fail "another macloom was found"
c/run_network | tee c.txt
sed '/accumulators of/,$d' c.txt | grep -q 'overflow events' && fail "events with exact accumulators"
sed '1,/accumulators of/d' c.txt | grep -q 'overflow events' || fail "no events with 14 bits"
status=0
c/run_network no_such_network 2>error.txt || status=$?
[ "$status" = 2 ] && grep -q 'no such file' error.txt || fail "status $status, $(cat error.txt)"

echo "== ctypes"
MACLOOM_LIBRARY=$library python3 -B "$source/examples/ctypes/sweep_accumulator.py" | tee python.txt
grep -q '^  20  wrap  *0 ' python.txt || fail "no line for 20 bits"

echo "== DPI"
"$source/examples/dpi/run.sh" "$prefix"
for defect in 1 2 3; do
  if "$source/examples/dpi/run.sh" "$prefix" "$defect" >dpi.txt 2>&1; then
    fail "defect $defect of the DPI example was not found"
  fi
  grep -q 'golden says' dpi.txt || fail "defect $defect: $(cat dpi.txt)"
done
echo "== all examples passed"
