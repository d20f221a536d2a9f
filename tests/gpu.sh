#!/usr/bin/env bash
# Everything that needs a GPU: builds, runs every test with the label gpu with none skipped, checks the small ones with compute-sanitizer,
# runs the GPU benchmark, and writes one JSON file. One GPU is enough; ranks then share it.
#
#   bash tests/gpu.sh [RESULTS.json]
#
#   PARCONV_CMAKE_ARGS     more arguments for CMake, such as -DPARCONV_CUDNN_ROOT=... or -DCMAKE_CUDA_ARCHITECTURES=90
#   PARCONV_SANITIZER=off  without compute-sanitizer
#   PARCONV_GPU_LAYERS     a CSV file of layers to measure instead of tests/benchmarks/gpu_layers.csv
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../apps/lib.sh"

results="${1:-$parconv_root/gpu-results.json}"
parts="$(mktemp -d)"
helper=("$parconv_python" -B "$parconv_root/tests/gpu_results.py")
failures=0

# Runs a command that may fail: the other parts are to be run as well.
attempt() { "$@" || failures=$((failures + 1)); }

set_mpi_environment
export PARCONV_REQUIRE_GPU=1

step "Building in $parconv_build"
read -ra arguments <<<"${PARCONV_CMAKE_ARGS:-}"
(cd "$parconv_root" && cmake --preset release -DPARCONV_CUDA=ON "${arguments[@]}")
build_targets all

step "Testing"
attempt ctest --test-dir "$parconv_build" -L gpu --output-on-failure --timeout 900 --no-tests=error --output-junit "$parts/tests.xml"

# Programs of one process; those under mpirun repeat their kernels.
sanitize() {
  local tool="$1" program name
  for program in "${programs[@]}"; do
    name="$(basename "$program")"
    step "compute-sanitizer --tool $tool $name"
    if compute-sanitizer --tool "$tool" --error-exitcode 1 "$program" >"$parts/$tool.$name.log" 2>&1; then
      echo "$tool $name ok" >>"$parts/sanitizer.txt"
    else
      echo "$tool $name failed" >>"$parts/sanitizer.txt"
      tail -n 40 "$parts/$tool.$name.log"
      failures=$((failures + 1))
    fi
  done
}
mapfile -t programs < <("${helper[@]}" programs "$parconv_build")
((${#programs[@]})) || fail "there are no programs to check"
if [[ "${PARCONV_SANITIZER:-on}" == off ]]; then
  echo "compute-sanitizer: left out on request"
elif command -v compute-sanitizer >/dev/null; then
  sanitize memcheck
  sanitize racecheck
else
  echo "compute-sanitizer: not installed"
  failures=$((failures + 1))
fi

step "Measuring"
attempt "$parconv_build/parconv_gpu_bench" "${PARCONV_GPU_LAYERS:-$parconv_root/tests/benchmarks/gpu_layers.csv}" >"$parts/benchmark.jsonl"

step "Results"
attempt "${helper[@]}" collect "$parts" "$results" "$parconv_root"
rm -rf "$parts"
if ((failures > 0)); then fail "$failures parts failed; see above and $results"; fi
echo "all passed; results in $results"
