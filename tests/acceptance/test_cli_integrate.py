"""The result of a run goes to a branch of the user's, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli, Said, bundle, child, git, make_repository, write_bundles

CONFIG = "static_tools: []\nruntime_tools: []\n"
NAMES = ("ws-one", "ws-two", "ws-three")


def handed(cli: Cli) -> list[str]:
    """The words of the journal about handing over r1."""
    said = cli("events", "r1").out.splitlines()
    return [line.partition("handed over")[2].strip() for line in said if "handed over" in line]


def configured(folder: Path) -> Path:
    """Make a repository in which nothing is checked, its settings committed."""
    repo = make_repository(folder)
    (repo / "config").mkdir()
    (repo / "config" / "pipeline.yaml").write_text(CONFIG)
    git(repo, "add", "config")
    git(repo, "commit", "-qm", "Settings")
    return repo


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, after a run of three workstreams; `release` is where the run started."""
    repo = configured(tmp_path / "project")
    write_bundles(repo, *(bundle(name) for name in NAMES))
    monkeypatch.chdir(repo)
    cli = Cli(repo, capsys)
    git(repo, "branch", "release")
    assert cli("run", "--all", "--run-id", "r1").code == 0
    return cli


def files(repo: Path, branch: str) -> set[str]:
    """The files at the top of a branch."""
    return set(git(repo, "ls-tree", "--name-only", branch).split())


def commit_on(repo: Path, branch: str, name: str, text: str) -> str:
    """Commit a file on a branch that is not checked out; return the commit."""
    blob = git(repo, "hash-object", "-w", _temporary(repo, text))
    listing = git(repo, "ls-tree", branch) + f"\n100644 blob {blob}\t{name}\n"
    (repo.parent / "listing").write_text(listing)
    tree = child(
        "-c", f"git mktree < {repo.parent / 'listing'}", cwd=repo, program=["sh"]
    ).out.strip()
    commit = git(repo, "commit-tree", tree, "-p", branch, "-m", f"Write {name}")
    git(repo, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def _temporary(repo: Path, text: str) -> str:
    place = repo.parent / "content"
    place.write_text(text)
    return str(place)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_result_arrives_on_a_branch(cli: Cli, strategy: str) -> None:
    """The files are there, the commits are listed, and the checkout is as it was."""
    before = git(cli.folder, "status", "--porcelain")
    said = cli("integrate", "r1", "--into", "release", "--strategy", strategy)
    assert said.code == 0
    assert f"Handed over 3 commits of r1 to release by {strategy}" in said.out
    assert "3 files changed" in said.out
    assert "Undo: git branch --force release" in said.out
    assert {f"{name}.txt" for name in NAMES} < files(cli.folder, "release")
    assert git(cli.folder, "diff", "release", "integration/r1") == ""
    assert git(cli.folder, "status", "--porcelain") == before
    assert [line.split()[-1] for line in handed(cli)] == [strategy]


def test_what_is_said_to_undo_it_undoes_it(cli: Cli) -> None:
    """The commands printed bring the branch, or the checkout, back."""
    start = git(cli.folder, "rev-parse", "release")
    for more in (["--into", "release"], ["--into", "main", "--update-checkout"]):
        said = cli("integrate", "r1", *more)
        undo = next(line for line in said.out.splitlines() if line.startswith("Undo: git "))
        git(cli.folder, *undo.removeprefix("Undo: git ").split())
        assert git(cli.folder, "rev-parse", more[1]) == start
        assert git(cli.folder, "status", "--porcelain") == "?? workstreams/"


def test_twice_is_once(cli: Cli) -> None:
    """The second time says that it is there, exits 0, and records nothing more."""
    cli("integrate", "r1", "--into", "release")
    commit = git(cli.folder, "rev-parse", "release")
    said = cli("integrate", "r1", "--into", "release", "--strategy", "squash")
    assert (said.code, "holds the result of r1 already" in said.out) == (0, True)
    assert git(cli.folder, "rev-parse", "release") == commit
    assert len(handed(cli)) == 1


def test_a_branch_here_needs_a_word(cli: Cli) -> None:
    """The branch that is checked out is refused, and comes along when asked for."""
    said = cli("integrate", "r1", "--into", "main")
    assert (said.code, "--update-checkout" in said.err) == (2, True)
    said = cli("integrate", "r1", "--into", "main", "--update-checkout")
    assert (said.code, "Undo: git reset --keep" in said.out) == (0, True)
    assert all((cli.folder / f"{name}.txt").exists() for name in NAMES)
    assert git(cli.folder, "status", "--porcelain") == "?? workstreams/"


@pytest.mark.parametrize("kind", ["staged", "edited", "untracked"])
def test_a_dirty_checkout_is_left_alone(cli: Cli, kind: str) -> None:
    """What is not committed, or would be overwritten, is named and nothing changes."""
    name = {"untracked": "ws-two.txt"}.get(kind, "README.md")
    (cli.folder / name).write_text("mine\n")
    if kind == "staged":
        git(cli.folder, "add", name)
    before = (git(cli.folder, "status", "--porcelain"), git(cli.folder, "rev-parse", "main"))
    said = cli("integrate", "r1", "--into", "main", "--update-checkout")
    assert (said.code, name in said.err) == (2, True)
    assert (cli.folder / name).read_text() == "mine\n"
    after = (git(cli.folder, "status", "--porcelain"), git(cli.folder, "rev-parse", "main"))
    assert after == before


def test_a_moved_branch_needs_a_word(cli: Cli) -> None:
    """It is refused; when allowed, both works are there and it says that they are not checked."""
    moved = commit_on(cli.folder, "release", "theirs.txt", "theirs\n")
    said = cli("integrate", "r1", "--into", "release")
    assert (said.code, "release has moved" in said.err, moved[:12] in said.err) == (2, True, True)
    assert git(cli.folder, "rev-parse", "release") == moved
    said = cli("integrate", "r1", "--into", "release", "--allow-moved")
    assert (said.code, "Not checked: release held other changes" in said.out) == (0, True)
    assert {"theirs.txt", "ws-one.txt"} < files(cli.folder, "release")


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_conflict_names_the_files(cli: Cli, strategy: str) -> None:
    """It exits with 1 and changes nothing."""
    moved = commit_on(cli.folder, "release", "ws-two.txt", "theirs\n")
    more = ("--allow-moved", "--strategy", strategy)
    said = cli("integrate", "r1", "--into", "release", *more)
    assert (said.code, "ws-two.txt" in said.err, said.out) == (1, True, "")
    assert git(cli.folder, "rev-parse", "release") == moved
    assert handed(cli) == []


def test_a_branch_in_another_worktree(cli: Cli, tmp_path: Path) -> None:
    """It is not moved under whoever works there, asked for or not."""
    git(cli.folder, "worktree", "add", "-q", str(tmp_path / "other"), "release")
    said = cli("integrate", "r1", "--into", "release", "--update-checkout")
    assert (said.code, str(tmp_path / "other") in said.err) == (2, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["r1", "--into", "nowhere"], "git branch nowhere"),
        (["r1", "--into", "integration/r1"], "works on itself"),
        (["r1", "--into", "--upload-pack=x"], "is no name of a branch"),
        (["r9", "--into", "release"], "there is no run 'r9'"),
        (["r1"], "--into"),
        (["r1", "--into", "release", "--strategy", "octopus"], "octopus"),
    ],
)
def test_what_makes_no_sense_is_refused(cli: Cli, args: list[str], words: str) -> None:
    """The exit code is 2, and the message says what to do."""
    said = cli("integrate", *args)
    assert (said.code, words in said.err) == (2, True), said.err


