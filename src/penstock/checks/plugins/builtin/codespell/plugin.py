"""codespell, which heeds its `skip` patterns for named files as well."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from penstock.checks.api import Place
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts
from penstock.checks.plugins.port import Call, PluginResult
from penstock.checks.plugins.pyconfig import PYPROJECT, ini_section, toml_table

_SECTION = "codespell"
_INI_FILES = ("setup.cfg", ".codespellrc")
_REWRITING = ("write-changes", "interactive")


class Codespell(PartedPlugin):
    """codespell tries `skip` on folders only while it walks, and may be configured to rewrite."""

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files, unless that would rewrite them."""
        option = _rewriting(place.tree)
        if option is None:
            return super().check(files, place, call)
        return self.failed(
            f"codespell is configured with {option}: it would rewrite files that are only to be "
            "checked; take that out of its configuration"
        )

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Leave out what codespell would pass over if it walked the tree."""
        patterns = _skipped(place.tree)
        if not patterns:
            return (files,)
        return ([path for path in files if not _is_skipped(path, patterns)],)


def _skipped(tree: Path) -> tuple[str, ...]:
    """Return the `skip` patterns of the configuration at the top of a tree: the last one counts."""
    found: object = toml_table(tree / PYPROJECT, "tool", _SECTION).get("skip", "")
    for name in _INI_FILES:
        found = ini_section(tree / name, _SECTION).get("skip", found)
    words = found if isinstance(found, list) else str(found).replace("\n", ",").split(",")
    return tuple(str(word).strip() for word in words if str(word).strip())


def _rewriting(tree: Path) -> str | None:
    """Return the option by which a check would rewrite files: its command line cannot unset it."""
    table = toml_table(tree / PYPROJECT, "tool", _SECTION)
    sections = [ini_section(tree / name, _SECTION) for name in _INI_FILES]
    for option in _REWRITING:
        if table.get(option) or any(option in section for section in sections):
            return option
    return None


def _is_skipped(path: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name, a folder's or the file's, or a path from `.`, fits a pattern."""
    pure = PurePosixPath(path)
    places = [str(place) for place in (pure, *pure.parents)][:-1]
    forms = {*pure.parts, *places, *(f"./{place}" for place in places)}
    return any(fnmatch(form, pattern) for form in forms for pattern in patterns)


def register() -> Codespell:
    """Make the plugin."""
    return Codespell(beside(__file__))
