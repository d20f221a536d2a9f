#!/usr/bin/env bash
# Installs what parconv is built on, on Debian and its relatives. Does nothing if all of it is there.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_dependencies
