# Analyses the files that it is given and prints one JSON object: the records that
# Invoke-ScriptAnalyzer made of them, and why files could not be looked at.
# The settings of a file are the nearest PSScriptAnalyzerSettings.psd1, from its folder up to the
# current one.
param([Parameter(ValueFromRemainingArguments = $true)][string[]] $Files)

$ErrorActionPreference = 'Stop'
$records = New-Object System.Collections.ArrayList
$errors = New-Object System.Collections.ArrayList
$top = (Get-Location).ProviderPath

function Find-Settings([string] $File) {
    $folder = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($File))
    while ($folder -and $folder.StartsWith($top)) {
        $settings = [System.IO.Path]::Combine($folder, 'PSScriptAnalyzerSettings.psd1')
        if ([System.IO.File]::Exists($settings)) { return $settings }
        $folder = [System.IO.Path]::GetDirectoryName($folder)
    }
}

try {
    Import-Module PSScriptAnalyzer
} catch {
    [void] $errors.Add("the module PSScriptAnalyzer cannot be loaded: $($_.Exception.Message)")
    $Files = @()
}

foreach ($file in $Files) {
    $path = [System.IO.Path]::GetFullPath([System.IO.Path]::Combine($top, $file))
    $options = @{ Path = [WildcardPattern]::Escape($path) }
    $settings = Find-Settings $path
    if ($settings) { $options.Settings = $settings }
    try {
        foreach ($found in @(Invoke-ScriptAnalyzer @options)) {
            $extent = $found.Extent
            [void] $records.Add([ordered] @{
                path = $file
                rule = [string] $found.RuleName
                severity = [string] $found.Severity
                message = [string] $found.Message
                line = $found.Line
                column = $found.Column
                end_line = if ($extent) { $extent.EndLineNumber } else { $null }
                end_column = if ($extent) { $extent.EndColumnNumber } else { $null }
                fixable = [bool] $found.SuggestedCorrections
            })
        }
    } catch {
        [void] $errors.Add("${file}: $($_.Exception.Message)")
    }
}

$result = [ordered] @{ records = $records.ToArray(); errors = $errors.ToArray() }
[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
[Console]::Out.WriteLine((ConvertTo-Json -InputObject $result -Depth 4 -Compress))
