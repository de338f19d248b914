"""Ports and temporary folders of workstreams: apart, private, and free again after any death."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock.environment import isolation
from penstock.environment.isolation import (
    BLOCK,
    EPHEMERAL,
    LONGEST,
    Isolation,
    are_free,
    base_folder,
)
from penstock.errors import ClaimError, EnvironmentProblem
from penstock.locks import exclusive
from tests.support.isolating import has_ipv6, holding, listening

BASE, FOLDER = "PENSTOCK_PORT_BASE", "TMPDIR"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary folder for this test; its name is short."""
    made = Path(tempfile.mkdtemp(prefix="p")).resolve()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    monkeypatch.setattr(isolation, "OTHERS", ())
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def own(tmp_path: Path, place: Path) -> Isolation:
    """What isolates the workstreams of a repository."""
    return Isolation(tmp_path, tmp_path / "state")


def another(tmp_path: Path) -> Isolation:
    """What another process for the same repository would have."""
    return Isolation(tmp_path, tmp_path / "state")


def names_in(folder: str | Path) -> list[str]:
    """Return the names in a folder."""
    return [path.name for path in Path(folder).iterdir()]


def entries(place: Path) -> list[str]:
    """Return the blocks that there are, by the name of their folder."""
    return sorted(path.name for path in place.glob("penstock-*/[0-9]*"))


# -- what a workstream gets ----------------------------------------------------------------------
def test_a_workstream_gets_ports_and_a_folder(own: Isolation) -> None:
    """The block lies below the ports that the system hands out; the folder is there and empty."""
    given = own.take("run-1", "ws-a")
    first, count = int(given[BASE]), int(given["PENSTOCK_PORT_COUNT"])
    assert count == BLOCK
    assert 20_000 <= first <= EPHEMERAL - BLOCK
    assert {given["TEMP"], given["TMP"]} == {given[FOLDER]}
    assert names_in(given[FOLDER]) == []


def test_the_folder_is_private_and_outside(own: Isolation, tmp_path: Path) -> None:
    """Nobody else may enter it, and it does not lie in the repository."""
    folder = Path(own.take("run-1", "ws-a")[FOLDER])
    assert not folder.is_relative_to(tmp_path)
    for each in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


def test_it_stays_the_same(own: Isolation) -> None:
    """Asking again gives the same, the contents of the folder untouched."""
    given = own.take("run-1", "ws-a")
    Path(given[FOLDER], "kept").touch()
    assert own.take("run-1", "ws-a") == given
    assert names_in(given[FOLDER]) == ["kept"]


def test_a_folder_that_vanished_is_made_again(own: Isolation) -> None:
    """Cleaners of temporary folders, and tests, remove things."""
    given = own.take("run-1", "ws-a")
    Path(given[FOLDER]).rmdir()
    assert Path(own.take("run-1", "ws-a")[FOLDER]).is_dir()


