"""Who formats Markdown: Prettier and mdformat do not agree, so only one of them may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from penstock.checks.plugins.governing import governed_by
from penstock.checks.regular import read_regular
from penstock.typed import typed_json

MARKDOWN = (".md", ".markdown")
_PRETTIER = (".prettierrc", ".prettierrc.*", "prettier.config.*")
_MDFORMAT = (".mdformat.toml",)
_LARGEST = 1 << 20


class _Package(msgspec.Struct):
    """The part of a package.json that counts."""

    prettier: Any = None


def is_markdown(path: str) -> bool:
    """Tell whether a file is Markdown, by its name."""
    return path.lower().endswith(MARKDOWN)


def prettier_formats(tree: Path) -> Callable[[str], bool]:
    """Return what tells whether a Markdown file is Prettier's: it is configured for that file and mdformat is not."""
    prettier = governed_by(tree, _PRETTIER, _in_package)
    mdformat = governed_by(tree, _MDFORMAT)
    return lambda path: prettier(path) and not mdformat(path)


def _in_package(folder: Path) -> bool:
    """Tell whether the package.json or package.yaml of a folder configures Prettier."""
    try:
        data = read_regular(folder / "package.json", limit=_LARGEST)
        package = typed_json(data, _Package)
    except (OSError, msgspec.DecodeError, RecursionError):
        return _in_yaml(folder / "package.yaml")
    return package.prettier is not None


def _in_yaml(path: Path) -> bool:
    try:
        lines = read_regular(path, limit=_LARGEST).splitlines()
    except OSError:
        return False
    return any(line.startswith(b"prettier:") for line in lines)
