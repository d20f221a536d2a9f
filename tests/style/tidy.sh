#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy with the checks of .clang-tidy. Needs a configured build folder.
#   bash tests/style/tidy.sh changed      the sources that differ from where this branch began, or on main from the commit before
#   bash tests/style/tidy.sh all
#   bash tests/style/tidy.sh FILE...    paths from the root of the checkout
# PARCONV_TIDY_FILES=N is the most that `changed` checks (default 40), so that a commit that touches all files is not an hour's work.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../apps/lib.sh"
# shellcheck source=tests/style/tools.sh
source "$parconv_root/tests/style/tools.sh"

# The changed sources, and those that belong to changed headers; one a line, and as many as are checked.
changed_sources() {
  changed_files '*.cpp' '*.hpp' | sed 's/^.*\/\([^/]*\)\.[ch]pp$/\/\1.cpp/' | sort -u |
    grep -F -f - <(git ls-files --cached --others --exclude-standard -- '*.cpp') || true
}

# Writes $commands/compile_commands.json: the compile commands of the build without precompiled headers, which clang cannot read.
write_commands() {
  mkdir -p "$commands"
  "$parconv_python" -c '
import json, re, sys
with open(sys.argv[1]) as file:
    rows = json.load(file)
for row in rows:
    row["command"] = re.sub(r" -Winvalid-pch| -fpch-preprocess| -include \S*cmake_pch\.hxx", "", row["command"])
with open(sys.argv[2], "w") as file:
    json.dump(rows, file)
' "$parconv_build/compile_commands.json" "$commands/compile_commands.json"
}

# Those of the files on standard input that the build compiles, since clang-tidy needs to know how.
compiled() {
  "$parconv_python" -c '
import json, os, sys
root, path = sys.argv[1:]
with open(path) as file:
    known = {os.path.relpath(os.path.join(row["directory"], row["file"]), root) for row in json.load(file)}
print(*(line for line in map(str.strip, sys.stdin) if line in known), sep="\n")
' "$parconv_root" "$commands/compile_commands.json"
}

cd "$parconv_root"
has_tool "$clang_tidy" "clang-tidy" || exit 0
[[ -f "$parconv_build/compile_commands.json" ]] || fail "no $parconv_build/compile_commands.json: configure first (cmake --preset release)"
commands="$parconv_build/tidy"
write_commands
case "${1:-changed}" in
  changed) sources="$(changed_sources | compiled)" limit="${PARCONV_TIDY_FILES:-40}" ;;
  all) sources="$(git ls-files -- '*.cpp' | compiled)" limit=1000000 ;;
  *) sources="$(printf '%s\n' "$@" | compiled)" limit=1000000 ;;
esac
mapfile -t files < <(grep . <<<"$sources" || true)
if ((${#files[@]} > limit)); then
  printf '%d files changed; the first %d are checked (PARCONV_SLOW=1 checks all)\n' "${#files[@]}" "$limit"
  files=("${files[@]:0:limit}")
fi
printf 'clang-tidy: %d files\n' "${#files[@]}"
((${#files[@]})) || exit 0
printf '%s\0' "${files[@]}" | xargs -0 -P "$parconv_jobs" -n 1 "$clang_tidy" -p "$commands" --quiet 2> >(grep -v 'warnings\? generated' >&2)
