"""The documented shell and PowerShell scripts: run where their shell is, else parsed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Said, child, git, make_repository

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
POWERSHELL = sorted(SCRIPTS.glob("*.ps1"))
FOLDERS = ("docs", "plans", "scripts", "tests", "assets")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository that nothing was prepared in."""
    return make_repository(tmp_path / "project")


def bash(cwd: Path, *args: str, path: str | None = None) -> Said:
    """Run bootstrap.sh."""
    env = {"PYTHON": sys.executable, **({"PATH": path} if path else {})}
    program = [str(shutil.which("bash")), str(SCRIPTS / "bootstrap.sh")]
    return child(*args, cwd=cwd, program=program, env=env)


def test_bootstrap_makes_the_skeleton(repo: Path) -> None:
    """The usual folders, what `penstock init` makes, and which tools there are."""
    (repo / "docs").mkdir()
    inner = repo / "inner"
    inner.mkdir()
    said = bash(inner)
    assert said.code == 0, said.err
    assert all((repo / name).is_dir() for name in FOLDERS)
    assert (repo / "config" / "pipeline.yaml").is_file()
    lines = said.out.splitlines()
    assert ("docs       there" in lines, "plans      made" in lines) == (True, True)
    assert any(line.startswith("git        git version") for line in lines)


def test_bootstrap_always_ends_with_0(tmp_path: Path) -> None:
    """Outside of a repository, where `penstock init` cannot work, the folders are made and it is said."""
    said = bash(tmp_path)
    assert said.code == 0
    assert "did not end well" in said.err
    assert (tmp_path / "assets").is_dir()


def test_bootstrap_twice_changes_nothing(repo: Path) -> None:
    """What is there stays as it is."""
    bash(repo)
    before = git(repo, "status", "--porcelain", "-uall")
    assert bash(repo).out.count(" made\n") == 0
    assert git(repo, "status", "--porcelain", "-uall") == before


@pytest.mark.parametrize("path", POWERSHELL, ids=lambda path: path.name)
def test_the_powershell_scripts_parse(path: Path) -> None:
    """Each is PowerShell, as far as its grammar can tell."""
    language = pytest.importorskip("tree_sitter_powershell", reason="no parser of PowerShell")
    tree_sitter = pytest.importorskip("tree_sitter", reason="no parser of PowerShell")
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    assert not parser.parse(path.read_bytes()).root_node.has_error


def test_all_documented_ones_are_there() -> None:
    """Three scripts, and what they share."""
    assert [path.name for path in POWERSHELL] == [
        "_forward.ps1", "bootstrap.ps1", "check_workstream_status.ps1", "test.ps1",
    ]  # fmt: skip


def pwsh(repo: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Run a script in PowerShell, or skip where there is none."""
    program = shutil.which("pwsh")
    if program is None:
        pytest.skip("no pwsh here: the PowerShell scripts are only parsed")
    env = {**os.environ, "PYTHON": sys.executable}
    line = [program, "-NoProfile", "-File", str(SCRIPTS / name)]
    return subprocess.run(line, cwd=repo, env=env, capture_output=True, text=True, check=False)


def test_powershell_does_what_the_shell_does(repo: Path) -> None:
    """The skeleton, the check of it, and the status of workstreams."""
    assert pwsh(repo, "test.ps1").returncode == 1
    assert pwsh(repo, "bootstrap.ps1").returncode == 0
    assert all((repo / name).is_dir() for name in FOLDERS)
    assert pwsh(repo, "test.ps1").returncode == 0
    assert "Total branches: 0" in pwsh(repo, "check_workstream_status.ps1").stdout
