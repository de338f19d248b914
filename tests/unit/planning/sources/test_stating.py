"""Paths in lists of files, and the words beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.sources.api import Use
from penstock.planning.sources.stating import clean_path, looks_like_path, named_paths


def named(text: str, use: Use = Use.MODIFY) -> list[str]:
    """The paths of a line: + for one to create, = for one to read."""
    signs = {Use.MODIFY: "", Use.CREATE: "+", Use.READ: "="}
    return [signs[each.use] + each.path for each in named_paths(text, use)]


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("- src/a.ts", ["src/a.ts"]),
        ("* `src/a.ts`", ["src/a.ts"]),
        ("1. ./src/a.ts.", ["src/a.ts"]),
        ("- [ ] src/a.ts", ["src/a.ts"]),
        ("src/a.ts, src/b.ts; src/c.ts、src/d.ts\uff0csrc/e.ts", [f"src/{n}.ts" for n in "abcde"]),
        ("`src\\win.py`", ["src/win.py"]),
        ("`with blank.txt`, **src/a.ts**: text", ["with blank.txt", "src/a.ts"]),
        ("[a](src/a.md), [src/b.md](#b)", ["src/a.md", "src/b.md"]),
        ("src/routes/*.ts src/db/* src/** *.md", ["src/routes/*.ts", "src/db/*", "src/**", "*.md"]),
        ("config/{a,b}.json", ["config/{a,b}.json"]),
        ("Makefile and .gitignore", ["Makefile", ".gitignore"]),
        ("src/a.ts src/a.ts", ["src/a.ts"]),
        ("`src/a.ts` - uses `lib/b.ts`", ["src/a.ts"]),
        ("API routes - `src/api.ts`", ["src/api.ts"]),
        ("{file patterns}, <dir/file>, [path/to/file]", []),
        ("[src/a.ts, src/b.ts] [src/c.ts]", ["src/a.ts", "src/b.ts", "src/c.ts"]),
        ("https://example.invalid/a.py and/or v1.2 e.g. 3.14 words", []),
        ("", []),
        ("/etc/passwd ../up.py", ["/etc/passwd", "../up.py"]),
        ("`` { }", []),
    ],
)
def test_what_is_a_path(line: str, paths: list[str]) -> None:
    """Backticks, folders and extensions make a path; remarks, placeholders and links do not."""
    assert named(line) == paths


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("src/a.ts (new), src/b.ts", ["+src/a.ts", "src/b.ts"]),
        ("src/a.ts, src/b.ts (new)", ["src/a.ts", "+src/b.ts"]),
        ("Update src/a.py and create src/b.py", ["src/a.py", "+src/b.py"]),
        ("New: src/a.c, src/b.c", ["+src/a.c", "+src/b.c"]),
        ("`src/a.py`\uff08新建\uff09、src/b.py", ["+src/a.py", "src/b.py"]),
        ("作成: src/a.py", ["+src/a.py"]),
        ("src/a.py - read-only", ["=src/a.py"]),
        ("src/a.py (reference), src/b.py", ["=src/a.py", "src/b.py"]),
        ("src/new.py, src/address.py", ["src/new.py", "src/address.py"]),
    ],
)
def test_remarks_are_for_the_path_they_stand_beside(line: str, paths: list[str]) -> None:
    """What is new or only read is said before all, before one, or in brackets behind one."""
    assert named(line) == paths


def test_a_use_that_was_said_before_holds_until_another_is() -> None:
    """As below a label `Files to create:`."""
    assert named("src/a.py", Use.CREATE) == ["+src/a.py"]
    assert named("src/a.py (read-only)", Use.CREATE) == ["=src/a.py"]


@given(st.text(max_size=200))
def test_any_line_is_taken(line: str) -> None:
    """Each path once, none empty, none that a second look would change."""
    found = [each.path for each in named_paths(line)]
    assert len(set(found)) == len(found)
    assert all(path and clean_path(path) for path in found)


@given(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){1,3}\.(py|ts|md)", fullmatch=True))
def test_a_path_is_found_as_it_is(path: str) -> None:
    """Bare, in backticks and in a list."""
    assert looks_like_path(path)
    assert named(path) == named(f"- `{path}`") == named(f"* {path}, ") == [path]
