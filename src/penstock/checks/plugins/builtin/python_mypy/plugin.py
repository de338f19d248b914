"""mypy, which gives up on all files when one cannot be parsed, and takes no two modules of one name."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.builtin.python_mypy.modules import excluded, naming, parted
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import joined, with_issues
from penstock.checks.plugins.port import Call, PluginResult
from penstock.checks.plugins.readers.mypy import BLOCKED, BLOCKING_EXIT
from penstock.checks.surroundings import virtual_environment
from penstock.folders import remove_tree
from penstock.model.finding import Category, Finding, Severity

_MAX_RUNS = 8
"""How often mypy is started for a batch; what is blocked then stays so."""
_TWICE = ("Duplicate module named", "Source file found twice")
_CONFIGS = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
_OWN_PYTHON = b"python_executable"
_SOURCES = (".py", ".pyi")


class Mypy(ManifestPlugin):
    """Runs mypy without the files that block it, so that the others are checked all the same."""

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Name the Python whose packages count, when mypy lies outside the tree's environment."""
        venv = virtual_environment(place.tree, place.root)
        if venv is None or call.tool is None or call.tool.executable.is_relative_to(venv):
            return ()
        python = venv / "bin" / "python"
        if not python.exists() or _chooses_python(place.tree):
            return ()
        return ("--python-executable", str(python))

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files, those excepted that its configuration excludes."""
        leaving = excluded(place.tree)
        groups, nameless = parted([path for path in files if not leaving(path)], place.tree)
        work = _Work(groups)
        while work.waiting and work.runs < _MAX_RUNS:
            nth, batch = work.waiting.pop(0)
            # mypy's cache goes by the names of modules, and what shares a name is in other parts
            own = msgspec.structs.replace(call, cache=call.cache / f"part{nth}")
            work.take(nth, batch, self._check_part(batch, place, own), place)
        for _, batch in work.waiting:
            work.refuse(batch, work.why)
        for path in nameless:
            work.refuse([path], "its package has a name that Python cannot import")
        return with_issues(joined(self.manifest.plugin_id, work.results), *work.refused)

    def _check_part(self, batch: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Run mypy, and again without its cache when that has told of files by old names.

        It keeps the findings of a module with the path, and reuses them for a file of the same
        content that has become the module since.
        """
        result = super().check(batch, place, call)
        if _tells_of_others(result, batch, place):
            _remove_cache(call.cache)
            result = super().check(batch, place, call)
        return result


class _Work:
    """The runs on a batch: what is still to be checked, and what came of the rest."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self.waiting = [(nth, list(group)) for nth, group in enumerate(groups)]
        self.results: list[PluginResult] = []
        self.refused: list[Finding] = []
        self.runs = 0
        self.why = "too many files block it"
        self._asked = {path for group in groups for path in group}

    def take(self, nth: int, batch: Sequence[str], result: PluginResult, place: Place) -> None:
        """Take the result of a run; of one that was blocked, put the rest of the batch back."""
        self.runs += 1
        if result.returncode != BLOCKING_EXIT or not result.success:
            self.results.append(result)
            return
        blocking = {issue: _relative(issue.path, place) for issue in result.issues}
        rest = [path for path in batch if path not in blocking.values()]
        if len(rest) == len(batch):
            self._blocked_from_outside(nth, rest, result, place)
            return
        twice = {path for issue, path in blocking.items() if issue.message.startswith(_TWICE)}
        told = tuple(issue for issue in result.issues if blocking[issue] not in twice)
        self.results.append(msgspec.structs.replace(result, issues=told))
        again = [path for path in batch if path in twice] if rest else []
        self.waiting += [(nth, part) for part in (rest, again) if part]

    def _blocked_from_outside(
        self, nth: int, batch: Sequence[str], result: PluginResult, place: Place
    ) -> None:
        """Look for the files that lead to the one that blocks, and say that they are not checked."""
        first = result.issues[0]
        path = _relative(first.path, place)
        where = f"{path}:{first.line}" if first.line else path
        if not path.endswith(_SOURCES):
            why = f"mypy cannot work: {where}: {first.message}"
            self.results.append(msgspec.structs.replace(result, success=False, problem=why))
            return
        self.results.append(msgspec.structs.replace(result, issues=()))
        # the error shows at its own file if that was asked for; else this is where it has to show
        severity = Severity.WARNING if path in self._asked else Severity.ERROR
        self.why = f"{where}: {first.message}"
        middle = len(batch) // 2
        if middle:
            self.waiting += [(nth, list(batch[:middle])), (nth, list(batch[middle:]))]
        else:
            self.refuse(batch, self.why, severity)

    def refuse(self, batch: Sequence[str], why: str, severity: Severity = Severity.WARNING) -> None:
        """Add to each file that it was not checked."""
        category = Category.SYNTAX if severity is Severity.ERROR else Category.OTHER
        for path in batch:
            found = Finding(
                tool="mypy",
                message=f"not checked: {why}",
                path=path,
                code=BLOCKED,
                category=category,
                severity=severity,
            )
            self.refused.append(found)


def _relative(path: str | None, place: Place) -> str:
    """Return a path of mypy's as plugins get it."""
    joined_path = os.path.normpath(place.tree / (path or "."))
    return Path(os.path.relpath(joined_path, place.tree)).as_posix()


def _tells_of_others(result: PluginResult, batch: Sequence[str], place: Place) -> bool:
    """Tell whether a finding is at a file that is gone, or at another module of the same name."""
    others = {_relative(issue.path, place) for issue in result.issues} - set(batch)
    if not others:
        return False
    name_of = naming(place.tree)
    names = {name_of(path) for path in batch}
    return any(not (place.tree / path).exists() or name_of(path) in names for path in others)


def _remove_cache(folder: Path) -> None:
    """Remove a cache, out of the way of others first who may be writing into it."""
    import tempfile  # hardly ever needed

    with suppress(OSError):  # there may be none, or somebody else has just done it
        aside = Path(tempfile.mkdtemp(prefix="stale-", dir=folder.parent))
        folder.rename(aside / folder.name)
        remove_tree(aside)


def _chooses_python(tree: Path) -> bool:
    """Tell whether a configuration at the top of the tree names a Python itself."""
    for name in _CONFIGS:
        try:
            if _OWN_PYTHON in (tree / name).read_bytes():
                return True
        except OSError:
            continue
    return False


def register() -> Mypy:
    """Make the plugin."""
    return Mypy(beside(__file__))
