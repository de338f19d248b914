"""A health report for people, as Markdown or as one HTML page that needs nothing beside it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from penstock.environment.api import HealthCheck, HealthReport, Verdict

_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .6rem; text-align: left; vertical-align: top; }
td, code { overflow-wrap: anywhere; }
.pass { color: #1a7f37; } .warn { color: #9a6700; } .fail { color: #cf222e; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()#+!|<>~&"})


def as_json(report: HealthReport) -> str:
    """Return the report as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def markdown(report: HealthReport) -> str:
    """Return the report as Markdown. Whatever a probe read is shown as text, not as markup."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: HealthReport) -> Iterator[str]:
    yield "# Health report"
    yield ""
    yield f"**{report.overall_status.value}**: {counts_words(report)} ({report.timestamp})"
    yield ""
    yield "| check | status | finding |"
    yield "|---|---|---|"
    for check in report.checks:
        name, message = _plain(check.name), _plain(check.message)
        yield f"| {name} | {check.status.value} | {message} |"
    hints = [check for check in report.checks if check.hint and check.status is not Verdict.PASS]
    if hints:
        yield ""
        yield "## What to do"
        yield ""
        for check in hints:
            yield f"- {_plain(check.name)}: {_plain(check.hint or '')}"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return " ".join(text.split()).translate(_SPECIAL)


def page(report: HealthReport) -> str:
    """Return the report as one HTML page: nothing is loaded, nothing in it is executed."""
    title = f"Health report: {report.overall_status.value}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_escaped(title)}</title>",
            f"<style>\n{_STYLE}</style></head><body>",
            f"<h1>{_escaped(title)}</h1>",
            f"<p>{_escaped(counts_words(report))}, {_escaped(report.timestamp)}</p>",
            "<table><thead><tr><th>check</th><th>status</th><th>finding</th></tr></thead><tbody>",
            *_rows(report.checks),
            "</tbody></table></body></html>",
            "",
        ]
    )


def _rows(checks: Iterable[HealthCheck]) -> Iterator[str]:
    for check in checks:
        status = check.status.value
        hint = f"<br><em>{_escaped(check.hint)}</em>" if check.hint else ""
        facts = "".join(_facts(check.details))
        more = f"<details><summary>details</summary><ul>{facts}</ul></details>" if facts else ""
        yield (
            f'<tr><td>{_escaped(check.name)}</td><td class="{status}">{status}</td>'
            f"<td>{_escaped(check.message)}{hint}{more}</td></tr>"
        )


def _facts(details: Any) -> Iterator[str]:
    for name, value in details.items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        yield f"<li>{_escaped(str(name))}: <code>{_escaped(shown)}</code></li>"


def _escaped(text: str | None) -> str:
    """Return text as HTML shows it, without characters that no document may hold."""
    shown = "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text or ""
    )
    return html.escape(shown, quote=True)


def counts_words(report: HealthReport) -> str:
    """Return the counts for people."""
    counts = report.summary
    return f"{counts.passed} pass, {counts.warn} warn, {counts.fail} fail"
