#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cross-compiles the tests of the convolutions for aarch64 and runs them under qemu-user: 200 convolutions must have the digest that they have
# on this machine, and the fused multiply-adds of the portable kernels must be instructions. Builds direct_conv_test in build/ too.
#   bash tests/aarch64.sh [FOLDER]       (default: build-aarch64)
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../apps/lib.sh"

folder="$(realpath -m "${1:-$parconv_root/build-aarch64}")"
triple=aarch64-linux-gnu
modules=(core geometry tensor model device compute)
options=(-std=c++20 -O3 -DNDEBUG -ffp-contract=off -fopenmp -DFMT_HEADER_ONLY -I"$parconv_root/include" -I"$parconv_root/src"
  -I"$parconv_root/tests" -I/usr/src/googletest/googletest -I/usr/src/googletest/googletest/include -isystem "$folder/include")
compiler=("$triple-g++")
if command -v ccache >/dev/null; then compiler=(ccache "${compiler[@]}"); fi

# Sources of the modules, without those of GPUs and oneDNN, and of the tests.
sources() {
  find "${modules[@]/#/$parconv_root/src/}" -name '*.cpp' | grep -vE '/(cuda|cudnn|nccl|onednn)/'
  printf '%s\n' "$parconv_root"/tests/compute/direct/{direct_conv_test,cpu_backend_test}.cpp \
    /usr/src/googletest/googletest/src/{gtest-all,gtest_main}.cc
}

# object SOURCE: its path in the folder.
object() { printf '%s/%s.o' "$folder" "$(tr / _ <<<"$1")"; }

# compile SOURCE, with the options that src/CMakeLists.txt adds for some.
compile() {
  local more=()
  case "$1" in
    */compute/cpu/cpu_activation.cpp | */tensor/convert_type.cpp) more=(-fno-trapping-math) ;;
  esac
  "${compiler[@]}" "${options[@]}" "${more[@]}" -c "$1" -o "$(object "$1")"
}

# link TEST: the program of that name.
link() {
  local objects=() source
  while read -r source; do
    case "$source" in
      */"$1".cpp) objects+=("$(object "$source")") ;;
      *_test.cpp) ;;
      *) objects+=("$(object "$source")") ;;
    esac
  done < <(sources)
  "$triple-g++" -fopenmp "${objects[@]}" -o "$folder/$1"
}

# digest FILE: that of the test TwoHundred, from a report of GoogleTest.
digest() { "$parconv_python" -c 'import json, sys
print(*(test["digest"] for suite in json.load(open(sys.argv[1]))["testsuites"] for test in suite["testsuite"]))' "$1"; }

install_dependencies
install_with_apt g++-aarch64-linux-gnu qemu-user libgtest-dev

step "Building in $folder"
mkdir -p "$folder/include"
ln -sfn /usr/include/fmt "$folder/include/fmt" # headers alone are the same for every CPU
export -f compile object
export folder
export_arrays="$(declare -p compiler options)"
sources | xargs -P "$parconv_jobs" -I{} bash -euc "$export_arrays; compile {}"
for test in direct_conv_test cpu_backend_test; do link "$test"; done
configure_release
build_targets direct_conv_test

step "Checking that multiply-adds are instructions"
kernels="$(object "$parconv_root/src/compute/direct/tiles/tile_kernels_portable.cpp")"
instructions="$("$triple-objdump" -d "$kernels" | grep -cE '\s(fmla|fmadd)\s')"
calls="$("$triple-objdump" -r "$kernels" | grep -c fmaf || true)"
echo "$instructions fused multiply-adds, $calls calls of fmaf"
((instructions > 0 && calls == 0)) || fail "the portable kernels call a function for each multiply-add"

step "Running 200 convolutions on both CPUs"
run=(--gtest_filter='*TwoHundred' --gtest_brief=1)
"$parconv_build/tests/bin/direct_conv_test" "${run[@]}" --gtest_output=json:"$folder/native.json"
"qemu-aarch64" -L "/usr/$triple" "$folder/direct_conv_test" "${run[@]}" --gtest_output=json:"$folder/aarch64.json"
native="$(digest "$folder/native.json")" other="$(digest "$folder/aarch64.json")"
echo "digests: $(uname -m) $native, aarch64 $other"
[[ -n "$native" && "$native" == "$other" ]] || fail "the digests differ"

step "Running random calls of every kind on aarch64"
qemu-aarch64 -L "/usr/$triple" "$folder/cpu_backend_test"
