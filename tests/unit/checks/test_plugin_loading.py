"""Where plugins come from, and that a bad one never keeps the others away."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.checks.plugins import loading
from penstock.checks.plugins.loading import (
    BUILT_IN_FOLDER,
    FOLDER_VARIABLE,
    REPOSITORY_FOLDER,
    PluginManager,
)
from penstock.checks.plugins.manifests import mistakes, read_manifest
from penstock.checks.plugins.port import BUILT_IN, Plugin
from tests.support.plugins import declared, write_plugin
from tests.support.repofiles import write_files

OBJECT = """
class Result:
    plugin_id, success, issues = "x", True, ()
    stdout = stderr = ""
    returncode, duration_ms, metadata = 0, 1, {}

class Checker:
    manifest = {"plugin_id": "outsider", "name": "Outsider", "file_extensions": ["py"]}
    def check_tool_available(self): return True
    def build_command(self, path): return ["x", path]
    def execute(self, path): return Result()

def register(): return Checker()
"""


@pytest.fixture(autouse=True)
def _few_plugins(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have one built-in plugin, and none of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("builtin")
    write_plugin(folder, declared("codespell", name="ours"))
    monkeypatch.setattr(loading, "BUILT_IN_FOLDER", folder)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def by_id(manager: PluginManager) -> dict[str, Plugin]:
    """Load and return the plugins by their ids."""
    return {plugin.manifest.plugin_id: plugin for plugin in manager.load()}


def repository(root: Path) -> Path:
    """Return where a repository keeps its plugins."""
    return root / REPOSITORY_FOLDER


def test_the_built_in_ones_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """All plugins that penstock brings along load without a problem, in their order."""
    monkeypatch.setattr(loading, "BUILT_IN_FOLDER", BUILT_IN_FOLDER)
    manager = PluginManager(entry_points=False)
    plugins = manager.load()
    assert manager.problems == ()
    assert {plugin.origin for plugin in plugins} <= {BUILT_IN}
    seen: set[str] = set()
    for plugin in plugins:
        known = {p.manifest.plugin_id for p in plugins}
        assert set(plugin.manifest.requires) & known <= seen
        seen.add(plugin.manifest.plugin_id)


def test_a_repository_declares_plugins(tmp_path: Path) -> None:
    """A manifest in config/error_plugins is a plugin, and its origin says so."""
    write_plugin(repository(tmp_path), declared())
    manager = PluginManager(tmp_path, entry_points=False)
    assert by_id(manager)["spell"].origin == str(REPOSITORY_FOLDER)
    assert manager.problems == ()


def test_code_in_a_repository_is_refused(tmp_path: Path) -> None:
    """A plugin.py there is never run, which is told with what to do."""
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w')"
    write_plugin(repository(tmp_path), declared(), code)
    manager = PluginManager(tmp_path, entry_points=False)
    assert "spell" not in by_id(manager)
    assert not ran.exists()
    (line,) = manager.problems
    assert "code is not run from there" in line
    assert FOLDER_VARIABLE in line


def test_folders_of_the_user_may_have_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder of the variable is searched; plugin.py may use the documented object form."""
    write_plugin(tmp_path / "a", {"plugin_id": "coded", "name": "x"}, OBJECT)
    write_plugin(tmp_path / "b", declared())
    monkeypatch.setenv(FOLDER_VARIABLE, f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    manager = PluginManager(tmp_path, entry_points=False)
    found = by_id(manager)
    assert found["coded"].origin == str(tmp_path / "a")
    assert found["spell"].origin == str(tmp_path / "b")
    assert manager.problems == ()


def test_a_missing_folder_of_the_user_is_told(tmp_path: Path) -> None:
    """A folder that the variable names and that is not there is a line."""
    manager = PluginManager(extra_folder=tmp_path / "gone", entry_points=False)
    manager.load()
    (line,) = manager.problems
    assert line == f"plugins in {tmp_path / 'gone'} cannot be looked for: No such file or directory"


def test_a_file_for_a_folder_is_told(tmp_path: Path) -> None:
    """A file in place of the repository's folder of plugins is a line, its absence is none."""
    manager = PluginManager(tmp_path, entry_points=False)
    manager.load()
    assert not manager.problems
    write_files(tmp_path, {str(REPOSITORY_FOLDER): "no folder"})
    manager.load()
    assert "cannot be looked for: Not a directory" in manager.problems[0]


def test_code_without_a_manifest_is_told(tmp_path: Path) -> None:
    """A folder with code alone is a plugin that somebody misses; other folders are none."""
    write_files(tmp_path, {"coded/plugin.py": OBJECT, "notes/a.txt": "", ".git/manifest.json": ""})
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    manager.load()
    (line,) = manager.problems
    assert "manifest.json cannot be read: No such file" in line


def test_manifests_of_the_built_in_ones_are_right() -> None:
    """They are not looked through when they are loaded, so this does it."""
    folders = [path.parent for path in sorted(BUILT_IN_FOLDER.glob("*/manifest.json"))]
    assert folders != []
    for folder in folders:
        assert list(mistakes(read_manifest(folder)[0], folder.name)) == []


def test_later_ones_replace_earlier_ones(tmp_path: Path) -> None:
    """The user's folder stands before the repository's, and both before built-in ones."""
    write_plugin(repository(tmp_path), declared("codespell", name="theirs"))
    write_plugin(repository(tmp_path), declared("spell", name="theirs"))
    write_plugin(tmp_path / "mine", declared("spell", name="mine"))
    found = by_id(PluginManager(tmp_path, tmp_path / "mine", entry_points=False))
    assert found["spell"].manifest.name == "mine"
    assert found["codespell"].manifest.name == "theirs"


def test_a_lying_manifest_is_told(tmp_path: Path) -> None:
    """A manifest that can be decoded and cannot be right is left out, with what is wrong."""
    write_plugin(repository(tmp_path), declared(output={"reader": "psychic"}))
    manager = PluginManager(tmp_path, entry_points=False)
    assert "spell" not in by_id(manager)
    assert "output.reader 'psychic' is not known" in manager.problems[0]


@pytest.mark.parametrize(
    "manifest", ["{", "[]", '{"plugin_id": "x"}', '{"plugin_id": "broken", "name": "x"}']
)
def test_a_broken_manifest_keeps_nobody_away(tmp_path: Path, manifest: str) -> None:
    """A manifest that is none is one line, and the plugin beside it loads."""
    write_plugin(repository(tmp_path), manifest)
    write_plugin(repository(tmp_path), declared())
    manager = PluginManager(tmp_path, entry_points=False)
    assert "spell" in by_id(manager)
    (line,) = manager.problems
    assert "plugin broken (config/error_plugins) is left out: " in line


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def f(:", "SyntaxError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("x = 1", "has no attribute 'register'"),
        ("def register(): raise KeyError('k')", "KeyError: 'k'"),
        ("def register(): return None", "has no check_tool_available, build_command, execute"),
        ("def register(x): return x", "TypeError"),
        ("def register(): return register()", "RecursionError"),
        ("\0", "SyntaxError"),
    ],
)
def test_code_that_fails_is_a_line(tmp_path: Path, code: str, said: str) -> None:
    """Whatever a plugin.py does when it is imported or asked to register, the others load."""
    write_plugin(tmp_path, {"plugin_id": "bad", "name": "x"}, code)
    write_plugin(tmp_path, declared())
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    found = by_id(manager)
    assert "spell" in found
    assert "bad" not in found
    (line,) = manager.problems
    assert said in line
    assert "plugin.py" in line


