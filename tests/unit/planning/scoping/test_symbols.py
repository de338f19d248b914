"""The index of symbols: found again, brought up to date, kept, and set aside when damaged."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from penstock.planning.scoping import crew, symbols
from penstock.planning.scoping.api import Definition
from penstock.planning.scoping.languages import RULES
from penstock.planning.scoping.symbolfile import DAMAGED, NAME
from penstock.planning.scoping.symbols import SymbolIndex, open_symbols
from penstock.planning.scoping.terrain import FolderTerrain
from tests.support.terrains import FakeTerrain

FILES = {
    "src/a.py": "class Basket:\n    def total(self): ...\n",
    "src/b.ts": "export function total() {}\n",
    "docs/a.md": "def not_code(): ...\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of some files that were changed long ago."""
    place = tmp_path / "repo"
    for name, text in FILES.items():
        put(place, name, text)
    return place


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the index is kept; it does not exist yet."""
    return tmp_path / "state" / "cache"


def put(root: Path, name: str, text: str, age_s: float = 1000) -> None:
    """Write a file that was last changed so many seconds ago."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    when = time.time() - age_s
    os.utime(path, (when, when))


def opened(root: Path, state: Path | None) -> SymbolIndex:
    """The index of a folder."""
    return open_symbols(FolderTerrain(root), root=root, folder=state)


def looked(root: Path, state: Path | None) -> tuple[SymbolIndex, int]:
    """The index of a folder, and how many files were read for it."""
    counts = [0]
    index = open_symbols(
        FolderTerrain(root), root=root, folder=state, progress=lambda done, _: counts.append(done)
    )
    return index, counts[-1]


def test_symbols_are_found(root: Path, state: Path) -> None:
    """A name leads to every definition of it, sorted, and another to none."""
    index = opened(root, state)
    assert index.find("total") == [
        Definition("src/a.py", 2, "method"),
        Definition("src/b.ts", 1, "function"),
    ]
    assert index.find("Basket") == [Definition("src/a.py", 1, "class")]
    assert (index.find("not_code"), index.find(""), len(index), index.problems) == ([], [], 3, ())


def test_a_kept_index_reads_nothing_again(root: Path, state: Path) -> None:
    """The second time no file is read, and the same is found."""
    first, read = looked(root, state)
    again, read_again = looked(root, state)
    assert (read, read_again) == (2, 0)
    assert again.find("total") == first.find("total")


