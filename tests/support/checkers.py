"""Finds the real checkers that plugins of the error engine start, and runs plugins with them.

They come from the folder that `.ci/install-checkers` filled, and are put on PATH for one test at a
time: other tests rely on a tool being absent. A missing one skips the test that needs it, or fails it
when PENSTOCK_REQUIRE_REAL=1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from penstock.checks.api import Place
from penstock.checks.plugins.base import ForgetfulMemory
from penstock.checks.plugins.loading import PluginManager
from penstock.checks.plugins.port import Call, Plugin, PluginResult, ToolFacts, Unavailable
from penstock.model.finding import Finding
from penstock.process.api import Stop

REQUIRE = "PENSTOCK_REQUIRE_REAL"
FOLDER = "PENSTOCK_CHECKERS"
_PLACES = (Path("python", "bin"), Path("node", "node_modules", ".bin"))

Files = Mapping[str, str | bytes]


# -- finding them ----------------------------------------------------------------------------------
def checker_folders() -> tuple[Path, ...]:
    """Return the folders with the commands of the installed checkers, those that are there."""
    root = Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "penstock-checkers")
    return tuple(root / place for place in _PLACES if (root / place).is_dir())


def find_checker(command: str) -> Path | None:
    """Return a checker's command, None when it is not installed."""
    found = shutil.which(command, path=os.pathsep.join(map(str, checker_folders())))
    return Path(found) if found else None


def need_checkers(*commands: str) -> None:
    """End the test here unless all of these checkers are installed."""
    missing = [command for command in commands if find_checker(command) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} not installed; .ci/install-checkers does that"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason} ({REQUIRE}=1)")
    pytest.skip(reason)


def checker_path(*commands: str) -> str:
    """Return a PATH on which all checkers are found; without these commands the test ends here."""
    need_checkers(*commands)
    return os.pathsep.join([*map(str, checker_folders()), os.environ.get("PATH", "")])


def use_checkers(patch: pytest.MonkeyPatch, *commands: str) -> None:
    """Put the checkers on PATH for this test; without these commands it ends here."""
    patch.setenv("PATH", checker_path(*commands))


def use_only(patch: pytest.MonkeyPatch, folder: Path, *commands: str) -> None:
    """Put nothing but these commands of the checkers on PATH, by links in `folder`."""
    need_checkers(*commands)
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands:
        (folder / command).symlink_to(find_checker(command) or command)
    patch.setenv("PATH", os.pathsep.join([str(folder), "/usr/local/bin", "/usr/bin", "/bin"]))


# -- running plugins -------------------------------------------------------------------------------
def write_tree(tree: Path, files: Files) -> Place:
    """Write files into a folder and return it as the place of a check."""
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    resolved = tree.resolve()
    return Place(tree=resolved, root=resolved)


def built_in(plugin_id: str) -> Plugin:
    """Return a plugin that penstock brings along."""
    plugins = PluginManager(None, "", entry_points=False).load()
    return next(plugin for plugin in plugins if plugin.manifest.plugin_id == plugin_id)


def tool_of(plugin_id: str, place: Place) -> ToolFacts | Unavailable | None:
    """Return what a built-in plugin finds of its tool."""
    return built_in(plugin_id).find_tool(place, ForgetfulMemory())


def run_plugin(
    plugin_id: str,
    place: Place,
    files: Sequence[str],
    *,
    fix: bool = False,
    cache: Path | None = None,
) -> PluginResult:
    """Run a built-in plugin on files of a place. Fails the test when its tool is not there.

    `cache` keeps what the tool keeps of one run for the next.
    """
    plugin = built_in(plugin_id)
    tool = plugin.find_tool(place, ForgetfulMemory())
    if isinstance(tool, Unavailable):
        pytest.fail(f"{plugin_id}: {tool.reason}")
    run: Callable[[Sequence[str], Place, Call], PluginResult] = plugin.fix if fix else plugin.check
    with TemporaryDirectory() as folder:
        own = cache or Path(folder, "cache")
        own.mkdir(parents=True, exist_ok=True)
        return run(files, place, Call(tool=tool, scratch=Path(folder), cache=own, stop=Stop()))


def brief(finding: Finding, place: Place) -> str:
    """Return a finding as `path:line:column severity/category code`, what is None left out."""
    path = os.path.relpath(place.tree / (finding.path or "."), place.tree)
    where = ":".join(str(part) for part in (path, finding.line, finding.column) if part)
    return f"{where} {finding.severity.value}/{finding.category.value} {finding.code}"


def found_by(
    plugin_id: str, place: Place, files: Sequence[str], *, cache: Path | None = None
) -> list[str]:
    """Return what a plugin finds in files, briefly and sorted by place. It must have succeeded."""
    result = run_plugin(plugin_id, place, files, cache=cache)
    assert result.success, f"{result.problem}\n{result.stdout}\n{result.stderr}"
    issues = sorted(result.issues, key=lambda found: (found.path or "", found.line or 0))
    return [brief(found, place) for found in issues]
