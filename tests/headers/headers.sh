#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles public headers alone. Needs a build folder that Ninja builds.
#   bash tests/headers/headers.sh changed    the headers that differ from where this branch began, or on main from the commit before
#   bash tests/headers/headers.sh all
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../apps/lib.sh"
# shellcheck source=tests/style/tools.sh
source "$parconv_root/tests/style/tools.sh"

# The objects that check the headers on standard input.
objects_of() {
  local header stem object
  while read -r header; do
    stem="${header#include/}"
    object="$(ninja -C "$parconv_build" -t targets all | sed -n "s|^\(tests/headers/.*/${stem//\//_}\.cpp\.o\): .*|\1|p")"
    [[ -n "$object" ]] || fail "no object of the build checks $header: configure again (cmake --preset release)"
    printf '%s\n' "$object"
  done
}

case "${1:-changed}" in
  changed)
    list="$(changed_files 'include/parconv/*.hpp' | objects_of)"
    mapfile -t targets < <(grep . <<<"$list" || true)
    ;;
  all) targets=(parconv_public_headers) ;;
  *) fail "usage: bash tests/headers/headers.sh changed|all" ;;
esac
printf 'public headers to compile alone: %s\n' "${targets[*]:-none}"
((${#targets[@]} == 0)) || build_targets "${targets[@]}"
