"""What knowing the machine costs: help, health, versions of 40 tools, and the look before a run.

    python bench/bench_environment.py [--runs 9]

On a machine of its own with 40 tools that are all pinned: 16 applications of pipx, 12 global packages of
npm, 8 packages in the environment of the repository, and 4 programs that must be asked for their
version (these are noted until they change). Each command is a whole process, from its start to its end,
run in turn with `python -c pass` so that a busy moment of the machine meets all of them; `pre-flight`
is timed inside of a process, the first time in it (`first`) and the second (`again`). Medians, beside
them the processor's time, which tells on a busy machine. Fails when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

AIM = (sys.executable, "-m", "penstock.aim_cli")
BASE = "python -c pass"
COMMANDS: dict[str, tuple[str, ...]] = {
    BASE: (sys.executable, "-c", "pass"),
    "aim --help": (*AIM, "--help"),
    "aim health check": (*AIM, "health", "check"),
    "aim version check": (*AIM, "version", "check"),
    "aim status": (*AIM, "status"),
}
LIMITS_MS = {
    "aim --help, more than Python": 60.0,
    "aim health check": 600.0,
    "aim version check": 500.0,
    "aim status": 200.0,
    "pre-flight, first": 600.0,
}
PREFLIGHT = """\
import json, os, time
from penstock.wiring import open_workspace
from pathlib import Path
times = []
with open_workspace(Path.cwd()) as workspace:
    for _ in range(2):
        begun, spent = time.perf_counter(), sum(os.times()[:4])
        report = workspace.preflight(["scripted"])
        wall, cpu = time.perf_counter() - begun, sum(os.times()[:4]) - spent
        times.append((wall * 1000.0, cpu * 1000.0))
        assert report.passed, report.health
print(json.dumps(times))
"""
ASKED = ("jules", "goose", "cursor-agent", "amp")
FOREIGN = (
    "PIPELINE_", "AIM_", "XDG_", "PIP", "UV_", "npm_", "NPM_", "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
)  # fmt: skip


class Times(NamedTuple):
    """What one run took, in milliseconds."""

    wall: float
    cpu: float


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    """Write a file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def distribution(environment: Path, name: str) -> None:
    """Put the metadata of a package into a Python environment."""
    info = environment / f"lib/python3.11/site-packages/{name}-1.0.0.dist-info"
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
    write(environment / "pyvenv.cfg", "home = /usr/bin\nversion = 3.11\n")
    write(environment / "bin" / "python", "#!/bin/sh\n", 0o755)


def install(folder: Path) -> dict[str, dict[str, str]]:
    """Install all tools of the machine and return their pins."""
    home, search = folder / "home", folder / "bin"
    pins: dict[str, dict[str, str]] = {name: {} for name in ("pipx", "npm", "pip", "tools")}
    for number in range(16):
        distribution(home / f".local/share/pipx/venvs/app{number}", f"app{number}")
        pins["pipx"][f"app{number}"] = "1.0.0"
    for number in range(12):
        package = home / f"npm/lib/node_modules/package{number}/package.json"
        write(package, f'{{"name": "package{number}", "version": "1.0.0"}}')
        pins["npm"][f"package{number}"] = "^1.0.0"
    for number in range(8):
        distribution(folder / "repository/.venv", f"library{number}")
        pins["pip"][f"library{number}"] = ">=1.0"
    for name in ASKED:
        write(search / name, f"#!/bin/sh\necho {name} 1.0.0\n", 0o755)
        pins["tools"][name] = "1.0.0"
    write(home / ".npmrc", f"prefix={home}/npm\n")
    write(home / ".gitconfig", "[user]\nname = Bench\nemail = bench@example.invalid\n")
    return pins


def machine(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make the machine; return its repository and the environment of whoever uses it."""
    pins = install(folder)
    repository = folder / "repository"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    search = f"{folder / 'bin'}:/usr/bin:/bin"
    env = {**kept, "HOME": str(folder / "home"), "PATH": search, "OPENAI_API_KEY": "a-key"}
    config = {"environment": {"versionPins": pins}}
    write(repository / "config" / "aim_config.json", json.dumps(config))
    write(repository / "config" / "pipeline.yaml", "static_tools: []\nruntime_tools: []\n")
    for command in (("init", "-q"), ("add", "config"), ("commit", "-qm", "First")):
        subprocess.run(["git", *command], cwd=repository, env=env, check=True)
    return repository, env


def once(command: tuple[str, ...], folder: Path, env: dict[str, str]) -> Times:
    """Return the wall and processor time of one run."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise SystemExit(f"{' '.join(command[1:])} exits {done.returncode}: {said}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Times(wall * 1000.0, cpu * 1000.0)


def before_a_run(folder: Path, env: dict[str, str]) -> list[Times]:
    """Return what the look before a run took in a fresh process, and once more in it."""
    command = (sys.executable, "-c", PREFLIGHT)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True)
    return [Times(*pair) for pair in json.loads(done.stdout)]


def measure(runs: int) -> dict[str, Times]:
    """Return the medians of each figure."""
    names = (*COMMANDS, "pre-flight, first", "pre-flight, again")
    times: dict[str, list[Times]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as name:
        repository, env = machine(Path(name))
        for command in COMMANDS.values():  # bytecode, and notes of the versions
            once(command, repository, env)
        for _ in range(runs):
            for label, command in COMMANDS.items():
                times[label].append(once(command, repository, env))
            first, again = before_a_run(repository, env)
            times["pre-flight, first"].append(first)
            times["pre-flight, again"].append(again)
    found = {label: median(values) for label, values in times.items()}
    alone, helped = found[BASE], found["aim --help"]
    more = Times(helped.wall - alone.wall, helped.cpu - alone.cpu)
    return {**found, "aim --help, more than Python": more}


def median(times: list[Times]) -> Times:
    """Return the median of each kind of time."""
    return Times(statistics.median(t.wall for t in times), statistics.median(t.cpu for t in times))


def main() -> int:
    """Measure, print a table, and return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    found = measure(parser.parse_args().runs)
    print(f"{'what':30}{'ms':>9}{'cpu ms':>9}{'limit':>9}")
    missed = False
    for label, (wall, cpu) in found.items():
        limit = LIMITS_MS.get(label)
        over = limit is not None and wall > limit
        missed = missed or over
        shown = "" if limit is None else f"{limit:.0f}"
        print(f"{label:30}{wall:9.1f}{cpu:9.1f}{shown:>9}{'  MISSED' * over}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
