"""Duplicates: the same bytes, whatever else is alike."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.environment.scan import contents, duplicates
from penstock.environment.scan.api import Entry
from penstock.environment.scan.contents import WHOLE_BYTES, are_same, compared, hashed, same_ends
from penstock.environment.scan.duplicates import DuplicateFinder, candidates
from penstock.environment.scan.walk import Walker
from tests.support.scanning import BookIndex, entry, found_sets, tree
from tests.support.unprivileged import python

LARGE = random.Random(7).randbytes(700_001)
SIZES = (1, 7, WHOLE_BYTES, WHOLE_BYTES + 1, 300_000, 700_001)


def changed(data: bytes, place: int) -> bytes:
    """The same bytes but for one."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def refuse(path: str, why: str) -> None:
    """Hear of a file that cannot be read where all can be."""
    raise AssertionError(f"{path}: {why}")


@pytest.mark.parametrize("size", SIZES)
def test_same_bytes_of_any_size(tmp_path: Path, size: int) -> None:
    """Two files are a set, with the SHA-256 of their content and what one of them wastes."""
    data = LARGE[:size]
    top = tree(tmp_path, {"a": data, "b": data, "c": changed(data, size // 2)})
    (found,) = DuplicateFinder().find(Walker().files([top]))
    assert found.files == (str(top / "a"), str(top / "b"))
    assert found.file_hash == hashlib.sha256(data).hexdigest()
    assert (found.size_bytes, found.wasted) == (size, size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_one_byte_makes_the_difference(tmp_path: Path, size: int) -> None:
    """At the beginning, at the end, and wherever between."""
    data = LARGE[:size]
    places = {0, 1, size // 3, size // 2, size - 2, size - 1}
    tree(tmp_path, {str(place): changed(data, place) for place in places} | {"a": data})
    assert found_sets(tmp_path) == []


def test_several_sets_of_one_size(tmp_path: Path) -> None:
    """Files that part late, and those of which two kinds go on together."""
    one, two, three = LARGE, changed(LARGE, 300_000), changed(LARGE, 650_000)
    contents_of = {"a": one, "b": two, "c": three, "d": two, "e": one, "f": three, "g": one}
    found = found_sets(tree(tmp_path, contents_of))
    assert found[0] == {"a", "e", "g"}
    assert sorted(map(sorted, found[1:])) == [["b", "d"], ["c", "f"]]


def test_links_are_no_duplicates(tmp_path: Path) -> None:
    """Neither hard nor symbolic ones; of hard links the first by name stands for the file."""
    top = tree(tmp_path, {"b": LARGE, "alone": LARGE[:-1]})
    os.link(top / "b", top / "a")
    os.link(top / "alone", top / "other")
    (top / "s").symlink_to("b")
    assert found_sets(top) == []
    tree(top, {"z": LARGE})
    assert found_sets(top) == [{"a", "z"}]


def test_empty_files_are_no_duplicates(tmp_path: Path) -> None:
    """They waste nothing."""
    assert found_sets(tree(tmp_path, {"a": "", "b": ""})) == []


def test_sets_that_waste_most_come_first(tmp_path: Path) -> None:
    """Not those of the largest files."""
    many = {f"s{n}": b"x" * 400 for n in range(4)}
    found = found_sets(tree(tmp_path, {"a": b"y" * 1000, "b": b"y" * 1000, **many}))
    assert found == [set(many), {"a", "b"}]


def test_more_files_than_are_compared_side_by_side(tmp_path: Path) -> None:
    """They are told apart by their hashes."""
    data = LARGE[: WHOLE_BYTES + 1]
    other = changed(data, 40_000)
    files = {f"{n:03}": data if n % 2 else other for n in range(contents.AT_ONCE + 2)}
    found = found_sets(tree(tmp_path, files))
    assert sorted(map(len, found)) == [contents.AT_ONCE // 2 + 1] * 2


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(SIZES), st.integers(0, 2)), max_size=12))
def test_sets_are_those_of_a_plain_comparison(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int]]
) -> None:
    """Whatever files there are, the sets are the files grouped by their bytes."""
    top = tmp_path_factory.mktemp("drawn")
    files = {
        f"{n}": changed(LARGE[:size], size * kind // 3) for n, (size, kind) in enumerate(drawn)
    }
    groups: dict[bytes, set[str]] = {}
    for name, data in files.items():
        groups.setdefault(data, set()).add(name)
    expected = sorted(sorted(group) for group in groups.values() if len(group) > 1)
    assert sorted(map(sorted, found_sets(tree(top, files)))) == expected


# -- hashes of earlier scans -------------------------------------------------------------------
def find_later(top: Path, book: BookIndex) -> list[frozenset[str]]:
    """Scan with an index, as if a minute had gone by."""
    later = lambda: max(p.stat().st_ctime_ns for p in top.iterdir()) + 60_000_000_000  # noqa: E731
    found = DuplicateFinder(book, clock=later).find(Walker().files([top]))
    return [frozenset(Path(path).name for path in one.files) for one in found]


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second scan finds the same, by the hashes of the first alone."""
    top, book = tree(tmp_path, {"a": LARGE, "b": LARGE}), BookIndex()
    assert find_later(top, book) == [{"a", "b"}]
    monkeypatch.setattr(duplicates, "compared", refuse)
    assert find_later(top, book) == [{"a", "b"}]
    assert book.asked == 2


def test_a_file_beside_known_ones_is_hashed(tmp_path: Path) -> None:
    """And known from then on."""
    top, book = tree(tmp_path, {"a": LARGE, "b": LARGE}), BookIndex()
    find_later(top, book)
    tree(top, {"c": LARGE, "d": changed(LARGE, 350_000)})
    assert find_later(top, book) == [{"a", "b", "c"}]
    assert len(book.book) == 4


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """Even when its size and its time of modification are as before."""
    top, book = tree(tmp_path, {"a": LARGE, "b": LARGE}), BookIndex()
    find_later(top, book)
    before = (top / "a").stat()
    (top / "a").write_bytes(changed(LARGE, 350_000))
    os.utime(top / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find_later(top, book) == []


def test_a_hash_of_a_moment_ago_is_not_kept(tmp_path: Path) -> None:
    """The file may change again within the same tick of its time stamps; small ones never are."""
    top, book = tree(tmp_path, {"a": LARGE, "b": LARGE, "s": b"1", "t": b"1"}), BookIndex()
    assert len(found_sets(top, book)) == 2
    assert not book.book
    find_later(top, book)
    assert {one.size for one in book.book} == {len(LARGE)}


# -- what changes meanwhile --------------------------------------------------------------------
def listed(top: Path) -> list[Entry]:
    """The files of a folder as a walk finds them now."""
    return sorted(Walker().files([top]))


@pytest.mark.parametrize("size", [100, WHOLE_BYTES + 1])
def test_files_that_are_gone_when_they_are_read(tmp_path: Path, size: int) -> None:
    """They are left out without a word, also when something else is in their place."""
    top = tree(tmp_path, dict.fromkeys("abcdef", LARGE[:size]))
    entries = listed(top)
    for name in "abc":
        (top / name).unlink()
    (top / "b").symlink_to("d")
    (top / "c").write_bytes(b"short")
    finder = DuplicateFinder()
    (found,) = finder.find(entries)
    assert [Path(path).name for path in found.files] == ["d", "e", "f"]
    assert [note.split(": ")[1] for note in finder.notes] == ["Too many levels of symbolic links"]


def test_a_file_that_shrinks_while_it_is_compared(tmp_path: Path) -> None:
    """It is left out."""
    top = tree(tmp_path, dict.fromkeys("abc", LARGE))
    entries = listed(top)
    (top / "b").write_bytes(LARGE[:-1])
    (same,) = compared(entries, refuse)
    assert [Path(one.path).name for one in same.entries] == ["a", "c"]
    assert len(hashed(entries, refuse)) == 2


def test_a_file_that_shrinks_under_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was whole when it was opened, too; and one that was written to is not believed."""
    top = tree(tmp_path, dict.fromkeys("abcd", LARGE))
    entries, real = listed(top), contents.open_unchanged

    def opened(one: Entry) -> int:
        descriptor = real(one)
        if one.path.endswith("b"):
            os.truncate(one.path, 10)
        if one.path.endswith("d"):
            os.utime(one.path)
        return descriptor

    monkeypatch.setattr(contents, "open_unchanged", opened)
    (same,) = compared(entries, refuse)
    assert [Path(one.path).name for one in same.entries] == ["a", "c"]
    assert compared([entries[1]], refuse) == []
    assert compared([], refuse) == []


def test_a_file_that_is_written_to_while_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no hash."""
    top = tree(tmp_path, {"a": LARGE})
    entries, real = listed(top), contents.open_unchanged

    def opened(one: Entry) -> int:
        descriptor = real(one)
        (top / "a").write_bytes(LARGE + b"more")
        return descriptor

    monkeypatch.setattr(contents, "open_unchanged", opened)
    assert hashed(entries, refuse) == {}


def test_files_that_cannot_be_read_are_notes(tmp_path: Path) -> None:
    """And the others are compared."""
    top = tree(tmp_path, dict.fromkeys("abc", LARGE) | dict.fromkeys("xyz", b"12"))
    for name in "ax":
        (top / name).chmod(0)
    code = (
        "import sys; from tests.support.scanning import *\n"
        "finder = DuplicateFinder(); found = finder.find(Walker().files([Path(sys.argv[1])]))\n"
        "print([len(one.files) for one in found], sorted(finder.notes))"
    )
    notes = [f"{top / name}: Permission denied" for name in "ax"]
    root = Path(__file__).parents[4]
    assert python(code, [top], cwd=root) == f"[2, 2] {notes}\n"


def test_an_interruption_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread goes on after it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(duplicates, "small_same", interrupted)
    top = tree(tmp_path, dict.fromkeys("ab", LARGE) | dict.fromkeys("xy", b"1"))
    with pytest.raises(KeyboardInterrupt):
        found_sets(top)
    assert not [one for one in threading.enumerate() if one.name.startswith("penstock-scan")]


def test_candidates_are_those_that_share_a_size(tmp_path: Path) -> None:
    """Largest first."""
    top = tree(tmp_path, {"a": "1", "b": "2", "c": "333", "d": "4444", "e": "5555"})
    groups = candidates(listed(top))
    assert [[Path(one.path).name for one in group] for group in groups] == [["d", "e"], ["a", "b"]]


def test_ends_of_a_file_are_its_first_and_last_bytes(tmp_path: Path) -> None:
    """Files that differ in the middle alone have the same ends."""
    top = tree(tmp_path, {"a": LARGE, "b": changed(LARGE, 350_000), "c": changed(LARGE, 0)})
    (alike,) = same_ends(listed(top), refuse)
    assert [Path(one.path).name for one in alike] == ["a", "b"]


# -- right before one of them goes -------------------------------------------------------------
def test_two_files_are_the_same_now(tmp_path: Path) -> None:
    """Two files with the same bytes are; one file under two names is not, nor is anything else."""
    top = tree(tmp_path, {"a": LARGE, "b": LARGE, "c": changed(LARGE, 5), "d": LARGE[:-1]})
    os.link(top / "a", top / "h")
    os.mkfifo(top / "p")
    a, *others = (str(top / name) for name in "abcdhp")
    assert [are_same(a, other) for other in others] == [True, False, False, False, False]
    assert not are_same(str(top / "p"), a)


def test_a_link_is_not_compared(tmp_path: Path) -> None:
    """Nor is what is not there."""
    top = tree(tmp_path, {"a": LARGE})
    (top / "l").symlink_to("a")
    for other in ("l", "none"):
        with pytest.raises(OSError, match=other):
            are_same(str(top / "a"), str(top / other))


def test_an_entry_is_known_by_all_that_a_change_changes(tmp_path: Path) -> None:
    """Device, inode, size and both times."""
    one = entry(tree(tmp_path, {"a": "1"}) / "a")
    assert one.identity == (one.dev, one.ino, 1, one.mtime_ns, one.ctime_ns)
