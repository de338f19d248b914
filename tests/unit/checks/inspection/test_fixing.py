"""Fixers rewrite files whole or not at all, and only what they may."""

from __future__ import annotations

import concurrent.futures
import os
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.inspection import fixing, passes
from penstock.checks.inspection.fixing import Fixed, FixReport
from penstock.locks import exclusive
from penstock.process.api import Stop
from tests.support import unprivileged
from tests.support.children import eventually
from tests.support.fixers import UPPER, fixer, leftovers, run
from tests.support.repos import write

TOP = Path(__file__).parents[4]
APPEND = 'for f; do echo more >>"$f"; done'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a few files."""
    write(tmp_path / "tree", {"a.py": "a\n", "src/b.py": "b\n", "src/C.py": "C\n"})
    return (tmp_path / "tree").resolve()


@contextmanager
def when(condition: Callable[[], bool], act: Callable[[], None]) -> Iterator[None]:
    """While the block runs, do something as soon as a condition holds."""

    def watch() -> None:
        if eventually(condition):
            act()

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    watcher.join()


def fixed_paths(report: FixReport) -> list[str]:
    """The files that were replaced."""
    return [fixed.path for fixed in report.fixed]


def test_changed_files_are_replaced(tree: Path) -> None:
    """What a fixer changes is changed in the tree, the rest is not touched."""
    before = (tree / "src/C.py").stat()
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py", "src/b.py", "src/C.py"])
    assert report.fixed == (
        Fixed(path="a.py", by=("upper",)),
        Fixed(path="src/b.py", by=("upper",)),
    )
    assert (tree / "a.py").read_text() == "A\n"
    assert (tree / "src/b.py").read_text() == "B\n"
    assert (tree / "src/C.py").stat() == before
    assert (report.refused, leftovers(tree)) == ((), [])
    assert report.results[0].metadata["files"] == ["a.py", "src/b.py", "src/C.py"]


def test_only_asked_files_are_changed(tree: Path) -> None:
    """Files that nobody asked about stay as they are."""
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    assert (tree / "src/b.py").read_text() == "b\n"


def test_fixers_run_in_their_order(tree: Path) -> None:
    """A later fixer sees what an earlier one made of the file."""
    first = fixer(tree.parent, "first", "sed -i 's/^a$/one/' \"$@\"")
    second = fixer(tree.parent, "second", "sed -i 's/^one$/two/' \"$@\"")
    report = run(tree, [first, second], ["a.py"])
    assert (tree / "a.py").read_text() == "two\n"
    assert report.fixed == (Fixed(path="a.py", by=("first", "second")),)
    (tree / "a.py").write_text("a\n")
    run(tree, [second, first], ["a.py"])
    assert (tree / "a.py").read_text() == "two\n", "it came to rest only in a second round"


def test_a_fixer_finds_what_lies_beside(tree: Path) -> None:
    """Configuration, packages and other modules are found from the copy as from the tree."""
    write(tree, {"conf": "c\n", "src/lib/x.py": "x\n", ".venv/bin/y": "y\n"})
    look = 'cat conf src/lib/x.py .venv/bin/y src/C.py ../../../../conf >"$1"'
    run(tree, [fixer(tree.parent, "look", look)], ["src/b.py"])
    assert (tree / "src/b.py").read_text() == "c\nx\ny\nC\nc\n"


def test_nothing_is_written_beside_sources(tree: Path) -> None:
    """What a fixer leaves beside its file does not reach the tree."""
    run(
        tree,
        [fixer(tree.parent, "litter", 'echo x >"$1.orig"; mkdir .cache; echo B >"$1"')],
        ["src/b.py"],
    )
    names = sorted(path.name for path in tree.rglob("*") if ".state" not in path.parts)
    assert names == ["C.py", "a.py", "b.py", "src"]


@pytest.mark.parametrize(
    "name", ["-x.py", "--help", "a b.py", 'it\'s "q".py', "ü-日本.py", "$(id).py", "@f", "a\\b.py"]
)
def test_odd_names_reach_the_fixer_as_they_are(tree: Path, name: str) -> None:
    """No name is taken for an option, a pattern or a piece of shell."""
    write(tree, {name: "x\n"})
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], [name])
    assert fixed_paths(report) == [name]
    assert (tree / name).read_text() == "X\n"


# -- what fixers do wrong ----------------------------------------------------------------------
def test_a_fixer_that_crashes_changes_nothing(tree: Path) -> None:
    """What it wrote before it died is thrown away, and its end is told."""
    report = run(tree, [fixer(tree.parent, "crash", 'echo X >"$1"; kill -SEGV $$')], ["a.py"])
    assert (tree / "a.py").read_text() == "a\n"
    assert (report.fixed, report.refused) == ((), ())
    (result,) = report.results
    assert "killed by SIGSEGV" in str(result.problem)
    assert result.metadata["files"] == ["a.py"]


def test_only_the_file_at_fault_stays_unfixed(tree: Path) -> None:
    """A batch that fails is tried in halves, so one bad file does not hold up the others."""
    files = {f"f{number:02}.py": "x\n" for number in range(40)}
    write(tree, {**files, "f17.py": "bad\n"})
    body = f'for f; do grep -q bad "$f" && exit 9; done; {UPPER}'
    report = run(tree, [fixer(tree.parent, "picky", body)], sorted(files))
    assert fixed_paths(report) == sorted(files.keys() - {"f17.py"})
    failed = [result for result in report.results if result.problem]
    assert [result.metadata["files"] for result in failed] == [["f17.py"]]


def test_halving_has_an_end(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixer that fails on everything is not started for ever; every file is told of once."""
    monkeypatch.setattr(passes, "MAX_SPLITS", 3)
    files = sorted(f"f{number:02}.py" for number in range(40))
    write(tree, dict.fromkeys(files, "x\n"))
    report = run(tree, [fixer(tree.parent, "never", "exit 9")], files)
    assert len(report.results) == 4
    assert sorted(f for result in report.results for f in result.metadata["files"]) == files


