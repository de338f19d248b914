"""Findings, and reports of the error engine, made by hand and by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from penstock.model.finding import Category, Finding, Severity
from penstock.model.inspection import (
    CheckReport,
    Explanation,
    FileResult,
    FileStatus,
    PluginState,
    PluginUse,
)

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


def uses() -> st.SearchStrategy[PluginUse]:
    """Plugins in every state, with or without a version, a reason and a hint."""
    return st.builds(
        PluginUse,
        plugin_id=st.sampled_from(["python_ruff", "python_mypy", "js_eslint"]) | any_text(16),
        state=st.sampled_from(PluginState),
        version=st.none() | st.just("1.2.3") | any_text(8),
        files=st.integers(0, 3),
        cached=st.integers(0, 3),
        duration_s=st.floats(0, 9),
        reason=st.none() | any_text(),
        hint=st.none() | any_text(16),
    )


def results() -> st.SearchStrategy[FileResult]:
    """Files with findings of every kind, whatever their names."""
    some = st.lists(findings(), max_size=3).map(tuple)
    return st.builds(
        FileResult,
        path=st.sampled_from(["a.py", "src/b c.py", "a:b.py", "-x.py", "ä.py"]) | any_text(16),
        status=st.sampled_from(FileStatus),
        findings=some,
        suppressed=some,
        known=some,
        fixed_by=st.just(()) | st.just(("python_black_fix",)),
        cached=st.booleans(),
    )


def reports() -> st.SearchStrategy[CheckReport]:
    """Whole reports of the error engine."""
    explained = st.builds(
        Explanation,
        plugin_id=any_text(8),
        path=st.just("a.py") | any_text(8),
        cached=st.booleans(),
        because=any_text(16),
    )
    return st.builds(
        CheckReport,
        started_at=st.floats(0, 4e9),
        duration_s=st.floats(0, 1e5),
        files=st.lists(results(), max_size=3).map(tuple),
        plugins=st.lists(uses(), max_size=3).map(tuple),
        problems=st.lists(any_text(), max_size=2).map(tuple),
        unusable=st.lists(st.tuples(any_text(16), any_text()), max_size=2).map(tuple),
        explanations=st.lists(explained, max_size=2).map(tuple),
        fixed_known=st.integers(0, 2),
        interrupted=st.booleans(),
    )


def report(*files: FileResult, **fields: Any) -> CheckReport:
    """A report of these files that took 0.4 seconds at a known time."""
    usual: dict[str, Any] = {"started_at": 1_700_000_000.0, "duration_s": 0.4, "files": files}
    return CheckReport(**{**usual, **fields})


def result(*found: Finding, path: str = "a.py", **fields: Any) -> FileResult:
    """A file with these findings, failed when one of them is an error."""
    bad = any(one.severity is Severity.ERROR for one in found)
    status = FileStatus.FAILED if bad else FileStatus.PASSED
    return FileResult(**{"path": path, "status": status, "findings": found, **fields})


def large_report(files: int, each: int) -> CheckReport:
    """A report of so many files with so many errors each."""
    found = tuple(
        finding(line=n + 1, column=3, code="F401", message="`os` imported but unused, as so often")
        for n in range(each)
    )
    return report(*(result(*found, path=f"src/pkg/m{n}.py") for n in range(files)))
