#requires -Version 7.0
<#
.SYNOPSIS
    An adapter program of the open protocol in PowerShell: drives aider.

.DESCRIPTION
    Reads one JSON object on stdin and writes one on stdout:
        {capability, payload, tool, timeout_ms, max_retries} -> {success, message, content}
    Its working directory is the workstream's worktree. The prompt goes to aider in a file, the
    files as arguments; nothing passes through a shell. The keys that aider needs must be declared
    for this tool in the registry. penstock has an adapter for aider built in; this one is an
    example to copy. Its syntax is checked by the tests; it is run only where pwsh is installed.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$TimedOut = 124
$NotFound = 127

function Write-Reply {
    param([bool] $Success, [string] $Message, [hashtable] $Content)
    $reply = [ordered]@{ success = $Success; message = $Message; content = $Content }
    [Console]::Out.WriteLine(($reply | ConvertTo-Json -Depth 6 -Compress))
}

function Get-ChangedFile {
    param([string] $Filter)
    @(git diff --name-only "--diff-filter=$Filter")
}

function Invoke-Aider {
    param([hashtable] $Payload)
    $promptFile = New-TemporaryFile
    try {
        Set-Content -LiteralPath $promptFile -Value ([string] $Payload['prompt']) -Encoding utf8NoBOM
        $start = [System.Diagnostics.ProcessStartInfo]::new('aider')
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardError = $true
        $start.RedirectStandardInput = $true
        $options = @(
            '--no-stream', '--no-check-update', '--no-show-release-notes', '--no-gitignore',
            '--no-analytics', '--no-pretty', '--no-fancy-input', '--no-auto-commits',
            '--no-dirty-commits', '--no-detect-urls', '--no-suggest-shell-commands',
            '--map-tokens', '0', '--yes-always', '--message-file', $promptFile.FullName
        )
        foreach ($argument in $options + @($Payload['files'])) {
            if ($argument) { $start.ArgumentList.Add([string] $argument) }
        }
        $process = [System.Diagnostics.Process]::Start($start)
        $process.StandardInput.Close()
        $out = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        $limit = if ($Payload['timeout_ms']) { [int] $Payload['timeout_ms'] } else { 1800000 }
        if (-not $process.WaitForExit($limit)) {
            $process.Kill($true)
            return @{ exit_code = $TimedOut; stdout = ''; stderr = "aider ran for $limit ms" }
        }
        return @{ exit_code = $process.ExitCode; stdout = $out.Result; stderr = $errors.Result }
    }
    finally {
        Remove-Item -LiteralPath $promptFile -Force -ErrorAction SilentlyContinue
    }
}

try {
    $request = [Console]::In.ReadToEnd() | ConvertFrom-Json -AsHashtable
    $capability = [string] $request['capability']
    $payload = $request['payload']
}
catch {
    Write-Reply $false 'Invalid JSON input' @{ exit_code = 1; outcome = 'bad_output' }
    exit 1
}

if (-not (Get-Command aider -CommandType Application -ErrorAction SilentlyContinue)) {
    Write-Reply $false 'aider is not installed' @{ exit_code = $NotFound }
    exit 1
}

switch ($capability) {
    'version' {
        Write-Reply $true ([string] (aider --version)) @{ exit_code = 0 }
        exit 0
    }
    { $_ -in 'code_generation', 'refactoring' } {
        $done = Invoke-Aider $payload
        $content = @{
            exit_code      = $done['exit_code']
            stdout         = $done['stdout']
            stderr         = $done['stderr']
            files_modified = @(Get-ChangedFile 'M')
            files_created  = @(git ls-files --others --exclude-standard)
        }
        # aider exits with 0 when the key is rejected: its own words decide
        $failure = [regex]::Match($done['stdout'], '(?m)^litellm\.\w+.*$')
        if ($done['exit_code'] -eq 0 -and -not $failure.Success) {
            Write-Reply $true 'aider is done' $content
            exit 0
        }
        $message = if ($failure.Success) { $failure.Value } else { "aider exited with $($done['exit_code'])" }
        Write-Reply $false $message $content
        exit 1
    }
    default {
        Write-Reply $false "unknown capability: $capability" @{ exit_code = 1 }
        exit 1
    }
}
