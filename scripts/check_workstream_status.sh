#!/usr/bin/env bash
# Branches, worktrees and key files of ours in this repository: `penstock status --repo`.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
exec "${PYTHON:-python3}" "$here/_forward.py" status --repo "$@"