def test_a_wish_to_stop_is_not_swallowed(tmp_path: Path) -> None:
    """An interrupt while a plugin is imported ends the loading."""
    write_plugin(tmp_path, {"plugin_id": "bad", "name": "x"}, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        PluginManager(extra_folder=tmp_path, entry_points=False).load()


def test_a_plugin_without_tool_and_code_is_refused(tmp_path: Path) -> None:
    """A manifest that starts nothing needs a plugin.py."""
    write_plugin(tmp_path, {"plugin_id": "empty", "name": "x"})
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    assert "empty" not in by_id(manager)
    assert "names no tool" in manager.problems[0]


@pytest.mark.parametrize("prepare", [Path.mkdir, lambda path: path.symlink_to(path)])
def test_code_that_cannot_be_read_is_a_line(
    tmp_path: Path, prepare: Callable[[Path], object]
) -> None:
    """A folder or a loop in place of plugin.py is a problem and not a plugin without code."""
    folder = write_plugin(tmp_path, declared())
    prepare(folder / "plugin.py")
    manager = PluginManager(tmp_path, tmp_path, entry_points=False)
    assert "spell" not in by_id(manager)
    assert "plugin.py cannot be read" in manager.problems[0]


def test_unknown_requirements_are_passed_over(tmp_path: Path) -> None:
    """A plugin that requires one that is not there loads without a word."""
    write_plugin(tmp_path, declared(requires=["nobody"]))
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    assert "spell" in by_id(manager)
    assert manager.problems == ()


def test_a_cycle_is_told_and_all_run(tmp_path: Path) -> None:
    """Plugins that require each other are told, and none of them goes missing."""
    write_plugin(tmp_path, declared("one", requires=["two"]))
    write_plugin(tmp_path, declared("two", requires=["one"]))
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    assert {"one", "two"} <= by_id(manager).keys()
    (line,) = manager.problems
    assert "one -> two -> one" in line


def test_loading_again_starts_afresh(tmp_path: Path) -> None:
    """A second load sees what was mended, and tells problems once."""
    folder = write_plugin(tmp_path, "{")
    manager = PluginManager(extra_folder=tmp_path, entry_points=False)
    lines = []
    for _ in range(2):
        manager.load()
        lines.append(len(manager.problems))
    (folder / "manifest.json").unlink()
    manager.load()
    assert (lines, manager.problems) == ([1, 1], ())


def test_edited_code_is_another_plugin(tmp_path: Path) -> None:
    """The arguments in the cache key change with the manifest and with plugin.py."""
    folder = write_plugin(tmp_path, {"plugin_id": "coded", "name": "x"}, OBJECT)
    before = by_id(PluginManager(extra_folder=tmp_path))["coded"].arguments(fix=False)
    with (folder / "plugin.py").open("a", encoding="utf-8") as stream:
        stream.write("# edited\n")
    after = by_id(PluginManager(extra_folder=tmp_path))["coded"].arguments(fix=False)
    assert before != after


OTHERS = """
class Silent(Checker): execute = None

def fail(): raise OSError("disk")
"""


# -- entry points --------------------------------------------------------------------------------
def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    """Install a distribution with these entry points, whose module is `outside_plugins`."""
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    info = "outside_plugins-1.5.dist-info"
    write_files(
        folder,
        {
            "outside_plugins.py": OBJECT + OTHERS,
            f"{info}/entry_points.txt": f"[penstock.error_plugins]\n{lines}",
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: outside-plugins\nVersion: 1.5\n",
        },
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "outside_plugins", raising=False)


def test_outsiders_come_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package brings a plugin with a manifest of its own."""
    install(tmp_path, monkeypatch, outsider="outside_plugins:register")
    manager = PluginManager()
    found = by_id(manager)["outsider"]
    assert found.origin == "entry point outside_plugins:register"
    assert found.manifest.file_extensions == ("py",)
    assert manager.problems == ()
    assert "outsider" not in by_id(PluginManager(entry_points=False))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("outside_plugins:Silent", "has no execute"),
        ("outside_plugins:fail", "OSError: disk"),
        ("outside_plugins:gone", "AttributeError"),
        ("no_such_module:x", "ModuleNotFoundError"),
        ("outside_plugins:Result", "has no manifest"),
    ],
)
def test_an_entry_point_that_fails_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    """An entry point that raises or brings no plugin is named, and the others load."""
    install(tmp_path, monkeypatch, bad=value, good="outside_plugins:register")
    manager = PluginManager()
    assert "outsider" in by_id(manager)
    (line,) = manager.problems
    assert f"entry point bad = {value} is left out" in line
    assert said in line
