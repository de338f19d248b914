"""Code of others: who can change it, and whether it is what it was."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.trust import Code, Ledger, Standing, digest_of, why_not_trusted

SOMEBODY = 54_321


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that is ours alone."""
    folder = tmp_path / "tools"
    folder.mkdir(mode=0o755)
    path = folder / "adapter.py"
    path.write_text("print(1)\n")
    path.chmod(0o644)
    return path


# -- who can change it -----------------------------------------------------------------------------
def test_what_is_ours_alone_is_trusted(program: Path) -> None:
    """Below /tmp too, where nobody can replace what is another's."""
    assert why_not_trusted(program) is None
    assert why_not_trusted(program.parent) is None


@pytest.mark.parametrize("place", ["file", "folder"])
def test_what_everybody_may_write_to_is_not(program: Path, place: str) -> None:
    """Neither the file nor the folder it could be replaced in, and the mending is named."""
    path = program if place == "file" else program.parent
    path.chmod(path.stat().st_mode | stat.S_IWOTH)
    assert why_not_trusted(program) == f"everybody may write to {path} (chmod o-w)"


def test_a_sticky_folder_is_no_way_in_but_may_not_hold_plugins(program: Path) -> None:
    """As /tmp it protects what lies in it; as a plugin itself anybody could add a file to it."""
    program.parent.chmod(0o1777)
    assert why_not_trusted(program) is None
    assert why_not_trusted(program.parent) is not None


