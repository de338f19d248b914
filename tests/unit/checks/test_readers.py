"""Readers turn the output of tools into findings. The samples are real output."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penstock.checks.readers import read
from penstock.checks.reading import (
    MAX_FINDINGS,
    MAX_MESSAGE,
    Evidence,
    bounded,
    clean,
    line_of,
    relative,
    tail_of,
)
from penstock.model.finding import Category, Finding, Severity
from tests.support.repofiles import write_files

RUFF = """\
{"cell":null,"code":"invalid-syntax","end_location":{"column":1,"row":3},"filename":"%s/bad.py",\
"fix":null,"location":{"column":1,"row":3},"message":"unexpected EOF while parsing","url":null}
{"cell":null,"code":"I001","filename":"%s/a.py","location":{"column":1,"row":1},"message":"Import"}
{"cell":null,"code":"S101","filename":"%s/a.py","location":{"column":5,"row":2},"message":"assert"}
{"cell":null,"code":null,"filename":"%s/a.py","location":{"column":1,"row":9},"message":"SyntaxError"}
{"cell":null,"code":"F821","filename":"/elsewhere/b.py","location":null,"message":"Undefined `y`"}
"""
MYPY = """\
bad.py:3:2: error: Unexpected EOF while parsing  [syntax]
two.py:1:10: error: Incompatible types in assignment (expression has type "str")  [assignment]
two.py:2:13: note: Revealed type is "int"
two.py:7: error: Missing return statement
C:\\x.py:7: error: Windows  [misc]
Found 3 errors in 2 files (checked 2 source files)
"""
LINES = """\
vet: ./a.go:3:2: undefined: x
a.go:12:5: result of fmt.Sprintf call not used
src/main.rs:2:5: error[E0308]: mismatched types
./b.md:3: teh ==> the
c.ts(5,7): error TS2322: Type 'string' is not assignable
c.ts(9): note
./d.yml:1:1: [error] missing document start "---" (document-start)
12:30:45: a time and no file
http://localhost:80: an address
gone.py:1: not in the tree
would reformat a.py
Would reformat: src/main.rs
would reformat gone.py
a.go:0:0: whole file
"""


def evidence(tree: Path, stdout: str = "", stderr: str = "", **fields: object) -> Evidence:
    """Return what a tool left that ran at the top of `tree`."""
    given = {"tool": "t", "cwd": tree, "exit_code": 1, **fields}
    return Evidence(tree=tree, stdout=stdout, stderr=stderr, **given)  # type: ignore[arg-type]


def test_ruffs_json_lines_are_read(tmp_path: Path) -> None:
    """Place, code, category and severity come from the JSON."""
    found = read("ruff", evidence(tmp_path, RUFF.replace("%s", str(tmp_path)))).findings
    assert [(f.path, f.line, f.column, f.code, f.category, f.severity) for f in found] == [
        ("bad.py", 3, 1, "invalid-syntax", Category.SYNTAX, Severity.ERROR),
        ("a.py", 1, 1, "I001", Category.FORMATTING, Severity.WARNING),
        ("a.py", 2, 5, "S101", Category.SECURITY, Severity.WARNING),
        ("a.py", 9, 1, None, Category.SYNTAX, Severity.ERROR),
        (None, None, None, "F821", Category.STYLE, Severity.WARNING),
    ]
    assert found[-1].message == "/elsewhere/b.py: Undefined `y`"


def test_ruffs_findings_are_rendered_for_people(tmp_path: Path) -> None:
    """The rendering has a line for each finding, and what went to standard error."""
    text = read("ruff", evidence(tmp_path, RUFF.replace("%s", str(tmp_path)), "warning: x")).text
    assert text is not None
    assert text.startswith("bad.py:3:1: invalid-syntax unexpected EOF")
    assert text.endswith("\nwarning: x")


def test_rubbish_from_ruff_is_no_finding(tmp_path: Path) -> None:
    """Lines that are no JSON, or other JSON, are passed over."""
    reading = read("ruff", evidence(tmp_path, 'te": 1}\n{}\n[]\nerror: x\n{"filename": 1}\n'))
    assert (reading.findings, reading.text) == ((), None)


def test_mypys_messages_are_read(tmp_path: Path) -> None:
    """Errors become findings; notes and the summary do not."""
    found = read("mypy", evidence(tmp_path, MYPY)).findings
    assert [(f.path, f.line, f.column, f.code, f.category) for f in found] == [
        ("bad.py", 3, 2, "syntax", Category.SYNTAX),
        ("two.py", 1, 10, "assignment", Category.TYPE),
        ("two.py", 7, None, None, Category.TYPE),
        ("C:\\x.py", 7, None, "misc", Category.TYPE),
    ]
    assert found[1].message.startswith("Incompatible types in assignment")


def test_anything_with_file_and_line_is_read(tmp_path: Path) -> None:
    """Lines that name a file of the tree are findings, and look-alikes are not."""
    write_files(
        tmp_path, dict.fromkeys(["a.go", "src/main.rs", "b.md", "c.ts", "d.yml", "a.py"], "")
    )
    found = read("lines", evidence(tmp_path, LINES)).findings
    assert [(f.path, f.line, f.column) for f in found] == [
        ("a.go", 3, 2),
        ("a.go", 12, 5),
        ("src/main.rs", 2, 5),
        ("b.md", 3, None),
        ("c.ts", 5, 7),
        ("c.ts", 9, None),
        ("d.yml", 1, 1),
        ("a.py", None, None),
        ("src/main.rs", None, None),
        ("a.go", None, None),
    ]
    assert found[2].message == "error[E0308]: mismatched types"
    assert found[7].category is Category.FORMATTING


def test_an_unknown_reader_reads_lines(tmp_path: Path) -> None:
    """A parser's name that nobody knows is read like any text."""
    write_files(tmp_path, {"x": ""})
    assert read("none", evidence(tmp_path, "", "x:1: y")).findings[0].path == "x"


