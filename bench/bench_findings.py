"""What writing a report of 20,000 findings costs, in each format.

    python -m bench.bench_findings [--runs 5]

Prints the best processor time of several runs, in milliseconds.
"""

from __future__ import annotations

import argparse
import sys
import time

from penstock.cli.findings.formats import renderer
from penstock.model.finding import Finding, Severity
from penstock.model.inspection import CheckReport, FileResult, FileStatus

FORMATS = ("text", "json", "sarif", "github", "junit")


def report(files: int, each: int) -> CheckReport:
    """Return a report of so many failed files with so many findings each."""
    return CheckReport(
        started_at=0.0,
        duration_s=1.0,
        files=tuple(failed(f"src/module_{number}.py", each) for number in range(files)),
    )


def failed(path: str, count: int) -> FileResult:
    """Return a failed file."""
    findings = tuple(
        Finding(
            tool="ruff",
            path=path,
            line=line,
            column=1,
            code="F401",
            message=f"`os.path_{line}` imported but unused",
            severity=Severity.ERROR,
            fingerprint=f"{line:016x}",
        )
        for line in range(1, count + 1)
    )
    return FileResult(path=path, status=FileStatus.FAILED, findings=findings)


def best(name: str, told: CheckReport, runs: int) -> float:
    """Return the best processor time (ms) of a format."""
    render, times = renderer(name), []
    for _ in range(runs):
        began = time.process_time()
        render(told, "/repository")
        times.append((time.process_time() - began) * 1000)
    return min(times)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    told = report(200, 100)
    print(f"{'format':<8}{'ms':>8}")
    for name in FORMATS:
        print(f"{name:<8}{best(name, told, runs):>8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
