"""pre-commit takes our hooks from a clone of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.cli import Said, bundle, child, git, write_bundles
from tests.support.finder import Project

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
CONFIG = """\
repos:
- repo: {clone}
  rev: {revision}
  hooks:
  - id: penstock-check
    language: system
    {more}
  - id: penstock-validate
    language: system
"""


@pytest.fixture(scope="module")
def pre_commit() -> str:
    """The real pre-commit, or the reason why there is none."""
    checkers = os.environ.get("PENSTOCK_CHECKERS", "~/.cache/penstock-checkers")
    places = [str(Path(checkers, "python", "bin").expanduser()), os.environ["PATH"]]
    found = shutil.which("pre-commit", path=os.pathsep.join(places))
    if found is None:
        if os.environ.get("PENSTOCK_REQUIRE_REAL") == "1":
            pytest.fail("pre-commit is not installed and PENSTOCK_REQUIRE_REAL=1")
        pytest.skip("pre-commit is not installed: .ci/install-checkers")
    return found


class User:
    """A repository that uses our hooks through pre-commit.

    Its configuration says `language: system`, so that the penstock under test is called and none is
    installed from the network; everything else is from our manifest.
    """

    def __init__(self, pre_commit: str, folder: Path, more: str = "") -> None:
        self.project = Project(folder)
        clone = folder / "clone"
        clone.mkdir()
        shutil.copy(MANIFEST, clone)
        git(clone, "init", "-q")
        git(clone, "add", "-A")
        git(clone, "-c", "user.name=A", "-c", "user.email=a@b.invalid", "commit", "-qm", "One")
        config = CONFIG.format(clone=clone, revision=git(clone, "rev-parse", "HEAD"), more=more)
        (self.project.root / ".pre-commit-config.yaml").write_text(config)
        self._pre_commit = pre_commit
        self._env = {**self.project.env, "PRE_COMMIT_HOME": str(folder / "cache")}

    def run(self, *args: str) -> Said:
        """Call pre-commit."""
        root = self.project.root
        return child(*args, cwd=root, env=self._env, program=[self._pre_commit])

    def commit(self) -> Said:
        """Commit what is staged, through git."""
        root = self.project.root
        return child("commit", "-m", "A change", cwd=root, env=self._env, program=["git"])


def test_the_manifest_is_valid(pre_commit: str) -> None:
    """pre-commit's own check of manifests accepts ours."""
    line = [pre_commit, "validate-manifest", str(MANIFEST)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_manifest_calls_commands_of_ours() -> None:
    """Each entry is one of our commands, and is installed with Python."""
    hooks = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert [hook["entry"] for hook in hooks] == ["penstock check", "penstock validate"]
    assert {hook["language"] for hook in hooks} == {"python"}


def test_a_commit_is_judged(pre_commit: str, tmp_path: Path) -> None:
    """pre-commit's hook gives us the staged files, and refuses a bad commit."""
    user = User(pre_commit, tmp_path)
    assert user.run("install").code == 0
    user.project.stage(a="good\n")
    assert user.commit().code == 0
    assert user.project.checked() == ["a.txt"]
    user.project.stage(a="good\nBAD\n")
    said = user.commit()
    assert said.code == 1
    assert "a.txt:2:1: error W1 a bad word" in said.out + said.err


def test_bundles_are_validated(pre_commit: str, tmp_path: Path) -> None:
    """A wrong bundle is refused, all of them being judged together."""
    user = User(pre_commit, tmp_path)
    write_bundles(user.project.root, bundle("ws-a", depends_on=["ws-none"]))
    git(user.project.root, "add", "-A")
    said = user.run("run", "penstock-validate")
    assert said.code == 1
    assert "ws-none" in said.out


def test_arguments_of_the_user_are_passed(pre_commit: str, tmp_path: Path) -> None:
    """`args` of the user's configuration reach the command."""
    user = User(pre_commit, tmp_path, more="args: [--only, words, --format, github]")
    user.project.stage(a="BAD\n")
    said = user.run("run", "penstock-check")
    assert said.code == 1
    assert "::error file=a.txt,line=1" in said.out
