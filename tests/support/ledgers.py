"""Trees, plugins and tools for what asks what a result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.checks.api import Place
from penstock.checks.inspection.keys import KeyParts, Ledger
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.port import Plugin, ToolFacts
from penstock.model.manifest import Dependence, Manifest, Reach, ToolSpec

TOOL = ToolFacts(executable=Path("/nonexistent/bin/lint"), version="1.0", identity="one")


def plugin(
    name: str = "lint",
    *,
    arguments: tuple[str, ...] = ("check", "{files}"),
    extensions: tuple[str, ...] = ("py",),
    version: str = "1",
    tool: Mapping[str, Any] | None = None,
    **depends: Any,
) -> Plugin:
    """A checker declared by a manifest; `depends` are fields of Dependence."""
    manifest = Manifest(
        plugin_id=name,
        name=name,
        version=version,
        file_extensions=extensions,
        tool=ToolSpec(command=name, arguments=arguments, **(tool or {})),
        depends=Dependence(**depends),
    )
    return ManifestPlugin(manifest)


def project_plugin(**depends: Any) -> Plugin:
    """A checker that sees all Python files of the project."""
    return plugin("types", reach=Reach.PROJECT, project_extensions=("py", "pyi"), **depends)


def write(tree: Path, files: Mapping[str, str]) -> None:
    """Write files below a tree."""
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def place_of(tree: Path, root: Path | None = None) -> Place:
    """The place of a tree that is its own repository unless told otherwise."""
    return Place(tree=tree.resolve(), root=(root or tree).resolve())


def files_in(tree: Path) -> tuple[str, ...]:
    """All files below a tree but hidden ones and those in `ignored` folders, as git would list."""
    found = (path.relative_to(tree) for path in tree.rglob("*") if path.is_file())
    return tuple(sorted(p.as_posix() for p in found if "ignored" not in p.parts))


def parts_now(tree: Path, which: Plugin, path: str = "pkg/a.py") -> KeyParts:
    """The parts of a file as a fresh inspection makes them."""
    return Ledger(place_of(tree), listing=files_in(tree)).parts(which, TOOL, path)


def project_now(tree: Path, which: Plugin, *asked: str) -> KeyParts:
    """The parts of files for a plugin of reach project as a fresh inspection makes them."""
    return Ledger(place_of(tree), listing=files_in(tree)).project_parts(which, TOOL, asked)
