"""The import guard: asked rarely, asked again after installs, and never stopped by rubbish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.checks.imports import ImportGuard, Imports
from penstock.process.api import Stop
from tests.support.repofiles import write_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose worktree `wt` holds the package `calc`."""
    return write_files(tmp_path, {"wt/calc/__init__.py": "", "bin/x": ""})


def python(root: Path, script: str) -> Path:
    """Put a stand-in for an interpreter into the repository; it counts its calls."""
    path = root / "bin" / "python"
    path.write_text(f"#!/bin/sh\necho x >> {root}/calls\n{script}\n")
    path.chmod(0o755)
    return path


def calls(root: Path) -> int:
    """Return how often the interpreter was asked."""
    return len((root / "calls").read_text()) // 2 if (root / "calls").exists() else 0


def look(guard: ImportGuard, root: Path, interpreter: Path, tree: str = "wt") -> Imports:
    """Ask the guard about a tree."""
    env = {"PATH": os.environ["PATH"]}
    return guard.look(interpreter, root / tree, root, env, Stop())


def answer(found: str) -> str:
    """Return a script that gives an answer as the probe does."""
    return f"echo noise; echo 'penstock-probe:[{found},[],[]]'"


def test_nothing_is_asked_where_there_is_nothing_to_ask(root: Path) -> None:
    """A tree without code, and the checkout itself, need no interpreter."""
    guard, interpreter = ImportGuard(), python(root, answer("{}"))
    (root / "empty").mkdir()
    assert look(guard, root, interpreter, "empty") == Imports()
    assert look(guard, root, interpreter, ".") == Imports()
    assert calls(root) == 0


def test_an_environment_is_asked_once(root: Path) -> None:
    """The answer is kept until the packages beside the interpreter change."""
    guard, interpreter = ImportGuard(), python(root, answer("{}"))
    library = root / "lib/python3.11/site-packages"
    library.mkdir(parents=True)
    for _ in range(3):
        assert look(guard, root, interpreter) == Imports()
    assert calls(root) == 1
    os.utime(library, (1, 1))
    look(guard, root, interpreter)
    assert calls(root) == 2


@pytest.mark.parametrize(
    "script",
    ["exit 1", "echo words", "echo 'penstock-probe:{'", "echo 'penstock-probe:[1,2,3]'", "kill $$"],
)
def test_without_an_answer_the_check_itself_will_tell(root: Path, script: str) -> None:
    """An interpreter that gives no answer is no problem of imports, and is asked again."""
    guard, interpreter = ImportGuard(), python(root, script)
    assert look(guard, root, interpreter) == Imports()
    look(guard, root, interpreter)
    assert calls(root) == 2


def test_an_interpreter_that_is_gone_has_no_stamp(root: Path) -> None:
    """A missing interpreter gives no answer and no error."""
    assert look(ImportGuard(), root, root / "bin" / "none") == Imports()


@pytest.mark.parametrize(
    ("place", "astray"),
    [
        ("wt/calc/__init__.py", False),
        ("calc/__init__.py", True),
        (".worktrees/other/calc/__init__.py", True),
        ("/usr/lib/python3/calc.py", False),
        (".venv/lib/python3/site-packages/calc/__init__.py", False),
    ],
)
def test_only_the_checkout_is_astray(root: Path, place: str, astray: bool) -> None:
    """The tree, the system and installed packages are right; the checkout around is not."""
    interpreter = python(root, answer(f'{{"calc":["{root / place}"]}}'))
    assert (look(ImportGuard(), root, interpreter).problem is not None) is astray


def test_a_given_import_path_stays_behind_the_trees_own(root: Path) -> None:
    """What a tool profile puts on PYTHONPATH is kept, once, after the tree's sources."""
    interpreter = python(root, 'echo "$PYTHONPATH" > paths; ' + answer("{}"))
    guard, env = ImportGuard(), {"PATH": os.environ["PATH"], "PYTHONPATH": "/mine::/mine"}
    write_files(root, {"wt/src/a.py": ""})
    guard.look(interpreter, root / "wt", root, env, Stop())
    assert (root / "wt/paths").read_text() == f"{root}/wt/src:/mine\n"


def test_the_tree_goes_on_the_path_only_when_it_must(root: Path) -> None:
    """Code at the top is put on PYTHONPATH when it would come from elsewhere."""
    right = python(root, answer('{"calc":["/x/calc.py"]}'))
    assert look(ImportGuard(), root, right).path == ()
    installed = python(root, answer('{"calc":["/x/site-packages/calc.py"]}'))
    assert look(ImportGuard(), root, installed).path == (root / "wt",)
