"""What a tool is told about a draft."""

from __future__ import annotations

from penstock.planning.refining.api import ANSWER_FILE
from penstock.planning.refining.prompt import instructions
from tests.support.refining import Proposal


def test_a_tool_is_told_the_file_the_counts_and_the_limit() -> None:
    """And what is refused."""
    text = instructions(Proposal().draft.document, limit=3)
    assert ANSWER_FILE in text
    assert "2 workstreams" in text
    assert "More than 3 files in a workstream" in text


def test_the_schema_is_the_one_that_is_shown() -> None:
    """Every field that the instructions name is one of the draft."""
    shown = Proposal().shown.decode()
    text = instructions(Proposal().draft.document, limit=3)
    for field in ("files_scope", "needs_scope", "depends_on", "acceptance_tests", "conflict_group"):
        assert f"`{field}`" in text
        assert f'"{field}"' in shown
