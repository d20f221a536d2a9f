#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Denoises a photograph on several ranks with an existing parconv_app: adds noise, runs the denoiser, prints the PSNR against the clean picture,
# and writes the pictures side by side.
#
#   apps/examples/denoise_photo.sh [PICTURE [FOLDER]]      default: apps/examples/photo.png, results in build/quickstart
#
# PARCONV_RANKS=N sets the number of ranks (default 4).
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

picture="${1:-$parconv_root/apps/examples/photo.png}"
work="${2:-$parconv_build/quickstart}"
app="${PARCONV_APP:-$parconv_build/parconv_app}"
ranks="${PARCONV_RANKS:-4}"
h5image() { "$parconv_python" -B "$parconv_root/apps/tools/h5image.py" "$@"; }
show() { # prints a command as a user would type it, and runs it
  printf '$ %s\n' "$*"
  "$@"
}

set_mpi_environment
mkdir -p "$work"
cp "$parconv_root/apps/examples/denoiser.onnx" "$work/"
h5image to-h5 "$picture" "$work/clean.h5"
show h5image noise "$picture" "$work/noisy.h5" --sigma 25 --seed 7
show mpirun -np "$ranks" "$app" run "$work/denoiser.onnx" "$work/noisy.h5" "$work/denoised.h5" --force
before="$(h5image psnr "$work/noisy.h5" "$work/clean.h5")"
after="$(h5image psnr "$work/denoised.h5" "$work/clean.h5")"
h5image compare "$work/noisy.h5" "$work/denoised.h5" "$work/clean.h5" "$work/before_after.png" \
  --captions "noisy: $before" "denoised on $ranks ranks: $after" "clean"
printf 'noisy     %s\ndenoised  %s\nlook at   %s\n' "$before" "$after" "$work/before_after.png"
