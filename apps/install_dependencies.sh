#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs parconv's dependencies on Debian and derivatives. A no-op if all are installed.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_dependencies
