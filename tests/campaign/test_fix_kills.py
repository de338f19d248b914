"""A fix that is killed at any moment leaves whole files, and the next one leaves nothing behind."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.children import eventually
from tests.support.fixers import leftovers

ROOT = Path(__file__).parents[2]
SEED = 20260408
FILES = 60
TEXT = "a line of text that a fixer makes capital\n" * 50
NEW = TEXT.replace("capital", "CAPITAL")


class Project:
    """A tree of files, and a process that fixes them."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.files = [tree / f"p{number % 7}" / f"f{number}.py" for number in range(FILES)]

    def reset(self) -> None:
        """Bring all files back to what they were."""
        for path in self.files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(TEXT)
            path.chmod(0o640)

    def fix(self) -> subprocess.Popen[str]:
        """Start fixing."""
        command = [sys.executable, "-m", "tests.support.fixers", str(self.tree)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def replacing(self) -> bool:
        """Tell whether files are about to be replaced."""
        return any(self.tree.glob(".state/fixing/*/pending"))

    def fixed(self) -> int:
        """Return how many files are fixed; AssertionError when one is neither old nor new."""
        texts = [path.read_text() for path in self.files]
        assert set(texts) <= {TEXT, NEW}
        assert {path.stat().st_mode & 0o777 for path in self.files} == {0o640}
        return sum(text != TEXT for text in texts)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with files to fix."""
    (tmp_path / "tree").mkdir()
    return Project((tmp_path / "tree").resolve())


def killed(project: Project, dice: random.Random, *, late: bool) -> None:
    """Start a fix and kill it at a random moment, `late` while files are replaced."""
    with project.fix() as process:
        if late:
            eventually(lambda: project.replacing() or process.poll() is not None)
            time.sleep(dice.uniform(0, 0.06))
        else:
            time.sleep(dice.uniform(0, 0.9))
        process.kill()


def test_kills_at_any_moment_leave_whole_files(project: Project) -> None:
    """After each of many kills every file is whole, and one more fix finishes and clears up."""
    dice, halfway = random.Random(SEED), 0
    for number in range(15):
        project.reset()
        killed(project, dice, late=number % 5 > 0)
        halfway += 0 < project.fixed() < FILES
        with project.fix() as process:
            assert process.wait(60) == 0
        assert (project.fixed(), leftovers(project.tree)) == (FILES, [])
    assert halfway >= 3, "hardly a kill came while files were replaced"


def test_many_fixes_at_once_agree(project: Project) -> None:
    """Of fixes that start together one does the work; none fails, and nothing is left behind."""
    project.reset()
    running = [project.fix() for _ in range(4)]
    done = sorted(int(process.communicate(timeout=120)[0]) for process in running)
    assert done == [0, 0, 0, FILES]
    assert (project.fixed(), leftovers(project.tree)) == (FILES, [])
