#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that all C++ and CUDA files are formatted by .clang-format; --fix formats them.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../apps/lib.sh"
# shellcheck source=tests/style/tools.sh
source "$parconv_root/tests/style/tools.sh"

arguments=(--dry-run -Werror --ferror-limit=1)
if [[ "${1:-}" == --fix ]]; then arguments=(-i); fi

has_tool "$clang_format" "the check of formatting" || exit 0
cd "$parconv_root"
if ! project_files '*.cpp' '*.hpp' '*.cu' '*.cuh' | xargs -0 -P "$parconv_jobs" -n 50 "$clang_format" "${arguments[@]}"; then
  fail "files are not formatted: bash tests/style/format.sh --fix"
fi
