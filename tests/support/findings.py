"""Findings, and reports of the error engine, made by hand and by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from penstock.model.finding import Category, Finding, Severity

CODES = ("E1", "F401", "no-unused-vars")
TOOLS = ("ruff", "eslint")


def finding(**fields: Any) -> Finding:
    """A finding of ruff in a.py, but for these fields."""
    usual: dict[str, Any] = {"tool": "ruff", "message": "it is wrong", "path": "a.py"}
    return Finding(**{**usual, **fields})


def lines_by_path(*lines: str) -> Callable[[str], Sequence[str]]:
    """A reader for which every file has these lines."""

    def lines_of(path: str) -> Sequence[str]:
        return lines

    return lines_of


def any_text(max_size: int = 40) -> st.SearchStrategy[str]:
    """Text with everything that a tool or a file name may hold: controls, surrogates, brackets."""
    awkward = st.sampled_from(
        ["\x00", "\x1b[31m", "\r\n", "]]>", "<&\"'", "%0A", "::", "\udcff", "\U0001f600", " "]
    )
    return st.lists(st.one_of(st.text(max_size=8), awkward), max_size=max_size // 8).map("".join)


def findings(paths: Sequence[str] = ("a.py", "b.js")) -> st.SearchStrategy[Finding]:
    """Findings of two tools in these files; lines and columns are there or not."""
    place = st.none() | st.integers(1, 6)
    return st.builds(
        Finding,
        tool=st.sampled_from(TOOLS),
        message=any_text(),
        path=st.sampled_from(paths),
        line=place,
        column=place,
        end_line=place,
        end_column=place,
        code=st.none() | st.sampled_from(CODES) | any_text(16),
        category=st.sampled_from(Category),
        severity=st.sampled_from(Severity),
        fixable=st.booleans(),
        url=st.none() | st.just("https://rules.example/E1") | any_text(16),
        fingerprint=st.none() | st.just("0123456789abcdef"),
    )
