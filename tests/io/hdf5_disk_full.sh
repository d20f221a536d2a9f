#!/bin/sh
# Runs a command with PARCONV_TEST_SMALL_DISK naming a disk of 2 MiB that only this command sees; without the right to mount
# one, runs it without.
set -e
if ! unshare -m true 2>/dev/null; then
  exec "$@"
fi
disk=$(mktemp -d)
status=0
PARCONV_TEST_SMALL_DISK=$disk unshare -m sh -c '
  mount -t tmpfs -o size=2m parconv_test "$PARCONV_TEST_SMALL_DISK" || unset PARCONV_TEST_SMALL_DISK
  exec "$@"' sh "$@" || status=$?
rmdir "$disk"
exit $status
