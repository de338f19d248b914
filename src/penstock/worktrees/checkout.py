"""Moving a branch of the user's, and bringing their own checkout along when it is on that branch.

A move is written down in git's folder first, so that the next penstock can finish or undo what a
killed one began. For the checkout we hold git's own lock on the index (a file that says whose it
is) while git brings the files along on a copy of the index; then the copy takes the index's place,
and only then the branch moves. As long as the branch has not moved, undoing is possible; no file is
touched that is neither as it was nor as it was to become.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from penstock.errors import GitError, RepositoryError
from penstock.typed import typed_json
from penstock.worktrees.diff import GITLINK, Entry, parse_raw, parse_status
from penstock.worktrees.git import Git, failure, join_z
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.paths import remove_empty_parents
from penstock.worktrees.recovery import end_orphans
from penstock.worktrees.refs import REF_PREFIX, read_text
from penstock.worktrees.replay import names
from penstock.worktrees.site import Site
from penstock.worktrees.slots import branch_of, remove_stale, replace_file
from penstock.worktrees.worktree import flagged

NOTE = "penstock-handover"
_INDEX = "penstock-index"
_SIGN = b"held by penstock for "
_STALE_S = 2.0
_UNTOUCHED = (b"not uptodate", b"would be overwritten", b"would be removed", b"would lose")
_ONE_WRITER = {"checkout.workers": "1"}


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A branch (full ref) that goes from `old` to `new`.

    `git_dir` and `root` name the checkout that comes along, None when none does; `began` tells that
    it was found clean and that its files may have been touched.
    """

    ref: str
    old: str
    new: str
    git_dir: str | None = None
    root: str | None = None
    began: bool = False


# -- where a branch is checked out -----------------------------------------------------------
def require_free(site: Site, branch: str, *, update: bool) -> bool:
    """Tell whether the branch is checked out here; raises RepositoryError where it may not be.

    That is in any other worktree, in the middle of a rebase or bisection of it, and here without
    `update`.
    """
    here = False
    for git_dir in dict.fromkeys((site.git_dir, *_git_dirs(site))):
        if branch not in _branches_in(git_dir):
            continue
        where = site.root if git_dir == site.git_dir else _tree_of(git_dir)
        if git_dir != site.git_dir:
            raise RepositoryError(
                f"the branch {branch} is checked out in {where}",
                hint=f"switch to another branch there: git -C {where} switch --detach"
                " (git worktree prune, if that folder is gone)",
            )
        if not update:
            raise RepositoryError(
                f"the branch {branch} is checked out in {where}",
                hint="--update-checkout brings your checkout along; or hand over to another branch",
            )
        here = True
    return here


def _git_dirs(site: Site) -> Iterable[Path]:
    bare = site.config.trusted.get("core.bare") == "true"
    if not bare:
        yield site.common
    folder = site.common / "worktrees"
    if folder.is_dir():
        yield from sorted(folder.iterdir())


def _branches_in(git_dir: Path) -> set[str]:
    """Return the branch that is checked out, and one that is being rebased or bisected there."""
    busy = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
    begun = [(read_text(git_dir / name) or "").removeprefix("refs/heads/") for name in busy]
    return {branch_of(read_text(git_dir / "HEAD") or "") or "", *begun} - {""}


def _tree_of(git_dir: Path) -> Path:
    text = read_text(git_dir / "gitdir")
    return Path(text).parent if text else git_dir.parent


# -- moving ----------------------------------------------------------------------------------
def advance(site: Site, move: Move, *, here: bool) -> None:
    """Move a branch, and the checkout at hand with it. The repository's lock must be held.

    Raises RepositoryError when the branch has moved meanwhile or the checkout is not as it should
    be; then everything is as it was, as after Ctrl-C.
    """
    try:
        _advance(site, move, here=here)
    except BaseException:
        # Ctrl-C may have ended a git first, and then the undoing of what that git had done
        with suppress(RepositoryError, GitError):  # the note stays, and the next hand-over mends it
            mend(site)
        raise


def _advance(site: Site, move: Move, *, here: bool) -> None:
    if not here:
        with _noted(site, move):
            _swap(site, move)
        return
    move = msgspec.structs.replace(move, git_dir=str(site.git_dir), root=str(site.root))
    with _noted(site, move):
        _bring(site, move, _Checkout(site, move))


