"""The document of the mapping: its table holds, and it never feeds the index itself."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.specs.api import IndexRow, MappedTag
from penstock.planning.specs.document import COLUMNS, render, shortened
from penstock.planning.specs.index import is_map
from penstock.planning.specs.mapping import map_tag
from penstock.planning.specs.rules import DEFAULT, load_rules
from penstock.planning.specs.scan import tags


def mapped(description: str, idx: str = "IDX-DB-USERS-60", file: str = "docs/a.md") -> MappedTag:
    """A mapped tag with a description."""
    return map_tag(IndexRow(idx=idx, file=file, line=7, description=description), DEFAULT)


def table(text: str) -> list[str]:
    """The rows of the table of tags, its head first."""
    _, _, rest = text.partition("## Tags\n")
    return [line for line in rest.splitlines() if line.startswith("|")]


def test_a_row_for_each_tag() -> None:
    """With all that is known of it, in the order given."""
    head, _, first, second = table(render([mapped("get a user"), mapped("x", "IDX-2-1")], DEFAULT))
    assert head == f"| {' | '.join(COLUMNS)} |"
    assert first == (
        "| IDX-DB-USERS-60 | get a user | docs/a.md | 7 | src/pipeline/db.py | get_users | PH-02 | v2.0 |"
    )
    assert second == "| IDX-2-1 | x | docs/a.md | 7 | TBD | TBD | TBD | v1.0 |"


def test_descriptions_are_cut_at_fifty() -> None:
    """And end in dots then."""
    assert shortened("x" * 50) == "x" * 50
    assert shortened("x" * 51) == "x" * 50 + "..."


def test_the_rules_are_those_in_force(tmp_path: Path) -> None:
    """The user's own too, and the phases that they name."""
    (tmp_path / "config").mkdir()
    place = tmp_path / "config" / "spec_mapping.yaml"
    place.write_text("packaged: false\ncategories: {AUTH: {module: src/auth.py, phase: PH-02}}\n")
    text = render([], load_rules(tmp_path))
    assert "| `IDX-AUTH-*` | `src/auth.py` | PH-02 |" in text
    assert "- PH-02: " in text
    assert "PH-03" not in text


def test_without_tags_it_says_how_to_make_one() -> None:
    """And holds none itself."""
    text = render([], DEFAULT)
    assert "No tags were found" in text
    assert tags(text, "map.md") == ()


@given(st.text(alphabet=st.sampled_from("|\\`[]IDX-A1<!>\n x"), max_size=80))
def test_any_description_stays_in_its_cell(description: str) -> None:
    """The table keeps its shape, and the document holds no tag."""
    text = render([mapped(description, file=f"docs/{description}.md")], DEFAULT)
    (row,) = table(text)[2:]
    cells = row.replace("\\\\", "").replace("\\|", "").split(" | ")
    assert len(cells) == len(COLUMNS)
    assert tags(text, "map.md") == ()
    assert is_map(text)
