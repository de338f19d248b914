"""What a plan writes comes and goes whole, and what people edited stays."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ClaimError, EnvironmentProblem, UsageError
from penstock.locks import try_lock
from penstock.planning import writing
from penstock.planning.api import Changes
from penstock.planning.load import load_bundles
from penstock.planning.sources.api import ItemState
from penstock.planning.writing import STAGE, found_in, sealed, write_files
from tests.support.plan_files import edit, item, names, planned, source, texts

ONE = planned("ws-one", "i1")
TWO = planned("ws-two", "i2", depends_on=["ws-one"])
THREE = planned("ws-three", "i3", depends_on=["ws-two"])
TODO = source(item("i1"), item("i2"), item("i3"))


def put(folder: Path, *bundles: dict[str, Any], force: bool = False) -> Changes:
    """Write bundles as a plan of TODO."""
    return write_files(folder, texts(*bundles), [TODO], force=force)


def is_valid(folder: Path) -> bool:
    """Tell whether `penstock validate` would accept a folder."""
    return load_bundles((), folder).ok


# -- writing -------------------------------------------------------------------------------
def test_a_plan_is_written_once(tmp_path: Path) -> None:
    """The second time nothing is written, and no byte is touched."""
    assert put(tmp_path, ONE, TWO).written == ("ws-one.json", "ws-two.json")
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)}
    again = put(tmp_path, ONE, TWO)
    assert again.unchanged == ("ws-one.json", "ws-two.json")
    assert not again.changes
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)} == before


def test_the_folder_is_made(tmp_path: Path) -> None:
    """A folder that is not there is made, with those above it."""
    put(tmp_path / "a" / "b", ONE)
    assert is_valid(tmp_path / "a" / "b")


def test_what_changed_is_replaced_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    """Bundles that the plan no longer has go, others of it are written anew."""
    put(tmp_path, ONE, TWO, THREE)
    changed = put(tmp_path, {**ONE, "tasks": ["Do it all"]}, TWO)
    assert changed.written == ("ws-one.json",)
    assert changed.removed == ("ws-three.json",)
    assert names(tmp_path) == ["ws-one.json", "ws-two.json"]
    assert json.loads((tmp_path / "ws-one.json").read_text())["tasks"] == ["Do it all"]


def test_text_is_kept_as_it_is_written(tmp_path: Path) -> None:
    """Chinese stays Chinese, whatever the locale, and lines end as on Linux."""
    put(tmp_path, {**ONE, "tasks": ["添加登录"]})
    assert "添加登录".encode() in (tmp_path / "ws-one.json").read_bytes()


def test_sketches_lie_where_no_run_looks(tmp_path: Path) -> None:
    """A placeholder goes into a folder of its own, which goes when it is empty."""
    sketch = texts(planned("ws-sketch", "i3"))["ws-sketch.json"]
    write_files(tmp_path, {**texts(ONE), "sketches/s.json": sketch}, [TODO])
    assert names(tmp_path) == ["sketches/s.json", "ws-one.json"]
    assert [one.bundle.id for one in load_bundles((), tmp_path).bundles] == ["ws-one"]
    assert put(tmp_path, ONE).removed == ("sketches/s.json",)
    assert not (tmp_path / "sketches").exists()


# -- what others wrote -----------------------------------------------------------------------
def test_another_plans_bundles_stay(tmp_path: Path) -> None:
    """Only bundles of the same source are removed."""
    other = planned("ws-other", "i1", path="other.md", name="other")
    write_files(tmp_path, texts(other), [source(item("i1"), path="other.md", name="other")])
    put(tmp_path, ONE)
    assert put(tmp_path, TWO | {"depends_on": []}).removed == ("ws-one.json",)
    assert names(tmp_path) == ["ws-other.json", "ws-two.json"]


@pytest.mark.parametrize("content", ["{}", "[1]", "no JSON", '{"metadata": {"plan": 3}}'])
def test_a_file_that_no_plan_wrote_is_not_touched(tmp_path: Path, content: str) -> None:
    """The name of a bundle is taken: nothing at all is written, and the file is named."""
    (tmp_path / "ws-two.json").write_text(content)
    with pytest.raises(UsageError, match=r"ws-two\.json was not written by a plan"):
        put(tmp_path, ONE, TWO)
    assert names(tmp_path) == ["ws-two.json"]
    assert (tmp_path / "ws-two.json").read_text() == content


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """A link that leads nowhere is somebody's too."""
    (tmp_path / "ws-one.json").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match="not written by a plan"):
        put(tmp_path, ONE)


def test_an_empty_file_is_in_nobodys_way(tmp_path: Path) -> None:
    """What a loss of power has emptied is written again."""
    (tmp_path / "ws-one.json").touch()
    assert put(tmp_path, ONE).written == ("ws-one.json",)
    assert is_valid(tmp_path)


