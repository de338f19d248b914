"""The notice in old trees: seen, harmless, and written once."""

from __future__ import annotations

import codecs

import pytest

from penstock.migration.deprecate import MARK, mark_readme, mark_script
from tests.support.migrations import Ground
from tests.support.oldtrees import README, SCRIPT, write_tree

WARNING = "Write-Warning 'AI_MANGER is deprecated"
PROLOGUES = {
    "nothing": "Write-Host 1\n",
    "empty": "",
    "comments": "# one\n<# two\nparam(\n#>\nWrite-Host 1\n",
    "requires": "#Requires -Version 7\nusing namespace System.IO\nWrite-Host 1\n",
    "param": "param([string]$Task = 'Setup')\nWrite-Host 1\n",
    "attributes": "[CmdletBinding()]\n[OutputType([int])]\nparam(\n  [int]$A = (1 + 2)\n)\nWrite-Host 1\n",
    "brackets in text": "param(\n  $A = \")\", # )\n  $B = ')',\n  $C = @'\n)\n'@,\n  <# ) #> $D = \"`\"\"\n)\nWrite-Host 1\n",
    "a type at the top": "[Console]::WriteLine('x')\n",
    "one line": "param($A); Write-Host $A\n",
    "windows": SCRIPT,
}  # fmt: skip


def parses(text: str) -> bool:
    """Tell whether a text is PowerShell, as far as its grammar says."""
    language = pytest.importorskip("tree_sitter_powershell", reason="no parser of PowerShell")
    tree_sitter = pytest.importorskip("tree_sitter", reason="no parser of PowerShell")
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    return not parser.parse(text.encode()).root_node.has_error


@pytest.mark.parametrize("case", PROLOGUES)
def test_a_script_warns_after_its_parameters(case: str) -> None:
    """The warning is the first statement, and the script is still one; a second time nothing."""
    text = PROLOGUES[case]
    marked = mark_script(text)
    assert marked is not None
    assert marked.count(WARNING) == 1
    assert parses(marked)
    assert mark_script(marked) == marked
    before = marked[: marked.index(f"# {MARK}")]
    assert "Write-Host" not in before
    assert "Console" not in before


@pytest.mark.parametrize("case", [name for name, text in PROLOGUES.items() if "param(" in text])
def test_parameters_stay_first(case: str) -> None:
    """Nothing comes before `param`, or the script would not take parameters any more."""
    marked = mark_script(PROLOGUES[case]) or ""
    assert marked.index("param(") < marked.index(WARNING)


@pytest.mark.parametrize(
    "text",
    [
        "begin { 1 }\nprocess { 2 }\n",
        "param($A)\nprocess { $A }\n",
        "param($A\nWrite-Host 1\n",
        "[Broken(\nWrite-Host 1\n",
    ],
)
def test_where_no_statement_may_stand_a_comment_does(text: str) -> None:
    """Blocks, and what cannot be understood, get a comment at the top."""
    marked = mark_script(text)
    assert marked is not None
    assert marked.startswith(f"# {MARK}")
    assert marked.endswith(text)
    assert WARNING not in marked


def test_a_signed_script_is_left_alone() -> None:
    """A change would break its signature."""
    assert mark_script("Write-Host 1\n# SIG # Begin signature block\n# AAAA\n") is None


def test_a_readme_begins_with_the_notice() -> None:
    """Line ends stay, an empty one is filled, and it is written once."""
    marked = mark_readme(README)
    assert marked.startswith(f"<!-- {MARK} -->\r\n> **Deprecated.**")
    assert marked.endswith(README)
    assert "\n" not in marked.replace("\r\n", "")
    assert mark_readme(marked) == marked
    assert mark_readme("").endswith("takes it all back.\n")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
     (codecs.BOM_UTF16_BE, "utf-16-be")],
)  # fmt: skip
def test_encodings_stay(ground: Ground, mark: bytes, encoding: str) -> None:
    """A script in the encoding of Windows keeps it, with its mark and its line ends."""
    path = ground.root / "AI_MANGER" / "build.ps1"
    path.write_bytes(mark + SCRIPT.encode(encoding))
    ground.apply(mark=True)
    data = path.read_bytes()
    assert data.startswith(mark)
    text = data.removeprefix(mark).decode(encoding)
    assert WARNING in text
    assert "\n" not in text.replace("\r\n", "")


def test_what_cannot_be_marked_is_told(ground: Ground) -> None:
    """A signed script, a tree without one, and a README that is made where there is none."""
    folder = ground.root / "AI_MANGER"
    (folder / "README.md").rename(folder / "Readme.MD")
    (folder / "build.ps1").write_text("# SIG # Begin signature block\n")
    report = ground.apply(mark=True)
    assert any("is signed" in text for text in report.warnings)
    assert MARK in (folder / "Readme.MD").read_text()
    (folder / "build.ps1").unlink()
    (folder / "Readme.MD").unlink()
    again = ground.apply(mark=True, now="2026-02-01T00:00:00Z")
    assert any("no build.ps1" in text for text in again.warnings)
    assert MARK in (folder / "README.md").read_text()


def test_a_tree_elsewhere_is_read_and_not_marked(ground: Ground) -> None:
    """What lies outside of the repository is not ours to change."""
    folder = write_tree(ground.home.parent)
    (ground.root / "AI_MANGER" / "config" / "toolstack.config.json").unlink()
    report = ground.apply(mark=True, source=folder)
    assert "outside of the repository" in " ".join(report.warnings)
    assert (folder / "README.md").read_bytes().decode() == README