def test_all_at_once_get_different_blocks(own: Isolation) -> None:
    """Threads that ask at the same moment never share a port or a folder."""
    names = [f"ws-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda name: own.take("run-1", name), names))
    assert len({each[BASE] for each in given}) == len({each[FOLDER] for each in given}) == 40


def test_equal_names_in_other_repositories_are_others(tmp_path: Path, own: Isolation) -> None:
    """The same ids of another repository get another block."""
    other = Isolation(tmp_path / "other", tmp_path / "other" / "state")
    assert other.take("run-1", "ws-a")[BASE] != own.take("run-1", "ws-a")[BASE]


# -- giving back ---------------------------------------------------------------------------------
def test_nothing_is_left_of_what_is_given_back(own: Isolation, place: Path) -> None:
    """The folder goes with all that is in it, what is protected from writing too."""
    folder = Path(own.take("run-1", "ws-a")[FOLDER])
    deep = folder / "cache" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    deep.chmod(0o500)
    deep.parent.chmod(0o500)
    own.give_back("run-1", "ws-a")
    assert entries(place) == []


def test_links_are_not_followed_when_it_goes(own: Isolation, tmp_path: Path) -> None:
    """A link out of the folder goes, what it leads to stays."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    folder = Path(own.take("run-1", "ws-a")[FOLDER])
    (folder / "link").symlink_to(precious)
    own.give_back("run-1", "ws-a")
    assert (precious / "file").exists()


def test_giving_back_what_was_not_taken(own: Isolation) -> None:
    """It is harmless, twice as well."""
    own.take("run-1", "ws-a")
    own.give_back("run-1", "ws-a")
    own.give_back("run-1", "ws-a")
    own.give_back("run-1", "ws-b")


def test_a_block_that_was_given_back_can_be_had(own: Isolation, tmp_path: Path) -> None:
    """Its ports are free for the next process."""
    given = own.take("run-1", "ws-a")
    own.give_back("run-1", "ws-a")
    assert another(tmp_path).take("run-1", "ws-a")[BASE] == given[BASE]


# -- ports in use --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",
        pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")),
    ],
)
def test_a_block_with_a_port_in_use_is_passed_over(
    own: Isolation, tmp_path: Path, host: str
) -> None:
    """One port that somebody listens on, on whichever address, spoils its block."""
    before = int(own.take("run-1", "ws-a")[BASE])
    own.give_back("run-1", "ws-a")
    with listening(before + BLOCK - 1, host):
        assert int(another(tmp_path).take("run-1", "ws-a")[BASE]) != before


def test_without_ipv6_the_other_address_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ::1 has free ports all the same, and used ones."""
    plain = socket.socket.bind

    def bind(self: socket.socket, address: Any) -> None:
        if address[0] == "::1":
            raise OSError(99, "Cannot assign requested address")
        plain(self, address)

    monkeypatch.setattr(socket.socket, "bind", bind)
    with listening(0) as port:
        assert not are_free([port])
    assert are_free([port])


def test_when_all_ports_are_in_use(tmp_path: Path, place: Path) -> None:
    """The error names the ports and says what to do."""
    few = Isolation(tmp_path, tmp_path / "state", first_port=EPHEMERAL - 3, block=2)
    with listening(EPHEMERAL - 2), pytest.raises(EnvironmentProblem) as caught:
        few.take("run-1", "ws-a")
    assert "none of the 1 blocks of ports from 32765 to 32766 is free" in str(caught.value)
    assert "ss -ltn" in str(caught.value.hint)


@pytest.mark.parametrize(("first_port", "block"), [(65_530, 20), (EPHEMERAL - 1, 2), (0, 20)])
def test_there_must_be_room_for_a_block(tmp_path: Path, first_port: int, block: int) -> None:
    """Ports that there are none of are a mistake of the caller."""
    with pytest.raises(ValueError, match="there is no block of"):
        Isolation(tmp_path, tmp_path, first_port=first_port, block=block)


# -- other processes -----------------------------------------------------------------------------
def test_two_processes_at_once(own: Isolation, tmp_path: Path, place: Path) -> None:
    """What another living process holds is passed over, for the very same workstream too."""
    with holding(tmp_path, place, "ws-a", "ws-b") as held:
        mine = own.take("run-1", "ws-a")
        assert int(mine[BASE]) not in {port for port, _ in held.values()}
        assert own.recover() == ()
        assert all(folder.is_dir() for _, folder in held.values())


def test_the_process_that_resumes_gets_the_same(
    tmp_path: Path, own: Isolation, place: Path
) -> None:
    """After a kill -9 the next process gets what the dead one had, contents included."""
    with holding(tmp_path, place, "ws-a") as held:
        port, folder = held["ws-a"]
        (folder / "kept").touch()
    given = own.take("run-1", "ws-a")
    assert (given[BASE], given[FOLDER]) == (str(port), str(folder))
    assert (folder / "kept").exists()


def test_what_was_second_choice_is_given_again(tmp_path: Path, own: Isolation, place: Path) -> None:
    """A block that was had because another was in use is found again when that one is free."""
    first = int(own.take("run-1", "ws-a")[BASE])
    own.give_back("run-1", "ws-a")
    with listening(first), holding(tmp_path, place, "ws-a") as held:
        port, _ = held["ws-a"]
    assert port != first
    assert own.take("run-1", "ws-a")[BASE] == str(port)


def test_another_workstream_finds_an_empty_folder(
    tmp_path: Path, own: Isolation, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who gets the block of a dead process finds nothing of it."""
    with holding(tmp_path, place, "ws-a") as held:
        port, folder = held["ws-a"]
        (folder / "left").touch()
    monkeypatch.setattr(own, "_ports", (port,))
    assert own.take("run-1", "ws-b")[FOLDER] == str(folder)
    assert names_in(folder) == []


def test_what_the_dead_held_is_freed(tmp_path: Path, own: Isolation, place: Path) -> None:
    """Recovery removes the folders of the dead, says whose they were, and spares the living."""
    mine = own.take("run-1", "ws-mine")
    with holding(tmp_path, place, "ws-a") as held:
        port, folder = held["ws-a"]
        (folder / "left").touch()
    (line,) = own.recover()
    assert line == f"ports from {port} on and the temporary folder of ws-a of run-1"
    assert entries(place) == [mine[BASE]]


def test_a_half_made_block_is_freed(own: Isolation, place: Path) -> None:
    """A process that died before it wrote its name down leaves nothing behind for ever."""
    (base_folder(Path("/nowhere")) / "20000").mkdir()
    (base_folder(Path("/nowhere")) / "20020").touch()
    (base_folder(Path("/nowhere")) / "20040" / "lock").mkdir(parents=True)
    (line,) = own.recover()
    assert "an unknown workstream" in line
    assert entries(place) == ["20020", "20040"]


def test_a_block_is_let_go_with_its_owner(tmp_path: Path, place: Path) -> None:
    """An Isolation that is thrown away holds nothing any more."""
    given = another(tmp_path).take("run-1", "ws-a")
    assert another(tmp_path).take("run-1", "ws-a") == given


def test_a_lock_that_is_kept_for_long(
    own: Isolation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process cannot hang us for ever."""
    monkeypatch.setattr(isolation, "PATIENCE_S", 0.05)
    lock = base_folder(tmp_path) / "lock"
    with exclusive(lock, busy="mine"), pytest.raises(ClaimError, match=r"keeps .* locked"):
        own.take("run-1", "ws-a")


# -- places --------------------------------------------------------------------------------------
def test_a_folder_of_somebody_else_is_refused(own: Isolation, place: Path) -> None:
    """A link, a file, or a folder open to others where ours should be may be a trap."""
    trap = place / f"penstock-{os.geteuid()}"
    (place / "elsewhere").mkdir(mode=0o700)
    trap.symlink_to(place / "elsewhere")
    with pytest.raises(EnvironmentProblem, match="is not a folder that only you may enter"):
        own.take("run-1", "ws-a")
    trap.unlink()
    trap.touch()
    with pytest.raises(EnvironmentProblem, match="is not a folder that only you may enter"):
        own.take("run-1", "ws-a")


def test_an_open_folder_is_refused(own: Isolation, place: Path) -> None:
    """One that others may write to is none of ours; the way out is named."""
    trap = place / f"penstock-{os.geteuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    with pytest.raises(EnvironmentProblem) as caught:
        own.take("run-1", "ws-a")
    assert f"rm -r {trap}" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_that_belongs_to_another_user_is_refused(own: Isolation, place: Path) -> None:
    """Private, but not ours."""
    trap = place / f"penstock-{os.geteuid()}"
    trap.mkdir(mode=0o700)
    os.chown(trap, 65_534, 65_534)
    with pytest.raises(EnvironmentProblem, match="is not a folder that only you may enter"):
        own.take("run-1", "ws-a")


def test_a_place_that_cannot_be_written_to(own: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no folder can be made, for want of space or of rights, the error names the place."""

    def fail(folder: Path, **_: object) -> None:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(EnvironmentProblem, match=r"no temporary folder can be had in .*: No space"):
        own.take("run-1", "ws-a")


def test_a_temporary_folder_in_the_repository_is_not_taken(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TMPDIR inside the repository another place serves; without one it is an error."""
    with pytest.raises(EnvironmentProblem, match="no folder for temporary files outside of"):
        base_folder(place)
    monkeypatch.setattr(isolation, "OTHERS", (str(tmp_path),))
    assert base_folder(place).parent == tmp_path.resolve()


def test_other_repositories_are_avoided(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary folder inside any git repository serves only when there is no other."""
    root, inside = tmp_path / "root", place / "work" / "tmp"
    inside.mkdir(parents=True)
    (place / "work" / ".git").write_text("gitdir: elsewhere")
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    assert base_folder(root).parent == inside
    monkeypatch.setattr(isolation, "OTHERS", (str(place),))
    assert base_folder(root).parent == place


def test_a_long_path_is_avoided(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket in the temporary folder must have room for its name."""
    long = place / ("x" * LONGEST)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert base_folder(tmp_path).parent == long
    monkeypatch.setattr(isolation, "OTHERS", (str(place),))
    assert base_folder(tmp_path).parent == place


def test_without_abstract_sockets_the_lock_serves(
    own: Isolation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On other systems than Linux two still get different blocks."""
    monkeypatch.setattr("sys.platform", "darwin")
    assert own.take("run-1", "ws-a")[BASE] != another(tmp_path).take("run-1", "ws-a")[BASE]


@pytest.mark.skipif(not Path("/proc").exists(), reason="Linux only")
def test_ports_are_told_apart_over_different_temporary_folders(
    tmp_path: Path, own: Isolation, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes with a TMPDIR each do not see each other's folders, and still differ."""
    first = own.take("run-1", "ws-a")
    (place / "second").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place / "second"))
    second = another(tmp_path).take("run-1", "ws-a")
    assert first[FOLDER] != second[FOLDER]
    assert first[BASE] != second[BASE]


# -- leftovers -----------------------------------------------------------------------------------
def test_leftovers_are_listed_before_they_go(tmp_path: Path, own: Isolation, place: Path) -> None:
    """Looking removes nothing and holds nothing; freeing removes the one that is meant."""
    own.take("run-1", "ws-mine")
    with holding(tmp_path, place, "ws-a", "ws-b") as held:
        assert own.leftovers() == ()
    found = own.leftovers()
    assert {each.ws_id for each in found} == {"ws-a", "ws-b"}
    assert own.leftovers() == found
    assert own.free(found[0])
    assert not own.free(found[0])
    assert own.leftovers() == found[1:]
    assert sum(folder.exists() for _, folder in held.values()) == 1


def test_leftovers_of_others_are_not_listed(tmp_path: Path, own: Isolation, place: Path) -> None:
    """What belongs to another repository is its affair; what nobody knows is everybody's."""
    with holding(tmp_path / "other", place, "ws-a"):
        pass
    (base_folder(tmp_path) / "30000").mkdir()
    (found,) = own.leftovers()
    assert (found.port, found.run_id, found.ws_id) == (30_000, None, None)


def test_a_leftover_that_is_in_use_again(tmp_path: Path, own: Isolation, place: Path) -> None:
    """Between the look and the removal somebody may have taken it."""
    with holding(tmp_path, place, "ws-a"):
        pass
    (found,) = own.leftovers()
    given = own.take("run-1", "ws-a")
    assert not another(tmp_path).free(found)
    assert Path(given[FOLDER]).is_dir()


def test_where_nothing_runs_there_is_nothing_left(
    own: Isolation, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, where no workstream runs, cleaning finds nothing and makes no folder."""
    monkeypatch.setattr("sys.platform", "win32")
    assert own.leftovers() == ()
    assert list(place.iterdir()) == []
