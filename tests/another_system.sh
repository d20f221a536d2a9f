#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and tests this checkout under another Debian release, in a chroot. Requires debootstrap and root.
#   bash tests/another_system.sh SUITE FOLDER [MIRROR]       for example: trixie /var/tmp/trixie
# The first run creates FOLDER, later runs reuse it. Mounts are private to this script, so only FOLDER remains.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if (($# < 2)); then
  sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
suite="$1" folder="$2"
shift 2

if [[ ! -e "$folder/etc/os-release" ]]; then debootstrap --variant=minbase "$suite" "$folder" "$@"; fi

# Files that git tracks or would add; previous build output stays.
mkdir -p "$folder/parconv"
find "$folder/parconv" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git -C "$root" ls-files -z --cached --others --exclude-standard |
  tar -C "$root" --null --ignore-failed-read -T - -cf - | tar -C "$folder/parconv" -xf -

export PARCONV_JOBS="${PARCONV_JOBS:-}" PARCONV_SLOW="${PARCONV_SLOW:-0}"
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount bash -euc '
  mount -t proc proc "$1/proc"
  for tree in dev sys; do mount --rbind "/$tree" "$1/$tree"; done
  exec chroot "$1" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    PARCONV_JOBS="$PARCONV_JOBS" PARCONV_SLOW="$PARCONV_SLOW" bash /parconv/tests/run.sh' bash "$folder"
