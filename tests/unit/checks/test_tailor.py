"""Profiles and acceptance commands become checks whose output can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.tailor import (
    ACCEPTANCE_TIMEOUT_S,
    acceptance_check,
    parser_for,
    profile_check,
    readable,
    stray_manifest,
    with_report,
)
from penstock.config.profiles import load_tool_profiles
from penstock.errors import ConfigError
from penstock.model.settings import ToolProfile
from tests.support.repofiles import write_files

TREE, ROOT = Path("/repo/.worktrees/ws-a"), Path("/repo")


def profile(command: str, *args: str, **fields: object) -> ToolProfile:
    """Make a profile."""
    return ToolProfile(tool_id="mine", command=command, args=args, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argv", "parser"),
    [
        (("ruff", "check", "."), "ruff"),
        (("ruff", "check", "--output-format=full"), "lines"),
        (("ruff", "check", "--output-format=json-lines"), "ruff"),
        (("ruff", "--quiet", "check"), "ruff"),
        (("ruff", "format", "--check"), "lines"),
        (("/opt/bin/pytest",), "pytest"),
        (("python3", "-m", "pytest", "-q"), "pytest"),
        (("python", "x.py"), "lines"),
        (("mypy",), "mypy"),
        (("true",), "lines"),
    ],
)
def test_the_reader_follows_the_command(argv: tuple[str, ...], parser: str) -> None:
    """Known tools have a reader of their own, and the user's own format is respected."""
    assert parser_for(argv) == parser


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("ruff", "check", "."), ("ruff", "check", "--output-format=json-lines", ".")),
        (("python", "-m", "ruff", "check"), None),
        (
            ("ruff", "check", "--output-format", "full"),
            ("ruff", "check", "--output-format", "full"),
        ),
        (("ruff", "format"), ("ruff", "format")),
        (("mypy", "src"), ("mypy", "--show-column-numbers", "--no-pretty", "src")),
        (("mypy", "-p", "x"), ("mypy", "--show-column-numbers", "--no-pretty", "-p", "x")),
        (("mypy",), ("mypy", "--show-column-numbers", "--no-pretty", ".")),
        (
            ("python", "-m", "mypy", "--strict"),
            ("python", "-m", "mypy", "--show-column-numbers", "--no-pretty", "--strict", "."),
        ),
        (("make", "lint"), ("make", "lint")),
    ],
)
def test_output_is_made_exact(argv: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    """ruff and mypy get the options that make their output readable; given ones stay."""
    want = expected or ("python", "-m", "ruff", "check", "--output-format=json-lines")
    assert readable(argv, TREE) == want


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mypy.ini", "[mypy]\nfiles = src\n"),
        (".mypy.ini", "[mypy]\nmodules = a\n"),
        ("setup.cfg", "[mypy]\npackages = a\n"),
        ("pyproject.toml", "[tool.mypy]\nfiles = ['src']\n"),
    ],
)
def test_mypys_own_targets_are_left_alone(tmp_path: Path, name: str, text: str) -> None:
    """A configuration that names what to check is not overruled by `.`."""
    write_files(tmp_path, {name: text})
    assert readable(("mypy",), tmp_path)[-1] == "--no-pretty"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mypy.ini", "files = src\n"),
        ("mypy.ini", "[mypy]\nstrict = true\n"),
        ("pyproject.toml", "[tool.mypy\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("pyproject.toml", "[tool.mypy]\nstrict = true\n"),
    ],
)
def test_a_configuration_without_targets_means_everything(
    tmp_path: Path, name: str, text: str
) -> None:
    """Without targets, or when the file is broken, the whole tree is checked."""
    write_files(tmp_path, {name: text})
    assert readable(("mypy",), tmp_path)[-1] == "."


def test_a_profile_becomes_a_check() -> None:
    """Placeholders are filled, and the profile's judgement is taken over."""
    own = profile(
        "{repo_root}/bin/x", "{worktree_path}", "--m", "{model_name}", "{message}",
        env={"A": "{cwd}", "B": "{file}"}, timeout_sec=7, success_exit_codes=(0, 9),
        working_dir="{worktree_path}/web",
    )  # fmt: skip
    check = profile_check(own, "static", TREE, ROOT)
    assert check.argv == ("/repo/bin/x", str(TREE))
    assert (check.timeout_s, check.success_codes) == (7.0, (0, 9))
    assert check.env == {"A": str(TREE)}
    assert (check.working_dir, check.problem, check.profile) == ("web", None, "mine")


