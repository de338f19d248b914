"""`penstock sync` on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import penstock
from tests.support.cli import Cli
from tests.support.repos import git, write
from tests.support.syncing import CHECKLIST, plan, plan_project, script

BRANCH = "integration/run-1"
MANY = "# Pages\n\n" + "".join(f"- [ ] {n}.1 Fill `one.txt` for the {n}th time\n" for n in range(1, 31))  # fmt: skip


def ran(folder: Path, text: str, *failing: str, tracked: bool = True) -> Path:
    """A repository whose checklist a run has worked on."""
    project = plan_project(folder, {"plan.md": text}, tracked=tracked)
    project.breakers(max_fix_attempts_per_step=1)
    plan(project, "plan.md")
    script(project, *failing)
    project.run()
    return project.root


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose checklist is done but for one workstream."""
    return ran(tmp_path_factory.mktemp("sync") / "project", CHECKLIST, "ws-plan-later")


@pytest.fixture
def root(master: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(master, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


@pytest.fixture
def cli(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in that copy."""
    return standing(root, capsys, monkeypatch)


def standing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """The command line in a folder."""
    monkeypatch.chdir(folder)
    return Cli(folder, capsys)


def test_what_was_written_is_told(cli: Cli, root: Path) -> None:
    """The commit, each mark, what is left, and what comes next."""
    said = cli("sync", "latest")
    commit = git(root, "rev-parse", BRANCH)[:12]
    assert said.code == 0
    assert said.out.splitlines() == [
        f"Wrote plan.md on {BRANCH} as {commit}.",
        "Take it: penstock integrate run-1 --into BRANCH",
        "plan (checklist): 2 edits",
        "  plan.md:3 - [x] Fill `one.txt`",
        "  plan.md:5 - [x] Fill `two.txt`",
        "Not integrated, so not written: ws-plan-later (failed)",
    ]


def test_a_second_time_it_says_so(cli: Cli) -> None:
    """And exits 0 as well."""
    cli("sync", "run-1")
    said = cli("sync", "run-1")
    assert said.code == 0
    assert said.out.startswith("The plan of run-1 says so already; nothing was written.\n")
    assert "plan (checklist): 0 edits, 2 already" in said.out


def test_a_dry_run_shows_the_diff(cli: Cli, root: Path) -> None:
    """And leaves the branch where it is."""
    tip = git(root, "rev-parse", BRANCH)
    said = cli("sync", "run-1", "--dry-run")
    assert said.out.startswith(f"Dry run: would write plan.md on {BRANCH}.\n")
    assert "\n-- [ ] Fill `one.txt`\n+- [x] Fill `one.txt`\n" in said.out
    assert git(root, "rev-parse", BRANCH) == tip


def test_in_place_is_told(cli: Cli) -> None:
    """No commit, and nothing to take."""
    said = cli("sync", "run-1", "--in-place")
    assert said.out.splitlines()[:2] == ["Wrote plan.md in your checkout.", "plan (checklist): 2 edits"]  # fmt: skip


def test_as_json(cli: Cli, root: Path) -> None:
    """One document with all of it."""
    told = cli("sync", "run-1", "--json").json
    assert told["commit"] == git(root, "rev-parse", BRANCH)
    assert (told["committed"], told["in_place"], told["refused"]) == (["plan.md"], [], False)
    assert told["sources"][0]["edits"][0] == {
        "file": "plan.md", "line": 3, "label": None,
        "before": "- [ ] Fill `one.txt`", "after": "- [x] Fill `one.txt`",
    }  # fmt: skip
    assert told["unfinished"] == {"ws-plan-later": "failed"}


def test_a_changed_plan_exits_1_with_the_changes(cli: Cli, root: Path) -> None:
    """As text and as JSON; nothing is written."""
    git(root, "switch", "--quiet", BRANCH)
    write(root, {"plan.md": CHECKLIST.replace("Fill `two", "Burn `two")})
    git(root, "commit", "--quiet", "--all", "--message", "Change")
    said = cli("sync", "run-1")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "The plan has changed since it was read: 1 item cannot be found."
    assert lines[1] == "  plan.md:5 Fill `two.txt`: neither its id nor its text is there any more"
    assert "+- [ ] Burn `two.txt`" in lines
    told = cli("sync", "run-1", "--json")
    assert (told.code, told.json["refused"], told.json["commit"]) == (1, True, None)


def test_what_is_lost_is_told_with_partial(cli: Cli, root: Path) -> None:
    """And the rest is written."""
    git(root, "switch", "--quiet", BRANCH)
    write(root, {"plan.md": CHECKLIST.replace("Fill `two", "Burn `two")})
    git(root, "commit", "--quiet", "--all", "--message", "Change")
    said = cli("sync", "run-1", "--partial")
    assert said.code == 0
    assert "  not found: plan.md:5 Fill `two.txt`: neither its id" in said.out


def test_a_long_list_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first twenty, and how many more."""
    cli = standing(ran(tmp_path / "many", MANY), capsys, monkeypatch)
    said = cli("sync", "run-1")
    assert "(checklist): 30 edits" in said.out
    assert "  and 10 more\n" in said.out


def test_bullets_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have no mark that could be set."""
    cli = standing(ran(tmp_path / "plain", "- Fill `one.txt`\n"), capsys, monkeypatch)
    said = cli("sync", "run-1")
    assert "  no mark to set: plan.md:1 Fill `one.txt`" in said.out


def test_an_unknown_run(cli: Cli) -> None:
    """Is named, with exit code 2."""
    said = cli("sync", "run-none")
    assert (said.code, "run-none" in said.err) == (2, True)


@pytest.mark.usefixtures("cli")
def test_a_program_syncs_as_the_command_does(root: Path) -> None:
    """A dry run tells what would be written; then it is committed, and the second time is none."""
    told = penstock.sync_plan("run-1", dry_run=True)
    assert (told.commit, told.dry_run) == (None, True)
    assert "[x]" in told.diff
    done = penstock.sync_plan("run-1")
    assert done.commit == git(root, "rev-parse", BRANCH)
    assert penstock.sync_plan("run-1").commit is None
