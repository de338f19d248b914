"""The readers by the names that manifests use; each module is imported when it is needed first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import cast

from penstock.checks.plugins.port import Reader

_HERE = "penstock.checks.plugins.readers"
# name: module and function; one line each, in order
_PLACES: dict[str, tuple[str, str]] = {
    # for any tool
    "json": ("jsonmap", "read_json"),
    "lines": ("lines", "read_lines"),
    "listed": ("listed", "read_listed"),
    "sarif": ("sarif", "read_sarif"),
    # tools of the Python world
    "bandit": ("bandit", "read_bandit"),
    "black": ("pyformat", "read_black"),
    "codespell": ("codespell", "read_codespell"),
    "detect_secrets": ("detectsecrets", "read_detect_secrets"),
    "mypy": ("mypy", "read_mypy"),
    "pip_audit": ("pipaudit", "read_pip_audit"),
    "pylint": ("pylint", "read_pylint"),
    "pyright": ("pyright", "read_pyright"),
    "ruff": ("ruff", "read_ruff"),
    "ruff_format": ("pyformat", "read_ruff_format"),
    "safety": ("safety", "read_safety"),
    "semgrep": ("semgrep", "read_semgrep"),
    # other tools
    "eslint": ("eslint", "read_eslint"),
    "gitleaks": ("gitleaks", "read_gitleaks"),
    "markdownlint": ("markdownlint", "read_markdownlint"),
    "mdformat": ("mdformat", "read_mdformat"),
    "prettier": ("prettier", "read_prettier"),
    "psscriptanalyzer": ("psscriptanalyzer", "read_psscriptanalyzer"),
    "shellcheck": ("shellcheck", "read_shellcheck"),
}


def reader(name: str) -> Reader:
    """Return the reader of that name. Raises KeyError when there is none."""
    return _imported(*_PLACES[name])


@cache
def _imported(module: str, function: str) -> Reader:
    return cast(Reader, getattr(import_module(f"{_HERE}.{module}"), function))


class _Readers(Mapping[str, Reader]):
    """All readers, imported when one is asked for."""

    def __getitem__(self, name: str) -> Reader:
        return reader(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def __contains__(self, name: object) -> bool:
        return name in _PLACES


READERS: Mapping[str, Reader] = _Readers()
"""Every reader by its name."""
