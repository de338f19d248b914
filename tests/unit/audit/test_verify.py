"""Proving: a trail that was left alone is whole, and whatever is done to it is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.audit.api import DamageKind, VerifyReport
from penstock.audit.line import read_link, seal
from tests.support.trails import DAY, Scene

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
Lines = list[bytes]


def found(report: VerifyReport) -> list[tuple[str, int | None, str]]:
    """Return what was found: day or file, line, kind."""
    return [(Path(d.file).parts[0], d.line, d.kind.value) for d in report.damage]


def restamp(line: bytes) -> bytes:
    """Give a line another time."""
    return line.replace(b"T12:", b"T11:")


def rewritten(line: bytes, old: bytes, new: bytes) -> bytes:
    """Change a line and give it the hash that it then has."""
    body, _, link = line.replace(old, new).rpartition(b',"prev":"')
    stamp, body = body[14:41], body[43:]
    return seal([body], stamp, link[:64])[0]


def test_an_untouched_trail_is_proven_up_to_its_anchor(scene: Scene) -> None:
    """All lines, checkpoints and the anchor hold."""
    scene.three_days()
    report = scene.trail.verify()
    assert report.ok, report.damage
    assert (report.days, report.entries, report.proven_entries) == (3, 9, 9)
    assert report.anchors == 3
    assert report.proven_until == "2026-01-03T12:00:09.000000Z"
    assert report.notes == ()


def test_no_trail_at_all_is_whole(scene: Scene) -> None:
    """Where nothing was recorded nothing is wrong, and nothing is made."""
    report = scene.trail.verify()
    assert (report.ok, report.entries, report.proven_until) == (True, 0, None)
    assert not scene.folder.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda ls: ls.__setitem__(1, ls[1].replace(b"done", b"dome")), [(2, "altered")]),
        (lambda ls: ls.__setitem__(1, rewritten(ls[1], b"done", b"dome")), [(2, "altered")]),
        (lambda ls: ls.__setitem__(1, b"rubbish\n"), [(2, "altered")]),
        (lambda ls: ls.__setitem__(1, restamp(ls[1])), [(2, "re_stamped")]),
        (lambda ls: ls.pop(1), [(2, "removed")]),
        (lambda ls: ls.pop(0), [(1, "removed")]),
        (lambda ls: ls.pop(2), [(2, "truncated")]),
        (lambda ls: ls.__setitem__(2, ls[2][:-30]), [(3, "altered")]),
        (lambda ls: ls.insert(1, ls[0]), [(2, "inserted")]),
        (lambda ls: ls.insert(1, b"{}\n"), [(2, "inserted")]),
        (lambda ls: ls.append(ls[2]), [(4, "inserted")]),
        (lambda ls: ls.insert(0, ls.pop(1)), [(1, "reordered")]),
        (lambda ls: ls.append(ls.pop(1)), [(2, "reordered")]),
        (lambda ls: ls.clear(), [(1, "truncated")]),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_damage_is_named(
    scene: Scene, change: Callable[[Lines], object], expected: list[tuple[int, str]]
) -> None:
    """The line and the kind of damage are told, in a day that is closed."""
    scene.three_days()
    scene.edit(lambda lines: (change(lines), None)[1], DAYS[1])
    report = scene.trail.verify()
    assert found(report) == [(DAYS[1], line, kind) for line, kind in expected]
    assert report.proven_entries == (6 if expected[0][0] > 3 else 3)


def test_an_inserted_forgery_that_chains_is_found(scene: Scene) -> None:
    """A line with a right hash and prev is found because the next does not follow it."""
    scene.three_days()

    def forge(lines: Lines) -> None:
        link = json.loads(lines[0])["hash"].encode()
        lines.insert(1, seal([b'"kind":"event"'], lines[0][14:41], link)[0])

    scene.edit(forge, DAYS[1])
    assert found(scene.trail.verify()) == [(DAYS[1], 2, "inserted")]


def test_a_chain_computed_anew_is_found_by_the_anchor(scene: Scene) -> None:
    """Somebody who rewrites a line and all hashes after it, head included, is found."""
    scene.calls(3)
    scene.trail.anchor()
    recompute(scene, b"done", b"dome")
    (scene.folder / ".head").unlink()
    report = scene.trail.verify()
    assert found(report) == [(DAYS[0], 3, "altered")]
    assert (report.proven_until, report.proven_entries) == (None, 0)


def recompute(scene: Scene, old: bytes, new: bytes) -> None:
    """Change the second line and chain the rest on to it."""

    def change(lines: Lines) -> None:
        prev = json.loads(lines[0])["hash"].encode()
        for at in range(1, len(lines)):
            text = lines[at].replace(old, new) if at == 1 else lines[at]
            body = text.rpartition(b',"prev":"')[0][43:]
            lines[at], prev = seal([body], text[14:41], prev)

    scene.edit(change)


def test_a_cut_tail_is_found_by_the_head_and_by_the_anchor(scene: Scene) -> None:
    """Lines missing at the end are found, with or without the head."""
    scene.calls(3)
    scene.trail.anchor()
    scene.edit(lambda lines: lines.__delitem__(slice(1, None)))
    assert found(scene.trail.verify()) == [(DAYS[0], 1, "truncated")]
    (scene.folder / ".head").unlink()
    assert found(scene.trail.verify()) == [(DAYS[0], 1, "truncated")]


def test_what_follows_the_last_anchor_is_whole_but_not_proven(scene: Scene) -> None:
    """The report says up to where the trail is proven."""
    scene.calls(2)
    scene.trail.anchor()
    scene.calls(2)
    report = scene.trail.verify()
    assert report.ok
    assert (report.entries, report.proven_entries) == (4, 2)
    assert report.proven_until == "2026-01-01T12:00:02.000000Z"


def test_a_missing_day_is_found(scene: Scene) -> None:
    """A day whose folder was removed is missed by the day after it and by its anchor."""
    scene.three_days()
    for path in (scene.folder / DAYS[1]).iterdir():
        path.unlink()
    (scene.folder / DAYS[1]).rmdir()
    kinds = found(scene.trail.verify())
    assert (DAYS[2], 1, "removed") in kinds
    assert (DAYS[1], None, "truncated") in kinds


def test_a_missing_newest_day_is_found(scene: Scene) -> None:
    """The head misses it, and so does the anchor when the head is gone too."""
    scene.three_days()
    scene.file(DAYS[2]).unlink()
    assert found(scene.trail.verify()) == [(DAYS[2], None, "truncated")]
    (scene.folder / ".head").unlink()
    assert found(scene.trail.verify()) == [(DAYS[2], None, "truncated")]


def test_lines_dropped_behind_our_back_are_found(scene: Scene) -> None:
    """A day with a checkpoint but without lines is removed unless it was pruned."""
    scene.three_days()
    scene.file(DAYS[0]).unlink()
    assert found(scene.trail.verify()) == [(DAYS[0], None, "removed")]


@pytest.mark.parametrize("which", ["checkpoint", "anchor"])
def test_a_seal_of_another_key_is_found(scene: Scene, tmp_path: Path, which: str) -> None:
    """Somebody who seals with a key of his own is found."""
    scene.three_days()
    other = Scene(tmp_path / "other")
    other.three_days()
    mine, theirs = seal_file(scene, which), seal_file(other, which)
    mine.write_bytes(theirs.read_bytes())
    kinds = {damage.kind for damage in scene.trail.verify().damage}
    assert kinds == {DamageKind.UNSIGNED}


def seal_file(scene: Scene, which: str) -> Path:
    """Return the file of a checkpoint or of the anchors."""
    return scene.anchors if which == "anchor" else scene.folder / DAYS[0] / "checkpoint.json"


def test_a_missing_checkpoint_is_found(scene: Scene) -> None:
    """A closed day has its checkpoint."""
    scene.three_days()
    (scene.folder / DAYS[0] / "checkpoint.json").unlink()
    assert found(scene.trail.verify()) == [(DAYS[0], None, "removed")]


def test_a_copied_checkpoint_is_found(scene: Scene) -> None:
    """The checkpoint of another day, though rightly signed, proves nothing."""
    scene.three_days()
    one, two = (scene.folder / day / "checkpoint.json" for day in DAYS[:2])
    one.write_bytes(two.read_bytes())
    assert found(scene.trail.verify()) == [(DAYS[0], None, "altered")]


def test_without_a_key_nothing_is_proven(scene: Scene) -> None:
    """Lines are still checked, and the report says what was not."""
    scene.three_days()
    for path in scene.key.parent.iterdir():
        path.unlink()
    report = scene.trail.verify()
    assert report.ok
    assert report.proven_until is None
    assert "there is no key" in report.notes[0]


def test_a_line_that_is_being_written_is_no_damage(scene: Scene) -> None:
    """The beginning of a line at the end of the open day is noted only."""
    scene.calls(2)
    with scene.file().open("ab") as file:
        file.write(b'{"timestamp":')
    report = scene.trail.verify()
    assert report.ok
    assert "its writer died" in report.notes[0]


def test_a_line_that_the_head_does_not_know_is_no_damage(scene: Scene) -> None:
    """A writer killed between line and head did no harm."""
    scene.call()
    before = (scene.folder / ".head").read_bytes()
    scene.call()
    (scene.folder / ".head").write_bytes(before)
    assert scene.trail.verify().ok


def test_a_foreign_line_at_the_end_is_found(scene: Scene) -> None:
    """What was written after the last line by another hand is told."""
    scene.calls(2)
    with scene.file().open("ab") as file:
        file.write(b"{}\n")
    assert [kind for _, _, kind in found(scene.trail.verify())] == ["altered"]


def test_a_day_behind_the_end_is_found(scene: Scene) -> None:
    """A day that somebody put after the last one is no part of the trail."""
    last = scene.call()
    later = scene.folder / "2026-01-02" / "audit.jsonl"
    later.parent.mkdir()
    stamp = b"2026-01-02T00:00:00.000000Z"
    later.write_bytes(seal([b'"kind":"event"'], stamp, last.encode())[0])
    assert found(scene.trail.verify()) == [("2026-01-02", None, "inserted")]


def test_a_recomputed_time_is_found(scene: Scene) -> None:
    """A time that goes back is found even when the hash fits."""
    scene.calls(1)
    scene.clock.forward(DAY)
    scene.call()
    scene.edit(lambda ls: ls.__setitem__(0, rewritten(ls[0], b"2026-01-01T12", b"2025-12-31T12")))
    assert (DAYS[0], 1, "re_stamped") in found(scene.trail.verify())


# -- whatever is done -----------------------------------------------------------------------
@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A trail of three days, the last one anchored, that tests change and put back."""
    scene = Scene(tmp_path_factory.mktemp("trail"))
    scene.three_days()
    scene.trail.close()
    return scene


