# SPDX-License-Identifier: Apache-2.0
# The tools of the style checks; sourced behind apps/lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154 # for the script that sources this, and from apps/lib.sh
#
# One version for everyone, since each formats a little differently: Debian 12 and 13 have 19.
clang_format=clang-format-19
clang_tidy=clang-tidy-19
style_packages=("$clang_format" "$clang_tidy" shellcheck universal-ctags)

# has_tool COMMAND STEP: fails if COMMAND is absent, unless nothing may be installed: then says that STEP is left out.
has_tool() {
  command -v "$1" >/dev/null && return
  [[ -n "${PARCONV_NO_INSTALL:-}" ]] || fail "$1 was not found, which $2 needs. Install it, or set PARCONV_NO_INSTALL=1 to skip this step"
  printf 'skipped: %s, since there is no %s here (PARCONV_NO_INSTALL is set)\n' "$2" "$1"
  return 1
}

# project_files PATTERN...: the files that git knows or would add, each ended by a zero byte.
project_files() { git -C "$parconv_root" ls-files -z --cached --others --exclude-standard --deduplicate -- "$@"; }

# changed_files PATTERN...: the files, one a line, that differ from where this branch began, or on main from the commit before; none in a
# checkout without history.
changed_files() {
  local base
  base="$(git -C "$parconv_root" merge-base HEAD origin/main 2>/dev/null || git -C "$parconv_root" merge-base HEAD main 2>/dev/null || true)"
  if [[ -z "$base" || "$base" == "$(git -C "$parconv_root" rev-parse HEAD)" ]]; then
    base="$(git -C "$parconv_root" rev-parse --verify --quiet HEAD~1 || true)"
  fi
  [[ -n "$base" ]] || return 0
  git -C "$parconv_root" diff --name-only --diff-filter=d "$base" -- "$@"
  git -C "$parconv_root" ls-files --others --exclude-standard -- "$@"
}
