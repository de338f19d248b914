"""gitleaks, on copies of the files: it takes one folder, and of all of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call, PluginResult
from penstock.folders import remove_tree
from penstock.model.finding import Finding

_CONFIG = ".gitleaks.toml"
_IGNORED = ".gitleaksignore"
# `dir` came with 8.19; before, `detect` did the same
_DIR = ("dir", ".")
_DETECT = ("detect", "--no-git", "--source", ".")
_FIRST_WITH_DIR = (8, 19)


class Gitleaks(ManifestPlugin):
    """Runs in a folder that holds copies of a batch, laid out as in the tree, and its configuration."""

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Return the subcommand of this version."""
        version = call.tool.version if call.tool is not None else ""
        return _DETECT if _is_older(version) else _DIR

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at copies of the files; what it finds elsewhere (its own configuration) does not count."""
        import tempfile  # not needed while all results are known

        try:
            folder = Path(tempfile.mkdtemp(prefix="copies-", dir=call.scratch))
        except OSError as error:
            return self.failed(f"no folder for copies can be made: {error.strerror or error}")
        try:
            for path in (*_configuration(place.tree), *files):
                _copy(place.tree, folder, path)
            result = super().check((), Place(tree=folder, root=place.root), call)
        except OSError as error:
            return self.failed(f"{error.filename} cannot be copied: {error.strerror or error}")
        finally:
            remove_tree(folder)
        return _of_files(result, files, folder)


def _is_older(version: str) -> bool:
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    return len(numbers) == 2 and tuple(numbers) < _FIRST_WITH_DIR


def _configuration(tree: Path) -> list[str]:
    """Return its files that are there, with what its configuration extends."""
    names = [name for name in (_CONFIG, _IGNORED) if (tree / name).is_file()]
    extended = _extended(tree / _CONFIG)
    if extended is not None and _is_within(extended) and (tree / extended).is_file():
        names.append(extended)
    return names


def _is_within(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _extended(config: Path) -> str | None:
    import tomllib  # not needed while all results are known

    try:
        value = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # it will say so itself
    extend = value.get("extend")
    path = extend.get("path") if isinstance(extend, dict) else None
    return path if isinstance(path, str) else None


def _copy(tree: Path, folder: Path, path: str) -> None:
    import shutil  # not needed while all results are known

    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tree / path, target)


def _of_files(result: PluginResult, files: Sequence[str], folder: Path) -> PluginResult:
    """Keep the findings on the files that were asked for, under their own names."""
    asked = frozenset(files)
    kept: list[Finding] = []
    for found in result.issues:
        path = _within(found.path or "", folder)
        if path in asked:
            kept.append(msgspec.structs.replace(found, path=path))
    return msgspec.structs.replace(result, issues=tuple(kept))


def _within(path: str, folder: Path) -> str:
    for base in (str(folder), os.path.realpath(folder)):
        path = path.removeprefix(f"{base}/")
    return os.path.normpath(path)


def register() -> Gitleaks:
    """Make the plugin."""
    return Gitleaks(beside(__file__))
