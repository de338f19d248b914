"""A scratch repository with a worktree, and its checks run for real."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.checks.api import Check, CheckContext, CheckRun
from penstock.checks.checks import RepositoryChecks, make_checks
from penstock.config.profiles import load_tool_profiles
from penstock.model.settings import PipelineSettings, ToolProfile
from penstock.process.api import Stop
from tests.support.repofiles import write_files
from tests.support.venvs import make_repo_venv

PACKAGE = "def add(a: int, b: int) -> int:\n    return a + b\n"
TEST = "from calc import add\n\n\ndef test_add() -> None:\n    assert add(1, 2) == 3\n"


class PlainFilter:
    """Lets everything through."""

    def feed(self, data: bytes) -> bytes:
        """Return the piece."""
        return data

    def flush(self) -> bytes:
        """Return nothing."""
        return b""


class ShoutingFilter(PlainFilter):
    """Makes all letters capital, to show that output went through it."""

    def feed(self, data: bytes) -> bytes:
        """Return the piece in capitals."""
        return data.upper()


@dataclass
class Scene:
    """A repository at `root` (with a `.venv` that sees pytest and ruff) and a worktree in it."""

    root: Path
    settings: PipelineSettings = field(default_factory=PipelineSettings)
    profiles: dict[str, ToolProfile] = field(default_factory=load_tool_profiles)
    venv: Path = field(init=False)
    tree: Path = field(init=False)

    def __post_init__(self) -> None:
        self.venv = make_repo_venv(self.root)
        self.tree = self.root / ".worktrees" / "ws-a"
        self.tree.mkdir(parents=True)

    @property
    def log(self) -> Path:
        """The log that checks append to."""
        return self.root / "logs" / "check.log"

    def write(self, files: Mapping[str, str | bytes]) -> Scene:
        """Write files of the worktree."""
        write_files(self.tree, files)
        return self

    def tool(self, tool_id: str, script: str, **fields: Any) -> Scene:
        """Put a script into the environment and make it a tool profile."""
        path = self.venv / "bin" / tool_id
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self.profiles[tool_id] = ToolProfile(tool_id=tool_id, command=tool_id, **fields)
        return self

    def checks(self, **settings: Any) -> RepositoryChecks:
        """Return the checks of this repository under these settings."""
        chosen = PipelineSettings(**settings) if settings else self.settings
        return make_checks(chosen, self.profiles, self.root)

    def context(self) -> CheckContext:
        """Return where a check runs."""
        return CheckContext(
            worktree=self.tree,
            repo_root=self.root,
            log=self.log,
            marker=f"marker-{self.root}",
            run_id="run-1",
            ws_id="ws-a",
        )

    def plan(
        self, step: str, *acceptance: str, **settings: Any
    ) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the planned checks and notes."""
        return self.checks(**settings).plan(step, self.tree, acceptance)

    def run(self, check: Check, stop: Stop | None = None) -> CheckRun:
        """Run one check."""
        return self.checks().run(check, self.context(), stop or Stop(), PlainFilter)

    def only(self, step: str, *acceptance: str, **settings: Any) -> CheckRun:
        """Plan a step that has one check, and run it."""
        planned, _ = self.plan(step, *acceptance, **settings)
        assert len(planned) == 1
        return self.run(planned[0])

    def run_tool(self, tool_id: str, step: str = "static") -> CheckRun:
        """Run the check of one configured tool."""
        key = f"{step}_tools"
        return self.only(step, **{key: (tool_id,)})


def python_scene(root: Path, files: Mapping[str, str] | None = None) -> Scene:
    """Return a scene with a small package in `src`, its test, and these files on top."""
    return Scene(root).write(
        {"src/calc/__init__.py": PACKAGE, "tests/test_calc.py": TEST, **(files or {})}
    )
