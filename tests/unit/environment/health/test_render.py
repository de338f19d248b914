"""Reports for people: whatever a probe read is shown, never obeyed."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment.api import HealthCheck, HealthReport, Verdict
from penstock.environment.health.probing import report_of
from penstock.environment.health.render import as_json, markdown, page

NASTY = "</td><script>alert(1)</script> | **x** `y` [z](javascript:0) \x1b[31m <!-- & \"'"


def report(message: str = "fine", **more: object) -> HealthReport:
    """Return a report of one warning."""
    given_: dict[str, object] = {"details": {"path": message}, "hint": message, **more}
    fields = {"name": "git", "status": Verdict.WARN, "message": message, "timestamp": "t"}
    return report_of((HealthCheck(**{**fields, **given_}),), "2026-01-01T00:00:00Z")  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Gathers the tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take notice of a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Take notice of text."""
        self.words += data


@pytest.mark.parametrize("name", ["message", "hint", "name"])
def test_html_shows_markup_as_text(name: str) -> None:
    """No tag comes from what a probe read."""
    found = Reader(page(report(**{name: NASTY})))
    plain = Reader(page(report(**{name: "x"})))
    assert found.tags == plain.tags
    assert "<script>alert(1)</script>" in found.words


@given(st.text())
def test_html_is_whole_whatever_is_shown(text: str) -> None:
    """Any text leaves the page's own tags as they are, without control characters."""
    shown = page(report(text, hint="h", details={text: text}))
    assert Reader(shown).tags == Reader(page(report("x", hint="h", details={"x": "x"}))).tags
    assert all(char in "\n\t" or char.isprintable() for char in shown)


def test_html_loads_nothing() -> None:
    """The page needs nothing beside it, and forbids itself everything but its own style."""
    found = Reader(page(report()))
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


@given(st.text())
def test_markdown_has_a_row_for_each_check(text: str) -> None:
    """No text can end a row or begin another, or be a heading or a link."""
    lines = markdown(report(text, hint=None)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 3
    assert rows[-1].replace("\\|", "").count("|") == 4


def test_markdown_shows_markup_as_text() -> None:
    """What would be bold, code, a link or HTML is escaped."""
    shown = markdown(report(NASTY))
    assert "<script>" not in shown.replace("\\<", "")
    assert "](" not in shown


def test_json_is_the_documented_shape() -> None:
    """Every check has its members, also those that are empty."""
    plain = json.loads(as_json(report(hint=None)))
    assert plain["summary"] == {"pass": 0, "warn": 1, "fail": 0}
    (check,) = plain["checks"]
    assert set(check) == {"name", "status", "message", "details", "hint", "timestamp"}