anywhere = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def verdict(scene: Scene, day: str, data: bytes) -> VerifyReport:
    """Return what is said of a trail with other lines in a day, which are put back."""
    before = scene.file(day).read_bytes()
    scene.file(day).write_bytes(data)
    try:
        report: VerifyReport = scene.trail.verify()
        return report
    finally:
        scene.file(day).write_bytes(before)


@given(day=st.sampled_from(DAYS), place=st.integers(0), byte=st.integers(1, 255))
@anywhere
def test_every_changed_byte_is_found(pristine: Scene, day: str, place: int, byte: int) -> None:
    """Whichever byte before the last anchor is changed to whatever, it is found in its day."""
    data = bytearray(pristine.file(day).read_bytes())
    data[place % len(data)] ^= byte
    report = verdict(pristine, day, bytes(data))
    assert report.damage
    assert report.damage[0].file.startswith(day)


@given(day=st.sampled_from(DAYS), one=st.integers(0, 2), other=st.integers(0, 2))
@anywhere
def test_every_swap_copy_and_loss_is_found(pristine: Scene, day: str, one: int, other: int) -> None:
    """Lines that are swapped, doubled or removed anywhere before the last anchor are found."""
    lines = pristine.file(day).read_bytes().splitlines(keepends=True)
    copied = [*lines[:other], lines[one], *lines[other:]]
    lost = [line for at, line in enumerate(lines) if at != one]
    swapped = list(lines)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    for change in (copied, lost, swapped):
        assert verdict(pristine, day, b"".join(change)).ok == (change == lines)