def require_clean(site: Site, move: Move, copy: Path) -> None:
    """Raise RepositoryError unless the checkout at hand could come along; nothing is locked.

    `copy` is where a copy of the index may lie meanwhile.
    """
    move = msgspec.structs.replace(move, git_dir=str(site.git_dir), root=str(site.root))
    _Checkout(site, move, copy).require_clean()


@contextmanager
def _noted(site: Site, move: Move) -> Iterator[None]:
    """Keep a note of a move while it is under way; it stays when undoing it has failed."""
    note = site.common / NOTE
    _write_down(site, move)
    is_broken_off = True  # by Ctrl-C, which kills a git that may hold locks
    try:
        yield
        is_broken_off = False
    except (RepositoryError, OSError):
        is_broken_off = False
        raise
    finally:
        if is_broken_off:
            _unlock(site, move)
        lock = Path(move.git_dir or "") / "index.lock"
        if move.git_dir is None or not _is_held(lock, move):
            note.unlink()


def _write_down(site: Site, move: Move) -> None:
    replace_file(site.common / NOTE, msgspec.json.encode(move).decode())


def _swap(site: Site, move: Move) -> None:
    name = move.ref.removeprefix("refs/heads/")
    try:
        site.refs.update(move.ref, move.new, move.old, "integrate")
    except GitError as error:
        at = site.refs.read(move.ref)
        if at == move.old:
            raise
        raise RepositoryError(
            f"{name} was moved meanwhile (to {(at or 'nothing')[:12]}); nothing was changed",
            hint="run the same command again",
        ) from error


def _bring(site: Site, move: Move, checkout: _Checkout) -> None:
    """Bring the checkout along and move the branch; undone whatever breaks it off, Ctrl-C too."""
    try:
        checkout.take_lock()
        checkout.require_clean()
        _write_down(site, msgspec.structs.replace(move, began=True))
        checkout.bring()
        _swap(site, move)
    finally:
        if checkout.is_touched and site.refs.read(move.ref) != move.new:
            checkout.undo()
        checkout.give_back_lock()


def _is_held(lock: Path, move: Move) -> bool:
    """Tell whether a lock on the index is the one that this move has taken."""
    try:
        return lock.read_bytes() == _SIGN + move.new.encode() + b"\n"
    except FileNotFoundError:
        return False


# -- after a death ---------------------------------------------------------------------------
def mend_locked(site: Site) -> tuple[str, ...]:
    """Take the repository's lock and mend; cheap when there is nothing to mend.

    What cannot be mended now is said, and left to the next hand-over.
    """
    if not (site.common / NOTE).exists():
        return ()
    with repository_lock(site.common):
        try:
            return mend(site)
        except RepositoryError as error:
            return (f"left alone: {error}",)


def mend(site: Site) -> tuple[str, ...]:
    """Finish or undo the move that a killed process was at; say what was done.

    The repository's lock must be held, so whoever wrote the note is not at it any more. Raises
    RepositoryError when a file has been changed since that would have to be brought back.
    """
    note = site.common / NOTE
    for unfinished in site.common.glob(f"{NOTE}.*.tmp"):
        unfinished.unlink()
    text = read_text(note)
    if text is None:
        return ()
    try:
        move = typed_json(text, Move)
    except msgspec.DecodeError as error:
        raise RepositoryError(
            f"{note} cannot be read: {error}", hint="look at git status, then remove that file"
        ) from error
    end_orphans(site)
    _unlock(site, move)
    said = "finished" if site.refs.read(move.ref) == move.new else "undone"
    if move.git_dir is not None:
        checkout = _Checkout(site, move)
        checkout.tidy()
        if checkout.holds_lock():
            if said == "undone" and move.began:
                checkout.undo()
            checkout.give_back_lock()
    note.unlink(missing_ok=True)
    return (f"an interrupted hand-over to {move.ref.removeprefix('refs/heads/')} was {said}",)


def _unlock(site: Site, move: Move) -> None:
    """Remove the locks that a killed `git update-ref` of this move has left.

    Its own holds the new commit, which nobody else would write there; an empty one may be anybody's
    and goes only when it is older than git ever needs.
    """
    locks = [site.common / f"{move.ref}.lock"]
    locks += [Path(move.git_dir) / "HEAD.lock"] if move.git_dir else []
    for lock in locks:
        if (read_text(lock) or "") in ("", move.new):
            with suppress(FileNotFoundError):
                remove_stale(lock, _STALE_S)


