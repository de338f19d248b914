# Shared by the PowerShell scripts in this folder; dot-sourced, never run.

function Find-Python {
    foreach ($name in @($env:PYTHON, 'python3', 'python')) {
        if ($name -and (Get-Command $name -ErrorAction SilentlyContinue)) {
            return $name
        }
    }
    [Console]::Error.WriteLine('Error: Python was not found on PATH')
    exit 2
}

# Run a penstock command on the current repository; its exit code is in $LASTEXITCODE.
function Invoke-Penstock {
    $python = Find-Python
    & $python (Join-Path $PSScriptRoot '_forward.py') @args
}
