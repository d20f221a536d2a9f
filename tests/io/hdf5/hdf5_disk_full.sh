#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with PARCONV_TEST_SMALL_DISK set to a 2 MiB file system private to it; without permission to mount, the variable is unset.
set -e
if ! unshare -m true 2>/dev/null; then
  exec "$@"
fi
disk=$(mktemp -d)
status=0
# shellcheck disable=SC2016 # the inner shell expands it
PARCONV_TEST_SMALL_DISK=$disk unshare -m sh -c '
  mount -t tmpfs -o size=2m parconv_test "$PARCONV_TEST_SMALL_DISK" || unset PARCONV_TEST_SMALL_DISK
  exec "$@"' sh "$@" || status=$?
rmdir "$disk"
exit $status
