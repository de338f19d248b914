"""Whose code a check runs: the worktree's, in the environment of the repository, or none."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from penstock.process.api import Stop
from tests.support.checking import PACKAGE, TEST, PlainFilter, Scene, python_scene
from tests.support.repofiles import write_files
from tests.support.venvs import install_editable, install_editable_finder, pip_install_editable

SH = "#!/bin/sh\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A repository with a small Python package and its test."""
    return python_scene(tmp_path / "repo")


@pytest.fixture
def bare(tmp_path: Path) -> Scene:
    """A repository without any code."""
    return Scene(tmp_path / "repo")


def old_checkout(scene: Scene, place: str) -> Path:
    """Put another version of the package into the user's checkout; return its folder."""
    write_files(scene.root, {f"{place}/calc/__init__.py": "def add(a, b):\n    return 'old'\n"})
    return scene.root / place


def test_an_editable_install_of_a_src_layout_is_overruled(scene: Scene) -> None:
    """The worktree's code is tested although the environment leads to the checkout."""
    install_editable(scene.venv, old_checkout(scene, "src"))
    assert scene.only("runtime").passed


@pytest.fixture
def flat(tmp_path: Path) -> Scene:
    """A repository whose package lies at the top, with tests that nothing puts on the path."""
    return Scene(tmp_path / "repo").write({"calc/__init__.py": PACKAGE, "tests/test_calc.py": TEST})


@pytest.mark.parametrize("finder", [False, True])
def test_an_editable_install_of_a_flat_layout_is_overruled(flat: Scene, finder: bool) -> None:
    """Also a package at the top comes from the worktree, for both kinds of editable install."""
    checkout = old_checkout(flat, ".")
    if finder:
        install_editable_finder(flat.venv, checkout / "calc")
    else:
        install_editable(flat.venv, checkout)
    run = flat.only("runtime")
    assert (run.passed, run.problem) == (True, None)


@pytest.mark.skipif(find_spec("pip") is None, reason="pip is not installed here")
@pytest.mark.parametrize("layout", ["src", "."])
def test_a_real_editable_install_is_overruled(bare: Scene, layout: str) -> None:
    """After `pip install -e` of the checkout, the worktree's code is tested all the same."""
    bare.write({f"{layout}/calc/__init__.py": PACKAGE, "tests/test_calc.py": TEST})
    old_checkout(bare, layout)
    pip_install_editable(bare.venv, bare.root, layout)
    outside = bare.only("runtime", "python -c 'import sys; print(sys.path)'", runtime_tools=())
    assert str(bare.root / layout) in outside.tail
    assert bare.only("runtime").passed


def test_a_package_deep_in_a_monorepo_is_overruled(bare: Scene) -> None:
    """A folder of the checkout on the import path is mirrored by the worktree's own."""
    bare.write({"libs/one/src/calc/__init__.py": PACKAGE, "tests/test_calc.py": TEST})
    bare.write({"conftest.py": ""})
    install_editable(bare.venv, old_checkout(bare, "libs/one/src"))
    assert bare.only("runtime").passed


def test_python_behind_make_is_led_to_the_worktree(flat: Scene) -> None:
    """A make target that runs Python tests the worktree's code as well."""
    install_editable(flat.venv, old_checkout(flat, "."))
    code = "import calc; assert calc.add(1, 2) == 3"
    flat.tool("make", f"{SH}cd tests && exec python3 -c '{code}'\n")
    assert flat.only("runtime", "make test", runtime_tools=()).passed


def test_an_installed_copy_is_overruled(flat: Scene) -> None:
    """A copy in site-packages, which a plain install leaves, is not what is tested."""
    old = "def add(a, b):\n    return 'installed'\n"
    library = next(flat.venv.glob("lib/python*/site-packages"))
    write_files(library, {"calc/__init__.py": old})
    assert flat.only("runtime").passed


def test_what_cannot_be_overruled_is_a_problem(flat: Scene) -> None:
    """An import hook before all others makes it an environment error, never a pass or a failure."""
    install_editable_finder(flat.venv, old_checkout(flat, ".") / "calc", first=True)
    run = flat.only("runtime")
    assert (run.passed, run.findings) == (False, ())
    assert run.problem is not None
    assert "imports calc from" in run.problem
    assert "worktree.setup" in run.problem


def test_an_install_made_meanwhile_is_noticed(flat: Scene) -> None:
    """What was learnt about an environment is asked again when its packages have changed."""
    checks, context = flat.checks(), flat.context()
    (check,), _ = checks.plan("runtime", flat.tree, ())
    flat.write({"pytest.ini": "[pytest]\npythonpath = .\n"})
    assert checks.run(check, context, Stop(), PlainFilter).passed
    install_editable_finder(flat.venv, old_checkout(flat, ".") / "calc", first=True)
    assert checks.run(check, context, Stop(), PlainFilter).problem is not None


def test_an_own_environment_of_the_worktree_wins(scene: Scene) -> None:
    """A worktree with a `.venv` of its own uses that one only."""
    scene.tool("which-env", f"{SH}echo repository\nexit 1\n")
    own = scene.tree / ".venv" / "bin" / "which-env"
    write_files(own.parent, {own.name: f"{SH}echo worktree $VIRTUAL_ENV\nexit 1\n"})
    own.chmod(0o755)
    assert scene.run_tool("which-env").tail == f"worktree {scene.tree / '.venv'}"


def test_penstocks_own_tools_are_never_used(bare: Scene) -> None:
    """Without an environment in the repository, the one that penstock runs in does not help."""
    bare.write({"ruff.toml": "", "a.py": ""})
    shutil.rmtree(bare.venv)
    run = bare.only("static")
    assert run.problem is not None
    assert "ruff is not installed" in run.problem
    assert ".venv/bin/pip install ruff" in run.problem


def test_configuration_of_the_checkout_around_is_left_out(scene: Scene) -> None:
    """conftest.py and pytest.ini of the user's checkout do not reach into the worktree."""
    trap = {
        "conftest.py": "raise SystemExit(9)\n",
        "pytest.ini": "[pytest]\naddopts = --nonsense\n",
    }
    write_files(scene.root, trap)
    assert scene.only("runtime").passed


def test_npm_never_climbs_into_the_checkout(bare: Scene) -> None:
    """A worktree that has lost its package.json fails instead of testing the checkout."""
    write_files(bare.root, {"package.json": '{"scripts": {"test": "true"}}'})
    bare.tool("npm", f"{SH}exit 0\n")
    run = bare.only("runtime", runtime_tools=("npm-test",))
    assert (run.passed, run.problem) == (False, None)
    assert "there is no package.json" in run.findings[0].message


def test_missing_node_modules_are_a_problem(bare: Scene) -> None:
    """npm's exit code for a command that is not installed is an error of the environment."""
    bare.write({"package.json": '{"scripts": {"test": "x"}}'}).tool("npm", f"{SH}exit 127\n")
    run = bare.only("runtime")
    assert "node_modules" in str(run.problem)
    assert run.exit_code == 127


def test_a_module_that_is_not_installed_is_a_problem(bare: Scene) -> None:
    """`python -m pytest` without pytest is an error of the environment; other modules are not."""
    next(bare.venv.glob("lib/python*/site-packages/lent.pth")).unlink()
    missing = bare.only("runtime", "python -m pytest", runtime_tools=())
    assert "pytest is not installed in the environment" in str(missing.problem)
    own = bare.only("runtime", "python -m calc", runtime_tools=())
    assert (own.problem, own.passed) == (None, False)
    assert "No module named calc" in own.findings[0].message
