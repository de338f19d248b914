"""Whether what is installed can be started."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from penstock.environment.api import Manager, Package
from penstock.environment.installers.soundness import programs_of, trouble_of
from tests.support.packages import make_dist


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder on PATH."""
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def trouble(package: Package, path: Path) -> str | None:
    """Return what is wrong with a package when only this folder is on PATH."""
    return trouble_of(package, {"PATH": str(path)})


@pytest.fixture
def app(tmp_path: Path, path: Path) -> Package:
    """An application of pipx with its program, sound."""
    venv = tmp_path / "venvs" / "demo"
    info = make_dist(venv / "lib" / "python3.11" / "site-packages", "demo", "1.0")
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "bin" / "demo").write_text(f"#!{venv}/bin/python\n")
    (venv / "bin" / "demo").chmod(0o755)
    (path / "demo").symlink_to(venv / "bin" / "demo")
    return Package(name="demo", version="1.0", manager=Manager.PIPX, place=str(info))


def test_a_sound_application(app: Package, path: Path) -> None:
    """On PATH, with its interpreter."""
    assert programs_of(app) == ("demo",)
    assert trouble(app, path) is None


def test_an_interpreter_that_is_gone(app: Package, path: Path) -> None:
    """As when Python itself was removed, which breaks every application that used it."""
    python = Path(app.place).parents[3] / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/python")
    assert "the interpreter of" in str(trouble(app, path))


def test_a_program_that_is_not_on_path(app: Package, path: Path) -> None:
    """Nor one whose link leads nowhere."""
    (path / "demo").unlink()
    assert trouble(app, path) == "its program demo is not on PATH"


def test_another_one_comes_first(app: Package, path: Path) -> None:
    """What would be started is not what is installed."""
    (path / "demo").unlink()
    (path / "demo").write_text("#!/bin/sh\n")
    (path / "demo").chmod(0o755)
    assert str(trouble(app, path)).startswith("another demo comes first on PATH")


def test_in_an_environment_of_pip_path_does_not_count(app: Package, path: Path) -> None:
    """Its programs lie beside the interpreter, and must be executable."""
    own = Package(name="demo", version="1.0", manager=Manager.PIP, place=app.place)
    (path / "demo").unlink()
    assert trouble(own, path) is None
    program = Path(app.place).parents[3] / "bin" / "demo"
    program.chmod(0o644)
    assert "may not be executed" in str(trouble(own, path))
    program.unlink()
    assert "cannot be read" in str(trouble(own, path))


@pytest.mark.parametrize("form", ["text", "names"])
def test_packages_of_npm(tmp_path: Path, path: Path, form: str) -> None:
    """`bin` may be text, which means the package's name, or name several programs."""
    folder = tmp_path / "lib" / "node_modules" / "@scope" / "demo"
    folder.mkdir(parents=True)
    stated = "cli.js" if form == "text" else {"demo": "cli.js"}
    (folder / "package.json").write_text(json.dumps({"version": "1.0.0", "bin": stated}))
    package = Package(name="@scope/demo", version="1.0.0", manager=Manager.NPM, place=str(folder))
    assert programs_of(package) == ("demo",)
    assert trouble(package, path) == "its program demo is not on PATH"
    (folder / "cli.js").write_text("#!/usr/bin/env node\n")
    (folder / "cli.js").chmod(0o755)
    (path / "demo").symlink_to(folder / "cli.js")
    assert trouble(package, path) is None


def test_packages_without_programs_are_sound(tmp_path: Path, path: Path) -> None:
    """A library cannot be started, and need not be."""
    package = Package(name="x", version="1", manager=Manager.PIPX, place=str(tmp_path))
    assert trouble(package, path) is None
    nothing = Package(name="x", version="1", manager=Manager.NPM, place=str(tmp_path))
    assert trouble(nothing, path) is None


def test_a_program_of_any_origin(tmp_path: Path, path: Path) -> None:
    """The file that was found is what counts; a binary has no interpreter."""
    program = tmp_path / "tool"
    program.write_bytes(b"\x7fELF\x00")
    program.chmod(0o755)
    tool = Package(name="tool", version="1", manager=Manager.TOOLS, place=str(program))
    assert trouble(tool, path) is None
