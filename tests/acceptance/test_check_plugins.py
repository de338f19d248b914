"""Plugins of the user's own in `penstock check`: code, entry points, and tools that change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.finder import MANIFEST, Project
from tests.support.plugins import write_plugin
from tests.support.repofiles import write_files

CODE = """
class Result:
    def __init__(self, path, found):
        self.plugin_id, self.success, self.issues = "loud", True, found
        self.stdout = self.stderr = ""
        self.returncode, self.duration_ms, self.metadata = 0, 1, {}

class Loud:
    manifest = {"plugin_id": "loud", "name": "Loud", "file_extensions": ["txt"]}

    def check_tool_available(self):
        return True

    def build_command(self, path):
        return []

    def execute(self, path):
        with open(path) as stream:
            text = stream.read()
        assert "CRASH" not in text, "it is too much"
        issue = {"tool": "loud", "path": path, "line": 1, "code": "L1", "message": "too loud"}
        return Result(path, [issue] if "!" in text else [])

def register():
    return Loud()
"""
LOUD = {"plugin_id": "loud", "name": "Loud", "file_extensions": ["txt"]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a quiet and a loud file."""
    made = Project(tmp_path)
    made.write(quiet="all is well\n", loud="no!\n")
    return made


def with_code(project: Project, code: str = CODE) -> dict[str, str]:
    """Put the documented form of a plugin into a folder of the user's; return what leads to it."""
    folder = project.root.parent / "coded"
    if not folder.exists():
        write_plugin(folder, LOUD)
    (folder / "loud" / "plugin.py").write_text(code, encoding="utf-8")
    return {"PIPELINE_ERROR_PLUGINS_PATH": str(folder)}


def test_the_documented_form_finds(project: Project) -> None:
    """An object with execute(path) is a checker like any other, and its findings are kept."""
    env = with_code(project)
    said = [project.check("quiet.txt", "loud.txt", env=env) for _ in range(2)]
    for one in said:
        assert one.code == 1
        assert "quiet.txt: PASSED | errors=0 warnings=0\n" in one.out
        assert "loud.txt:1: error L1 too loud [loud]" in one.out
    assert "2 from the cache" in said[1].out


def test_edited_code_is_asked_anew(project: Project) -> None:
    """When the code of a plugin changes, no result of the code before counts."""
    project.check("loud.txt", env=with_code(project))
    said = project.check("loud.txt", env=with_code(project, CODE.replace("too loud", "hush")))
    assert "L1 hush [loud]" in said.out


def test_code_that_raises_fails_its_files(project: Project) -> None:
    """What execute() raises is an error on the files of its batch, in each run again."""
    env = with_code(project)
    project.write(loud="CRASH\n")
    for _ in range(2):
        said = project.check("loud.txt", env=env)
        assert said.code == 1
        assert "plugin-failed loud failed in execute(): AssertionError: it is too much" in said.out


def test_code_in_the_repository_is_not_run(project: Project) -> None:
    """Code that lies where agents write is refused in a line, and the rest is checked."""
    ran = project.root / "ran"
    code = f"open({str(ran)!r}, 'w')\n{CODE}"
    write_plugin(project.root / "config" / "error_plugins", LOUD, code)
    said = project.check("loud.txt")
    assert "code is not run from there" in said.out + said.err
    assert "loud.txt: PASSED" in said.out
    assert not ran.exists()


def test_an_installed_package_brings_a_plugin(project: Project) -> None:
    """The entry points of installed packages are plugins."""
    info = "loudness-1.0.dist-info"
    points = "[penstock.error_plugins]\nloud = loudness:register\n"
    metadata = "Metadata-Version: 2.1\nName: loudness\nVersion: 1.0\n"
    site = project.root.parent / "site"
    files = {f"{info}/entry_points.txt": points, f"{info}/METADATA": metadata, "loudness.py": CODE}
    write_files(site, files)
    said = project.check("loud.txt", env={"PYTHONPATH": str(site)})
    assert "loud.txt:1: error L1 too loud [loud]" in said.out
    assert "loud" in project.check("--list", env={"PYTHONPATH": str(site)}).out


def test_another_version_of_a_tool_is_asked_anew(project: Project) -> None:
    """A wrapper that is edited is another tool: what the one before said is not believed."""
    project.check("loud.txt")
    assert project.checked() == ["loud.txt"]
    project.check("loud.txt")
    assert project.checked() == []
    tool = project.root.parent / "bin" / "find-bad"
    tool.write_text(tool.read_text(encoding="utf-8").replace("1.0", "1.1"), encoding="utf-8")
    project.check("loud.txt")
    assert project.checked() == ["loud.txt"]


def test_plugins_that_require_each_other_all_run(project: Project) -> None:
    """A cycle of requirements is told, and keeps no plugin from its work."""
    project.write(loud="BAD\n")
    project.declare({**MANIFEST, "requires": ["others"]})
    project.declare({**MANIFEST, "plugin_id": "others", "requires": ["words"]})
    said = project.check("loud.txt")
    assert "others -> words -> others" in said.out + said.err
    assert said.out.count("W1 a bad word") >= 1
    assert said.code == 1
