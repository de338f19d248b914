"""One door to all readers: what cannot be read at all is a user's mistake, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.planning.sources.api import Dialect
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import locate
from tests.support.plan_texts import CHANGE, read_one, write_change, write_tree
from tests.support.unprivileged import python

ROOT = Path(__file__).parents[4]
PLANS = {
    ".claude/epics/shop/epic.md": "---\nname: shop\nstatus: open\n---\n# Epic\n",
    ".claude/epics/shop/001.md": "---\nname: a\nstatus: open\n---\n# Task: a\n",
    "specs/001-search/tasks.md": "## Phase 1: Setup\n\n- [ ] T001 Make `src/a.py`\n",
    "tasks.json": '{"tasks": [{"id": 1, "title": "a", "status": "pending"}]}',
    "TODO.md": "- [ ] a\n",
}


@pytest.mark.parametrize(
    ("word", "dialect"),
    [
        ("shop", Dialect.CCPM),
        ("001-search", Dialect.SPEC_KIT),
        ("tasks.json", Dialect.TASK_MASTER),
        ("TODO.md", Dialect.CHECKLIST),
        ("add-login", Dialect.OPENSPEC),
    ],
)
def test_each_dialect_is_read_by_its_reader(tmp_path: Path, word: str, dialect: Dialect) -> None:
    """And nothing that it holds names this machine."""
    source = read_one(write_change(write_tree(tmp_path, PLANS)), word)
    assert (source.dialect, len(source.items) > 0) == (dialect, True)
    assert str(tmp_path) not in repr(source)


def test_standard_input_is_a_checklist(tmp_path: Path) -> None:
    """Its bytes are those that were read when it was found."""
    (found,) = locate(["-"], tmp_path, tmp_path, stdin=lambda: b"* [x] a\n")
    source = read_source(found, tmp_path)
    assert [(item.text, item.state.value) for item in source.items] == [("a", "done")]


@pytest.mark.parametrize("content", [b"\xff\xfe-\0", b"PNG\0\1"])
def test_what_is_no_text_is_a_users_mistake(tmp_path: Path, content: bytes) -> None:
    """With the name of the file."""
    (tmp_path / "plan.md").write_bytes(content)
    with pytest.raises(UsageError, match=r"plan\.md: "):
        read_one(tmp_path, "plan.md")


READ = """
import sys
from pathlib import Path
from penstock.errors import UsageError
from tests.support.plan_texts import read_one
try:
    source = read_one(Path(sys.argv[1]), sys.argv[2])
    print([(notice.code, notice.text) for notice in source.notices], len(source.items))
except UsageError as error:
    print(error)
"""


def test_what_may_not_be_read_is_a_users_mistake(tmp_path: Path) -> None:
    """No permission, no traceback: of a plan as a whole, and of a part of it."""
    write_change(write_tree(tmp_path, {"plan.md": "- [ ] a\n"}), {"design.md": "x"})
    for name in ("plan.md", f"{CHANGE}/design.md"):
        (tmp_path / name).chmod(0)
    said = [python(READ, [tmp_path, word], cwd=ROOT) for word in ("plan.md", "add-login")]
    assert "plan.md: cannot be opened: Permission denied" in said[0]
    assert "unreadable" in said[1]
    assert said[1].endswith(" 2\n")


def test_a_repository_reached_through_a_link_reads_the_same(tmp_path: Path) -> None:
    """Names are those within it, whichever way one came."""
    write_change(tmp_path / "repo")
    (tmp_path / "link").symlink_to("repo")
    assert read_one(tmp_path / "link") == read_one(tmp_path / "repo")
