"""Versions from package metadata, and what is noted about executables."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from penstock.registry.notebook import Notebook, cache_folder, open_notebook
from penstock.registry.versions import package_version
from tests.support.repofiles import write_files


def npm(root: Path, package: str, files: dict[str, str], target: str) -> Path:
    """Install an npm package with a linked program."""
    place = root / "lib" / "node_modules" / package
    write_files(place, {**files, target: "#!/usr/bin/env node\n"})
    link = root / "bin" / "tool"
    link.parent.mkdir()
    link.symlink_to(place / target)
    return link


@pytest.mark.parametrize("package", ["tool", "@scope/tool"])
@pytest.mark.parametrize("target", ["cli.js", "bin/deep/cli.js"])
def test_an_npm_package_states_its_version(package: str, target: str, tmp_path: Path) -> None:
    """Scoped or not, wherever the program lies in it."""
    stated = json.dumps({"name": package, "version": "1.2.3"})
    assert package_version(npm(tmp_path, package, {"package.json": stated}, target)) == "1.2.3"


def test_a_nested_package_json_without_a_version_is_passed_over(tmp_path: Path) -> None:
    """A folder may say that it holds modules; the package says its version."""
    files = {"dist/package.json": '{"type": "module"}', "package.json": '{"version": "4.5.6"}'}
    assert package_version(npm(tmp_path, "tool", files, "dist/cli.js")) == "4.5.6"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 5}', "[" * 100_000])
def test_a_broken_package_json(text: str, tmp_path: Path) -> None:
    """Whatever it holds, there is no version and no error."""
    assert package_version(npm(tmp_path, "tool", {"package.json": text}, "cli.js")) is None


def python_tool(prefix: Path, name: str, dists: dict[str, dict[str, str]]) -> Path:
    """Install distributions in an environment with a script."""
    site = "lib/python3.11/site-packages"
    files = {f"{site}/{d}/{f}": text for d, inner in dists.items() for f, text in inner.items()}
    write_files(prefix, {f"bin/{name}": "#!python\n", **files})
    return prefix / "bin" / name


def test_a_script_is_found_by_its_entry_point(tmp_path: Path) -> None:
    """The distribution need not be called like its program."""
    dists = {
        "other-9.dist-info": {"entry_points.txt": "[console_scripts]\nothermini = a:b\n"},
        "mini_swe_agent-2.4.6.dist-info": {"entry_points.txt": "[console_scripts]\nmini = a:b\n"},
    }
    assert package_version(python_tool(tmp_path, "mini", dists)) == "2.4.6"


def test_a_binary_is_found_by_its_record(tmp_path: Path) -> None:
    """A distribution without entry points lists its files."""
    record = {"RECORD": "../../../bin/ruff,sha256=x,1\n"}
    dists = {"ruff-0.9.1.dist-info": record, "ruffle-2.0.dist-info": {"RECORD": ""}}
    assert package_version(python_tool(tmp_path, "ruff", dists)) == "0.9.1"


def test_a_script_of_no_distribution(tmp_path: Path) -> None:
    """A script that nobody claims has no version, and neither has one outside of any bin/."""
    dists = {"tool-1.0.dist-info": {"RECORD": "tool/__init__.py,,\n"}, "odd.dist-info": {}}
    assert package_version(python_tool(tmp_path, "tool", dists)) is None
    assert package_version(tmp_path / "tool") is None


def test_a_linked_script_is_looked_up_where_it_lies(tmp_path: Path) -> None:
    """pipx and uv link programs out of their environments."""
    dists = {"tool-3.1.dist-info": {"entry_points.txt": "tool=a:b"}}
    script = python_tool(tmp_path / "venv", "tool", dists)
    link = tmp_path / "home" / "tool"
    link.parent.mkdir()
    link.symlink_to(script)
    assert package_version(link) == "3.1"


# -- the notebook ----------------------------------------------------------------------------------
@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An executable."""
    return write_files(tmp_path, {"program": "x"}) / "program"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a notebook is kept."""
    return tmp_path / "cache" / "penstock" / "tools.json"


def test_a_note_is_there_for_the_next_process(program: Path, place: Path) -> None:
    """It is private, and says the same as long as the file stays and the time is not over."""
    notebook = Notebook(place)
    notebook.note("version", program, "1.0", now=1000.0)
    assert notebook.save()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    again = Notebook(place)
    assert again.recall("version", program, 1001.0) == "1.0"
    assert again.recall("other", program, 1001.0) is None
    assert again.recall("version", program, 1000.0 + 90_000) is None
    assert again.recall("version", program, 900.0) is None


def test_a_changed_program_is_another_one(program: Path, place: Path) -> None:
    """Size, time or inode: any change ends what was noted."""
    notebook = Notebook(place)
    notebook.note("version", program, "1.0", now=0.0)
    os.utime(program, (1, 1))
    assert notebook.recall("version", program, 1.0) is None


def test_notes_of_others_are_kept(program: Path, place: Path) -> None:
    """Two that write one after the other lose nothing of each other."""
    one, two = Notebook(place), Notebook(place)
    one.note("a", program, 1, now=0.0)
    two.note("b", program, 2, now=0.0)
    assert one.save()
    assert two.save()
    third = Notebook(place)
    assert (third.recall("a", program, 1.0), third.recall("b", program, 1.0)) == (1, 2)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"v:p": 5}', "\xff", "[" * 100_000])
def test_a_broken_notebook_is_an_empty_one(text: str, program: Path, place: Path) -> None:
    """It is found out again, and written anew."""
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="latin-1")
    notebook = Notebook(place)
    assert notebook.recall("v", program, 1.0) is None
    notebook.note("v", program, "1", now=0.0)
    assert notebook.save()
    assert Notebook(place).recall("v", program, 1.0) == "1"


def test_a_notebook_that_cannot_be_written(program: Path, tmp_path: Path) -> None:
    """A file in the folder's place costs only time, and so does a folder in the file's place."""
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    (tmp_path / "taken" / "tools.json").mkdir(parents=True)
    for path in (tmp_path / "blocked" / "tools.json", tmp_path / "taken" / "tools.json"):
        notebook = Notebook(path)
        notebook.note("v", program, "1", now=0.0)
        assert not notebook.save()
        assert notebook.recall("v", program, 1.0) == "1"
    assert list((tmp_path / "taken").iterdir()) == [tmp_path / "taken" / "tools.json"]


def test_without_a_home_nothing_is_kept(program: Path) -> None:
    """There is no folder to write to, and nothing to note about what is not there."""
    assert cache_folder({}) is None
    assert cache_folder({"HOME": "relative"}) is None
    notebook = open_notebook({})
    notebook.note("v", program.with_name("gone"), "1", now=0.0)
    assert notebook.save()


def test_where_the_notebook_lies() -> None:
    """XDG_CACHE_HOME before the home's .cache."""
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/penstock")
    assert cache_folder({"HOME": "/h", "XDG_CACHE_HOME": "/c"}) == Path("/c/penstock")
