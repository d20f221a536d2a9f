#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All GPU checks: builds, runs every test with the label gpu (skips are failures), checks the single-process ones with compute-sanitizer, measures
# layers and networks, and writes one JSON file. One GPU suffices; ranks then share it.
#
#   bash tests/gpu.sh [RESULTS.json]
#
#   PARCONV_GPU_PARTS      subset of "build test sanitize measure" (default: all); the results contain what ran
#   PARCONV_CMAKE_ARGS     additional arguments for CMake, such as -DPARCONV_CUDNN_ROOT=... or -DCMAKE_CUDA_ARCHITECTURES=90
#   PARCONV_GPU_LAYERS     CSV file of layers to measure (default: tests/benchmarks/gpu_layers.csv)
#   PARCONV_GPU_BATCH      batch size for measuring layers (default: 8)
#   PARCONV_TEST_PERCENT     per cent of the random calls of cudnn_test (default: 25; 5 under compute-sanitizer)
#   PARCONV_GPU_BENCH      additional options for parconv_gpu_bench, such as --conv-algorithms heuristic
#
# gpu_results.py table RESULTS.json formats the results as a page for docs/results.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../apps/lib.sh"

results="${1:-$parconv_root/gpu-results.json}"
parts="$(mktemp -d)"
trap 'rm -rf "$parts"' EXIT
helper=("$parconv_python" -B "$parconv_root/tests/gpu_results.py")
failures=0

# Runs a command and counts its failure, so that the remaining parts still run.
attempt() { "$@" || failures=$((failures + 1)); }

build() {
  step "Building in $parconv_build"
  local arguments
  read -ra arguments <<<"${PARCONV_CMAKE_ARGS:-}"
  (cd "$parconv_root" && cmake --preset release -DPARCONV_CUDA=ON "${arguments[@]}")
  build_targets all
}

run_tests() {
  step "Testing"
  attempt ctest --test-dir "$parconv_build" -L gpu --output-on-failure --timeout 900 --no-tests=error --output-junit "$parts/tests.xml"
}

# cuDNN compiles most 16-bit convolutions at run time, half a second each; a fraction of the random calls limits the time on a GPU machine.
export PARCONV_TEST_PERCENT="${PARCONV_TEST_PERCENT:-25}"

# Single-process programs; those under mpirun repeat their kernels.
sanitize_with() {
  local tool="$1" program name
  for program in "${programs[@]}"; do
    name="$(basename "$program")"
    step "compute-sanitizer --tool $tool $name"
    if PARCONV_TEST_PERCENT=5 compute-sanitizer --tool "$tool" --error-exitcode 1 "$program" >"$parts/$tool.$name.log" 2>&1; then
      echo "$tool $name ok" >>"$parts/sanitizer.txt"
    else
      echo "$tool $name failed" >>"$parts/sanitizer.txt"
      tail -n 40 "$parts/$tool.$name.log"
      failures=$((failures + 1))
    fi
  done
}

sanitize() {
  mapfile -t programs < <("${helper[@]}" programs "$parconv_build")
  ((${#programs[@]})) || fail "there are no programs to check"
  if ! command -v compute-sanitizer >/dev/null; then
    echo "compute-sanitizer: not installed"
    failures=$((failures + 1))
    return
  fi
  sanitize_with memcheck
  sanitize_with racecheck
}

measure() {
  local layers="${PARCONV_GPU_LAYERS:-$parconv_root/tests/benchmarks/gpu_layers.csv}" batch="${PARCONV_GPU_BATCH:-8}" dtype options
  read -ra options <<<"${PARCONV_GPU_BENCH:-}"
  step "Measuring layers"
  attempt "$parconv_build/parconv_gpu_bench" "$layers" --batch "$batch" "${options[@]}" >"$parts/layers.jsonl"
  if ! "$parconv_python" -c 'import torch' 2>/dev/null; then
    echo "PyTorch: not installed; nothing to compare with"
    return
  fi
  step "Measuring the same layers with PyTorch"
  for dtype in f32 tf32 f16 bf16; do
    attempt "$parconv_python" -B "$parconv_root/tests/benchmarks/torch_layers.py" "$layers" --dtype "$dtype" --batch "$batch" >>"$parts/torch_layers.jsonl"
  done
  step "Measuring networks, and the same with PyTorch"
  attempt "$parconv_python" -B -W ignore "$parconv_root/tests/benchmarks/torch_networks.py" "$parconv_build/parconv_app" >"$parts/networks.jsonl"
}

set_mpi_environment
export PARCONV_REQUIRE_GPU=1
for part in ${PARCONV_GPU_PARTS:-build test sanitize measure}; do
  case "$part" in
    build) build ;;
    test) run_tests ;;
    sanitize) sanitize ;;
    measure) measure ;;
    *) fail "PARCONV_GPU_PARTS: there is no part \"$part\"; there are build, test, sanitize and measure" ;;
  esac
done

step "Results"
attempt "${helper[@]}" collect "$parts" "$results" "$parconv_root"
if ((failures > 0)); then fail "$failures parts failed; see above and $results"; fi
echo "all passed; results in $results"
