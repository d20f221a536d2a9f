#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The checks that need no build: formatting, scripts, documents, lines of the licence.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=apps/lib.sh
source "$here/../../apps/lib.sh"

readme_max_words=1000
docs_max_columns=100

bash "$here/format.sh"
bash "$here/scripts.sh"
"$parconv_python" -B "$here/docs.py" --readme-words "$readme_max_words" --wrap "$docs_max_columns"
"$parconv_python" -B "$here/spdx.py"