def test_paths_are_told_from_the_tree(tmp_path: Path) -> None:
    """A relative path counts from where the tool ran, an absolute one may be the real one."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tree)
    here = evidence(tree, cwd=tree / "sub")
    assert relative("a.py", here) == "sub/a.py"
    assert relative("../a.py", here) == "a.py"
    assert relative("../../a.py", here) is None
    assert relative(str(tree / "x/y.py"), here) == "x/y.py"
    assert relative(str(tree / "a.py"), evidence(tmp_path / "link")) == "a.py"


def test_findings_are_bounded() -> None:
    """At most 200 different findings with messages of at most 2000 characters are kept."""
    many = [Finding(tool="t", message=f"{n}" * 9000) for n in range(500)]
    kept = bounded(many)
    assert len(kept) == MAX_FINDINGS
    assert max(len(f.message) for f in kept) == MAX_MESSAGE
    assert len(bounded([many[0], many[0]])) == 1


def test_tails_are_bounded() -> None:
    """The end of the output is what counts; standard error comes last."""
    assert tail_of("a\n", "b\n") == "a\nb"
    assert tail_of("", "  \n") == ""
    cut = tail_of("x" * 50, "end", limit=20)
    assert len(cut) == 20
    assert cut.startswith("...\n")
    assert cut.endswith("end")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        (b"a\r\nb\rc", "a\nb\nc"),
        (b"\xff\x00\x07x\t", "\ufffdx\t"),
    ],
)
def test_text_is_cleaned(data: bytes, text: str) -> None:
    """Colours, links, control characters and wrong bytes are taken out."""
    assert clean(data) == text


def test_a_finding_reads_like_a_compilers() -> None:
    """Only what is known is said."""
    assert (
        line_of(Finding(tool="t", message="m", path="a", line=1, column=2, code="C"))
        == "a:1:2: C m"
    )
    assert line_of(Finding(tool="t", message="m", path="a")) == "a: m"
    assert line_of(Finding(tool="t", message="m")) == "m"


@pytest.mark.parametrize("parser", ["ruff", "mypy", "lines", "pytest"])
@pytest.mark.parametrize(
    "piece", [":1: error: ", "a:1:", "\x1b]", "FAILED - ", "(1,", "[" * 9, " "]
)
def test_hostile_output_takes_linear_time(tmp_path: Path, parser: str, piece: str) -> None:
    """Output made to confuse the readers is read within seconds."""
    text = clean((piece * 200_000 + "\n").encode() + (piece + "\n").encode() * 20_000)
    began = time.monotonic()
    read(parser, evidence(tmp_path, text))
    assert time.monotonic() - began < 20
