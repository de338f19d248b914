"""Stand-ins for checkers that cannot be installed everywhere: they take the documented arguments, read
the files, and leave behind what the real ones document."""

from __future__ import annotations

import sys
from pathlib import Path

GITLEAKS = r"""
import json, os, pathlib, sys
here = pathlib.Path(__file__)
args = sys.argv[1:]
if args == ["version"]:
    print(here.with_name("gitleaks.version").read_text())
    raise SystemExit
with here.with_name("gitleaks.calls").open("a") as calls:
    calls.write(" ".join(args) + "\n")
if "--redact" not in args or "--no-banner" not in args:
    raise SystemExit("unknown flag")
config = pathlib.Path(".gitleaks.toml")
if config.exists() and "broken" in config.read_text():
    sys.exit("FTL unable to load gitleaks config")
ignored = pathlib.Path(".gitleaksignore")
known = ignored.read_text().split() if ignored.exists() else []
leaks = []
for folder, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        path = os.path.normpath(os.path.join(folder, name))
        for number, line in enumerate(open(path, errors="replace"), 1):
            at = line.find("AKIA")
            if at >= 0 and f"{path}:aws-access-token:{number}" not in known:
                leaks.append({
                    "RuleID": "aws-access-token",
                    "Description": "Identified a pattern that may indicate AWS credentials.",
                    "StartLine": number, "EndLine": number,
                    "StartColumn": at + 1, "EndColumn": at + 20,
                    "Match": "REDACTED", "Secret": "REDACTED", "File": path, "SymlinkFile": "",
                    "Commit": "", "Entropy": 3.5, "Author": "", "Email": "", "Date": "",
                    "Message": "", "Tags": [], "Fingerprint": f"{path}:aws-access-token:{number}",
                })
report = args[args.index("--report-path") + 1]
pathlib.Path(report).write_text(json.dumps(leaks, indent=1))
sys.exit(int(args[args.index("--exit-code") + 1]) if leaks else 0)
"""
"""gitleaks (its README: usage, exit codes, the JSON report): it looks for AKIA in the current folder."""

PWSH = r"""
import json, pathlib, sys
args = sys.argv[1:]
if args == ["--version"]:
    print("PowerShell 7.5.4")
    raise SystemExit
assert args[:4] == ["-NoLogo", "-NoProfile", "-NonInteractive", "-File"], args
assert pathlib.Path(args[4]).name == "analyze.ps1" and pathlib.Path(args[4]).is_file()
records, errors = [], []
for file in args[5:]:
    try:
        lines = pathlib.Path(file).read_text().splitlines()
    except OSError as error:
        errors.append(f"{file}: {error.strerror}")
        continue
    for number, line in enumerate(lines, 1):
        rule = {"gci": "PSAvoidUsingCmdletAliases", "{": "MissingEndCurlyBrace"}.get(line.split()[0])
        if rule:
            syntax = rule == "MissingEndCurlyBrace"
            records.append({
                "path": file, "rule": rule, "severity": "ParseError" if syntax else "Warning",
                "message": f"about {line}", "line": number, "column": 1,
                "end_line": number, "end_column": 4, "fixable": not syntax,
            })
print(json.dumps({"records": records, "errors": errors}))
"""
"""pwsh with the script of the plugin: it knows one alias and one syntax error."""


def install_fake(folder: Path, name: str, source: str) -> Path:
    """Write a stand-in into a folder that is to be on PATH; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    program.chmod(0o755)
    return program