def test_a_link_counts_for_what_it_leads_to(program: Path, tmp_path: Path) -> None:
    """Also through a folder that others may write to."""
    (tmp_path / "link").symlink_to(program)
    assert why_not_trusted(tmp_path / "link") is None
    program.parent.chmod(0o777)
    assert why_not_trusted(tmp_path / "link") is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_not(program: Path) -> None:
    """Its owner can change it at any time."""
    os.chown(program, SOMEBODY, -1)
    assert why_not_trusted(program) == (
        f"{program} belongs to user {SOMEBODY}, who can change it at any time"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose any group")
def test_a_group_of_others_may_not_write(program: Path) -> None:
    """A group that nobody knows counts as one of others."""
    os.chown(program, -1, SOMEBODY)
    program.chmod(0o664)
    assert why_not_trusted(program) == f"the group of {program} may write to it (chmod g-w)"


@pytest.mark.parametrize(
    ("name", "members", "harmless"),
    [("me", [], True), ("me", ["me"], True), ("staff", [], True), ("staff", ["eve"], False),
     ("users", [], False), ("me", ["eve"], False)],
)  # fmt: skip
def test_a_group_of_our_own_may_write(
    program: Path, monkeypatch: pytest.MonkeyPatch, name: str, members: list[str], harmless: bool
) -> None:
    """One that is named like us, or is the administrators', with nobody else in it."""
    import grp
    import pwd

    entry = SimpleNamespace(gr_name=name, gr_mem=members)
    monkeypatch.setattr(grp, "getgrgid", lambda _: entry)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me"))
    program.chmod(0o664)
    assert (why_not_trusted(program) is None) is harmless


def test_what_is_not_there_is_not_trusted(tmp_path: Path) -> None:
    """A missing file or a dead link is a reason, no error."""
    assert "cannot be looked at" in str(why_not_trusted(tmp_path / "nothing"))


# -- what it holds ---------------------------------------------------------------------------------
def test_every_file_of_a_folder_counts_but_bytecode(tmp_path: Path) -> None:
    """A file more, another name and another byte each change the digest."""
    folder = tmp_path / "plugin"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    seen = {digest_of(folder)}
    (folder / "__pycache__" / "a.pyc").write_text("x")
    assert digest_of(folder) in seen
    for change in (
        lambda: (folder / "b.py").write_text(""),
        lambda: (folder / "a.py").rename(folder / "c.py"),
    ):
        change()
        assert digest_of(folder) not in seen
        seen.add(digest_of(folder))


@given(st.lists(st.binary(max_size=6), min_size=2, max_size=2, unique=True))
@settings(max_examples=20, deadline=None)
def test_where_a_file_ends_counts(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    """Bytes that move from one file to the next change the digest."""
    digests = set()
    for first, second in (contents, contents[::-1]):
        folder = tmp_path_factory.mktemp("plugin")
        (folder / "a").write_bytes(first)
        (folder / "b").write_bytes(second)
        digests.add(digest_of(folder))
    assert len(digests) == 2


# -- what it was -----------------------------------------------------------------------------------
@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger without entries."""
    return Ledger(tmp_path / "ledger.json")


def standing(ledger: Ledger, program: Path, now: float = 1.0) -> tuple[Standing, bool]:
    """Look at a program."""
    (found,) = ledger.look([Code(name="x", path=program)], now)
    return found.standing, found.is_news


def test_a_change_is_news_once_and_stays_a_change(ledger: Ledger, program: Path) -> None:
    """Until it is accepted, or taken back."""
    assert standing(ledger, program) == (Standing.FIRST, False)
    assert standing(ledger, program) == (Standing.KNOWN, False)
    program.write_text("other\n")
    assert standing(ledger, program, 2.0) == (Standing.CHANGED, True)
    assert standing(ledger, program, 3.0) == (Standing.CHANGED, False)
    (found,) = ledger.look([Code(name="x", path=program)], 4.0)
    assert (found.since, found.ok) == (2.0, False)
    program.write_text("print(1)\n")
    assert standing(ledger, program) == (Standing.KNOWN, False)


def test_what_is_accepted_is_known(ledger: Ledger, program: Path) -> None:
    """From then on; the next change is news again."""
    standing(ledger, program)
    program.write_text("other\n")
    (found,) = ledger.accept([Code(name="x", path=program)], 5.0)
    assert (found.standing, found.since, found.ok) == (Standing.KNOWN, 5.0, True)
    program.write_text("third\n")
    assert standing(ledger, program) == (Standing.CHANGED, True)


def test_the_file_is_private_and_survives_rubbish(
    ledger: Ledger, program: Path, tmp_path: Path
) -> None:
    """A broken ledger is an empty one."""
    standing(ledger, program)
    path = tmp_path / "ledger.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for rubbish in (b"", b"\xff", b"[1]", b'{"a": 1}', b" " * (5 << 20)):
        path.write_bytes(rubbish)
        assert standing(ledger, program) == (Standing.FIRST, False)


def test_without_room_for_the_ledger_looking_goes_on(tmp_path: Path, program: Path) -> None:
    """Everything is seen for the first time then, and accepting says that it is not possible."""
    ledger = Ledger(tmp_path / "nowhere" / "ledger.json")
    assert standing(ledger, program) == (Standing.FIRST, False)
    with pytest.raises(OSError, match="nowhere"):
        ledger.accept([Code(name="x", path=program)], 1.0)


def test_what_cannot_be_read_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """With the reason, and nothing is remembered of it."""
    (found,) = ledger.look([Code(name="x", path=tmp_path / "gone")], 1.0)
    assert (found.standing, found.digest, found.ok) == (Standing.REFUSED, None, False)
    assert "cannot be looked at" in str(found.reason)
    assert ledger.accept([Code(name="x", path=tmp_path / "gone")], 1.0) == (found,)


def test_many_writers_leave_a_whole_ledger(ledger: Ledger, program: Path, tmp_path: Path) -> None:
    """Each replaces the file in one piece, and leaves no scratch file."""
    places = [tmp_path / f"program-{number}" for number in range(8)]
    for place in places:
        place.write_text(place.name)

    def look(place: Path) -> None:
        for _ in range(10):
            Ledger(tmp_path / "ledger.json").look([Code(name="x", path=place)], 1.0)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(look, places))
    known = json.loads((tmp_path / "ledger.json").read_bytes())
    assert known.keys() <= {str(place) for place in places}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".ledger")] == []
    assert standing(ledger, program) == (Standing.FIRST, False)