@given(place=st.integers(0), byte=st.integers(1, 255), which=st.sampled_from(["anchor", "point"]))
@anywhere
def test_every_changed_byte_of_a_seal_is_found(
    pristine: Scene, place: int, byte: int, which: str
) -> None:
    """Whichever byte of a checkpoint or anchor is changed, it is found."""
    file = seal_file(pristine, which)
    before = file.read_bytes()
    data = bytearray(before)
    data[place % len(data)] ^= byte
    file.write_bytes(bytes(data))
    try:
        assert pristine.trail.verify().damage or place % len(data) == len(data) - 1
    finally:
        file.write_bytes(before)


Edit = tuple[str, int, int]
EDITS = st.tuples(
    st.sampled_from(["drop", "copy", "swap", "flip", "forge", "rubbish"]),
    st.integers(0, 5),
    st.integers(0, 5),
)


def edited(lines: Lines, edits: list[Edit]) -> Lines:
    """Return lines after some edits, one after the other."""
    for kind, one, other in edits:
        lines = edit_once(list(lines), kind, one % (len(lines) or 1), other % (len(lines) or 1))
    return lines


def edit_once(lines: Lines, kind: str, one: int, other: int) -> Lines:
    """Do one thing to lines."""
    if kind == "rubbish" or not lines:
        return [*lines[:one], b"rubbish\n", *lines[one:]]
    if kind == "drop":
        return lines[:one] + lines[one + 1 :]
    if kind == "copy":
        return [*lines[:other], lines[one], *lines[other:]]
    if kind == "swap":
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == "flip":
        lines[one] = lines[one].replace(b"a", b"b", 1)
    elif read_link(lines[one][:-1]) is not None:
        lines[one] = rewritten(lines[one], b"done", b"gone")
    return lines