def test_an_unknown_placeholder_is_an_error() -> None:
    """A placeholder that nobody fills is named with the nearest known one."""
    with pytest.raises(ConfigError, match=r"unknown placeholder \{worktree\}"):
        profile_check(profile("x", "{worktree}"), "static", TREE, ROOT)


@pytest.mark.parametrize("place", ["{repo_root}", "{repo_root}/web", "..", "/tmp"])
def test_a_working_folder_outside_the_worktree_is_a_problem(place: str) -> None:
    """A check that would run in the user's checkout is not run at all."""
    check = profile_check(profile("x", working_dir=place), "static", TREE, ROOT)
    assert "outside the worktree" in str(check.problem)


@pytest.mark.parametrize(("place", "expected"), [("{cwd}", "."), ("web", "web"), ("./a/../b", "b")])
def test_a_working_folder_counts_from_the_worktree(place: str, expected: str) -> None:
    """Relative folders lie in the worktree."""
    assert (
        profile_check(profile("x", working_dir=place), "static", TREE, ROOT).working_dir == expected
    )


def acceptance(
    *argv: str, more: tuple[ToolProfile, ...] = ()
) -> tuple[float, tuple[int, ...], str | None]:
    """Return limit, success codes and profile of an acceptance command."""
    profiles = load_tool_profiles() | {entry.tool_id: entry for entry in more}
    check = acceptance_check(" ".join(argv), argv, profiles, TREE, ROOT)
    assert (check.acceptance, check.step) == (True, "runtime")
    return check.timeout_s, check.success_codes, check.profile


def test_acceptance_commands_are_judged_by_the_profile_of_their_executable() -> None:
    """pytest's 5 is no failure there either; what no profile knows has the general limits."""
    assert acceptance("pytest", "-q") == (600.0, (0, 5), "pytest")
    assert acceptance("python3", "-m", "pytest") == (600.0, (0, 5), "pytest")
    assert acceptance("make", "test") == (ACCEPTANCE_TIMEOUT_S, (0,), None)
    assert acceptance("pwsh", "-c", "x") == (ACCEPTANCE_TIMEOUT_S, (0,), None)


def test_an_own_profile_judges_its_command() -> None:
    """A profile found by its command gives limit, codes and environment."""
    own = profile("npm", timeout_sec=5, success_exit_codes=(0, 2), env={"CI": "1"})
    assert acceptance("npm", "test", more=(own,)) == (5.0, (0, 2), "mine")


def test_pytest_writes_a_report(tmp_path: Path) -> None:
    """The options go before the user's own, which win, and the configuration stays the tree's."""
    tree, report = tmp_path / "wt", Path("/s/r.xml")
    argv = with_report(("pytest", "-q"), report, tree, tree, tmp_path)
    assert argv[:3] == ("pytest", f"--confcutdir={tree}", "--junitxml=/s/r.xml")
    assert argv[-1] == "-q"
    write_files(tmp_path, {"pytest.ini": "[pytest]\n"})
    foreign = with_report(("pytest",), report, tree / "sub", tree, tmp_path)
    assert foreign[:4] == ("pytest", "-c", "/dev/null", f"--rootdir={tree}")
    write_files(tree, {"pyproject.toml": "[tool.pytest]\n"})
    own = with_report(("python", "-m", "pytest", "x"), report, tree / "sub", tree, tmp_path)
    assert own[:4] == ("python", "-m", "pytest", f"--confcutdir={tree}")


def test_tools_that_climb_need_their_manifest(tmp_path: Path) -> None:
    """npm, go and cargo look upwards; only a manifest inside the tree counts."""
    tree = write_files(tmp_path / "tree", {"go.mod": "", "sub/x": ""})
    write_files(tmp_path, {"package.json": "{}"})
    assert stray_manifest(("npm", "test"), tree / "sub", tree) == "package.json"
    assert stray_manifest(("go", "vet"), tree / "sub", tree) is None
    assert stray_manifest(("cargo", "check"), tmp_path, tree) is None
    assert stray_manifest(("make",), tree, tree) is None
