"""The readers of tools that print lines, and of formatters that print paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.finding import Category, Severity
from tests.support.readers import brief, parse

TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1\nOSError: no disk\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with the files that outputs below speak of."""
    for name in ("a.c", "b b.ts", "-x.sh"):
        (tmp_path / name).write_text("text\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a.c:3:5: error: no such thing", "a.c:3:5 error no such thing"),
        ("a.c:3: just words", "a.c:3 warning just words"),
        (
            "a.c:3:5: warning: unused [-Wunused-variable]",
            "a.c:3:5 warning -Wunused-variable unused",
        ),
        ("a.c:3:5: E302 expected 2 blank lines", "a.c:3:5 warning E302 expected 2 blank lines"),
        ("a.c:1:1: [error] too many spaces", "a.c:1:1 error too many spaces"),
        ("b b.ts(4,7): error TS2304: Cannot find it", "b b.ts:4:7 error TS2304 Cannot find it"),
        ("a.c(4): fatal error: stop", "a.c:4 error stop"),
        ("./-x.sh:2:1: note: look here", "./-x.sh:2:1 info look here"),
        ("\x1b[1ma.c:3:5:\x1b[0m \x1b[31merror:\x1b[0m bad", "a.c:3:5 error bad"),
    ],
)
def test_common_forms_are_read(tree: Path, line: str, told: str) -> None:
    """Place, severity, code and message are taken from the forms that compilers and linters use."""
    assert brief(parse("lines", line, tree=tree)) == [told]


@pytest.mark.parametrize(
    "line", ["12:30:45: starting", "http://host:80: refused", "gone.c:1:2: error: x", "All good"]
)
def test_what_only_looks_like_a_place_is_left_out(tree: Path, line: str) -> None:
    """Only a file of the tree makes a line a finding."""
    parsed = parse("lines", line, tree=tree)
    assert parsed.ok
    assert parsed.findings == ()


def test_an_absolute_path_is_kept_as_printed(tree: Path) -> None:
    """Making paths relative is for those who know the tree's other names."""
    parsed = parse("lines", f"{tree}/a.c:1:2: x", tree=tree)
    assert parsed.findings[0].path == f"{tree}/a.c"


def test_a_pattern_of_the_manifest_is_used() -> None:
    """The groups of a pattern are the fields, whether the file is there or not."""
    pattern = r"^(?P<severity>\w)!(?P<path>.+?)@(?P<line>\d+)/(?P<column>\d+) (?P<code>\S+) (?P<message>.+)$"
    parsed = parse(
        "lines",
        "X!gone.q@0/0 Q7 wrong\nchatter\n",
        pattern=pattern,
        severities={"x": "error"},
        categories={"Q*": "type"},
        zero_based=["line", "column"],
    )
    assert brief(parsed) == ["gone.q:1:1 error Q7 wrong"]
    assert parsed.findings[0].category is Category.TYPE


def test_a_pattern_may_name_only_a_path() -> None:
    """A formatter's lines need no message."""
    parsed = parse(
        "lines", "bad: a.c\n", pattern="^bad: (?P<path>.+)$", category="formatting", severity="info"
    )
    (found,) = parsed.findings
    assert (found.message, found.code, found.fixable) == ("would be reformatted", "format", True)
    assert found.severity is Severity.INFO


def test_a_pattern_without_fields_tells_so() -> None:
    """A finding without words says that it has none."""
    assert brief(parse("lines", "x", pattern="x")) == ["warning no message"]


@pytest.mark.parametrize("name", ["lines", "listed"])
def test_a_broken_pattern_is_not_ok(name: str) -> None:
    """A manifest that lies is told of, not raised."""
    parsed = parse(name, "x", pattern="(")
    assert not parsed.ok
    assert "pattern" in parsed.why


@pytest.mark.parametrize("name", ["lines", "listed"])
def test_a_traceback_beside_findings_is_not_ok(tree: Path, name: str) -> None:
    """A tool that died after the first file has not looked at the others."""
    output = "a.c:1:1: bad" if name == "lines" else "a.c"
    parsed = parse(name, output, stderr=TRACEBACK, tree=tree)
    assert not parsed.ok
    assert parsed.why == "it crashed: OSError: no disk"
    assert len(parsed.findings) == 1


def test_the_named_stream_is_read(tree: Path) -> None:
    """Standard error is looked at when the manifest says so, and only then."""
    assert brief(parse("lines", "", stderr="a.c:1: x", tree=tree)) == []
    assert brief(parse("lines", "", stderr="a.c:1: x", tree=tree, stream="stderr")) == [
        "a.c:1 warning x"
    ]


def test_an_endless_line_is_cut(tree: Path) -> None:
    """A line of a megabyte is read as far as a message goes."""
    (found,) = parse("lines", "a.c:1:1: " + "y" * (1 << 20), tree=tree).findings
    assert len(found.message) <= 4000


# -- paths ---------------------------------------------------------------------------------------
def test_listed_paths_would_be_reformatted(tree: Path) -> None:
    """Each path is one finding that the tool can mend, told once."""
    parsed = parse("listed", "a.c\nb b.ts\n\na.c\n", tree=tree, category="formatting")
    assert parsed.ok
    assert brief(parsed) == [
        "a.c warning format would be reformatted",
        "b b.ts warning format would be reformatted",
    ]
    assert all(f.fixable and f.category is Category.FORMATTING for f in parsed.findings)


@pytest.mark.parametrize("line", ["Usage: it [options]", "x" * 5000, "gone.c"])
def test_a_line_that_names_no_file_is_not_ok(tree: Path, line: str) -> None:
    """Words where paths should be mean that something else has happened."""
    assert not parse("listed", f"a.c\n{line}\n", tree=tree).ok


def test_a_listing_with_a_pattern_leaves_chatter_out(tree: Path) -> None:
    """With a pattern, its group is the path."""
    parsed = parse(
        "listed",
        "would reformat gone.c\nAll done\n",
        tree=tree,
        pattern="^would reformat (?P<path>.+)$",
    )
    assert [f.path for f in parsed.findings] == ["gone.c"]


def test_an_empty_listing_is_clean(tree: Path) -> None:
    """Nothing to reformat is nothing to print."""
    assert parse("listed", "\n", tree=tree).ok
