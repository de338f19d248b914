"""Cleaning: what is offered, what stays, and the last look before anything goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.environment.repository import find_checkout
from penstock.environment.scan.api import CleanPlan, Kind, NoIndex, Phase, ScanReport
from penstock.environment.scan.clean import Cleaner
from penstock.environment.scan.protect import Guard
from penstock.environment.scan.scanner import ScanRequest, scan
from penstock.environment.scan.tracked import TrackedFiles
from penstock.environment.scan.trash import Trash
from penstock.errors import GitError
from tests.support.repos import git
from tests.support.scanning import BookIndex, tree

DATA = b"x" * 5000
Clean = Callable[..., CleanPlan]


def listing(top: Path) -> list[str]:
    """What git tracks in a checkout."""
    return [name for name in git(top, "ls-files", "-z").split("\0") if name]


def look(*roots: Path, **wanted: object) -> ScanReport:
    """Scan folders."""
    return scan(ScanRequest(roots=roots, **wanted), NoIndex())  # type: ignore[arg-type]


@pytest.fixture
def bin_(tmp_path: Path) -> Trash:
    """A trash."""
    return Trash(tmp_path / "home" / "trash")


@pytest.fixture
def cleaner(bin_: Trash) -> Cleaner:
    """A cleaner over real git."""
    return Cleaner(Guard(tracked=TrackedFiles(listing), anchor=find_checkout), bin_)


def names(plan: CleanPlan) -> dict[str, Kind]:
    """What a plan would move, relative to its first root."""
    return {os.path.relpath(item.path, plan.roots[0]): item.kind for item in plan.items}


# -- the report --------------------------------------------------------------------------------
def test_a_report_has_everything_of_one_walk(tmp_path: Path) -> None:
    """Duplicates, caches, counts and sizes in units of 1,048,576 bytes."""
    big = b"z" * 2_000_000
    top = tree(tmp_path, {"a": big, "b": big, "s": "1", "__pycache__/c": big, ".claude/d": "1"})
    heard: list[Phase] = []
    request = ScanRequest(roots=(top,), min_bytes=1)
    report = scan(request, NoIndex(), lambda phase, _done, _total: heard.append(phase))
    assert [len(found.files) for found in report.duplicates] == [2]
    assert [(c.pattern, c.cleanable) for c in report.misplaced_caches] == [
        ("__pycache__", True),
        (".claude", False),
    ]
    assert (report.total_scanned_files, report.total_scanned_bytes) == (3, 4_000_001)
    assert (report.total_wasted_mb, report.total_cache_mb) == (1.91, 1.91)
    assert heard == [Phase.LISTING, Phase.READING]
    assert report.roots == (str(top),)


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    """Files from a size on, of some extensions; without caches, or without duplicates."""
    files: dict[str, bytes | str] = {
        "a.PY": DATA,
        "b.py": DATA,
        "c.txt": DATA,
        "d.txt": DATA,
        "s.py": "1",
        "t.py": "1",
    }
    top = tree(tmp_path, {**files, "__pycache__/x": ""})
    report = look(top, min_bytes=2, extensions=(".py",), caches=False)
    assert [len(found.files) for found in report.duplicates] == [2]
    assert report.misplaced_caches == ()
    report = look(top, duplicates=False)
    assert report.duplicates == ()
    assert len(report.misplaced_caches) == 1


def test_what_could_not_be_looked_at_is_a_note(tmp_path: Path) -> None:
    """A root that is not there."""
    assert look(tmp_path / "none").notes == (
        f"{tmp_path.resolve()}/none: No such file or directory",
    )


def test_the_collector_is_left_as_it_was(tmp_path: Path) -> None:
    """Whether it was on or off, also when a scan breaks off."""
    import gc

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(ScanRequest(roots=(tmp_path,)), NoIndex(), broken)
    assert gc.isenabled()
    gc.disable()
    try:
        scan(ScanRequest(roots=(tmp_path,)), BookIndex())
        assert not gc.isenabled()
    finally:
        gc.enable()


# -- the plan ----------------------------------------------------------------------------------
def test_caches_that_may_go(cleaner: Cleaner, tmp_path: Path) -> None:
    """Those that tools make anew, tracked ones refused; others are not even mentioned."""
    top = tree(
        tmp_path / "r", {"__pycache__/a": "", "d/.mypy_cache/b": "", ".claude/c": "", "x": ""}
    )
    git(top, "init", "-q")
    git(top, "add", "d")
    plan = cleaner.plan(look(top))
    assert names(plan) == {"__pycache__": Kind.CACHE}
    assert plan.refused == {str(top / "d/.mypy_cache"): "git tracks it, or something in it"}
    assert plan.items[0].why == "a cache (__pycache__) that its tool makes anew"


def test_caches_of_some_patterns(cleaner: Cleaner, tmp_path: Path) -> None:
    """Only these; a pattern that is reported only offers nothing."""
    top = tree(tmp_path / "r", {"__pycache__/a": "", ".mypy_cache/b": "", ".claude/c": ""})
    assert set(names(cleaner.plan(look(top), patterns=[".mypy_cache"]))) == {".mypy_cache"}
    assert names(cleaner.plan(look(top), patterns=[".claude"])) == {}


def test_of_duplicates_the_oldest_stays(cleaner: Cleaner, tmp_path: Path) -> None:
    """They are offered only when they are asked for."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA, "c": DATA})
    os.utime(top / "b", (1, 1))
    assert cleaner.plan(look(top)).items == ()
    plan = cleaner.plan(look(top), duplicates=True)
    assert names(plan) == {"a": Kind.DUPLICATE, "c": Kind.DUPLICATE}
    assert {item.kept for item in plan.items} == {str(top / "b")}
    assert plan.size_bytes == 10_000
    assert plan.items[0].why == f"the same as {top / 'b'}"