def test_what_people_edited_is_not_written_over(tmp_path: Path) -> None:
    """A bundle that was edited stands in the way of another text, not of the same plan laid out anew."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-one.json", max_cost_usd=0.5)
    with pytest.raises(UsageError, match=r"ws-one\.json was edited") as caught:
        put(tmp_path, {**ONE, "gate": 2}, {**TWO, "gate": 2})
    assert "--force" in str(caught.value.hint)
    assert json.loads((tmp_path / "ws-one.json").read_text())["max_cost_usd"] == 0.5


def test_another_layout_is_no_edit(tmp_path: Path) -> None:
    """A formatter may go over the files."""
    put(tmp_path, ONE)
    edit(tmp_path / "ws-one.json")
    assert put(tmp_path, {**ONE, "tasks": ["Other"]}).written == ("ws-one.json",)


def test_force_replaces_what_was_edited(tmp_path: Path) -> None:
    """With force the plan counts."""
    put(tmp_path, ONE)
    edit(tmp_path / "ws-one.json", depends_on=["ws-one"])
    (tmp_path / "ws-two.json").write_text("{}")
    forced = put(tmp_path, ONE, TWO, force=True)
    assert forced.written == ("ws-one.json", "ws-two.json")
    assert set(forced.conflicts) == {"ws-two.json"}
    assert is_valid(tmp_path)


def test_an_edited_bundle_whose_items_are_done_stays(tmp_path: Path) -> None:
    """It is in nobody's way, and tells what was done."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-two.json", max_cost_usd=0.5)
    done = source(item("i1"), item("i2", ItemState.DONE), item("i3"))
    assert write_files(tmp_path, texts(ONE), [done]).kept == {
        "ws-two.json": "it was edited, and what it was to do is done"
    }
    assert names(tmp_path) == ["ws-one.json", "ws-two.json"]


def test_an_edited_bundle_of_the_same_plan_stays(tmp_path: Path) -> None:
    """Planning again takes nobody's edit away where the source says what it said."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-one.json", max_cost_usd=0.5)
    again = put(tmp_path, ONE, {**TWO, "tasks": ["Other"]})
    assert again.kept == {"ws-one.json": "it was edited, and its plan is the same"}
    assert again.written == ("ws-two.json",)
    assert json.loads((tmp_path / "ws-one.json").read_text())["max_cost_usd"] == 0.5


def test_an_edited_bundle_is_in_the_way_of_its_own_id(tmp_path: Path) -> None:
    """Though it is done, two of one id would be an error."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-two.json", max_cost_usd=0.5)
    done = source(item("i1"), item("i2", ItemState.DONE), item("i3"))
    with pytest.raises(UsageError, match="its id is needed again"):
        write_files(tmp_path, {"other.json": texts(TWO)["ws-two.json"]}, [done])


def test_an_edited_bundle_whose_items_go_elsewhere_is_in_the_way(tmp_path: Path) -> None:
    """Else its items would be done twice."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-two.json", max_cost_usd=0.5)
    with pytest.raises(UsageError, match=r"ws-two\.json was edited, and what it is to do"):
        put(tmp_path, planned("ws-one", "i1", "i2"))


def test_a_seal_says_whose_a_file_is(tmp_path: Path) -> None:
    """What is found tells plan, items and needs of each file."""
    put(tmp_path, TWO | {"depends_on": []})
    found = found_in(tmp_path)["ws-two.json"]
    assert found.plan == ("checklist", "todo.md", "todo")
    assert found.items == {"i2"}
    assert (found.ids, found.edited) == (("ws-two",), False)


def test_sealing_is_stable() -> None:
    """The same text gets the same seal, and a seal does not change by sealing again."""
    text = texts(ONE)["ws-one.json"]
    assert sealed(text) == sealed(sealed(text))


# -- when it goes wrong ------------------------------------------------------------------------
class DiedError(Exception):
    """Stands for whatever ends a write in its midst."""


def dying_after(moves: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[bool]:
    """Let the renames of a write end after a number, and note whether the folder was valid at each."""
    real, valid = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        valid.append(is_valid(folder))
        if len(valid) > moves >= 0:
            raise DiedError
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    return valid


def test_the_folder_is_valid_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two moves of files no bundle lacks what it depends on, and no two overlap."""
    put(tmp_path, ONE, TWO, THREE)
    valid = dying_after(-1, monkeypatch, tmp_path)
    turned = [planned("ws-one", "i1", depends_on=["ws-three"]), planned("ws-three", "i3"), TWO]
    assert put(tmp_path, *turned).written == ("ws-one.json", "ws-three.json")
    assert len(valid) == 6
    assert all(valid)
    assert is_valid(tmp_path)


