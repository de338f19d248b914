"""What `aim status` costs with the packaged tools.

    python bench/bench_aim_status.py [--runs 9]

On a machine of its own with all sixteen tools on PATH: four as npm packages, four in a Python
environment (both kinds state their version in metadata), and eight programs that must be asked, one
of which hangs. `cold` has no notes yet, so that these eight are asked at once with a limit of 2 s;
`warm` is the same with nothing changed; `none installed` has an empty PATH. The whole process is
timed, interleaved with `python -c pass`. Fails when a warm status takes more than 200 ms.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

LIMIT_MS = 200.0
NPM = ("claude", "codex", "gemini", "qwen")
PYTHON = ("aider", "mini", "mypy", "pytest")
ASKED = ("jules", "opencode", "copilot", "goose", "cursor-agent", "amp", "ruff", "pylint")
HANGING = "goose"
STATUS = (sys.executable, "-m", "penstock.aim_cli", "status", "--json")
BASE = (sys.executable, "-c", "pass")


class Times(NamedTuple):
    """What one run took, in milliseconds."""

    wall: float
    cpu: float


def program(path: Path, text: str) -> Path:
    """Write an executable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def machine(folder: Path) -> dict[str, str]:
    """Install all tools and return the environment of whoever uses them."""
    search = folder / "bin"
    search.mkdir()
    for name in NPM:
        package = folder / "lib" / "node_modules" / name
        (search / name).symlink_to(program(package / "cli.js", "#!/usr/bin/env node\n"))
        (package / "package.json").write_text(f'{{"name": "{name}", "version": "1.0.0"}}')
    for name in PYTHON:
        (search / name).symlink_to(program(folder / "venv" / "bin" / name, "#!/bin/sh\n"))
        dist = folder / "venv/lib/python3.11/site-packages" / f"{name}-1.0.0.dist-info"
        dist.mkdir(parents=True)
        (dist / "entry_points.txt").write_text(f"[console_scripts]\n{name} = {name}:main\n")
    for name in ASKED:
        script = "sleep 30" if name == HANGING else f"sleep 0.3; echo {name} 1.0.0"
        program(search / name, f"#!/bin/sh\n{script}\n")
    home = folder / "home"
    home.mkdir()
    # an installed program has its bytecode
    foreign = ("PIPELINE_", "AIM_", "XDG_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": str(home), "PATH": f"{search}:/usr/bin:/bin"}


def once(command: tuple[str, ...], folder: Path, env: dict[str, str]) -> Times:
    """Return the wall and processor time of one run."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Times(wall * 1000.0, cpu * 1000.0)


def middle(times: list[Times]) -> Times:
    """Return the medians."""
    return Times(statistics.median(t.wall for t in times), statistics.median(t.cpu for t in times))


def measure(runs: int) -> dict[str, Times]:
    """Return the medians of each case; `cold` was measured once."""
    with tempfile.TemporaryDirectory() as name:
        env = machine(Path(name))
        repository = Path(name) / "repository"
        subprocess.run(["git", "init", "-q", str(repository)], check=True)
        bare = {**env, "PATH": "/nonexistent"}
        cold = once(STATUS, repository, env)
        times: dict[str, list[Times]] = {"python -c pass": [], "warm": [], "none installed": []}
        for _ in range(runs):
            times["python -c pass"].append(once(BASE, repository, env))
            times["warm"].append(once(STATUS, repository, env))
            times["none installed"].append(once(STATUS, repository, bare))
    return {"cold": cold, **{label: middle(values) for label, values in times.items()}}


def main() -> int:
    """Measure, print, and return 1 when a warm status is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=9)
    medians = measure(parser.parse_args().runs)
    base, warm = medians["python -c pass"], medians["warm"]
    print(f"{'case':<16}{'wall ms':>9}{'cpu ms':>9}{'x python':>10}")
    for label, times in medians.items():
        print(f"{label:<16}{times.wall:>9.1f}{times.cpu:>9.1f}{times.wall / base.wall:>10.1f}")
    print(f"limit: {LIMIT_MS:.0f} ms warm; here: {warm.wall:.1f} ms")
    return 0 if warm.wall <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
