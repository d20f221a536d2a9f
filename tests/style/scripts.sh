#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the scripts: bash reads them, shellcheck finds nothing in them, Python compiles them.
set -euo pipefail
# shellcheck source=apps/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../apps/lib.sh"
# shellcheck source=tests/style/tools.sh
source "$parconv_root/tests/style/tools.sh"

cd "$parconv_root"
shell_files=('*.sh' '*.sbatch' .ci/run)

project_files "${shell_files[@]}" | xargs -0 -n 1 bash -n
if has_tool shellcheck "the check of shell scripts"; then project_files "${shell_files[@]}" | xargs -0 shellcheck --external-sources; fi
project_files '*.py' | xargs -0 "$parconv_python" -c '
import sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        compile(file.read(), path, "exec")
'
