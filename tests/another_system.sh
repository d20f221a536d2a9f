#!/usr/bin/env bash
# Builds and tests this checkout in another release of Debian, in a root of its own. Needs debootstrap, and to be root.
#   bash tests/another_system.sh SUITE FOLDER [MIRROR]       for example: trixie /var/tmp/trixie
# The first run fills FOLDER, later ones use it again. Only this script sees its mounts, so nothing is left behind but FOLDER.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if (($# < 2)); then
  sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
suite="$1" folder="$2"
shift 2

if [[ ! -e "$folder/etc/os-release" ]]; then debootstrap --variant=minbase "$suite" "$folder" "$@"; fi

# The files that git knows or would add; what was built there before stays.
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
