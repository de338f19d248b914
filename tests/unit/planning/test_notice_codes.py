"""Every notice that a plan may bring is explained in docs/reference/planning.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
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
    nodes = [
        node
        for room in ROOMS
        for path in (ROOT / "src" / "penstock" / "planning" / room).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    named = {
        node.target.id: node.value.value
        for node in nodes
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    usual = {
        str(named[default.id])
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.args.args[-1:]
        for default in node.args.defaults[-1:]
        if node.args.args[-1].arg == "code" and isinstance(default, ast.Name)
    }
    return usual | {code for call in calls for code in codes_of(call, named)}


def codes_of(call: ast.Call, named: Mapping[str, object]) -> Iterator[str]:
    """Yield what is given as a code: by keyword, to what takes notes, or handed on to it; `named`
    are the constants that have a name."""

    def text(value: ast.expr) -> str:
        found = named.get(value.id) if isinstance(value, ast.Name) else None
        found = value.value if isinstance(value, ast.Constant) else found
        return found if isinstance(found, str) and CODE.fullmatch(found) else ""

    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = [text(keyword.value) for keyword in call.keywords if keyword.arg == "code"]
    given += [text(value) for value in call.args[: NOTES.fullmatch(name) is not None]]
    yield from filter(None, given)
    yield from (found for found in map(text, call.args) if "-" in found)


def test_every_code_is_explained_once() -> None:
    """The table has the codes that there are, in alphabetical order, and no other."""
    rows = documented()
    assert rows == sorted(set(rows))
    assert used() - set(rows) == set()
    assert set(rows) - used() == set()


def test_what_has_an_answer_is_a_code() -> None:
    """The errors that do not stop a plan are among them."""
    assert set(documented()) >= RESOLVED
