#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, checks the style, builds everything in build/, runs the tests, and clang-tidy on what has changed.
# PARCONV_SLOW=1 adds the long tests, the check of all files and public headers, and the tests under the sanitizers.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../apps/lib.sh"
# shellcheck source=tests/style/tools.sh
source "$parconv_root/tests/style/tools.sh"

slow="${PARCONV_SLOW:-0}"
scope=changed # what clang-tidy and the check of public headers look at
if [[ "$slow" == 1 ]]; then scope=all; fi

# ccache keeps objects that use precompiled headers only with these.
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}"

# run_tests BUILD_FOLDER ARGUMENT...: ctest with what is common to all runs. Twice as many at once as there are cores, since ranks that start,
# wait or hang on purpose leave a core idle half of the time.
run_tests() {
  ctest --test-dir "$1" -j "$((2 * parconv_jobs))" --output-on-failure --timeout 300 --no-tests=error "${@:2}"
}

# run_sanitizer PRESET: builds and tests what the preset of that name says.
run_sanitizer() {
  step "Building and testing with the preset $1"
  (
    cd "$parconv_root"
    cmake --preset "$1" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
    cmake --build --preset "$1" -j "$parconv_jobs"
    ctest --preset "$1" -j "$parconv_jobs"
  )
}

parconv_packages+=("${style_packages[@]}")
install_dependencies
set_mpi_environment

# The style checks ask git which files are the project's; a copy of the tree without .git (tests/another_system.sh) is only tested.
is_checkout=no
if [[ -e "$parconv_root/.git" ]]; then is_checkout=yes; fi

step "Checking style"
if [[ $is_checkout == yes ]]; then bash "$parconv_root/tests/style/style.sh"; else echo "skipped: this is no git checkout"; fi

step "Building in $parconv_build"
configure_release
build_targets all

step "Testing"
if [[ "$slow" == 1 ]]; then run_tests "$parconv_build"; else run_tests "$parconv_build" -LE slow; fi

step "Checking public headers and sources"
if [[ $is_checkout == no ]]; then
  echo "skipped: this is no git checkout"
else
  bash "$parconv_root/tests/headers/headers.sh" $scope
  bash "$parconv_root/tests/style/tidy.sh" $scope
fi

if [[ "$slow" == 1 ]]; then
  run_sanitizer asan
  run_sanitizer tsan
fi