def test_a_dry_run_changes_nothing(cli: Cli) -> None:
    """It lists what would be handed over; neither branch nor journal changes."""
    before = git(cli.folder, "for-each-ref")
    said = cli("integrate", "r1", "--into", "release", "--dry-run")
    assert (said.code, "would hand over 3 commits" in said.out) == (0, True)
    assert git(cli.folder, "for-each-ref") == before
    assert handed(cli) == []


def test_json_tells_everything(cli: Cli) -> None:
    """One document with commits, stat and what the branch became."""
    document = cli("integrate", "latest", "--into", "refs/heads/release", "--json").json
    handover = document["handover"]
    assert (document["run_id"], document["into"], document["missing"]) == ("r1", "release", [])
    assert handover["commit"] == git(cli.folder, "rev-parse", "release")
    assert handover["source"] == git(cli.folder, "rev-parse", "integration/r1")
    assert (len(handover["commits"]), handover["as_checked"]) == (3, True)


def test_the_message_tells_what_is_in_it(cli: Cli) -> None:
    """A line for each workstream, and trailers for machines."""
    cli("integrate", "r1", "--into", "release", "--strategy", "squash")
    text = git(cli.folder, "log", "-1", "--format=%B", "release")
    assert text.startswith("Integrate 3 workstreams of run r1\n\n- ws-one: Write ws-one.txt\n")
    assert "\nPenstock-Run: r1\nPenstock-Source: " in text