def test_of_duplicates_those_that_git_tracks_stay(cleaner: Cleaner, tmp_path: Path) -> None:
    """All of them, however old the others are; and if all are tracked, all stay."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA, "c": DATA})
    os.utime(top / "a", (1, 1))
    git(top, "init", "-q")
    git(top, "add", "c")
    plan = cleaner.plan(look(top), duplicates=True)
    assert names(plan) == {"a": Kind.DUPLICATE, "b": Kind.DUPLICATE}
    assert set(plan.refused) == {str(top / "c")}
    git(top, "add", "a", "b")
    fresh = Cleaner(
        Guard(tracked=TrackedFiles(listing), anchor=find_checkout), Trash(tmp_path / "t")
    )
    assert fresh.plan(look(top), duplicates=True).items == ()


def test_what_is_gone_before_it_is_planned(cleaner: Cleaner, tmp_path: Path) -> None:
    """It is neither offered nor what stays."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA, "__pycache__/x": ""})
    report = look(top)
    (top / "a").unlink()
    (top / "__pycache__/x").unlink()
    (top / "__pycache__").rmdir()
    plan = cleaner.plan(report, duplicates=True)
    assert plan.items == ()
    assert plan.refused == {str(top / "__pycache__"): "it is not there any more"}


def test_what_git_cannot_judge_is_refused(bin_: Trash, tmp_path: Path) -> None:
    """A damaged repository protects what lies in it."""
    top = tree(tmp_path / "r", {"__pycache__/a": ""})
    git(top, "init", "-q")

    def broken(top: Path) -> list[str]:
        raise GitError(f"{top} is damaged")

    guard = Guard(tracked=TrackedFiles(broken), anchor=find_checkout)
    plan = Cleaner(guard, bin_).plan(look(top))
    assert plan.items == ()
    assert "cannot be told" in plan.refused[str(top / "__pycache__")]


