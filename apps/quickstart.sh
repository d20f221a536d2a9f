#!/usr/bin/env bash
# From a fresh machine to a first result: installs, builds, runs the demonstration on 4 ranks, then filters a photograph.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work="$parconv_build/quickstart"
h5image() { "$parconv_python" "$parconv_root/apps/tools/h5image.py" "$@"; }

install_dependencies
set_mpi_environment

step "Building in $parconv_build"
configure_release
build_targets parconv_app

step "Demonstration: mpirun -np 4 build/parconv_app"
mpirun -np 4 "$parconv_build/parconv_app"

step "A real job: edge filters over a photograph, split over 4 ranks"
mkdir -p "$work"
cp "$parconv_root/apps/examples/filters.onnx" "$work/filters.onnx"
h5image to-h5 "$parconv_root/apps/examples/photo.png" "$work/input.h5"
mpirun -np 4 "$parconv_build/parconv_app" run "$work/filters.onnx" "$work/input.h5" "$work/output.h5" --force
h5image compare "$work/input.h5" "$work/output.h5" "$work/before_after.png"

step "Done"
printf '%s\n' "network  $work/filters.onnx" "input    $work/input.h5" "output   $work/output.h5" "look at  $work/before_after.png"
