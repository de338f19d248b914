"""What checking a package costs beside pre-commit and prek, with the same tools in the same run.

    python -m bench.bench_checks --peers DIR [--install] [--runs 5] [--package FOLDER]

The package is SQLAlchemy's library (255 Python files, 232,000 lines), taken from the package index
unless `--package` names a folder. All sides run ruff, mypy, bandit and codespell from one
environment (`DIR/tools`) over all files of a fresh git repository; pre-commit and prek call them
through local hooks with the arguments of penstock's own plugins, where they do not concern the output's form.

- cold: no results of anybody are kept, the tools' own caches removed
- warm: nothing has changed since the last run
- one file: a line is added to one file in the middle of the import graph before each run

The sides take turns, so that a busy moment of the machine meets all of them. Prints medians in
seconds and ratios; exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PACKAGE = "sqlalchemy==2.0.36"
TOOLS = ("ruff==0.17.5", "mypy==2.4.1", "bandit==1.9.4", "codespell==2.4.3")
PEERS = ("pre-commit", "prek")
OURS = "penstock"
ONLY = "python_ruff,python_mypy,python_bandit,codespell"
CHANGED = Path("lib/sqlalchemy/util/langhelpers.py")
TARGETS = {"cold": 1.1, "warm": 1 / 25, "one file": 0.6}
WARM_S = 0.35
HOOKS = """\
repos:
- repo: local
  hooks:
  - {id: ruff, name: ruff, language: system, entry: ruff check --force-exclude --quiet --no-fix, types_or: [python, pyi], require_serial: true}
  - {id: mypy, name: mypy, language: system, entry: mypy --no-error-summary, types_or: [python, pyi], require_serial: true}
  - {id: bandit, name: bandit, language: system, entry: bandit -q, types: [python]}
  - {id: codespell, name: codespell, language: system, entry: codespell, types: [text]}
"""
Side = Callable[[], float]


def main() -> int:
    """Measure, print the table, and return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold-runs", type=int, default=3)
    parser.add_argument("--package", type=Path)
    given = parser.parse_args()
    peers = given.peers.expanduser().resolve()
    if given.install:
        install(peers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        repository = prepare(folder, given.package)
        sides = {side: timed(command(side, peers), repository, peers) for side in (OURS, *PEERS)}
        runs = {"cold": given.cold_runs, "warm": given.runs, "one file": given.runs}
        before = {"cold": forget, "warm": leave, "one file": touch}
        medians = {
            shape: measure(sides, repository, count, before[shape]) for shape, count in runs.items()
        }
    return show(medians)


def install(peers: Path) -> None:
    """Make the environments of the tools and of the peers."""
    for name, packages in (("tools", TOOLS), ("hooks", PEERS)):
        place = peers / name
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", *packages]
        subprocess.run(pip, check=True)


def prepare(folder: Path, package: Path | None) -> Path:
    """Make a repository of the package's library, with the hooks of the peers."""
    repository = folder / "repository"
    source = package or downloaded(folder)
    shutil.copytree(source, repository / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    (repository / ".pre-commit-config.yaml").write_text(HOOKS)
    (repository / ".gitignore").write_text(".mypy_cache/\n.ruff_cache/\n")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(
        repository,
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@localhost",
        "commit",
        "-qm",
        "base",
    )
    return repository


def downloaded(folder: Path) -> Path:
    """Fetch the package's sources and return its library."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "-d", str(folder), PACKAGE], check=True, capture_output=True)
    archive = next(folder.glob("*.tar.gz"))
    shutil.unpack_archive(archive, folder, filter="data")
    return next(folder.glob("*/lib"))


def git(repository: Path, *arguments: str) -> None:
    """Run git in the repository."""
    subprocess.run(["git", *arguments], cwd=repository, check=True)


def command(side: str, peers: Path) -> tuple[str, ...]:
    """Return the command line of a side."""
    if side == OURS:
        return (sys.executable, "-m", "penstock", "check", "--only", ONLY, "--format", "text")
    return (str(peers / "hooks" / "bin" / side), "run", "--all-files", "--color", "never")


def timed(argv: tuple[str, ...], repository: Path, peers: Path) -> Side:
    """Return what runs a side once, and says how many seconds it took."""
    env = {**os.environ, "PATH": f"{peers / 'tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    # who installed any of the sides has its bytecode
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PRE_COMMIT_HOME"] = env["PREK_HOME"] = str(repository.parent / "hook-home")

    def run() -> float:
        began = time.perf_counter()
        done = subprocess.run(
            argv, cwd=repository, env=env, capture_output=True, stdin=subprocess.DEVNULL
        )
        took = time.perf_counter() - began
        if done.returncode not in (0, 1):
            raise SystemExit(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode()}")
        return took

    return run


def measure(
    sides: Mapping[str, Side], repository: Path, runs: int, before: Callable[[Path, int], None]
) -> dict[str, float]:
    """Return the median of each side; `before` prepares the repository for each run."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    if before is not forget:
        for run in sides.values():
            run()
    for number in range(runs):
        for side, run in sides.items():
            before(repository, number * len(sides) + len(times[side]))
            times[side].append(run())
    return {side: statistics.median(values) for side, values in times.items()}


def forget(repository: Path, _: int) -> None:
    """Remove all results that anybody has kept."""
    for name in (".state", ".mypy_cache", ".ruff_cache"):
        shutil.rmtree(repository / name, ignore_errors=True)


def leave(repository: Path, number: int) -> None:
    """Change nothing."""


def touch(repository: Path, number: int) -> None:
    """Add a function to one file, another one each time."""
    with (repository / CHANGED).open("a") as file:
        file.write(f"\n\ndef added_{time.monotonic_ns()}_{number}() -> None:\n    return None\n")


def show(medians: Mapping[str, Mapping[str, float]]) -> int:
    """Print the table; return 1 when a target is missed."""
    print(
        f"{'shape':<10}"
        + "".join(f"{side:>12}" for side in (OURS, *PEERS))
        + f"{'ratio':>9}{'target':>9}"
    )
    missed = 0
    for shape, row in medians.items():
        ratio = row[OURS] / min(row[peer] for peer in PEERS)
        missed += ratio > TARGETS[shape]
        times = "".join(f"{row[side]:>11.2f}s" for side in (OURS, *PEERS))
        print(f"{shape:<10}{times}{ratio:>9.3f}{TARGETS[shape]:>9.3f}")
    missed += medians["warm"][OURS] > WARM_S
    print(f"ratio: penstock by the faster of the others; warm: at most {WARM_S} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