def test_only_what_changed_is_read(root: Path, state: Path) -> None:
    """A changed file is read again, a removed one forgotten, an added one read."""
    opened(root, state)
    put(root, "src/a.py", "class Crate: ...\n", age_s=500)
    put(root, "src/c.py", "def weigh(): ...\n")
    (root / "src/b.ts").unlink()
    index, read = looked(root, state)
    assert read == 2
    assert [bool(index.find(name)) for name in ("Basket", "Crate", "weigh", "total")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert looked(root, state)[1] == 0


def test_another_time_alone_parses_nothing(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a checkout contents are compared, and what is the same is not parsed."""
    opened(root, state)
    os.utime(root / "src/a.py", (1, 1))
    monkeypatch.setattr(crew, "definitions", None)
    assert looked(root, state)[1] == 1
    assert looked(root, state)[1] == 0


def test_a_change_at_the_same_time_is_seen(root: Path, state: Path) -> None:
    """A file that was changed twice within one tick, to the same size, is read again."""
    put(root, "src/a.py", "class Aaaaaa: ...\n", age_s=0)
    opened(root, state)
    before = (root / "src/a.py").stat()
    (root / "src/a.py").write_text("class Bbbbbb: ...\n")
    os.utime(root / "src/a.py", ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert opened(root, state).find("Bbbbbb")


def test_the_kept_index_is_ours_alone(root: Path, state: Path) -> None:
    """Nobody else can read it, and nothing else is left in its folder."""
    opened(root, state)
    assert [path.name for path in state.iterdir()] == [NAME]
    assert stat.S_IMODE((state / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def damaged_half(content: bytes) -> bytes:
    """Half of it."""
    return content[: len(content) // 2]


def damaged_bit(content: bytes) -> bytes:
    """One bit of it another."""
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "damage", [damaged_half, damaged_bit, lambda _: b"", lambda _: b"rubbish" * 99]
)
def test_a_damaged_index_is_set_aside(root: Path, state: Path, damage: object) -> None:
    """Whatever the file holds instead, it is kept aside and the index made anew."""
    assert callable(damage)
    opened(root, state)
    path = state / NAME
    path.write_bytes(damage(path.read_bytes()))
    index = opened(root, state)
    assert len(index) == 3
    assert "damaged" in index.problems[0]
    assert (state / DAMAGED).exists()
    assert opened(root, state).problems == ()


def test_an_index_of_other_rules_is_made_anew(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older penstock understood of the files does not count."""
    opened(root, state)
    monkeypatch.setattr("penstock.planning.scoping.symbols.RULES", RULES + 1)
    assert looked(root, state)[1] == 2


def test_a_folder_in_the_way_is_told(root: Path, state: Path) -> None:
    """Where the index cannot be read or kept it is told, and works nevertheless."""
    (state / NAME / "x").mkdir(parents=True)
    index = opened(root, state)
    assert len(index) == 3
    assert [problem.split(":")[0] for problem in index.problems] == [
        "the kept index of symbols cannot be read",
        "the index of symbols cannot be kept",
    ]
    assert [path.name for path in state.iterdir()] == [NAME]


def test_a_file_in_place_of_the_folder_is_told(root: Path, tmp_path: Path) -> None:
    """Where there can be no folder nothing is kept."""
    (tmp_path / "file").write_text("")
    index = opened(root, tmp_path / "file" / "cache")
    assert (len(index), len(index.problems)) == (3, 2)


def test_a_damaged_index_that_cannot_be_moved_is_told(root: Path, state: Path) -> None:
    """Where what is damaged cannot be set aside it is told, and written over."""
    state.mkdir(parents=True)
    (state / NAME).write_text("rubbish")
    (state / DAMAGED / "x").mkdir(parents=True)
    assert "it cannot be set aside" in opened(root, state).problems[1]
    assert opened(root, state).problems == ()


def test_old_drafts_are_removed(root: Path, state: Path) -> None:
    """What a killed process left behind goes after an hour; a draft of now stays."""
    state.mkdir(parents=True)
    old, fresh = state / f".{NAME}.1.x", state / f".{NAME}.2.x"
    old.write_text("")
    fresh.write_text("")
    os.utime(old, (1, 1))
    opened(root, state)
    assert (old.exists(), fresh.exists()) == (False, True)


class Listing(FolderTerrain):
    """A folder that is said to hold some more files."""

    def __init__(self, root: Path, *more: str) -> None:
        super().__init__(root)
        self.more = more

    def files(self) -> list[str]:
        """Return the files of the folder and those that are said to be there."""
        return sorted([*super().files(), *self.more])


@pytest.mark.parametrize("worth", [0, crew.WORTH_BYTES])
def test_unreadable_files_define_nothing_and_are_tried_again(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    """A link, a pipe or a vanished file is passed over; once it can be read it counts."""
    monkeypatch.setattr(crew, "WORTH_BYTES", worth)
    (root / "src/l.py").symlink_to(root / "src/a.py")
    os.mkfifo(root / "src/p.py")
    terrain = Listing(root, "src/l.py", "src/p.py", "src/gone.py")
    assert len(open_symbols(terrain, root=root, folder=state)) == 3
    (root / "src/p.py").unlink()
    put(root, "src/p.py", "def piped(): ...")
    assert open_symbols(terrain, root=root, folder=state).find("piped")


def test_without_a_place_files_are_read_through_the_terrain() -> None:
    """A repository that lies in no folder is read as it gives itself."""
    index = open_symbols(FakeTerrain(FILES))
    assert [definition.path for definition in index.find("total")] == ["src/a.py", "src/b.ts"]


def test_what_a_terrain_cannot_read_defines_nothing() -> None:
    """A file that vanishes between the listing and the reading is passed over."""

    class Vanishing(FakeTerrain):
        def read(self, path: str) -> bytes:
            raise FileNotFoundError(path)

    assert len(open_symbols(Vanishing(FILES))) == 0


def test_a_terrain_without_a_place_is_kept_by_content(state: Path) -> None:
    """Without times of change contents are compared, and nothing is parsed twice."""
    first = open_symbols(FakeTerrain(FILES), folder=state)
    assert open_symbols(FakeTerrain(FILES), folder=state).find("total") == first.find("total")


def test_too_many_files_are_told(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound files are left alone, and that is said."""
    monkeypatch.setattr(symbols, "MAX_FILES", 1)
    index = opened(root, state)
    assert (len(index), index.problems) == (2, ("only 1 of 2 files were looked at for symbols",))
