"""One leased worktree: what a turn changed in it, and keeping or undoing that."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from penstock.errors import GitError
from penstock.worktrees import config, submodules
from penstock.worktrees.api import Change, ChangeKind, Changes
from penstock.worktrees.diff import (
    GITLINK,
    Entry,
    Status,
    content_hash,
    parse_raw,
    parse_status,
    to_change,
)
from penstock.worktrees.faults import file_errors
from penstock.worktrees.git import Git, failure, join_z, split_z
from penstock.worktrees.ignored import Seen, look
from penstock.worktrees.names import own_ref
from penstock.worktrees.objects import Identity
from penstock.worktrees.paths import (
    batches,
    glob_escaped,
    make_writable,
    remove_empty_parents,
    undoing,
)
from penstock.worktrees.refs import REF_PREFIX
from penstock.worktrees.site import Site
from penstock.worktrees.slots import Slot, remove, remove_stale

STATUS = (
    "status", "--porcelain=v2", "-z", "--untracked-files=normal", "--ignored=traditional",
    "--ignore-submodules=dirty", "--no-ahead-behind", "--find-renames=50%",
)  # fmt: skip
_PATCH = ("--cached", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv")

_WHOLE_TREE = len(("--", ":/"))


def message(subject: str, trailers: Mapping[str, str]) -> str:
    """Return a commit message that ends with trailers, each on one line."""
    lines = [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    head = subject.replace("\0", "").strip() or "penstock"
    return "\n\n".join([head, *(["\n".join(lines)] if lines else [])]) + "\n"


def as_person(who: Identity) -> dict[str, str]:
    """Return the environment that makes git commit as `who`."""
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", who.name), ("EMAIL", who.email))
    }


class GitWorktree:
    """A worktree on its own branch, held by one thread at a time.

    After each act of ours the index is remembered, so that a tool's game with it (flags that hide
    edits, a forged index) is undone by putting ours back before the next diff. `belongings` are
    paths that belong to no commit. `is_reopened` tells that an earlier process laid it, so that
    not all that happened to it is known. `notes` are remarks for people.
    """

    def __init__(
        self,
        site: Site,
        slot: Slot,
        *,
        branch: str,
        base: str,
        head: str,
        is_reopened: bool = False,
    ) -> None:
        self._site = site
        self.slot = slot
        self._branch = branch
        self._ref = own_ref(branch)
        self._base = base
        self._head = head
        self.is_reopened = is_reopened
        self.belongings = slot.belongings()
        self.notes: tuple[str, ...] = ()
        self._index: bytes | None = None
        self._index_time = 0
        self._entries: tuple[Entry, ...] = ()
        self._staged: tuple[Change, ...] | None = None
        self._since_base: tuple[Change, ...] | None = None
        self._known_hash: str | None = content_hash(()) if base == head else None
        self._staged_hash: str | None = None
        self._unstaged_repositories: tuple[str, ...] = ()
        self._seen: Seen = {}
        self.left_ignored: tuple[str, ...] = ()
        self._before = site.config.snapshot(slot.admin)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.slot.path

    @property
    def branch(self) -> str:
        """Its branch."""
        return self._branch

    @property
    def base(self) -> str:
        """The commit that its branch started from."""
        return self._base

    @property
    def head(self) -> str:
        """The recorded commit that the tree was last brought to or committed as."""
        return self._head

    def remember_index(self) -> None:
        """Take the index as it is now for ours, with the time at which it was written."""
        self._index, self._index_time = self._read_index(), self._read_index_time()

    @file_errors("reset the worktree")
    def reset(self, commit: str) -> None:
        """Bring tree, index and branch to `commit`; untracked files go, ignored ones stay.

        Raises GitError when git cannot, and then nothing else is known of the tree.
        """
        git, _ = self._steady()
        self._unhide(git)
        git.run("reset", "--hard", "--quiet", commit)
        self._clean(git, ignored_too=False)
        submodules.restore(self._site, self.slot)
        same = commit == self._head
        self._head = commit
        self._settled(
            content_hash(()) if commit == self._base else self._known_hash if same else None
        )

    @file_errors("lay the worktree on another commit")
    def lay(self, commit: str, *, base: str) -> None:
        """Bring tree, index and branch to any `commit`; later diffs are against `base`.

        What the branch held before is reachable from it no more. Untracked files go, ignored ones
        stay where nothing of the commit takes their place. Raises GitError when git cannot; then
        the worktree still counts as on its old commit, to which `reset` brings it back.
        """
        git, _ = self._steady()
        self._unhide(git)
        git.run("reset", "--hard", "--quiet", commit, "--")
        self._base, self._head = base, commit
        self._clean(git, ignored_too=False)
        submodules.restore(self._site, self.slot)
        self._settled(content_hash(()) if commit == base else None)

    def _settled(self, known_hash: str | None) -> None:
        self.remember_index()
        self._staged = self._since_base = None
        self._entries = ()
        self._known_hash = known_hash
        self._unstaged_repositories = ()
        self._before = self._site.config.snapshot(self.slot.admin)

    @file_errors("look for unrecorded work")
    def unrecorded_work(self) -> bytes:
        """Return a binary patch of all that differs from `head` (untracked files included), or b""."""
        git, _ = self._steady(keep_branch=True)
        self._unhide(git)
        index = self.slot.admin / "penstock-index"
        _lay_index(index, self._read_index(), self._read_index_time())
        try:
            env = {"GIT_INDEX_FILE": str(index)}
            self._add_all(git, env)
            return git.run("diff-index", "-p", *_PATCH, self._head, "--", reading=True, env=env)
        finally:
            index.unlink(missing_ok=True)

    @file_errors("take the diff of the worktree")
    def changes(self, *, exclude: Sequence[str] = ()) -> Changes:
        """Stage everything and return the diff against `head`; paths in `exclude` are left out.

        Commits that the tool made itself are taken back into the diff, half-finished merges are
        ended. Raises GitError when git cannot stage something.
        """
        git, tampering = self._steady()
        hidden = self._unhide(git)
        self._unstaged_repositories = self._add_all(git, exclude=exclude)
        status = self._status(git, exclude)
        self.remember_index()
        seen, created = look(self.path, self._foreign(status.ignored), self._seen)
        self._seen = seen
        return self._account(git, status, created, hidden, tampering)

    def _account(
        self,
        git: Git,
        status: Status,
        ignored: tuple[str, ...] = (),
        hidden: tuple[str, ...] = (),
        tampering: tuple[str, ...] = (),
    ) -> Changes:
        self._entries = status.staged
        found = [to_change(entry, self.path) for entry in status.staged]
        found += [_repository(name, ChangeKind.ADDED) for name in self._unstaged_repositories]
        named = {change.path for change in found}
        edited = submodules.edited(self._site, self.slot)
        found += [_repository(name, ChangeKind.MODIFIED) for name in edited if name not in named]
        self._staged = tuple(sorted(found, key=lambda change: change.path))
        diff_hash = self._staged_hash = self._hash(git, status.staged)
        return Changes(
            changes=self._staged,
            diff_hash=diff_hash,
            tree=f"{self._base}+{diff_hash}",
            ignored=ignored,
            hidden=hidden,
            tampering=tampering,
        )

    def _hash(self, git: Git, staged: tuple[Entry, ...]) -> str:
        if not staged and self._known_hash is not None:
            return self._known_hash
        if self._head == self._base:
            return content_hash(staged)
        args = ("diff-index", "--cached", "--raw", "-z", "--no-renames", self._base, "--")
        return content_hash(parse_raw(git.run(*args, reading=True)))

    def patch(self, paths: Sequence[str]) -> bytes:
        """Return the binary patch of these staged paths against `head`."""
        git = self._git()
        literal = {"GIT_LITERAL_PATHSPECS": "1"}
        args = ("diff-index", "-p", *_PATCH, self._head, "--")
        parts = [git.run(*args, *some, reading=True, env=literal) for some in batches(paths)]
        return b"".join(parts)

    @file_errors("revert in the worktree")
    def revert(self, paths: Sequence[str]) -> Changes:
        """Bring these paths back to `head` and return the diff that is left."""
        git = self._git()
        lines, gone, back = undoing(self._entries, frozenset(paths))
        loose = frozenset(self._unstaged_repositories).intersection(paths)
        if lines:
            git.run("update-index", "--replace", "-z", "--index-info", stdin=join_z(lines))
        for name in (*gone, *loose):
            remove(self.path / name)
        if back:
            git.run("checkout-index", "--force", "-z", "--stdin", stdin=join_z(back))
        remove_empty_parents(self.path, gone)
        submodules.restore(self._site, self.slot, only=paths)
        left = (name for name in self._unstaged_repositories if name not in loose)
        self._unstaged_repositories = tuple(left)
        status = self._status(git)
        self.remember_index()
        return self._account(git, status)

    @file_errors("commit in the worktree")
    def commit(self, subject: str, trailers: Mapping[str, str]) -> str:
        """Commit what `changes` staged, hooks off, and return the commit's id.

        Raises GitError when nothing is staged, or when the index was changed by somebody since.
        """
        if self._index is None or self._read_index() != self._index:
            raise GitError(
                f"the index of {self.path} was changed after its diff had been taken",
                hint="a process of the tool may still be running there; run the step again",
            )
        git = self._git()
        text = message(subject, trailers)
        args = (
            "commit",
            "--quiet",
            "--no-verify",
            "--no-gpg-sign",
            "--cleanup=verbatim",
            "-F",
            "-",
        )
        git.run(*args, stdin=text.encode("utf-8", "replace"), env=as_person(self._site.identity))
        made = self._site.refs.read(self._ref)
        if made is None or made == self._head:
            raise GitError(f"git committed, but {self._branch} has not moved")
        since_base = self._staged if self._head == self._base else None
        self._head = made
        self._settled(self._staged_hash)
        self._since_base = since_base
        return made

    def scope_since_base(self) -> tuple[Change, ...]:
        """Return the committed diff of the branch against its base."""
        if self._base == self._head:
            return ()
        if self._since_base is None:
            args = ("diff-tree", "-r", "--raw", "-z", "-M", self._base, self._head, "--")
            entries = parse_raw(self._git().run(*args, reading=True))
            found = (to_change(entry, self.path) for entry in entries)
            self._since_base = tuple(sorted(found, key=lambda change: change.path))
        return self._since_base

    def diff_hash(self) -> str:
        """Return the hash of the committed diff against the base, as `Changes.diff_hash` is one."""
        if self._known_hash is None:
            args = ("diff-tree", "-r", "--raw", "-z", "--no-renames", self._base, self._head, "--")
            self._known_hash = content_hash(parse_raw(self._git().run(*args, reading=True)))
        return self._known_hash

    def diff_text(self, *, max_bytes: int) -> str:
        """Return the committed diff against the base as text, cut at `max_bytes`."""
        args = ("diff-tree", "-r", "-p", "-M", "--no-ext-diff", "--no-textconv", "--no-color")
        data = self._git().run(*args, self._base, self._head, "--", reading=True)
        if len(data) <= max_bytes:
            return data.decode("utf-8", "replace")
        kept = data[:max_bytes].rpartition(b"\n")[0]
        return f"{kept.decode('utf-8', 'replace')}\n[{len(data) - len(kept)} more bytes]\n"

    def is_recorded(self) -> bool:
        """Tell whether the branch and tree hold nothing but `head`.

        Ignored files do not count; `left_ignored` names them afterwards.
        """
        if self._site.refs.read(self._ref) != self._head:
            return False
        git = self._git()
        if self._read_index() != self._index and flagged(git) != ():
            return False
        # not as a mere reader: what git finds out about files that were written in the same second
        # as the index is kept in the index, and need not be found out by the next lease
        status = parse_status(git.run(*STATUS, *self._pathspec(())))
        self.left_ignored = self._foreign(status.ignored)
        return status.clean and not submodules.edited(self._site, self.slot)

    def clean(self) -> None:
        """Remove what is untracked or ignored, but for what was placed or set up here."""
        self._clean(self._git(), ignored_too=True)

    def _clean(self, git: Git, *, ignored_too: bool) -> None:
        kept = [arg for path in self.belongings.paths for arg in ("-e", f"/{glob_escaped(path)}")]
        args = ("clean", "-ffdxq" if ignored_too else "-ffdq", *kept)
        done = git.call(*args)
        if done.returncode != 0:
            make_writable(self.path)
            git.run(*args)

    def _foreign(self, ignored: Iterable[str]) -> tuple[str, ...]:
        own = {path.rstrip("/") for path in self.belongings.paths}
        return tuple(name for name in ignored if name.rstrip("/") not in own)

    def _git(self) -> Git:
        watch = self._site.config
        overlay = watch.overlay(watch.snapshot(self.slot.admin))
        return self._site.git_for(self.slot).with_settings(overlay)

    def _steady(self, *, keep_branch: bool = False) -> tuple[Git, tuple[str, ...]]:
        """Undo what was done to git's own files, and say what it was."""
        said = [f"the worktree's {name} was rewritten" for name in self.slot.point_here()]
        watch = self._site.config
        now = watch.snapshot(self.slot.admin)
        said += config.differences(self._before, now)
        self._before = now
        self.slot.clear_locks()
        self.slot.end_operations()
        if self.slot.head_text() != f"{REF_PREFIX}{self._ref}":
            self.slot.set_head(f"{REF_PREFIX}{self._ref}")
        if not keep_branch:
            self._branch_at_head()
        git = self._site.git_for(self.slot).with_settings(watch.overlay(now))
        return git, tuple(said)

    def _branch_at_head(self) -> None:
        at = self._site.refs.read(self._ref)
        if at != self._head:
            with suppress(FileNotFoundError):
                remove_stale(self._site.common / f"{self._ref}.lock", 2.0)
            self._site.refs.update(self._ref, self._head, at, "back to the recorded commit")

    def _read_index(self) -> bytes:
        try:
            return (self.slot.admin / "index").read_bytes()
        except FileNotFoundError:
            return b""

    def _read_index_time(self) -> int:
        try:
            return (self.slot.admin / "index").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _unhide(self, git: Git) -> tuple[str, ...]:
        """Take away index flags that hide edits, and return the paths that had them.

        An index of ours that was changed, or that git cannot read, is replaced by the one we
        remember, or by that of the recorded commit.
        """
        if self._index is not None and self._read_index() == self._index:
            if self._read_index_time() != self._index_time:
                os.utime(self.slot.admin / "index", ns=(self._index_time, self._index_time))
            return ()
        hidden = flagged(git)
        if self._index is not None:
            temporary = self.slot.admin / "index.penstock"
            _lay_index(temporary, self._index, self._index_time)
            temporary.replace(self.slot.admin / "index")
        elif hidden is None:
            remove(self.slot.admin / "index")
            git.run("read-tree", self._head)
        elif hidden:
            for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
                git.run("update-index", "-z", flag, "--stdin", stdin=join_z(hidden))
        return hidden or ()

    def _pathspec(self, exclude: Iterable[str]) -> tuple[str, ...]:
        names = dict.fromkeys((*self.belongings.paths, *exclude))
        return ("--", ":/", *(f":(top,exclude,literal){n.rstrip('/')}" for n in names))

    def _add_all(
        self, git: Git, env: Mapping[str, str] | None = None, exclude: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Stage everything; return nested repositories that git cannot take in at all."""
        known = [change.path for change in self._staged or () if change.submodule]
        git = submodules.guarded(self._site, self.slot, git, known)
        pathspec = self._pathspec(exclude)
        done = git.call("add", "--all", *pathspec, env=env)
        # leaving out a path that is ignored anyway makes git say 1, after it has added the others;
        # whatever it could not add makes it say 128
        if done.returncode == 0 or (done.returncode == 1 and len(pathspec) > _WHOLE_TREE):
            return ()
        listed = split_z(git.run("ls-files", "-o", "-z", "--exclude-standard", reading=True))
        inner = tuple(name.rstrip("/") for name in listed if name.endswith("/"))
        if not inner:
            raise failure(("add", "--all"), done)
        pathspec = self._pathspec((*exclude, *inner))
        done = git.call("add", "--all", *pathspec, env=env)
        if done.returncode > 1:
            raise failure(("add", "--all"), done)
        return inner

    def _status(self, git: Git, exclude: Sequence[str] = ()) -> Status:
        out = (*exclude, *self._unstaged_repositories)
        return parse_status(git.run(*STATUS, *self._pathspec(out), reading=True))


def _lay_index(path: Path, content: bytes, time_ns: int) -> None:
    """Write an index as of the time (ns since the epoch) at which git had written it.

    git takes a file for changed unasked when its entry is as young as the index, for it counts in
    seconds; a copy that looks younger would hide an edit of the same size in the same second.
    """
    path.write_bytes(content)
    os.utime(path, ns=(time_ns, time_ns))


def flagged(git: Git) -> tuple[str, ...] | None:
    """Return the paths that are marked assume-unchanged (lower case) or skip-worktree (S).

    None when git cannot read the index.
    """
    done = git.call("ls-files", "-v", "-z", reading=True)
    if done.returncode != 0:
        return None
    lines = done.stdout.split(b"\0")
    return tuple(os.fsdecode(line[2:]) for line in lines if line[:1] == b"S" or line[:1].islower())


def _repository(name: str, kind: ChangeKind) -> Change:
    return Change(path=name, kind=kind, new_mode=GITLINK, submodule=True)