def test_a_crash_does_not_keep_other_fixers_from_work(tree: Path) -> None:
    """The fixers after one that failed still run, on the file as it was."""
    crash = fixer(tree.parent, "crash", 'echo junk >>"$1"; exit 9')
    report = run(tree, [crash, fixer(tree.parent, "upper", UPPER)], ["a.py"])
    assert report.fixed == (Fixed(path="a.py", by=("upper",)),)
    assert (tree / "a.py").read_text() == "A\n"


def test_a_fixer_that_hangs_is_stopped(tree: Path) -> None:
    """A time limit ends it, and it changes nothing; the batch is not tried again in halves."""
    hang = fixer(tree.parent, "hang", 'echo X >"$1"; sleep 600', timeout_s=0.5)
    report = run(tree, [hang], ["a.py"])
    assert "did not end within 0.5 s" in str(report.results[0].problem)
    assert (tree / "a.py").read_text() == "a\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (': >"$1"', "left nothing of the file"),
        ('echo " " >"$1"', "left nothing of the file"),
        ('rm "$1"', "removed or replaced"),
        ('rm "$1"; mkdir "$1"; echo x >"$1/x"', "not a file"),
        ('rm "$1"; ln -s /etc/passwd "$1"', "removed or replaced"),
        ('rm "$1"; mkfifo "$1"', "not a file"),
        ('rm -rf "$(dirname "$1")"', "removed or replaced"),
        ('truncate -s 30000000 "$1"', "grew beyond"),
    ],
)
def test_what_no_fixer_may_do_is_refused(tree: Path, body: str, why: str) -> None:
    """A file that is emptied, removed, replaced or blown up stays as it was, and the others are fixed."""
    bad = fixer(tree.parent, "bad", body)
    report = run(tree, [bad, fixer(tree.parent, "upper", UPPER)], ["src/b.py"])
    assert (tree / "src/b.py").read_text() == "B\n"
    ((path, said),) = report.refused
    assert (path, report.fixed) == ("src/b.py", (Fixed(path="src/b.py", by=("upper",)),))
    assert said.startswith("bad was not heeded")
    assert why in said


def test_a_blank_file_may_be_emptied(tree: Path) -> None:
    """Nothing is lost when only white space goes."""
    write(tree, {"blank.py": " \n\n"})
    report = run(tree, [fixer(tree.parent, "strip", ': >"$1"')], ["blank.py"])
    assert (fixed_paths(report), (tree / "blank.py").read_bytes()) == (["blank.py"], b"")


def test_a_fixer_that_never_comes_to_rest_is_refused(tree: Path) -> None:
    """A file that a fixer changes each time it sees it stays as it was."""
    report = run(tree, [fixer(tree.parent, "more", APPEND)], ["a.py"])
    assert (tree / "a.py").read_text() == "a\n"
    assert report.fixed == ()
    assert "never comes to rest: more would" in dict(report.refused)["a.py"]