def _place(source: Path, at: Path, text: bytes) -> None:
    """Have a file appear, whole if the file system can link; raises FileExistsError."""
    try:
        os.link(source, at)
    except FileExistsError:
        raise
    except OSError:  # no links here
        with at.open("xb") as file:
            file.write(text)


class _Checkout:
    """The user's checkout while a move brings it along."""

    def __init__(self, site: Site, move: Move, copy: Path | None = None) -> None:
        self._move = move
        self._root, self._git_dir = Path(move.root or ""), Path(move.git_dir or "")
        self._index, self._copy = self._git_dir / "index", copy or self._git_dir / _INDEX
        self.is_touched = False
        self._lock, self._sign = self._git_dir / "index.lock", self._git_dir / "penstock-sign"
        git = site.git.at(self._git_dir, self._root).with_settings(_ONE_WRITER)
        watch = site.config
        self._git = git.with_settings(watch.overlay(watch.snapshot(self._git_dir)))
        self._env = {"GIT_INDEX_FILE": str(self._copy)}

    # -- git's lock on the index --
    def take_lock(self) -> None:
        """Take git's lock on the index, whole from its first moment; raises RepositoryError."""
        text = _SIGN + self._move.new.encode() + b"\n"
        self._sign.write_bytes(text)
        try:
            _place(self._sign, self._lock, text)
        except FileExistsError:
            raise RepositoryError(
                f"another git is at work in {self._root} ({self._lock} is there)",
                hint="wait for it; when no git runs there, remove that file",
            ) from None

    def holds_lock(self) -> bool:
        """Tell whether the lock there is one that this move has taken."""
        return _is_held(self._lock, self._move)

    def give_back_lock(self) -> None:
        """Let the user's git go on."""
        self.tidy()
        if self.holds_lock():
            self._lock.unlink()

    def tidy(self) -> None:
        """Remove what we keep beside the index meanwhile."""
        for path in (self._copy, self._copy.with_name(f"{_INDEX}.lock"), self._sign):
            path.unlink(missing_ok=True)

    # -- there --
    def require_clean(self) -> None:
        """Raise RepositoryError when something in the checkout would be lost or is half-way."""
        head = read_text(self._git_dir / "HEAD") or ""
        if head != f"{REF_PREFIX}{self._move.ref}":
            raise RepositoryError("another branch was checked out meanwhile; nothing was changed")
        self._copy_index()
        changed = self._changed()
        args = ("status", "--porcelain=v2", "-z", "--untracked-files=no", "--no-ahead-behind")
        more = ("--ignore-submodules=dirty",)
        status = parse_status(self._run(*args, *more))
        dirty = dict.fromkeys((*(entry.path for entry in status.staged), *status.left))
        if dirty:
            raise RepositoryError(
                f"your checkout has changes that are not committed: {names(tuple(dirty))}",
                hint="commit them, or put them away (git stash); or hand over to another branch",
            )
        self._require_plain(changed)
        self._require_room(changed)

    def _require_plain(self, changed: tuple[Entry, ...]) -> None:
        paths = {entry.path for entry in changed}
        hidden = [name for name in flagged(self._with_copy()) or () if name in paths]
        repositories = [
            entry.path for entry in changed if GITLINK in (entry.old_mode, entry.new_mode)
        ]
        for what, found in (
            ("are hidden from git (assume-unchanged, skip-worktree)", hidden),
            ("are submodules", repositories),
        ):
            if found:
                raise RepositoryError(
                    f"the checkout cannot be brought along: {names(found)} {what}",
                    hint="hand over to another branch, and merge that one yourself",
                )

    def _require_room(self, changed: tuple[Entry, ...]) -> None:
        """Raise RepositoryError when something untracked, ignored or not, is in the way."""
        leaving = {entry.path for entry in changed if entry.letter == "D"}
        added = (entry.path for entry in changed if entry.letter == "A")
        found = (name for path in added for name in self._in_the_way(path, leaving))
        blocking = tuple(dict.fromkeys(found))
        if blocking:
            raise RepositoryError(
                f"files that git does not track would be overwritten: {names(blocking)}",
                hint="move them away; or hand over to another branch",
            )

    def _in_the_way(self, path: str, leaving: set[str]) -> Iterator[str]:
        """Yield what lies at a path that is to be added, in it, or where one of its folders is."""
        place = self._root / path
        if place.is_dir() and not place.is_symlink():
            inside = (p for p in place.rglob("*") if p.is_symlink() or not p.is_dir())
            yield from {p.relative_to(self._root).as_posix() for p in inside} - leaving
        elif os.path.lexists(place):
            yield path
        for parent in Path(path).parents[:-1]:
            name, folder = parent.as_posix(), self._root / parent
            if name not in leaving and (folder.is_symlink() or folder.is_file()):
                yield name

    def bring(self) -> None:
        """Bring files and index from the old commit to the new one."""
        args = ("read-tree", "-m", "-u", self._move.old, self._move.new)
        self.is_touched = True  # as an interrupt may come at any moment
        done = self._git.call(*args, env=self._env)
        if done.returncode != 0 and any(sign in done.stderr for sign in _UNTOUCHED):
            self.is_touched = False
            raise RepositoryError(
                f"your checkout changed meanwhile; nothing was changed: {failure(args, done)}"
            )
        if done.returncode != 0:
            raise failure(args, done)
        self._copy.replace(self._index)

    # -- and back --
    def undo(self) -> None:
        """Bring the files that the move is about, and the index, back to the old commit.

        Raises RepositoryError, and touches nothing, when one of them is neither as it was nor as
        it was to become. May be broken off and said again.
        """
        changed = self._changed()
        not_old, not_new = self._differing(self._move.old), self._differing(self._move.new)
        mine = [e for e in changed if self._is_ours(e, not_old, not_new)]
        others = [e.path for e in changed if e not in mine]
        if others:
            raise RepositoryError(
                f"a hand-over was interrupted, and {names(others)} has been changed since",
                hint="move your version out of the repository, then run the same command again",
            )
        self._take_away([e.path for e in changed if e.letter == "A"])
        back = [e.path for e in changed if e.letter != "A" and e.path in not_old]
        self._copy_index()
        self._run("read-tree", "-m", self._move.old)
        if back:
            self._run("checkout-index", "--force", "-z", "--stdin", stdin=join_z(back))
        self._git.call("update-index", "-q", "--refresh", env=self._env)
        self._copy.replace(self._index)

    def _take_away(self, paths: list[str]) -> None:
        for path in paths:
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                (self._root / path).unlink()
        remove_empty_parents(self._root, paths)

    def _is_ours(self, entry: Entry, not_old: set[str], not_new: set[str]) -> bool:
        """Tell whether a path is as it was, as it was to become, absent, or written in part."""
        place = self._root / entry.path
        if not os.path.lexists(place) or (place.is_dir() and not place.is_symlink()):
            return True
        if entry.letter != "A" and entry.path not in not_old:
            return True
        if entry.letter == "D":
            return False
        return entry.path not in not_new or self._is_part(entry, place)

    def _is_part(self, entry: Entry, place: Path) -> bool:
        if place.is_symlink() or not place.is_file():
            return False
        whole = self._git.run("cat-file", "--filters", f"{self._move.new}:{entry.path}")
        return whole.startswith(place.read_bytes())

    def _differing(self, commit: str) -> set[str]:
        """Return the paths at which the files differ from a commit."""
        self._copy.unlink(missing_ok=True)
        self._copy.with_name(f"{_INDEX}.lock").unlink(missing_ok=True)
        self._run("read-tree", commit)
        self._git.call("update-index", "-q", "--refresh", env=self._env)
        data = self._run("diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=all")
        return {entry.path for entry in parse_raw(data)}

    # -- small things --
    def _changed(self) -> tuple[Entry, ...]:
        args = ("diff-tree", "-r", "--raw", "-z", "--no-renames", self._move.old, self._move.new)
        return parse_raw(self._git.run(*args, "--", reading=True))

    def _copy_index(self) -> None:
        self._copy.with_name(f"{_INDEX}.lock").unlink(missing_ok=True)
        self._copy.unlink(missing_ok=True)
        self._copy.write_bytes(self._index.read_bytes())
        time = self._index.stat().st_mtime_ns
        os.utime(self._copy, ns=(time, time))

    def _with_copy(self) -> Git:
        return dataclasses.replace(self._git, base_env={**self._git.base_env, **self._env})

    def _run(self, *args: str, stdin: bytes | None = None) -> bytes:
        return self._git.run(*args, stdin=stdin, env=self._env)
