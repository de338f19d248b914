"""Every notice that a plan may bring is explained in docs/reference/planning.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from penstock.planning.drafting.api import RESOLVED

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("sources", "scoping", "drafting")
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
NOTES = re.compile(r"_?(error|warning|info|note|notice)")


def documented() -> list[str]:
    """The codes of the table, in its order."""
    text = (ROOT / "docs" / "reference" / "planning.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z-]+)` \|", text.split("\n## Notices\n")[1], re.MULTILINE)


def used() -> set[str]:
    """The codes that the rooms of planning give."""
    return {
        code
        for room in ROOMS
        for path in (ROOT / "src" / "penstock" / "planning" / room).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for code in codes_of(node)
    }


def codes_of(call: ast.Call) -> Iterator[str]:
    """Yield what is given as a code: by keyword, to what takes notes, or handed on to it."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if NOTES.fullmatch(name):
        given += call.args[:1]
    for text in (one.value for one in given if isinstance(one, ast.Constant)):
        if isinstance(text, str) and CODE.fullmatch(text):
            yield text
    handed = [one.value for one in call.args if isinstance(one, ast.Constant)]
    yield from (t for t in handed if isinstance(t, str) and CODE.fullmatch(t) and "-" in t)


def test_every_code_is_explained_once() -> None:
    """The table has the codes that there are, in alphabetical order, and no other."""
    rows = documented()
    assert rows == sorted(set(rows))
    assert used() - set(rows) == set()
    assert set(rows) - used() == set()


def test_what_has_an_answer_is_a_code() -> None:
    """The errors that do not stop a plan are among them."""
    assert set(documented()) >= RESOLVED