# -- runs that have not succeeded ------------------------------------------------------------
@pytest.fixture
def failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command line, after a run in which one of two workstreams has failed."""
    repo = configured(tmp_path / "half")
    bad = {"files_scope": ["ws-bad.txt"], "metadata": {"scripted": [{"edits": {"README.md": "x"}}]}}
    write_bundles(repo, bundle("ws-one"), bundle("ws-bad", **bad))
    monkeypatch.chdir(repo)
    git(repo, "branch", "release")
    cli = Cli(repo, capsys)
    said = cli("run", "--all", "--run-id", "r1")
    assert (said.code, "integrate r1 --into BRANCH --partial" in said.out) == (1, True)
    return cli


def test_half_a_result_needs_a_word(failed: Cli) -> None:
    """What is missing is named when it is refused, and listed when it is taken."""
    said = failed("integrate", "r1", "--into", "release")
    assert (said.code, "not merged: ws-bad" in said.err, "--partial" in said.err) == (2, True, True)
    said = failed("integrate", "r1", "--into", "release", "--partial")
    assert (said.code, "Not in it: 1 workstream" in said.out, "ws-bad" in said.out) == (
        0,
        True,
        True,
    )
    assert "ws-one.txt" in files(failed.folder, "release")


def test_nothing_to_hand_over(cli: Cli) -> None:
    """A run that has merged nothing has no result, not even a part of one."""
    bad = {"files_scope": ["ws-bad.txt"], "metadata": {"scripted": [{"edits": {"README.md": "x"}}]}}
    write_bundles(cli.folder, bundle("ws-bad", **bad))
    cli("run", "ws-bad", "--run-id", "r2")
    said = cli("integrate", "r2", "--into", "release", "--partial")
    assert (said.code, "merged nothing yet" in said.err) == (2, True)


def test_a_run_that_is_worked_on_is_not_handed_over(cli: Cli) -> None:
    """Whoever holds the run's lock keeps it."""
    import fcntl

    with (cli.folder / "state" / "locks" / "r1.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = cli("integrate", "r1", "--into", "release")
    assert (said.code, "another process is working on run r1" in said.err) == (2, True)


# -- and then --------------------------------------------------------------------------------
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_next_run_builds_on_it(cli: Cli, strategy: str) -> None:
    """A dependency that was handed over counts as met, whatever became of its commits."""
    cli("integrate", "r1", "--into", "main", "--update-checkout", "--strategy", strategy)
    write_bundles(cli.folder, bundle("ws-next", depends_on=["ws-one"]))
    assert cli("run", "ws-next", "--run-id", "r2").code == 0
    said = cli("integrate", "r2", "--into", "main", "--update-checkout", "--strategy", strategy)
    assert (said.code, (cli.folder / "ws-next.txt").exists()) == (0, True)


def test_a_second_run_from_the_same_start_finds_the_branch_moved(cli: Cli) -> None:
    """What another run has handed over counts as moved, because together they are unchecked."""
    write_bundles(cli.folder, bundle("ws-other"))
    assert cli("run", "ws-other", "--run-id", "r2").code == 0
    assert cli("integrate", "r1", "--into", "release").code == 0
    said = cli("integrate", "r2", "--into", "release")
    assert (said.code, "release has moved" in said.err) == (2, True)
    assert cli("integrate", "r2", "--into", "release", "--allow-moved").code == 0
    assert {"ws-one.txt", "ws-other.txt"} < files(cli.folder, "release")


def test_the_user_s_git_settings_run_nothing(cli: Cli, tmp_path: Path) -> None:
    """Hooks, signing and editors of the user's are not started, with the checkout or without."""
    sign = tmp_path / "ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "post-merge", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {sign}\n")
        (hooks / name).chmod(0o755)
    settings = {"core.hooksPath": str(hooks), "commit.gpgSign": "true", "rerere.enabled": "true"}
    settings |= {"gpg.program": f"touch {sign}", "core.editor": f"touch {sign}"}
    for key, value in settings.items():
        git(cli.folder, "config", key, value)
    assert cli("integrate", "r1", "--into", "release").code == 0
    assert cli("integrate", "r1", "--into", "main", "--update-checkout").code == 0
    assert not sign.exists()
    assert not (cli.folder / ".git" / "rr-cache").exists()


def test_the_json_of_a_child(cli: Cli) -> None:
    """As a process of its own it prints the document alone on stdout."""
    said: Said = child("integrate", "r1", "--into", "release", "--json", cwd=cli.folder)
    assert (said.code, json.loads(said.out)["handover"]["already"]) == (0, False)
