#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Creates apps/examples/venv with PyTorch and ONNX Runtime (several GB) and writes the example networks to apps/examples/out.
# Arguments are passed to make_networks.py, for example  --only resnet50 unet
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$here/venv/bin/python"

if [[ ! -e "$here/venv/complete" ]]; then
  python3 -m venv "$here/venv"
  "$python" -m pip install --requirement "$here/requirements.txt"
  touch "$here/venv/complete"
fi
"$python" "$here/make_networks.py" --out "$here/out" "$@"