@given(day=st.sampled_from(DAYS), edits=st.lists(EDITS, min_size=1, max_size=4))
@anywhere
def test_any_mixture_of_edits_is_found(pristine: Scene, day: str, edits: list[Edit]) -> None:
    """Whatever is done together, the trail is whole only when its bytes are what they were."""
    before = pristine.file(day).read_bytes()
    after = b"".join(edited(before.splitlines(keepends=True), edits))
    assert verdict(pristine, day, after).ok == (after == before)


def test_a_closed_day_computed_anew_is_found(scene: Scene) -> None:
    """The checkpoint contradicts a chain that was computed anew."""
    scene.three_days()
    recompute(scene, b"done", b"dome")
    report = scene.trail.verify()
    assert found(report) == [(DAYS[0], 3, "altered")]
    assert "computed anew" in report.damage[0].message


def test_a_line_that_goes_on_behind_a_closed_day_is_found(scene: Scene) -> None:
    """A rightly chained line after the last one of a closed day is no part of it."""
    scene.three_days()
    last = scene.entries(DAYS[0])[-1]
    line = seal([b'"kind":"event"'], last["timestamp"].encode(), last["hash"].encode())[0]
    scene.edit(lambda lines: lines.append(line))
    assert (DAYS[0], 4, "inserted") in found(scene.trail.verify())


