#!/usr/bin/env pwsh
# Branches, worktrees and key files of ours in this repository: `penstock status --repo`.
. (Join-Path $PSScriptRoot '_forward.ps1')
Invoke-Penstock status --repo @args
exit $LASTEXITCODE
