"""A minimal workstream from claim to merge: what the orchestration costs beside its tools.

A small repository, a scripted one-line edit, one static and one runtime check that are `true`.
Time is wall-clock time of the whole run loop for one workstream less the time that the tool and
the checks took by their own records; children are counted at the process door. The target figures
are 60 ms and 10 children with a warm pool, 150 ms with the first worktree.

    python bench/bench_workstream.py [--runs N]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

from penstock.engine.ports import RunRequest
from penstock.process.spawn import spawned
from penstock.wiring import create_repository, open_workspace

PROFILES = {"yes": {"type": "static-check", "command": "true"}}


def make_project(root: Path, durability: str) -> None:
    """Make a small repository whose checks are `true`."""
    root.mkdir()
    for number in range(20):
        (root / f"file{number}.txt").write_text(f"{number}\n" * 20)
    (root / "config").mkdir()
    settings = {"static_tools": ["yes"], "runtime_tools": ["yes"], "durability": durability}
    (root / "config/pipeline.yaml").write_text(json.dumps(settings))
    (root / "config/tool_profiles.json").write_text(json.dumps(PROFILES))
    create_repository(root, "A small repository")


def request(number: int) -> RunRequest:
    """A run of one workstream that changes one line."""
    from msgspec import convert

    from penstock.model.bundle import Bundle

    text = f"changed {number}\n"
    fields = {
        "id": "ws-one",
        "openspec_change": "c",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": ["file0.txt"],
        "tasks": ["change a line"],
        "tool": "scripted",
        "metadata": {"scripted": [{"edits": {"file0.txt": text}}]},
    }
    return RunRequest(bundles=(convert(fields, Bundle),), run_id=f"run-{number}")


class Sample:
    """One measured run: milliseconds in all, of the tools, of the orchestration; children."""

    def __init__(self, total_s: float, tools_s: float, children: int) -> None:
        self.total = total_s * 1000
        self.tools = tools_s * 1000
        self.ours = self.total - self.tools
        self.children = children


def measure(root: Path, runs: int) -> list[Sample]:
    """Run the workstream `runs` times in one process; the first one makes the worktree."""
    samples = []
    with open_workspace(root) as workspace:
        workspace.repository.head()
        for number in range(runs):
            children, began = spawned(), time.perf_counter()
            result = workspace.run(request(number))
            total = time.perf_counter() - began
            assert result.status == "succeeded", result
            tools = sum(own_time(step.details) for step in result.workstreams[0].steps)
            samples.append(Sample(total, tools, spawned() - children))
    return samples


def own_time(details: dict[str, object]) -> float:
    """The seconds that the tool or the checks of an attempt took."""
    checks = details.get("checks")
    if isinstance(checks, list):
        return sum(float(check["duration_sec"]) for check in checks)
    return float(str(details.get("tool_sec", 0.0)))


def warm_up() -> None:
    """Run once in a repository of its own, so that no row pays for the imports of start-up."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        make_project(root, "normal")
        measure(root, 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    print(f"minimal workstream, {runs} runs, {platform.platform()}, medians")
    print(
        f"{'':<28}{'total ms':>10}{'tools ms':>10}{'ours ms':>10}{'children':>10}{'of target':>11}"
    )
    warm_up()
    for durability in ("normal", "full"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve() / "project"
            make_project(root, durability)
            samples = measure(root, runs)
            show(f"first worktree, {durability}", samples[:1], 150.0)
            show(f"warm pool, {durability}", samples[1:], 60.0)


def show(name: str, samples: list[Sample], target_ms: float) -> None:
    """Print one row; the last column is our time as a share of the target."""
    total, tools, ours = (
        statistics.median(getattr(s, key) for s in samples) for key in ("total", "tools", "ours")
    )
    children = statistics.median(s.children for s in samples)
    share = ours / target_ms
    print(f"{name:<28}{total:>10.1f}{tools:>10.1f}{ours:>10.1f}{children:>10.0f}{share:>10.2f}x")


if __name__ == "__main__":
    main()
