"""From a tool profile or an acceptance command to a Check whose output can be read."""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from penstock.checks.api import Check
from penstock.checks.detect import has_pytest_config
from penstock.model.placeholders import fill, render
from penstock.model.settings import ToolProfile

ACCEPTANCE_TIMEOUT_S = 600.0
"""For acceptance commands that no tool profile knows."""


def profile_check(profile: ToolProfile, step: str, tree: Path, root: Path) -> Check:
    """Make the check of a profile in a tree. Raises ConfigError for an unknown placeholder."""
    context = _context(tree, root)
    command = fill(profile.command, context) or profile.command
    argv = (command, *render(profile.args, context))
    where, problem = _working_dir(profile, context, tree)
    return Check(
        check_id=profile.tool_id,
        step=step,
        argv=readable(argv, tree),
        success_codes=profile.success_exit_codes,
        timeout_s=profile.timeout_sec,
        parser=parser_for(argv),
        env=_environment(profile, context),
        profile=profile.tool_id,
        working_dir=where,
        problem=problem,
    )


def acceptance_check(
    text: str, argv: tuple[str, ...], profiles: Mapping[str, ToolProfile], tree: Path, root: Path
) -> Check:
    """Make the check of an acceptance command, judged by the profile of its executable."""
    profile = _profile_of(argv, profiles)
    codes: tuple[int, ...] = (0,)
    timeout, env = ACCEPTANCE_TIMEOUT_S, dict[str, str]()
    if profile is not None:
        codes, timeout = profile.success_exit_codes, profile.timeout_sec
        env = _environment(profile, _context(tree, root))
    return Check(
        check_id=text.strip(),
        step="runtime",
        argv=readable(argv, tree),
        success_codes=codes,
        timeout_s=timeout,
        parser=parser_for(argv),
        env=env,
        profile=profile.tool_id if profile is not None else None,
        acceptance=True,
    )


def parser_for(argv: Sequence[str]) -> str:
    """Return the name of the reader for what this command prints."""
    tool = _tool(argv)
    if tool == "ruff":
        formats = [arg for arg in argv if arg.startswith("--output-format")]
        structured = not formats or formats[-1] == "--output-format=json-lines"
        return "ruff" if _ruff_checks(argv) and structured else "lines"
    return tool if tool in ("pytest", "mypy") else "lines"


def readable(argv: tuple[str, ...], tree: Path) -> tuple[str, ...]:
    """Add the options that make a known tool's output exact; the given ones stay and win."""
    tool = _tool(argv)
    if tool == "ruff" and _ruff_checks(argv) and "--output-format" not in " ".join(argv):
        at = argv.index("check") + 1
        return (*argv[:at], "--output-format=json-lines", *argv[at:])
    if tool == "mypy":
        at = argv.index("mypy", 1) + 1 if PurePath(argv[0]).name != "mypy" else 1
        places = () if _mypy_has_targets(argv[at:], tree) else (".",)
        return (*argv[:at], "--show-column-numbers", "--no-pretty", *argv[at:], *places)
    return argv


def with_report(
    argv: tuple[str, ...], report: Path, cwd: Path, tree: Path, root: Path
) -> tuple[str, ...]:
    """Add pytest's options for a report in a file; the given ones come later and win.

    conftest.py and configuration files of the checkout `root` around the tree are left out.
    """
    at = argv.index("pytest", 1) + 1 if PurePath(argv[0]).name.startswith("python") else 1
    config = next(filter(has_pytest_config, (cwd, *cwd.parents)), root.parent)
    foreign = config.is_relative_to(root) and not config.is_relative_to(tree)
    options = (
        *(("-c", os.devnull, f"--rootdir={tree}") if foreign else ()),
        f"--confcutdir={tree}",
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
        "--tb=short",
        "--color=no",
        "-rfE",
    )
    return (*argv[:at], *options, *argv[at:])


def stray_manifest(argv: Sequence[str], cwd: Path, tree: Path) -> str | None:
    """Return the file that a tool would look for above the tree, in the user's checkout.

    None when the tree has it, or when the tool looks nowhere else.
    """
    manifest = _CLIMBERS.get(PurePath(argv[0]).name)
    if manifest is None or not cwd.is_relative_to(tree):
        return None
    places = [place for place in (cwd, *cwd.parents) if place.is_relative_to(tree)]
    return None if any((place / manifest).is_file() for place in places) else manifest


_CLIMBERS = {"npm": "package.json", "go": "go.mod", "cargo": "Cargo.toml"}


def _tool(argv: Sequence[str]) -> str:
    """Return the name of the tool: of the executable, or of the module that Python runs."""
    name = PurePath(argv[0]).name
    if name.startswith("python") and len(argv) > 2 and argv[1] == "-m":
        return argv[2]
    return name


def _ruff_checks(argv: Sequence[str]) -> bool:
    return "check" in argv[1:4] and "format" not in argv[1:3]


def _mypy_has_targets(args: Sequence[str], tree: Path) -> bool:
    """Tell whether mypy is told what to look at, by arguments or by its configuration."""
    if any(not arg.startswith("-") for arg in args) or {"-p", "-m", "-c"} & set(args):
        return True
    return any(_mypy_section(tree / name) for name in _MYPY_FILES)


_MYPY_FILES = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
_MYPY_TARGETS = frozenset({"files", "packages", "modules"})


def _mypy_section(path: Path) -> bool:
    """Tell whether a configuration file names targets; a broken one is mypy's to complain about."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            table = tomllib.loads(text).get("tool", {}).get("mypy", {})
            return bool(_MYPY_TARGETS & set(table))
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        return parser.has_section("mypy") and bool(_MYPY_TARGETS & set(parser.options("mypy")))
    except (OSError, ValueError, AttributeError, configparser.Error):
        return False


def _profile_of(argv: tuple[str, ...], profiles: Mapping[str, ToolProfile]) -> ToolProfile | None:
    """Return the profile that an executable belongs to, unless several share it."""
    tool = _tool(argv)
    if tool in profiles and profiles[tool].command == tool:
        return profiles[tool]
    same = [profile for profile in profiles.values() if profile.command == argv[0]]
    return same[0] if len(same) == 1 else None


def _context(tree: Path, root: Path) -> dict[str, str | None]:
    """Return the placeholders of a check. Those of an AI turn have no value here."""
    where = {"cwd": str(tree), "worktree_path": str(tree), "repo_root": str(root)}
    return {**where, "prompt_file": None, "model_name": None, "message": None, "file": None}


def _environment(profile: ToolProfile, context: Mapping[str, str | None]) -> dict[str, str]:
    filled = {name: fill(value, context) for name, value in profile.env.items()}
    return {name: value for name, value in filled.items() if value is not None}


def _working_dir(
    profile: ToolProfile, context: Mapping[str, str | None], tree: Path
) -> tuple[str, str | None]:
    """Return the folder relative to the tree, and what is wrong with it."""
    place = Path(os.path.normpath(tree / (fill(profile.working_dir, context) or ".")))
    if place.is_relative_to(tree):
        return place.relative_to(tree).as_posix(), None
    return ".", (
        f"working_dir of the tool profile {profile.tool_id} is {place}, outside the worktree; "
        "checks judge the worktree: begin it with {worktree_path}"
    )
