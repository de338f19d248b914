"""What the index of tags costs: 10,000 documents of 7.5 KB, three tags in each.

    python -m bench.bench_specs [--runs 5] [--files 10000]

Each run is `penstock spec index` as a whole process, from its start to its end. The first one counts
as cold, though the system may have the files in memory. Fails when the median of the others is
over 2 s.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_S = 2.0
FOLDERS = 100
INDEX = (sys.executable, "-m", "penstock", "spec", "index")
PROSE = "".join(
    f"Line {n} of a document with some words in it that say nothing.\n" for n in range(60)
)


def document(number: int) -> str:
    """Return a document with a tag in a heading, in a fence and at the end of a line."""
    return (
        f"# Title {number}\n\n{PROSE}\n## Part [IDX-DB-PART-{number}]\n\n```py\n"
        f"# [IDX-TOOL-X-{number}] create x\n```\n{PROSE}\n[IDX-CB-{number}]\n"
    )


def make(root: Path, files: int) -> None:
    """Write the documents."""
    for number in range(files):
        folder = root / "docs" / f"area{number % FOLDERS}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"page{number}.md").write_text(document(number), encoding="utf-8")


def measure(root: Path, files: int) -> tuple[float, float]:
    """Return what one run took: seconds of wall time and of CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(INDEX, cwd=root, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = done.stdout.count("\n")
    if found != 3 * files:
        raise SystemExit(f"{found} tags found of {3 * files}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), given.files)
        cold, *warm = [measure(Path(name), given.files) for _ in range(given.runs + 1)]
    wall = statistics.median(taken for taken, _ in warm)
    cpu = statistics.median(used for _, used in warm)
    print(f"{given.files} documents, {3 * given.files} tags (s)")
    print(f"  first   wall {cold[0]:.2f}  CPU {cold[1]:.2f}")
    print(f"  median  wall {wall:.2f}  CPU {cpu:.2f}  of {given.runs}")
    return int(wall > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
