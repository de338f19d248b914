"""Validate 10,000 bundles in 100 files with 30,000 dependencies and 50,000 scope entries.

Prints a table: median, best and worst of several runs, and the ratio to a plain JSON decode with
msgspec conversion of the same files, which checks neither the schema's details nor anything
between bundles. With `--jsonschema PYTHON` the pure-Python jsonschema of that interpreter checks
the same files against the same schema beside it.

    python -m bench.bench_validate [--runs 5] [--jsonschema /path/to/python]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.bundle import Bundle
from penstock.planning.load import load_bundles
from penstock.planning.schema import PACKAGED

BUNDLES, FILES, DEPENDENCIES, SCOPES, TARGET_S = 10_000, 100, 30_000, 50_000, 2.0
JSONSCHEMA = """
import json, sys, time
from pathlib import Path
from jsonschema import Draft7Validator
check = Draft7Validator(json.loads(Path(sys.argv[2]).read_text())).iter_errors
start = time.perf_counter()
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    for bundle in json.loads(path.read_text().split("\\n", 1)[1]):
        assert not list(check(bundle))
print(time.perf_counter() - start)
"""


def make_bundles(rng: random.Random) -> list[dict[str, Any]]:
    """Bundles with five scope entries each (files, a directory, globs) and three dependencies."""
    found = []
    for at in range(BUNDLES):
        module = f"src/area{at % 40}/module{at}"
        scope = [f"{module}/core.py", f"{module}/api.py", f"tests/area{at % 40}/test_{at}.py"]
        scope += [f"{module}/parts/**/*.py", f"docs/area{at % 40}/page{at}/"]
        found.append(
            {
                "id": f"ws-{at:05}",
                "openspec_change": f"change-{at % 200}",
                "ccpm_issue": at,
                "gate": 1,
                "files_scope": scope,
                "tasks": ["add the module", "cover it with tests", "document it"],
                "tool": "aider",
                "acceptance_tests": [f"pytest -q tests/area{at % 40}/test_{at}.py"],
                "depends_on": sorted({f"ws-{rng.randrange(at):05}" for _ in range(9)})[:3]
                if at > 3
                else [],
                "kind": "impl",
                "circuit_breaker": {"max_attempts": 4},
                "metadata": {"owner": "team", "estimate": at % 5},
            }
        )
    return found


def write(directory: Path) -> None:
    """Write the bundles, a hundred to a file, one comment in each."""
    bundles = make_bundles(random.Random(7))  # noqa: S311 - the same bundles each time
    size = BUNDLES // FILES
    for at in range(FILES):
        text = json.dumps(bundles[at * size : (at + 1) * size], indent=1)
        content = f"// bundles of part {at}\n{text}\n"
        (directory / f"part-{at:03}.json").write_text(content, encoding="utf-8")


def penstock_validates(directory: Path) -> None:
    """The whole of `penstock validate`: read, schema, references, cycles, overlaps."""
    report = load_bundles([], directory)
    assert report.ok, report.errors[:3]
    assert report.bundles_checked == BUNDLES


def plain_decode(directory: Path) -> None:
    """The least that reading can be: decode and convert, nothing else."""
    for path in sorted(directory.glob("*.json")):
        text = path.read_text(encoding="utf-8").split("\n", 1)[1]
        msgspec.convert(json.loads(text), list[Bundle])


def measure(work: Callable[[Path], None], directory: Path, runs: int) -> list[float]:
    """Seconds of each run."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work(directory)
        times.append(time.perf_counter() - start)
    return times


def jsonschema_times(python: str, directory: Path, runs: int) -> list[float]:
    """Seconds that the pure-Python jsonschema takes for the schema alone."""
    command = [python, "-c", JSONSCHEMA, str(directory), str(PACKAGED)]
    return [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jsonschema", metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory)
        rows = {
            "penstock validate": measure(penstock_validates, directory, options.runs),
            "json + msgspec decode only": measure(plain_decode, directory, options.runs),
        }
        if options.jsonschema:
            rows["jsonschema, schema only"] = jsonschema_times(options.jsonschema, directory, 1)
    show(rows)


def show(rows: dict[str, list[float]]) -> None:
    """Print the table."""
    base = statistics.median(rows["json + msgspec decode only"])
    print(f"{BUNDLES} bundles, {FILES} files, about {DEPENDENCIES} dependencies, {SCOPES} claims")
    print(f"{'':28}{'median s':>10}{'best s':>10}{'worst s':>10}{'ratio':>8}")
    for name, times in rows.items():
        median = statistics.median(times)
        line = f"{name:28}{median:10.3f}{min(times):10.3f}{max(times):10.3f}{median / base:8.1f}"
        print(line)
    met = statistics.median(rows["penstock validate"]) <= TARGET_S
    print(f"target: at most {TARGET_S} s: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