def test_fixers_that_fight_are_named(tree: Path) -> None:
    """Two fixers that never agree leave the file as it was, and both are named."""
    one = fixer(tree.parent, "one", "sed -i 's/$/x/' \"$@\"")
    two = fixer(tree.parent, "two", "sed -i 's/$/y/' \"$@\"")
    report = run(tree, [one, two], ["a.py", "src/C.py"])
    assert report.fixed == ()
    assert "one, two" in dict(report.refused)["a.py"]


def test_a_fixer_that_needs_two_looks_gets_them(tree: Path) -> None:
    """A fixer that mends one thing at a time is asked again until it is done."""
    write(tree, {"a.py": "1\n2\n"})
    once = fixer(tree.parent, "once", "sed -i '0,/^[0-9]$/s//x/' \"$1\"")
    assert fixed_paths(run(tree, [once], ["a.py"])) == ["a.py"]
    assert (tree / "a.py").read_text() == "x\nx\n"


# -- what must be kept -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\r\n", b"A\r\nB\r\n"),
        (b"a\nb\n", b"A\nB\n"),
        (b"a\r\nb\n", b"A\nB\n"),
        (b"\xef\xbb\xbfa\r\nb", b"\xef\xbb\xbfA\r\nB"),
    ],
)
def test_line_ends_are_kept(tree: Path, before: bytes, after: bytes) -> None:
    """A file with one kind of line ends keeps them; a mixed one is as the fixer made it."""
    (tree / "a.py").write_bytes(before)
    body = """for f; do tr -d '\\r' <"$f" | tr a-z A-Z >n; cat n >"$f"; done"""
    run(tree, [fixer(tree.parent, "unix", body)], ["a.py"])
    assert (tree / "a.py").read_bytes() == after


def test_changed_line_ends_alone_are_no_change(tree: Path) -> None:
    """A fixer that would only turn the line ends has nothing to fix."""
    (tree / "a.py").write_bytes(b"a\r\n")
    before = (tree / "a.py").stat()
    report = run(tree, [fixer(tree.parent, "unix", "sed -i 's/\\r//' \"$1\"")], ["a.py"])
    assert (report.fixed, report.refused) == ((), ())
    assert (tree / "a.py").stat() == before


@pytest.mark.parametrize("mode", [0o755, 0o600, 0o664, 0o2755])
def test_the_mode_is_kept(tree: Path, mode: int) -> None:
    """Permissions stay, whatever the fixer and the umask say."""
    (tree / "a.py").chmod(mode)
    run(tree, [fixer(tree.parent, "upper", f'{UPPER}; chmod 777 "$1"')], ["a.py"])
    assert (tree / "a.py").stat().st_mode & 0o7777 == mode
    assert (tree / "a.py").read_text() == "A\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_is_kept(tree: Path) -> None:
    """A file that root fixes still belongs to its owner."""
    os.chown(tree / "a.py", 65534, 65534)
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    status = (tree / "a.py").stat()
    assert (status.st_uid, status.st_gid, status.st_size) == (65534, 65534, 2)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no such attributes")
def test_extended_attributes_are_kept(tree: Path) -> None:
    """What was noted on a file stays on it."""
    try:
        os.setxattr(tree / "a.py", "user.origin", b"somewhere")
    except OSError:
        pytest.skip("this file system keeps no attributes of users")
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    assert os.getxattr(tree / "a.py", "user.origin") == b"somewhere"


def test_the_target_of_a_link_is_replaced(tree: Path) -> None:
    """A link stays a link, and the file that it means is fixed; once, even if both were asked for."""
    (tree / "link.py").symlink_to("src/b.py")
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["link.py", "src/b.py"])
    assert (tree / "link.py").is_symlink()
    assert (tree / "src/b.py").read_text() == "B\n"
    assert (fixed_paths(report), report.refused) == (["link.py", "src/b.py"], ())


def test_a_link_that_leads_out_is_left_alone(tree: Path) -> None:
    """Nothing outside of the tree is read or changed."""
    (tree.parent / "secret.py").write_text("s\n")
    (tree / "link.py").symlink_to("../secret.py")
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["link.py"])
    assert "leads out" in dict(report.refused)["link.py"]
    assert (tree.parent / "secret.py").read_text() == "s\n"


def test_other_names_of_a_file_keep_the_old_content(tree: Path) -> None:
    """A hard link is parted, as git does it: a copy that shares its bytes is nobody's to rewrite."""
    os.link(tree / "a.py", tree.parent / "copy.py")
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    assert (tree / "a.py").read_text() == "A\n"
    assert (tree.parent / "copy.py").read_text() == "a\n"


