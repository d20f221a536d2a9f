#!/usr/bin/env bash
# Installs what is missing, builds everything in build/ and runs the tests. PARCONV_SLOW=1 adds the long ones.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../apps/lib.sh"

selection=(-LE slow)
if [[ "${PARCONV_SLOW:-0}" == 1 ]]; then selection=(); fi

install_dependencies
set_mpi_environment

step "Building in $parconv_build"
configure_release
build_targets all

step "Testing"
ctest --test-dir "$parconv_build" -j "$parconv_jobs" --output-on-failure --timeout 300 --no-tests=error "${selection[@]}"
