"""The trash: moving into it, putting back, emptying; and what can go wrong with each."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import msgspec
import pytest

from penstock.environment.scan import trash
from penstock.environment.scan.moving import NotMovedError, move, move_pieces
from penstock.environment.scan.trash import MANIFEST, Trash, put_back
from penstock.errors import EnvironmentProblem, NotFoundError
from tests.support.scanning import cache_item, tree


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file below a folder with its content, mode and time."""
    return {
        os.path.relpath(path, folder): (
            path.read_bytes(),
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder with two caches and a file."""
    return tree(tmp_path / "r", {"a/__pycache__/x": "1", "__pycache__/d/y": "22", "kept": "3"})


@pytest.fixture
def bin_(tmp_path: Path) -> Trash:
    """A trash."""
    return Trash(tmp_path / "home" / "trash")


def filled(bin_: Trash, top: Path, *names: str) -> str:
    """Move things to the trash; return its id."""
    items = [cache_item(top / name, top) for name in names]
    filling = bin_.open_set(items, [str(top)])
    for item in items:
        filling.take(item)
    return filling.folder.name


# -- there and back ----------------------------------------------------------------------------
def test_there_and_back(bin_: Trash, top: Path) -> None:
    """Content, modes and times are as before, and the set is gone."""
    (top / "__pycache__/d").chmod(0o705)
    before = state(top)
    trash_id = filled(bin_, top, "__pycache__", "a/__pycache__")
    assert set(state(top)) == {"kept"}
    result = bin_.restore(bin_.get(trash_id))
    assert result.restored == (str(top / "__pycache__"), str(top / "a/__pycache__"))
    assert state(top) == before
    assert (top / "__pycache__/d").stat().st_mode & 0o777 == 0o705
    assert bin_.sets() == []


def test_a_folder_that_is_gone_is_made_again(bin_: Trash, top: Path) -> None:
    """With all above it."""
    trash_id = filled(bin_, top, "a/__pycache__")
    (top / "a").rmdir()
    assert bin_.restore(bin_.get(trash_id)).stayed == {}
    assert (top / "a/__pycache__/x").read_text() == "1"


def test_a_cache_that_was_made_anew_gets_what_it_lacks(bin_: Trash, top: Path) -> None:
    """What is there is not overwritten, and then stays in the trash."""
    trash_id = filled(bin_, top, "__pycache__")
    tree(top, {"__pycache__/d/z": "new"})
    assert bin_.restore(bin_.get(trash_id)).stayed == {}
    assert set(state(top / "__pycache__")) == {"d/y", "d/z"}
    trash_id = filled(bin_, top, "__pycache__")
    tree(top, {"__pycache__/d/z": "newer"})
    result = bin_.restore(bin_.get(trash_id))
    assert result.stayed == {
        str(top / "__pycache__"): "there by now, with 1 of the same names in it"
    }
    assert (top / "__pycache__/d/z").read_text() == "newer"
    assert [len(found.there()) for found in bin_.sets()] == [1]


def test_what_is_something_else_by_now_stays(bin_: Trash, top: Path) -> None:
    """A file in the place of a folder, a link, a file in the place of the folder above."""
    trash_id = filled(bin_, top, "__pycache__", "a/__pycache__")
    (top / "__pycache__").symlink_to("a")
    (top / "a").rmdir()
    (top / "a").write_text("file")
    result = bin_.restore(bin_.get(trash_id))
    assert result.restored == ()
    assert result.stayed[str(top / "__pycache__")] == "something else is there by now"
    assert result.stayed[str(top / "a/__pycache__")] in {"Not a directory", "File exists"}


def test_a_link_above_a_restored_thing_is_in_the_way(bin_: Trash, top: Path) -> None:
    """Nothing is put where a link leads."""
    trash_id = filled(bin_, top, "a/__pycache__")
    (top / "a").rmdir()
    (top / "b").mkdir()
    (top / "a").symlink_to("b")
    result = bin_.restore(bin_.get(trash_id))
    assert list(result.stayed.values()) == ["a link is in the way"]


def test_names_that_are_no_text(bin_: Trash, tmp_path: Path) -> None:
    """They come back as they were."""
    name = os.fsdecode(b"\xff-\n")
    top = tree(tmp_path / "odd", {f"{name}/__pycache__/{name}": "1"})
    trash_id = filled(bin_, top, f"{name}/__pycache__")
    bin_.restore(bin_.get(trash_id))
    assert list(state(top)) == [f"{name}/__pycache__/{name}"]


def test_the_trash_is_for_its_owner_alone(bin_: Trash, top: Path) -> None:
    """Folders 0700, the manifest 0600; a trash that others can enter is refused."""
    trash_id = filled(bin_, top, "__pycache__")
    folder = bin_.home / trash_id
    assert [p.stat().st_mode & 0o777 for p in (bin_.home, folder, folder / MANIFEST)] == [
        0o700, 0o700, 0o600,
    ]  # fmt: skip
    bin_.home.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="open to others"):
        bin_.open_set([], [])


# -- sets --------------------------------------------------------------------------------------
def test_sets_by_id(bin_: Trash, top: Path) -> None:
    """By the whole id, by the beginning of it, the newest by default; else nothing."""
    with pytest.raises(NotFoundError, match="nothing is in the trash"):
        bin_.get(None)
    first = filled(bin_, top, "__pycache__")
    assert bin_.get(first[:-2]).trash_id == bin_.get(None).trash_id == first
    with pytest.raises(NotFoundError):
        bin_.get("x")
    info = bin_.get(first).info()
    assert (info.items, info.size_bytes, info.roots, info.notes) == (1, 1, (str(top),), ())


def test_what_else_lies_there_is_no_set(bin_: Trash, top: Path) -> None:
    """Folders without a manifest, files, and manifests that are folders."""
    filled(bin_, top, "__pycache__")
    tree(bin_.home, {"x/y": "", "z": "", f"w/{MANIFEST}/q": ""})
    assert len(bin_.sets()) == 1


def test_a_set_that_is_dropped_is_gone_for_good(bin_: Trash, top: Path) -> None:
    """With all that lies in it, write-protected or not."""
    trash_id = filled(bin_, top, "__pycache__", "kept")
    (bin_.home / trash_id / "1" / "d").chmod(0o500)
    assert bin_.drop(bin_.get(trash_id)) is None
    assert [path.name for path in bin_.home.iterdir()] == []


def test_a_set_that_cannot_be_dropped_says_so(
    bin_: Trash, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And stays as it is."""
    trash_id = filled(bin_, top, "__pycache__")
    monkeypatch.setattr(trash, "remove_tree", lambda _folder: None)
    assert str(bin_.drop(bin_.get(trash_id))).endswith("/1 cannot be deleted")


# -- manifests ---------------------------------------------------------------------------------
def rewritten(bin_: Trash, trash_id: str, **changes: object) -> list[str]:
    """Change the first item of a manifest; return the notes of the set and what it would restore."""
    path = bin_.home / trash_id / MANIFEST
    head, line = path.read_text().splitlines()
    path.write_text(f"{head}\n{json.dumps({**json.loads(line), **changes})}\n")
    found = bin_.get(trash_id)
    return [*found.notes, *(kept.path for kept in found.there())]


@pytest.mark.parametrize(
    "changes",
    [
        {"kept_at": "/etc/passwd"},
        {"kept_at": "relative"},
        {"path": "relative"},
        {"path": "/a/../b"},
        {"path": 3},
        {"size_bytes": "x"},
    ],
)
def test_a_manifest_moves_nothing_but_what_lies_in_its_set(
    bin_: Trash, top: Path, changes: dict[str, object]
) -> None:
    """Whatever somebody wrote into it."""
    trash_id = filled(bin_, top, "__pycache__")
    (said,) = rewritten(bin_, trash_id, **changes)
    assert said.startswith(f"line 2 of {MANIFEST} cannot be read")


@pytest.mark.parametrize(
    "text", ["", "rubbish\n", "[]\n", '{"version": 9}\n', '{"version": 1}\n', "\xff\n"]
)
def test_a_damaged_manifest(bin_: Trash, top: Path, text: str) -> None:
    """It is no set that holds anything, breaks nothing, and is not deleted by a restore."""
    trash_id = filled(bin_, top, "__pycache__")
    (bin_.home / trash_id / MANIFEST).write_bytes(text.encode("latin-1"))
    found = bin_.get(trash_id)
    assert found.info().items == 0
    assert len(found.notes) == (1 if text else 0)
    assert (bin_.home / trash_id / "1").is_dir()


def test_a_manifest_that_cannot_be_read(bin_: Trash, top: Path) -> None:
    """The set is left out of the list."""
    trash_id = filled(bin_, top, "__pycache__")
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        trash.TrashSet(bin_.home / "none")
    assert [found.trash_id for found in bin_.sets()] == [trash_id]


def test_a_trash_that_cannot_be_written(
    bin_: Trash, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is moved, and no half-made set stays."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trash, "_write", full)
    with pytest.raises(EnvironmentProblem, match="No space left") as raised:
        filled(bin_, top, "__pycache__")
    assert raised.value.hint
    assert list(bin_.home.iterdir()) == []
    assert (top / "__pycache__").exists()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    """It is said."""
    (tmp_path / "home").write_text("")
    with pytest.raises(EnvironmentProblem):
        Trash(tmp_path / "home" / "trash").open_set([], [])


# -- moving ------------------------------------------------------------------------------------
def test_only_what_was_found_is_moved(top: Path, tmp_path: Path) -> None:
    """Something else in its place stays, and so does what would overwrite something."""
    was = (top / "kept").stat()
    expected = (was.st_dev, was.st_ino)
    (top / "other").write_text("")
    with pytest.raises(NotMovedError, match="not what was found"):
        move(top / "other", tmp_path / "t", expected)
    with pytest.raises(NotMovedError, match="is there already"):
        move(top / "kept", top / "other", expected)
    for missing in (top / "none", top / "none" / "x"):
        with pytest.raises(NotMovedError, match="No such file"):
            move(missing, tmp_path / "t")


def test_a_link_on_the_way_stops_a_move(top: Path, tmp_path: Path) -> None:
    """The last folder may be no link, nor any above it."""
    (top / "l").symlink_to("a")
    with pytest.raises(NotMovedError):
        move(top / "l/__pycache__", tmp_path / "t")
    (tmp_path / "m").symlink_to(top)
    with pytest.raises(NotMovedError, match="a link is in the way"):
        move(tmp_path / "m" / "a" / "__pycache__", tmp_path / "t")


def refuse_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file system rename files alone, as overlayfs does with folders of a lower layer."""
    real = os.rename

    def rename(source: str, target: Path, *, src_dir_fd: int | None = None) -> None:
        if src_dir_fd is not None:  # as the trash asks for a whole thing
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)


def test_a_folder_that_only_goes_piece_by_piece(
    bin_: Trash, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes, and comes back, with its modes."""
    (top / "__pycache__").chmod(0o750)
    (top / "__pycache__/l").symlink_to("d")
    before = state(top)
    refuse_folders(monkeypatch)
    trash_id = filled(bin_, top, "__pycache__")
    assert not (top / "__pycache__").exists()
    bin_.restore(bin_.get(trash_id))
    assert state(top) == before
    assert (top / "__pycache__").stat().st_mode & 0o777 == 0o750
    assert (top / "__pycache__/l").is_symlink()


def test_a_file_that_cannot_be_renamed_stays(
    bin_: Trash, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said why; no copy is made."""
    refuse_folders(monkeypatch)
    with pytest.raises(NotMovedError, match="another file system than the trash"):
        filled(bin_, top, "kept")
    assert (top / "kept").exists()


def test_pieces_meet_what_is_there(top: Path, tmp_path: Path) -> None:
    """Folders are filled up, files and links in the way are left with what they are in the way of."""
    tree(tmp_path / "s", {"a/__pycache__/n": "", "kept": "", "l/x": ""})
    (top / "l").symlink_to("a")
    left = move_pieces(tmp_path / "s", top)
    assert [path.name for path in left] == ["kept", "l"]
    assert (top / "a/__pycache__/n").exists()
    assert (top / "kept").read_text() == "3"


def test_a_half_moved_folder_is_mended_by_putting_it_back(bin_: Trash, top: Path) -> None:
    """As after a kill in the midst of moving it piece by piece."""
    item = cache_item(top / "__pycache__", top)
    tree(top, {"__pycache__/e/z": "3"})
    before = state(top)
    filling = bin_.open_set([item], [str(top)])
    target = filling.folder / "1"
    tree(target, {"d/.keep": ""})
    (target / "d/.keep").unlink()
    (top / "__pycache__/d/y").rename(target / "d/y")
    bin_.restore(bin_.get(None))
    assert state(top) == before


# -- another file system -----------------------------------------------------------------------
@pytest.fixture
def elsewhere(bin_: Trash, monkeypatch: pytest.MonkeyPatch) -> Trash:
    """A trash for which all else is on another file system."""
    real = trash._place
    monkeypatch.setattr(
        trash, "_place", lambda item, folder, device: real(item, folder, device + 1)
    )
    return bin_


def test_things_of_another_file_system_stay_on_it(elsewhere: Trash, top: Path) -> None:
    """In a folder of their root that git does not show, and that goes with the last of them."""
    before = state(top)
    first = filled(elsewhere, top, "__pycache__")
    second = filled(elsewhere, top, "a/__pycache__")
    assert (top / ".aim-trash" / first / "1" / "d" / "y").exists()
    assert (top / ".aim-trash" / ".gitignore").read_text().endswith("\n*\n")
    assert (top / ".aim-trash").stat().st_mode & 0o777 == 0o700
    elsewhere.restore(elsewhere.get(first))
    assert (top / ".aim-trash" / ".gitignore").exists()
    elsewhere.restore(elsewhere.get(second))
    assert state(top) == before
    assert not (top / ".aim-trash").exists()


def test_no_trash_can_be_made_there(elsewhere: Trash, top: Path) -> None:
    """Then things stay where they are: a file is in the way, or others may enter the folder."""
    (top / ".aim-trash").write_text("")
    with pytest.raises(NotMovedError, match="no trash can be made"):
        filled(elsewhere, top, "__pycache__")
    (top / ".aim-trash").unlink()
    (top / ".aim-trash").mkdir(mode=0o755)
    with pytest.raises(NotMovedError, match="no trash can be made"):
        filled(elsewhere, top, "a/__pycache__")


def test_putting_back_says_what_the_system_says(bin_: Trash, top: Path) -> None:
    """A thing that is gone from the trash cannot be put back."""
    filled(bin_, top, "__pycache__")
    (kept,) = bin_.get(None).items
    gone = msgspec.structs.replace(kept, kept_at=f"{kept.kept_at}x")
    with pytest.raises(NotMovedError, match="No such file"):
        put_back(gone)