# -- what happens meanwhile --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ('echo mine >"$T/a.py"', "changed meanwhile"),
        ('printf "z\\n" >"$T/a.py"', "changed meanwhile"),
        ('rm "$T/a.py"', "removed meanwhile"),
        ('rm "$T/a.py"; mkdir "$T/a.py"', "not a file"),
        ('rm "$T/a.py"; mkfifo "$T/a.py"', "not a file"),
        ('mv "$T/a.py" "$T/z.py"; ln -s z.py "$T/a.py"', "cannot be written"),
    ],
)
def test_a_file_that_changed_meanwhile_is_left_alone(tree: Path, what: str, why: str) -> None:
    """What the user does to a file while fixers run wins, and is told; the others are fixed."""
    body = f"T={shlex.quote(str(tree))}; [ -e done ] || {{ {what}; touch done; }}; {UPPER}"
    report = run(tree, [fixer(tree.parent, "slow", body)], ["a.py", "src/b.py"])
    assert fixed_paths(report) == ["src/b.py"]
    assert why in dict(report.refused)["a.py"]
    assert leftovers(tree) == []
    if "mine" in what:
        assert (tree / "a.py").read_text() == "mine\n"


def test_a_file_that_has_gone_before_is_told_of(tree: Path) -> None:
    """A file that is no longer there, or is none, is refused, and the others are fixed."""
    os.mkfifo(tree / "pipe.py")
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py", "gone.py", "pipe.py", "src"])
    assert fixed_paths(report) == ["a.py"]
    assert dict(report.refused) == {
        "gone.py": "it was removed meanwhile",
        "pipe.py": "it cannot be read: not a file",
        "src": "it cannot be read: not a file",
    }


def test_a_read_only_file_is_left_alone(tree: Path) -> None:
    """Who made a file read-only does not want it rewritten; root is no exception."""
    (tree / "a.py").chmod(0o444)
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py", "src/b.py"])
    assert (report.refused, fixed_paths(report)) == ((("a.py", "it is read-only"),), ["src/b.py"])
    assert (tree / "a.py").read_text() == "a\n"


FIX = """
import sys
from pathlib import Path
from tests.support.children import eventually
from tests.support.fixers import UPPER, fixer, run
print(run(Path(sys.argv[1]), [fixer(Path(sys.argv[1]).parent, "upper", UPPER)], sys.argv[2:]))
"""


def test_a_read_only_folder_is_told_of(tree: Path) -> None:
    """Where nothing can be put, files stay as they are, with the reason; the others are fixed."""
    (tree / "src").chmod(0o555)
    said = unprivileged.python(FIX, [tree, "a.py", "src/b.py"], cwd=TOP)
    (tree / "src").chmod(0o755)
    assert (tree / "a.py").read_text() == "A\n"
    assert (tree / "src/b.py").read_text() == "b\n"
    assert "('src/b.py', 'it cannot be written: Permission denied')" in said


def test_a_read_only_repository_is_told_of(tree: Path) -> None:
    """Where there is no room to work in, every file is told of."""
    tree.chmod(0o555)
    said = unprivileged.python(FIX, [tree, "a.py", "src/b.py"], cwd=TOP)
    tree.chmod(0o755)
    assert said.count("Permission denied") == 2
    assert (tree / "a.py").read_text() == "a\n"


def test_an_unreadable_file_is_told_of(tree: Path) -> None:
    """A file that may not be read is not given to fixers."""
    (tree / "a.py").chmod(0)
    said = unprivileged.python(FIX, [tree, "a.py", "src/b.py"], cwd=TOP)
    assert "('a.py', 'it cannot be read: Permission denied')" in said
    assert (tree / "src/b.py").read_text() == "B\n"


def test_a_stop_leaves_everything_as_it_is(tree: Path) -> None:
    """Before files are replaced a stop throws all away, and says so."""
    stop = Stop()
    body = f"touch started; {UPPER}; sleep 600"
    with when(lambda: bool(list(tree.glob(".state/fixing/*/tree-*/started"))), stop.ask):
        report = run(tree, [fixer(tree.parent, "slow", body)], ["a.py"], stop)
    assert (tree / "a.py").read_text() == "a\n"
    assert report.fixed == ()
    assert [result.interrupted for result in report.results] == [True]
    assert leftovers(tree) == []


def test_nothing_is_begun_after_a_stop(tree: Path) -> None:
    """A stop that was asked for before starts nothing."""
    stop = Stop()
    stop.ask()
    assert run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"], stop) == FixReport()
    assert not (tree / ".state").exists()


