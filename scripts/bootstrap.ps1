#!/usr/bin/env pwsh
# The skeleton of a repository: its usual folders, then `penstock init`, then which tools there are.
# What is there stays as it is, and it always ends with 0; bootstrap.sh is its twin.
. (Join-Path $PSScriptRoot '_forward.ps1')

$top = git rev-parse --show-toplevel 2>$null
if (-not $top) { $top = (Get-Location).Path }

foreach ($folder in 'docs', 'plans', 'scripts', 'tests', 'assets') {
    $path = Join-Path $top $folder
    if (Test-Path $path) {
        Write-Output ('{0,-10} there' -f $folder)
    } else {
        New-Item -ItemType Directory -Path $path | Out-Null
        Write-Output ('{0,-10} made' -f $folder)
    }
}

Push-Location $top
Invoke-Penstock init @args
Pop-Location
if ($LASTEXITCODE -ne 0) {
    [Console]::Error.WriteLine('penstock init did not end well: see above, then run it again.')
}

foreach ($tool in 'git', 'python3', 'python', 'node', 'pwsh') {
    if (Get-Command $tool -ErrorAction SilentlyContinue) {
        Write-Output ('{0,-10} {1}' -f $tool, (& $tool --version | Select-Object -First 1))
    } else {
        Write-Output ('{0,-10} not found' -f $tool)
    }
}
exit 0