@pytest.mark.parametrize("moves", range(6))
def test_an_error_in_the_midst_undoes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """The old files are back to the byte, and nothing is left of the new ones."""
    put(tmp_path, ONE, TWO)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    with monkeypatch.context() as patch:
        patch.setattr(writing._Moves, "undo", _with_real_rename(writing._Moves.undo))
        dying_after(moves, patch, tmp_path)
        changed = {**ONE, "tasks": ["Other"]}
        with pytest.raises(DiedError):
            put(tmp_path, changed, TWO, THREE, planned("ws-four", "i4"))
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def _with_real_rename(undo: Any) -> Any:
    """Let undoing use a rename that works."""
    real = Path.rename

    def undone(self: Any) -> None:
        dying = Path.rename
        Path.rename = real  # type: ignore[method-assign]
        try:
            undo(self)
        finally:
            Path.rename = dying  # type: ignore[method-assign]

    return undone


def _write_and_die(folder: str, moves: int) -> None:
    """Write a plan and be killed after a number of moves."""
    real, count = Path.rename, [0]

    def rename(self: Path, target: Path) -> Path:
        count[0] += 1
        if count[0] > moves:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, target)

    Path.rename = rename  # type: ignore[method-assign,assignment]
    put(Path(folder), {**ONE, "tasks": ["Other"]}, TWO, THREE)


@pytest.mark.parametrize("moves", range(5))
def test_a_kill_leaves_a_valid_folder(tmp_path: Path, moves: int) -> None:
    """Whenever it comes, what lies there is valid, and the next plan makes it whole and clean."""
    put(tmp_path, ONE, TWO)
    killed = spawn(_write_and_die, str(tmp_path), moves)
    assert killed == -signal.SIGKILL
    assert is_valid(tmp_path)
    put(tmp_path, ONE, TWO, THREE)
    assert names(tmp_path) == ["ws-one.json", "ws-three.json", "ws-two.json"]
    assert not list(tmp_path.glob(f"{STAGE}*"))


def test_what_a_kill_took_out_comes_back(tmp_path: Path) -> None:
    """A bundle that people edited, or of another plan, is not lost with a killed one that moved it."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-two.json", max_cost_usd=0.5)
    edited = (tmp_path / "ws-two.json").read_bytes()
    assert spawn(_write_and_die, str(tmp_path), 1) == -signal.SIGKILL
    assert not (tmp_path / "ws-two.json").exists()
    assert put(tmp_path, ONE, TWO).kept.keys() == {"ws-two.json"}
    assert (tmp_path / "ws-two.json").read_bytes() == edited


def spawn(function: Any, *args: Any) -> int | None:
    """Run a function in a process of its own and return its exit code."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=args)
    process.start()
    process.join(60)
    return process.exitcode


def _write_much(folder: str, mark: str) -> None:
    """Write a plan of many bundles again and again."""
    for _ in range(5):
        bundles = [planned(f"ws-{n}", f"i{n}", ccpm_issue=mark) for n in range(20)]
        put(Path(folder), *bundles)


def test_two_at_once_take_turns(tmp_path: Path) -> None:
    """What lies there in the end is one plan, not a mixture."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_write_much, args=(str(tmp_path), m)) for m in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    marks = {json.loads(path.read_text())["ccpm_issue"] for path in tmp_path.glob("*.json")}
    assert len(marks) == 1
    assert len(names(tmp_path)) == 20


def test_a_folder_that_another_holds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for ever: then it is said who is in the way."""
    monkeypatch.setattr(writing, "PATIENCE_S", 0.05)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert try_lock(descriptor)
        with pytest.raises(ClaimError, match="writing a plan"):
            put(tmp_path, ONE)
    finally:
        os.close(descriptor)


def _write_on_a_full_disk(folder: str) -> None:
    """Write a plan where no file may grow beyond 1000 bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        put(Path(folder), {**ONE, "tasks": ["x" * 5000]}, TWO)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # what measures coverage writes now


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """Everything is written aside first, so the old bundles stay and nothing is left."""
    put(tmp_path, ONE, TWO)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    assert spawn(_write_on_a_full_disk, str(tmp_path)) == 0
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_a_users_mistake(tmp_path: Path, place: str) -> None:
    """A file is in the way."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        put(tmp_path / place, ONE)


def test_bundles_that_people_made_circular_are_replaced(tmp_path: Path) -> None:
    """The order of files that make no sense is no matter."""
    put(tmp_path, ONE, TWO)
    edit(tmp_path / "ws-one.json", depends_on=["ws-two"])
    edit(tmp_path / "ws-two.json", tasks=3)
    assert put(tmp_path, ONE, TWO, force=True).written == ("ws-one.json", "ws-two.json")
