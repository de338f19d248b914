"""Where managers keep what they install, on odd machines and with broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.environment.api import Inventory, Manager
from penstock.environment.installers import inventories
from penstock.environment.installers.distributions import distributions
from penstock.environment.installers.npm_root import global_packages, global_prefix, global_root
from penstock.environment.installers.python_place import PythonPlace, find_python
from tests.support.packages import make_dist

NOWHERE = {"PATH": "/nowhere"}


def test_without_a_home_nothing_can_be_told() -> None:
    """The reason is said; nothing is guessed."""
    assert inventories.pipx_inventory(NOWHERE).problem == "there is no home folder"
    assert inventories.uv_inventory(NOWHERE).problem == "there is no home folder"
    assert inventories.pipx_home({"HOME": "relative"}) is None


def test_without_node_there_is_no_root() -> None:
    """Neither npm nor node is there to say where its packages lie."""
    assert global_root(NOWHERE) is None
    assert inventories.npm_inventory(NOWHERE) == Inventory(manager=Manager.NPM)


def test_a_home_that_is_empty_has_nothing(tmp_path: Path) -> None:
    """No folder of a manager is no error."""
    env = {**NOWHERE, "HOME": str(tmp_path)}
    assert inventories.pipx_inventory(env).packages == {}
    assert inventories.uv_inventory(env).packages == {}
    assert global_packages(tmp_path / "nothing") == {}


def test_broken_packages_of_npm_are_passed_over(tmp_path: Path) -> None:
    """No version, no JSON, no file, too deep; and what npm has put aside while it works."""
    for name, text in {
        "none": "{}", "number": '{"version": 1}', "rubbish": "{", "list": "[]",
        "deep": "[" * 100_000, ".aside-x1": '{"version": "1.0.0"}', "good": '{"version": "1.0.0"}',
    }.items():  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.json").write_text(text)
    (tmp_path / "file").write_text("")
    (tmp_path / "@scope").mkdir()
    assert list(global_packages(tmp_path)) == ["good"]


def test_the_last_prefix_of_a_file_counts(tmp_path: Path) -> None:
    """Unknown variables stay as they are, `${X?}` is nothing when there is no X."""
    (tmp_path / ".npmrc").write_text("prefix=/one\nprefix=\nprefix=/two/${X?}${Y}\n")
    found = global_prefix({**NOWHERE, "HOME": str(tmp_path)})
    assert found == Path("/two/${Y}")


def test_an_application_whose_environment_is_broken_is_passed_over(tmp_path: Path) -> None:
    """Metadata without a package, a package without metadata, files among the folders."""
    venvs = tmp_path / "venvs"
    (venvs / "empty").mkdir(parents=True)
    (venvs / ".hidden").mkdir()
    (venvs / "file").write_text("")
    make_dist(venvs / "good" / "lib" / "python3.12" / "site-packages", "good", "1.0")
    for rubbish in ("", "[]", '{"main_package": 1}', '{"main_package": {"package": ""}}'):
        (venvs / "good" / "pipx_metadata.json").write_text(rubbish)
        found = inventories.pipx_inventory({"PIPX_HOME": str(tmp_path)})
        assert [p.version for p in found.packages.values()] == ["1.0"]


def test_metadata_is_read_from_the_names_of_folders(tmp_path: Path) -> None:
    """Of wheels and of eggs; the first folder that has a distribution counts."""
    make_dist(tmp_path / "one", "Demo_Tool", "1.0")
    make_dist(tmp_path / "two", "demo-tool", "2.0")
    (tmp_path / "two" / "old-0.1-py3.11.egg-info").mkdir()
    (tmp_path / "two" / "no_version.dist-info").mkdir()
    places = [tmp_path / name for name in ("one", "two", "three")]
    found = distributions(places, Manager.PIP)
    assert {key: p.version for key, p in found.items()} == {"demo-tool": "1.0", "old": "0.1"}


# -- the environment of pip --------------------------------------------------------------------
def environment(folder: Path, *, system: str = "false") -> Path:
    """Make what passes for a virtual environment."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("#!/bin/sh\nexit 3\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / "pyvenv.cfg").write_text(f"include-system-site-packages = {system}\n")
    return folder


def test_the_named_environment_beats_the_active_one_and_the_repositorys(tmp_path: Path) -> None:
    """In this order; a named one that is not there is none, whatever else there is."""
    named, active = environment(tmp_path / "named"), environment(tmp_path / "active")
    own, other = environment(tmp_path / ".venv"), environment(tmp_path / "venv")
    variables = {"VIRTUAL_ENV": str(active)}
    assert _venv(find_python(tmp_path, named, variables, NOWHERE)) == named
    assert _venv(find_python(tmp_path, None, variables, NOWHERE)) == active
    assert _venv(find_python(tmp_path, None, {}, NOWHERE)) == own
    (own / "bin" / "python").unlink()
    assert _venv(find_python(tmp_path, None, {}, NOWHERE)) == other
    assert find_python(tmp_path, tmp_path / "gone", variables, NOWHERE) is None


def _venv(place: PythonPlace | None) -> Path | None:
    return None if place is None else place.venv


def test_without_an_environment_it_is_the_python_on_path(tmp_path: Path) -> None:
    """Which is asked where its packages are, because it has more than one folder."""
    (tmp_path / "python3").symlink_to("/usr/bin/env")
    assert find_python(tmp_path / "repo", None, {}, NOWHERE) is None
    found = find_python(tmp_path / "repo", None, {}, {"PATH": str(tmp_path)})
    assert found == PythonPlace(tmp_path / "python3", None)


def test_an_interpreter_that_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    """It is not taken for an environment without packages."""
    venv = environment(tmp_path, system="true")
    found = inventories.pip_inventory(PythonPlace(venv / "bin" / "python", venv))
    assert "cannot be asked: it does not run" in str(found.problem)
    gone = inventories.pip_inventory(PythonPlace(tmp_path / "gone", None))
    assert "cannot be asked" in str(gone.problem)


@pytest.mark.parametrize("form", [None, "Include-System-Site-Packages = TRUE"])
def test_the_configuration_of_an_environment_may_be_missing(
    tmp_path: Path, form: str | None
) -> None:
    """Without it an environment has only its own packages."""
    venv = environment(tmp_path)
    config = venv / "pyvenv.cfg"
    config.unlink() if form is None else config.write_text(form)
    place = PythonPlace(venv / "bin" / "python", venv)
    found = inventories.pip_inventory(place)
    assert (found.problem is None) == (form is None)
