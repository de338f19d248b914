#!/usr/bin/env bash
# The skeleton of a repository: its usual folders, then `penstock init`, then which tools there are.
# What is there stays as it is, and it always ends with 0; bootstrap.ps1 is its twin.
set -u
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
top="$(git rev-parse --show-toplevel 2>/dev/null || pwd)"

for folder in docs plans scripts tests assets; do
  if [[ -d $top/$folder ]]; then
    printf '%-10s there\n' "$folder"
  elif mkdir -p "$top/$folder"; then
    printf '%-10s made\n' "$folder"
  fi
done

(cd "$top" && "${PYTHON:-python3}" "$here/_forward.py" init "$@") ||
  printf 'penstock init did not end well: see above, then run it again.\n' >&2

for tool in git python3 node pwsh; do
  if command -v "$tool" >/dev/null 2>&1; then
    printf '%-10s %s\n' "$tool" "$("$tool" --version 2>/dev/null | head -n 1)"
  else
    printf '%-10s not found\n' "$tool"
  fi
done
exit 0
