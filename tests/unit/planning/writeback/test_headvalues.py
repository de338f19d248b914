"""Single values of frontmatter."""

from __future__ import annotations

import pytest

from penstock.planning.sources.text import from_bytes
from penstock.planning.writeback.headvalues import head_value, set_values


@pytest.mark.parametrize(
    ("line", "text", "changed"),
    [
        ("status: open", "open", "status: closed"),
        ("status:open", "open", "status: closed"),
        ("status : open", "open", "status : closed"),
        ("status:    open   ", "open", "status:    closed   "),
        ("status: open # why", "open", "status: closed # why"),
        ("status: open#1", "open#1", "status: closed"),
        ("status: in review  # why", "in review", "status: closed  # why"),
        ('status: "open" # why', "open", 'status: "closed" # why'),
        ("status: 'it''s open'", "it''s open", "status: 'closed'"),
        ('"status": open', "open", '"status": closed'),
        ("status:", "", "status: closed"),
        ("status: ", "", "status: closed"),
        ("status: # later", "", "status: closed # later"),
        ("status: 进行中", "进行中", "status: closed"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_value_is_changed_and_what_is_around_it_stays(
    line: str, text: str, changed: str, ends: str
) -> None:
    """Spaces, quotes, comments and line ends are kept."""
    raw = ends.join(["---", "a: 1", line, "b: 2", "---", "status: open", ""])
    file = from_bytes(raw.encode(), "12.md")
    found = head_value(file, "status")
    assert found is not None
    assert found.text == text
    assert set_values(file, {"status": "closed", "none": "1"}).decode() == raw.replace(line, changed, 1)  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        "", "status: open\n", "---\nstatus: open\n", "---\n  - status\n---\n", "---\n---\n",
        "---\n  status: open\n---\n", "---\n# status: open\n---\n", "---\nx: {status: open}\n---\n",
    ],
)  # fmt: skip
def test_what_is_no_value_of_the_head_is_not_found(raw: str) -> None:
    """No frontmatter, one that never ends, an inner mapping, a comment."""
    file = from_bytes(raw.encode(), "12.md")
    assert head_value(file, "status") is None
    assert set_values(file, {"status": "closed"}) == raw.encode()


def test_the_last_of_two_counts() -> None:
    """As it does for whoever reads it."""
    file = from_bytes(b"---\nstatus: open\nstatus: review\n---\n", "12.md")
    assert set_values(file, {"status": "closed"}) == b"---\nstatus: open\nstatus: closed\n---\n"