def test_what_cannot_be_looked_at_is_refused(bin_: Trash, tmp_path: Path) -> None:
    """With what the system says."""
    top = tree(tmp_path / "r", {"__pycache__/a": ""})

    def broken(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    plan = Cleaner(Guard(tracked=broken, anchor=find_checkout), bin_).plan(look(top))
    assert plan.refused[str(top / "__pycache__")] == "it cannot be looked at: Permission denied"


# -- the deed ----------------------------------------------------------------------------------
def test_what_is_planned_goes_to_the_trash(cleaner: Cleaner, bin_: Trash, tmp_path: Path) -> None:
    """And comes back from there."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA, "__pycache__/c": "1"})
    heard: list[int] = []
    result = cleaner.clean(cleaner.plan(look(top), duplicates=True), heard.append)
    assert [Path(path).name for path in result.moved] == ["__pycache__", "b"]
    assert (result.size_bytes, result.stayed, heard) == (5001, {}, [1, 2])
    assert [path.name for path in top.iterdir()] == ["a"]
    bin_.restore(bin_.get(result.trash_id))
    assert {path.name for path in top.iterdir()} == {"a", "b", "__pycache__"}
    assert (top / "b").read_bytes() == DATA


def test_nothing_planned_makes_no_trash(cleaner: Cleaner, bin_: Trash, tmp_path: Path) -> None:
    """Not even a folder."""
    result = cleaner.clean(cleaner.plan(look(tmp_path)))
    assert (result.trash_id, result.moved) == (None, ())
    assert not bin_.home.exists()


def track(top: Path) -> None:
    """Let git track everything."""
    git(top, "init", "-q")
    git(top, "add", ".")


def replace(top: Path) -> None:
    """Put other folders in the place of what was found."""
    for name in ("__pycache__", "b"):
        (top / name).rename(top / f"old-{name}")
    tree(top, {"__pycache__/other": "", "b": DATA})


def link(top: Path) -> None:
    """Put links in the place of what was found."""
    for name in ("__pycache__", "b"):
        (top / name).rename(top / f"old-{name}")
        (top / name).symlink_to(top / f"old-{name}")


def hide(top: Path) -> None:
    """Make the folder an environment."""
    tree(top, {"pyvenv.cfg": ""})


def vanish(top: Path) -> None:
    """Take all away."""
    (top / "b").unlink()
    (top / "__pycache__").rename(top / "elsewhere")


@pytest.mark.parametrize("happening", [track, replace, link, hide, vanish])
def test_the_last_look(
    cleaner: Cleaner, bin_: Trash, tmp_path: Path, happening: Callable[[Path], None]
) -> None:
    """What happens between plan and deed counts: nothing is moved, each with a reason, no set stays."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA, "__pycache__/c": "1"})
    plan = cleaner.plan(look(top), duplicates=True)
    happening(top)
    before = sorted(path.name for path in top.iterdir())
    result = cleaner.clean(plan)
    assert (result.trash_id, result.moved) == (None, ())
    assert set(result.stayed) == {str(top / "b"), str(top / "__pycache__")}
    assert sorted(path.name for path in top.iterdir()) == before
    assert bin_.sets() == []


@pytest.mark.parametrize("content", [DATA[:-1], DATA[:-1] + b"y", None])
def test_a_duplicate_is_compared_once_more(
    cleaner: Cleaner, tmp_path: Path, content: bytes | None
) -> None:
    """When what would stay has changed, or gone, the other one stays too."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA})
    plan = cleaner.plan(look(top), duplicates=True)
    if content is None:
        (top / "a").unlink()
    else:
        (top / "a").write_bytes(content)
    result = cleaner.clean(plan)
    assert result.moved == ()
    assert str(top / "a") in result.stayed[str(top / "b")]
    assert (top / "b").read_bytes() == DATA


def test_the_one_that_stays_may_be_no_link(cleaner: Cleaner, tmp_path: Path) -> None:
    """Not to the file that goes, above all; nor a hard link to it."""
    top = tree(tmp_path / "r", {"a": DATA, "b": DATA})
    plan = cleaner.plan(look(top), duplicates=True)
    (top / "a").unlink()
    (top / "a").symlink_to("b")
    assert cleaner.clean(plan).moved == ()
    (top / "a").unlink()
    os.link(top / "b", top / "a")
    assert cleaner.clean(plan).moved == ()
    assert (top / "b").exists()


def test_roots_are_told_apart(cleaner: Cleaner, tmp_path: Path) -> None:
    """Each thing knows the scanned folder that it was found in."""
    one = tree(tmp_path / "one", {"__pycache__/a": ""})
    other = tree(tmp_path / "one-more", {"__pycache__/a": ""})
    plan = cleaner.plan(look(one, other))
    assert {item.root for item in plan.items} == {str(one), str(other)}
    assert len(cleaner.clean(plan).moved) == 2
