"""The formats by name; each module is imported only when its format is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from penstock.model.inspection import CheckReport

MODULES = {
    "text": "text",
    "json": "jsonreport",
    "sarif": "sarif",
    "github": "github",
    "junit": "junit",
}

Render = Callable[[CheckReport, str], str]
"""From a report and the repository's root (an absolute path) to the text to print, without a last line end."""


def renderer(name: str) -> Render:
    """Return what renders the format `name`, a key of MODULES."""
    module = import_module(f"penstock.cli.findings.{MODULES[name]}")
    render: Render = module.render
    return render
