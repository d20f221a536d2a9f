#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to a first result: installs dependencies, builds, runs the demonstration on 4 ranks, and denoises a photograph.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_dependencies
set_mpi_environment

step "Building in $parconv_build"
configure_release
build_targets parconv_app

step "Demonstration: mpirun -np 4 build/parconv_app"
mpirun -np 4 "$parconv_build/parconv_app"

step "A real job: a trained network takes the noise from a photograph, split over 4 ranks"
bash "$parconv_root/apps/examples/denoise_photo.sh"