def test_without_files_nothing_is_done(tree: Path) -> None:
    """No file, no lock, no copy."""
    assert run(tree, [fixer(tree.parent, "upper", UPPER)], []) == FixReport()
    assert not (tree / ".state").exists()


def test_two_fixes_wait_for_each_other(tree: Path) -> None:
    """The second works on what the first has made."""
    slow = fixer(
        tree.parent, "slow", "[ -e s ] || { touch s; sleep 0.3; }; sed -i 's/^a/b/' \"$1\""
    )
    fast = fixer(tree.parent, "fast", "sed -i 's/^b/c/' \"$1\"")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(run, tree, [slow], ["a.py"])
        assert eventually(lambda: bool(list(tree.glob(".state/fixing/*/tree-*/s"))))
        second = pool.submit(run, tree, [fast], ["a.py"])
        reports = (first.result(), second.result())
    assert [fixed_paths(report) for report in reports] == [["a.py"], ["a.py"]]
    assert (tree / "a.py").read_text() == "c\n"


def test_waiting_for_another_fix_ends(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits in vain says so, or heeds a stop."""
    monkeypatch.setattr(fixing, "PATIENCE_S", 0.0)
    upper, stop = fixer(tree.parent, "upper", UPPER), Stop()
    run(tree, [upper], ["a.py"])
    (lock,) = tree.glob(".state/fixing/*/lock")
    with exclusive(lock, busy="held"):
        assert "does not end" in dict(run(tree, [upper], ["src/b.py"]).refused)["src/b.py"]
        monkeypatch.setattr(fixing, "PATIENCE_S", 60.0)
        asker = threading.Timer(0.3, stop.ask)
        asker.start()
        assert run(tree, [upper], ["src/b.py"], stop) == FixReport()
        asker.join()


def test_many_files_go_in_portions(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beyond a portion are fixed in the next one."""
    monkeypatch.setattr(fixing, "PORTION_FILES", 3)
    monkeypatch.setattr(fixing, "PORTION_BYTES", 10)
    files = sorted(f"f{number}.py" for number in range(10))
    write(tree, dict.fromkeys(files, "xxxx\n"))
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], files)
    assert fixed_paths(report) == files
    assert max(len(result.metadata["files"]) for result in report.results) == 2


LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
"""


def test_without_room_for_a_copy_nothing_is_changed(tree: Path) -> None:
    """When the disk has no room to work on, every file stays as it is, with the reason."""
    write(tree, {"big.py": "x" * 3000 + "\n"})
    said = unprivileged.python(LIMITED + FIX, [tree, "a.py", "big.py"], cwd=TOP)
    assert said.count("no copy can be made: File too large") == 2
    assert (tree / "big.py").read_text() == "x" * 3000 + "\n"
    assert leftovers(tree) == []


def test_what_a_killed_fix_left_is_removed(tree: Path) -> None:
    """The next fix, or the next look, removes copies and temporary files, and nothing else."""
    write(tree, {"src/.penstock-fix-1": "x\n", "mine": "m\n"})
    place = Place(tree=tree, root=tree)
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    (home,) = tree.glob(".state/fixing/*")
    write(home, {"tree-1/src/x.py": "x\n"})
    listed = (tree / "src/.penstock-fix-1", tree / "mine", tree.parent / ".penstock-fix-2")
    listed[2].write_text("not in the tree\n")
    (home / "pending").write_bytes(b"".join(bytes(path) + b"\0" for path in listed))
    with exclusive(home / "lock", busy="held"):
        fixing.clear_leftovers(place)
    assert listed[0].exists(), "another fix was at work"
    fixing.clear_leftovers(place)
    assert (leftovers(tree), [path.exists() for path in listed]) == ([], [False, True, True])


def test_looking_for_leftovers_makes_nothing(tree: Path) -> None:
    """In a tree that was never fixed there is nothing to remove, and nothing is made."""
    fixing.clear_leftovers(Place(tree=tree, root=tree))
    assert not (tree / ".state").exists()


def test_a_worktree_is_fixed_on_its_own(tree: Path) -> None:
    """Trees inside of the root work below the root, others below themselves."""
    inside, outside = tree / ".worktrees/w", tree.parent / "other"
    for place in (inside, outside):
        write(place, {"a.py": "a\n"})
        run(place, [fixer(tree.parent, "upper", UPPER)], ["a.py"], root=tree)
        assert (place / "a.py").read_text() == "A\n"
    assert not (inside / ".state").exists()
    assert len(list(tree.glob(".state/fixing/*/lock"))) == 1
    assert len(list(outside.glob(".state/fixing/*/lock"))) == 1
