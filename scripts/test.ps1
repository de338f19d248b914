#!/usr/bin/env pwsh
# What this repository still lacks for penstock: `penstock init --check`.
. (Join-Path $PSScriptRoot '_forward.ps1')
Invoke-Penstock init --check @args
exit $LASTEXITCODE