def test_a_changed_word_on_dropped_days_is_found(scene: Scene) -> None:
    """Which days were dropped is signed; a changed, forged or missing word is found."""
    scene.three_days()
    scene.trail.prune(2)
    word = scene.folder / "pruned.json"
    before = word.read_bytes()
    word.write_bytes(before.replace(b"2026-01-01", b"2026-01-02"))
    assert found(scene.trail.verify())[0] == ("pruned.json", None, "altered")
    word.write_bytes(before + b" ")
    assert found(scene.trail.verify())[0] == ("pruned.json", None, "altered")
    word.unlink()
    assert found(scene.trail.verify()) == [(DAYS[0], None, "removed")]


def test_anchors_of_dropped_days_are_held_against_checkpoints(scene: Scene) -> None:
    """A dropped day's checkpoint still answers for the anchor of its end."""
    scene.three_days()
    scene.trail.prune(1)
    assert scene.trail.verify().ok
    lines = scene.anchors.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["date"] for line in lines] == list(DAYS)


def test_a_trail_that_may_only_be_read_can_be_checked(scene: Scene) -> None:
    """A copy without its head, as somebody else would get it, is checked as it is."""
    scene.three_days()
    (scene.folder / ".head").unlink()
    report = scene.trail.verify()
    assert report.ok, report.damage
    assert "the head is missing" in report.notes[0]
    assert not (scene.folder / ".head").exists()


# -- the last day alone --------------------------------------------------------------------------
def dropping(line: int) -> Callable[[list[bytes]], None]:
    """Return what takes a line of a day away."""
    return lambda lines: lines.__delitem__(line)


def last_day(scene: Scene) -> VerifyReport:
    """Prove the last day as another process would."""
    with scene.open() as trail:
        return trail.verify_last_day()


def test_the_last_day_is_proven_alone(scene: Scene) -> None:
    """Its lines, its anchor and what it continues; the days before are not read."""
    scene.three_days()
    scene.edit(dropping(-1), "2026-01-01")
    report = last_day(scene)
    assert (report.ok, report.days, report.entries) == (True, 1, 3)
    assert report.proven_until is not None


def test_no_trail_has_no_last_day(scene: Scene) -> None:
    """Nothing recorded is nothing wrong."""
    assert (last_day(scene).ok, last_day(scene).days) == (True, 0)


def test_the_only_day_is_proven_alone(scene: Scene) -> None:
    """The first day of a trail continues nothing."""
    scene.calls(3)
    assert (last_day(scene).ok, last_day(scene).entries) == (True, 3)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_change_of_the_last_day_is_found(scene: Scene, line: int) -> None:
    """Wherever on the day it is."""
    scene.three_days()

    def change(lines: list[bytes]) -> None:
        lines[line] = lines[line].replace(b"aider", b"codex")

    scene.edit(change, "2026-01-03")
    (damage, *_) = last_day(scene).damage
    assert (damage.kind, damage.line) == (DamageKind.ALTERED, line + 1)


def test_a_last_day_that_continues_nothing_is_found(scene: Scene) -> None:
    """Without its first line the day does not go on from the end of the one before."""
    scene.three_days()
    scene.edit(dropping(0), "2026-01-03")
    assert not last_day(scene).ok


def test_a_cut_end_of_the_last_day_is_found(scene: Scene) -> None:
    """The head knows how far the day had got."""
    scene.three_days()
    scene.edit(dropping(-1), "2026-01-03")
    assert DamageKind.TRUNCATED in {damage.kind for damage in last_day(scene).damage}


def test_a_seal_that_the_last_day_continues_must_be_there(scene: Scene) -> None:
    """Without the checkpoint of the day before, nothing says what it goes on from."""
    scene.three_days()
    (scene.folder / "2026-01-02" / "checkpoint.json").unlink()
    assert DamageKind.REMOVED in {damage.kind for damage in last_day(scene).damage}
