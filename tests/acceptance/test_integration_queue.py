"""The integration queue: finished workstreams are merged, checked together, and only then landed."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.merging import Merging, steps_of_merge, together
from tests.support.pipeline import says
from tests.support.repos import git


@pytest.fixture
def project(tmp_path: Path) -> Merging:
    """A project in which workstreams may meet."""
    return Merging(tmp_path / "project")


NAMES = ("ws-a", "ws-b", "ws-c", "ws-d")


def four(project: Merging, **odd: str) -> None:
    """Four workstreams with a file each; `odd` gives the texts of some."""
    for name in NAMES:
        text = odd.get(name.removeprefix("ws-"), "fine")
        project.bundle(name, says(f"{text}\n", f"{name}.txt"), says("mended\n", f"{name}.txt"))


def test_a_batch_lands_with_one_run_of_the_checks(project: Merging) -> None:
    """Four at once are stacked in their order, checked once and landed as four merges."""
    four(project)
    with together(4):
        assert project.run().status == "succeeded"
    assert project.runs() == ["shared ws-a ws-b ws-c ws-d"]
    assert project.history() == [f"Merge {name} (run-1)" for name in NAMES]
    for name in NAMES:
        assert steps_of_merge(project, name) == [("integrate", "succeeded")]
    assert project.leftovers() == []


def test_of_a_red_batch_only_the_culprit_is_charged(project: Merging) -> None:
    """The batch is halved until the one that breaks it stands alone; it gets the FIX turn."""
    four(project, a="fuse", c="fuse")
    with together(4):
        assert project.run().status == "succeeded"
    for name in ("ws-a", "ws-b", "ws-d"):
        assert ("fix", "succeeded") not in steps_of_merge(project, name)
        assert ("integrate", "failed") not in steps_of_merge(project, name)
    assert steps_of_merge(project, "ws-c")[-3:] == [
        ("integrate", "failed"), ("fix", "succeeded"), ("integrate", "succeeded"),
    ]  # fmt: skip
    assert project.integrated("ws-c.txt") == "mended"


def test_an_unlucky_batch_lands_at_the_second_try(project: Merging) -> None:
    """Red once and green the second time is told as flaky and costs nobody a FIX turn."""
    four(project, b="unlucky")
    project.unlucky(2)
    with together(4):
        assert project.run().status == "succeeded"
    assert project.runs() == ["shared ws-a ws-b ws-c ws-d"] * 3
    (told,) = project.told(EventType.FLAKY_CHECK)
    assert told == {"step": "integrate", "check": "the merge of ws-a, ws-b, ws-c, ws-d"}
    assert [steps_of_merge(project, name)[-1] for name in NAMES] == [("integrate", "succeeded")] * 4
    assert not any(a.step_name == "fix" for name in NAMES for a in project.attempts(name))


def test_an_unlucky_check_is_told(project: Merging) -> None:
    """A check of a merge that passes when it is run once more is told by its name."""
    four(project, b="unlucky")
    project.unlucky(1)
    with together(4):
        assert project.run().status == "succeeded"
    assert project.told(EventType.FLAKY_CHECK) == [{"step": "integrate", "check": "tests"}]


def test_a_red_merge_is_mended_on_the_new_head(project: Merging) -> None:
    """The FIX turn is told what the checks found; then the base is that head, within scope."""
    project.bundle("ws-a", says("fuse\n"))
    project.bundle("ws-b", says("fuse\n", "ws-b.txt"), says("fine\n", "ws-b.txt"))
    with together(2):
        assert project.run().status == "succeeded"
    assert "two fuses at once" in project.prompt("ws-b")
    row = project.row("ws-b")
    assert row.base_commit == git(project.root, "rev-parse", "integration/run-1^1")
    assert git(project.root, "diff", "--name-only", f"{row.base_commit}..{row.head_commit}") == (
        "ws-b.txt"
    )


def test_the_scope_holds_for_the_fix_of_a_merge(project: Merging) -> None:
    """A turn that would rather edit the file of another is not kept."""
    project.bundle("ws-a", says("fuse\n"))
    project.bundle("ws-b", says("fuse\n", "ws-b.txt"), says("fine\n", "ws-a.txt"))
    with together(2):
        assert project.run().status == "failed"
    assert steps_of_merge(project, "ws-b")[-1] == ("fix", "failed")
    assert project.integrations() == {"ws-a": "merged", "ws-b": "conflict"}
    assert project.integrated("ws-a.txt") == "fuse"


def conflict(project: Merging, *second: str) -> None:
    """Two workstreams that change the same line; the turns of the second one follow."""
    project.meets("ws-a", "ONE\ntwo\nthree\n")
    project.meets("ws-b", "Eins\ntwo\nthree\n", *second)


def test_a_conflict_is_resolved_into_one_merge(project: Merging) -> None:
    """The turn sees the markers, the prompt names the file, and no commit holds a marker."""
    conflict(project, "ONE Eins\ntwo\nthree\n")
    with together(2):
        assert project.run().status == "succeeded"
    assert project.integrated("shared.txt") == "ONE Eins\ntwo\nthree"
    assert "Files with conflict markers" in project.prompt("ws-b")
    assert "- shared.txt" in project.prompt("ws-b")
    assert "<<<<<<<" not in project.texts_of_history()
    assert git(project.root, "log", "--format=%s", "-3", "workstream/ws-b/run-1").splitlines()[
        0
    ] == ("ws-b: merge integration/run-1, conflicts resolved")


def test_markers_left_behind_are_not_merged(project: Merging) -> None:
    """A turn that keeps the markers is refused as a merge, told so, and may try again."""
    left = "<<<<<<< ours\nONE\n=======\nEins\n>>>>>>> theirs\ntwo\nthree\n"
    conflict(project, left, "ONE Eins\ntwo\nthree\n")
    with together(2):
        assert project.run().status == "succeeded"
    assert [status for step, status in steps_of_merge(project, "ws-b") if step == "integrate"] == [
        "failed", "failed", "succeeded",
    ]  # fmt: skip
    assert "leaves conflict markers" in project.prompt("ws-b", 2)
    assert project.integrated("shared.txt") == "ONE Eins\ntwo\nthree"


def beaten(project: Merging, *later: str) -> str:
    """A run in which ws-b never merges and ws-c waits for it; returns the own work of ws-b."""
    project.breakers(max_fix_attempts_per_step=2)
    conflict(project, "<<<<<<< a\n>>>>>>> b\n", "<<<<<<< c\n>>>>>>> d\n", *later)
    project.bundle("ws-c", says("fine\n", "ws-c.txt"), depends_on=["ws-b"])
    with together(2):
        assert project.run().status == "failed"
    return str(project.merges("ws-b")[0].result["head"])


def test_what_cannot_be_merged_is_given_up(project: Merging) -> None:
    """It stays done, its branch is back at its own work, and its dependents say why they wait."""
    own = beaten(project)
    row, waiting = project.row("ws-b"), project.row("ws-c")
    assert (row.status.value, row.integration.value, row.head_commit) == ("done", "conflict", own)
    assert git(project.root, "rev-parse", "workstream/ws-b/run-1") == own
    assert str(row.reason).startswith("not merged: ")
    assert waiting.status.value == "pending"
    assert "ws-b" in str(waiting.reason)
    assert project.tripped() == ["max_attempts"]
    assert project.leftovers() == []


def test_a_merge_is_retried(project: Merging) -> None:
    """`retry --from integrate` tries the merge again, keeps the work, and the dependents go on."""
    own = beaten(project, "both\ntwo\nthree\n")
    with project.workspace() as workspace:
        assert workspace.retry("run-1", ("ws-b",), from_step="integrate") is not None
    assert set(project.integrations().values()) == {"merged"}
    assert project.integrated("shared.txt") == "both\ntwo\nthree"
    assert git(project.root, "merge-base", "--is-ancestor", own, "integration/run-1") == ""
    assert project.row("ws-b").reason is None
    assert project.runs() == ["shared"]  # ws-c began at that very head
