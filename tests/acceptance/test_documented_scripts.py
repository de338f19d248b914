"""The documented script forms, as written, on a repository that is not penstock's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Said, bundle, child, git, make_repository, write_bundles

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
BARE = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a bundle that works and one that does not."""
    folder = make_repository(tmp_path / "project")
    outside = [{"edits": {"other.txt": "x\n"}}]
    write_bundles(folder, bundle("ws-good"), bundle("ws-bad", metadata={"scripted": outside}))
    return folder


def script(repo: Path, name: str, *args: str) -> Said:
    """Run a documented script from the repository's root."""
    return child(*args, cwd=repo, program=[sys.executable, str(SCRIPTS / name)])


def test_init_db_prints_the_path(repo: Path) -> None:
    """The database is made where it is told, with its tables, and its path printed."""
    assert script(repo, "init_db.py").out == f"{repo / 'state' / 'pipeline.db'}\n"
    said = script(repo, "init_db.py", "--db", "other/p.db")
    assert said.out == f"{repo / 'other' / 'p.db'}\n"
    assert (repo / "other" / "p.db").is_file()
    wrong = script(repo, "init_db.py", "--schema", "none.sql")
    assert (wrong.code, wrong.out) == (2, "")


def test_db_inspect_lists_tables(repo: Path) -> None:
    """Tables are listed with their rows, in the documented form; without a database it is 2."""
    assert script(repo, "db_inspect.py").code == 2
    script(repo, "init_db.py")
    lines = script(repo, "db_inspect.py").out.splitlines()
    assert lines[0] == "Tables:"
    assert "  - runs: 0" in lines
    assert "  - step_attempts: 0" in lines


def test_run_workstream_prints_json_alone(repo: Path) -> None:
    """The result is on stdout, the log lines on stderr; 0 done, 1 failed, 2 for a mistake."""
    good = script(repo, "run_workstream.py", "--ws-id", "ws-good", "--run-id", "run-x")
    assert good.code == 0, good.err
    assert {"run_id", "ws_id", "final_status", "steps"} <= good.json.keys()
    assert (good.json["run_id"], good.json["final_status"]) == ("run-x", "done")
    assert "[run-x ws-good]" in good.err
    bad = script(repo, "run_workstream.py", "--ws-id", "ws-bad")
    assert (bad.code, bad.json["final_status"]) == (1, "failed")
    assert script(repo, "run_workstream.py", "--ws-id", "ws-none").code == 2
    assert script(repo, "run_workstream.py", "--nonsense").code == 2


def test_run_workstream_takes_a_path_and_a_dry_run(repo: Path) -> None:
    """A bundle's file may be named, and nothing is written in a dry run."""
    said = script(repo, "run_workstream.py", "workstreams/ws-good.json", "--dry-run")
    assert said.code == 0, said.err
    assert said.json["dry_run"] is True
    assert not (repo / "state").exists()


def test_validate_workstreams(repo: Path) -> None:
    """The documented sentence on success, 1 and the errors otherwise, one file when named."""
    said = script(repo, "validate_workstreams.py")
    assert said.out == "2 workstream bundles validated successfully.\n"
    write_bundles(repo, {"id": "ws-broken"})
    assert script(repo, "validate_workstreams.py").code == 1
    assert script(repo, "validate_workstreams.py", "workstreams/ws-good.json").code == 0
    errors = script(repo, "validate_workstreams.py", "--json").json["errors"]
    assert {"type", "file", "id", "details"} <= errors[0].keys()


def test_validate_workstreams_enters_a_run(repo: Path) -> None:
    """With --run-id the bundles are in the journal, pending."""
    assert script(repo, "validate_workstreams.py", "--run-id", "run-x").code == 0
    lines = script(repo, "db_inspect.py").out.splitlines()
    assert "  - workstreams: 2" in lines


def test_validate_workstreams_authoring(repo: Path) -> None:
    """Overlaps are called as documented for authors, in a folder that is named."""
    (repo / "workstreams").rename(repo / "drafts")
    same = [bundle("ws-one", files_scope=["a.txt"]), bundle("ws-two", files_scope=["a.txt"])]
    (repo / "drafts" / "both.json").write_text(json.dumps(same))
    said = script(repo, "validate_workstreams_authoring.py", "--dir", "drafts", "--json")
    assert said.code == 1
    details = [error["details"] for error in said.json["errors"]]
    assert any("Overlapping file scopes" in text for text in details)
    missing = script(repo, "validate_workstreams_authoring.py", "--json")
    assert (missing.code, missing.json["errors"][0]["type"]) == (1, "config")


def test_check_workstream_status(repo: Path) -> None:
    """Branches, worktrees, key files and totals are listed."""
    git(repo, "branch", "workstream/ws-x/run-x")
    said = child(cwd=repo, program=["bash", str(SCRIPTS / "check_workstream_status.sh")],
                 env={"PYTHON": sys.executable})  # fmt: skip
    assert said.code == 0, said.err
    assert "workstream/ws-x/run-x" in said.out
    assert "Total branches: 1" in said.out


def bare_python() -> str:
    """Return a Python that cannot import penstock, or skip."""
    for name in ("python3", "python3.11", "python3.12", "python3.13", "/usr/bin/python3"):
        path = shutil.which(name)
        if path is None:
            continue
        tried = subprocess.run([path, "-c", "import penstock"], env=BARE, capture_output=True,
                               cwd="/", check=False)  # fmt: skip
        if b"ModuleNotFoundError: No module named 'penstock'" in tried.stderr:
            return path
    pytest.skip("every Python here has penstock installed")


def test_the_clones_environment_is_used(repo: Path, tmp_path: Path) -> None:
    """With a Python that knows no penstock the script goes on in the clone's own environment."""
    clone = tmp_path / "clone"
    shutil.copytree(SCRIPTS, clone / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (clone / ".venv" / "bin").mkdir(parents=True)
    here = clone / ".venv" / "bin" / "python"
    here.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    here.chmod(0o755)
    line = [bare_python(), str(clone / "scripts" / "init_db.py")]
    done = subprocess.run(line, cwd=repo, env=BARE, capture_output=True, text=True, check=False)
    assert done.stdout == f"{repo / 'state' / 'pipeline.db'}\n", done.stderr


def test_without_an_environment_it_says_what_to_do(repo: Path, tmp_path: Path) -> None:
    """A clone that was never installed gives exit code 2 and the command that installs it."""
    shutil.copytree(SCRIPTS, tmp_path / "clone" / "scripts")
    line = [bare_python(), str(tmp_path / "clone" / "scripts" / "init_db.py")]
    done = subprocess.run(line, cwd=repo, env=BARE, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "scripts/test" in done.stderr
