"""JSON, parsed by penstock itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from penstock.checks.api import Place
from penstock.checks.plugins.coded import CodedPlugin
from penstock.checks.plugins.manifests import beside
from penstock.model.finding import Category, Finding, Severity

if TYPE_CHECKING:
    from penstock.checks.plugins.jsontext import Flaw

_TOOL = "json"
_SYNTAX = "syntax"


class JsonSyntax(CodedPlugin):
    """What is no JSON is an error, what it may not mean a warning."""

    def look(self, path: str, data: bytes, place: Place) -> Iterable[Finding]:
        """Return the flaws of a file."""
        # not needed while all results are known
        from penstock.checks.plugins.jsontext import flaws, has_comments

        return [_finding(path, flaw) for flaw in flaws(data, comments=has_comments(path))]


def _finding(path: str, flaw: Flaw) -> Finding:
    syntax = flaw.code == _SYNTAX
    return Finding(
        tool=_TOOL,
        message=flaw.message,
        path=path,
        line=flaw.line,
        column=flaw.column,
        code=flaw.code,
        category=Category.SYNTAX if syntax else Category.STYLE,
        severity=Severity.ERROR if syntax else Severity.WARNING,
    )


def register() -> JsonSyntax:
    """Make the plugin."""
    return JsonSyntax(beside(__file__))
