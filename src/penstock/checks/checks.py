"""The checks of a repository: which there are for a tree, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from penstock.checks.api import Check, CheckContext, CheckRun
from penstock.checks.commands import Kind, read_entry
from penstock.checks.detect import DETECTED, Signs, read_signs, wanted
from penstock.checks.execute import Executor
from penstock.checks.surroundings import base_environment, locate
from penstock.checks.tailor import acceptance_check, profile_check
from penstock.config.decode import nearest
from penstock.errors import ConfigError, SecretsError
from penstock.model.settings import PipelineSettings, ToolProfile
from penstock.process.api import FilterFactory, Stop

_KEYS = {"static": "static_tools", "runtime": "runtime_tools"}


Lend = Callable[[str], AbstractContextManager[None]]
"""Lends the secrets of a tool profile while its check runs."""


def lend_nothing(_profile: str) -> AbstractContextManager[None]:
    """Lend nothing."""
    return nullcontext()


class RepositoryChecks:
    """The checks of one repository, by its settings or by what its trees hold. Thread-safe."""

    def __init__(
        self,
        settings: PipelineSettings,
        profiles: Mapping[str, ToolProfile],
        root: Path,
        lend: Lend,
    ) -> None:
        self._settings = settings
        self._profiles = {**DETECTED, **profiles}
        self._commands = frozenset(profile.command for profile in profiles.values())
        self._root = root
        self._executor = Executor()
        self._lend = lend

    def plan(
        self, step: str, tree: Path, acceptance_tests: tuple[str, ...]
    ) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the checks of a step (static, runtime) for a tree, and notes for the report.

        Raises ConfigError for a placeholder that a profile cannot use.
        """
        ids, notes = self._tools(step, tree)
        checks = [profile_check(self._profiles[tool_id], step, tree, self._root) for tool_id in ids]
        if step == "runtime":
            more, said = self._acceptance(tree, acceptance_tests)
            checks, notes = [*checks, *more], [*notes, *said]
        return tuple(checks), tuple(notes)

    def run(
        self, check: Check, context: CheckContext, stop: Stop, make_filter: FilterFactory
    ) -> CheckRun:
        """Run one check. A failing runtime check is run once more. Never raises for what it does."""
        if check.problem is not None:
            return _unfit(check, check.problem)
        if check.profile is None:
            return self._executor.run(check, context, stop, make_filter)
        try:
            with self._lend(check.profile):
                return self._executor.run(check, context, stop, make_filter)
        except SecretsError as error:
            return _unfit(check, f"its secrets cannot be read: {error}")

    # -- tools -----------------------------------------------------------------------------
    def _tools(self, step: str, tree: Path) -> tuple[list[str], list[str]]:
        """Return the ids of a step's tools, configured or detected, and notes."""
        configured = getattr(self._settings, _KEYS[step])
        if configured is not None:
            none = f"no {step} checks configured ({_KEYS[step]} is empty)"
            return list(configured), [] if configured else [none]
        signs = read_signs(tree)
        ids: list[str] = []
        notes: list[str] = []
        for tool_id in wanted(step, signs):
            missing = self._only_guessed(tool_id, signs, tree)
            (notes if missing else ids).append(missing or tool_id)
        if not ids and not notes:
            notes.append(f"no {step} checks found in the repository; set {_KEYS[step]}")
        return ids, notes

    def _only_guessed(self, tool_id: str, signs: Signs, tree: Path) -> str:
        """Return a note when a tool is neither installed nor anything that the repository uses."""
        if tool_id != "ruff" or signs.ruff_config:
            return ""
        command = self._profiles[tool_id].command
        if locate(command, tree, base_environment(tree, self._root)) is not None:
            return ""
        return (
            "no static checks: ruff is not installed here and the repository does not configure "
            "it; install it into .venv, or set static_tools"
        )

    # -- acceptance ------------------------------------------------------------------------
    def _acceptance(self, tree: Path, entries: tuple[str, ...]) -> tuple[list[Check], list[str]]:
        """Return the acceptance commands, and notes on what is prose or needs a shell."""
        checks, notes = [], []
        for text in entries:
            entry = read_entry(text, self._commands)
            if entry.kind is Kind.COMMAND:
                checks.append(acceptance_check(text, entry.argv, self._profiles, tree, self._root))
            elif entry.kind is Kind.PROSE:
                reason = f" ({entry.why})" if entry.why else ""
                notes.append(f"not run, prose{reason}: {text.strip()[:200]}")
            else:
                problem = (
                    f"the acceptance command {text.strip()!r} needs a shell for {entry.why}; "
                    "commands run without one: write it as a script or a make target, or split it"
                )
                checks.append(_impossible(text, entry.argv, problem))
                notes.append(problem)
        return checks, notes


def _impossible(text: str, argv: tuple[str, ...], problem: str) -> Check:
    return Check(check_id=text.strip(), step="runtime", argv=argv, acceptance=True, problem=problem)


def _unfit(check: Check, problem: str) -> CheckRun:
    return CheckRun(check=check, passed=False, exit_code=None, duration_s=0.0, problem=problem)


def make_checks(
    settings: PipelineSettings,
    profiles: Mapping[str, ToolProfile],
    root: Path,
    lend: Lend = lend_nothing,
) -> RepositoryChecks:
    """Return the checks of the repository at `root`.

    `lend` gives the secrets of a profile to the checks that it describes; it may raise SecretsError.
    Raises ConfigError naming every id in static_tools and runtime_tools that is no profile, or
    one of an AI tool.
    """
    problems = list(_wrong_ids(settings, {**DETECTED, **profiles}))
    if problems:
        raise ConfigError(
            "config/pipeline.yaml: " + "; ".join(problems),
            hint="Define the tool in config/tool_profiles.json, or take its name out.",
        )
    return RepositoryChecks(settings, profiles, root, lend)


def _wrong_ids(settings: PipelineSettings, profiles: Mapping[str, ToolProfile]) -> Iterator[str]:
    for key in _KEYS.values():
        for at, tool_id in enumerate(getattr(settings, key) or ()):
            if tool_id not in profiles:
                yield f"{key}[{at}]: no tool profile {tool_id!r}, {nearest(tool_id, profiles)}"
            elif profiles[tool_id].type == "ai":
                yield f"{key}[{at}]: {tool_id} is an AI tool, it cannot check"
