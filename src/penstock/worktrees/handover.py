"""The result of a run comes to a branch of the user's: as a merge, as one commit, or replayed.

Everything is made as objects first, without a checkout and without a program of the user's; then
one compare-and-swap moves the branch. What a branch holds already is read from its history alone,
so that saying it again after a death at any moment does nothing twice: a merge holds the source as
an ancestor, a squash names it in a trailer, and replayed commits keep their author, time and
message.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from penstock.errors import HandoverConflictError, RepositoryError
from penstock.worktrees import checkout
from penstock.worktrees.api import HandedCommit, Handover, HandoverStrategy
from penstock.worktrees.history import is_ancestor
from penstock.worktrees.integration import record
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.merging import Merged, merge_trees, tree_of
from penstock.worktrees.names import OWN_BRANCHES, is_valid_branch, own_ref
from penstock.worktrees.objects import Commit
from penstock.worktrees.replay import RawCommit, commits_since, names, replay, three_way
from penstock.worktrees.site import Site
from penstock.worktrees.worktree import message

SOURCE_TRAILER = "Penstock-Source"
_SOURCE = re.compile(rb"^Penstock-Source: ([0-9a-f]{40}(?:[0-9a-f]{24})?)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be handed over, and how; see `Repository.handover`."""

    source: str
    target: str
    strategy: HandoverStrategy
    base: str
    allow_moved: bool
    update_checkout: bool
    message: str
    trailers: Mapping[str, str]

    @property
    def ref(self) -> str:
        """The full ref of the target."""
        return f"refs/heads/{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How target and source stand to each other.

    `at` is the target's commit, `fork` the one before all that this source has brought there
    earlier. `since` is the commit up to which the source was squashed into the target, or the
    base. `left` are the source's commits that the target does not have, merges left out.
    """

    at: str
    source: str
    fork: str
    since: str
    left: tuple[RawCommit, ...]
    whole: bool


def give(site: Site, wish: Wish) -> Handover:
    """Hand over, and move the target. See `Repository.handover` for what is raised."""
    _require_target(wish)
    with repository_lock(site.common):
        checkout.mend(site)
        standing = _stand(site, wish)
        if standing.whole:
            return _already(site, wish, standing)
        here = _require_ready(site, wish, standing)
        tip = _STRATEGIES[wish.strategy](site, wish, standing)
        if tip == standing.at:
            return _already(site, wish, standing)
        move = checkout.Move(ref=wish.ref, old=standing.at, new=tip)
        checkout.advance(site, move, here=here)
    return _told(site, wish, standing, tip, here=here)


def preview(site: Site, wish: Wish) -> Handover:
    """Return what would be handed over, and write nothing into the repository.

    The objects that it takes to know are made in a folder of their own, which goes.
    """
    _require_target(wish)
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        site = _aside(site, Path(folder))
        standing = _stand(site, wish)
        tip = standing.at
        if not standing.whole:
            here = _require_ready(site, wish, standing)
            tip = _STRATEGIES[wish.strategy](site, wish, standing)
            if here and tip != standing.at:
                move = checkout.Move(ref=wish.ref, old=standing.at, new=tip)
                checkout.require_clean(site, move, Path(folder) / "index")
        if tip == standing.at:
            return msgspec.structs.replace(_already(site, wish, standing), dry_run=True)
        told = _told(site, wish, standing, tip, here=False)
    return msgspec.structs.replace(told, commit=standing.at, dry_run=True)


def _aside(site: Site, folder: Path) -> Site:
    """Return the same site, whose git writes objects to a folder of their own."""
    known = os.fspath(site.common / "objects").replace("\\", "\\\\").replace('"', '\\"')
    env = {
        **site.git.base_env,
        "GIT_OBJECT_DIRECTORY": str(folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{known}"',
    }
    return replace(site, git=replace(site.git, base_env=env), plain_objects=False)


def _require_target(wish: Wish) -> None:
    if not is_valid_branch(wish.target):
        raise RepositoryError(f"{wish.target!r} is no name of a branch")
    if wish.target.startswith(OWN_BRANCHES):
        raise RepositoryError(
            f"{wish.target} is a branch that penstock works on itself",
            hint="name a branch of your own, such as main",
        )


# -- what is there already -------------------------------------------------------------------
def _stand(site: Site, wish: Wish) -> Standing:
    at, source = site.refs.read(wish.ref), site.refs.read(own_ref(wish.source))
    if at is None:
        raise RepositoryError(
            f"there is no branch {wish.target}",
            hint=f"make it first: git branch {wish.target} {wish.base[:12]}",
        )
    if source is None:
        raise RepositoryError(
            f"the branch {wish.source} does not exist",
            hint=f"put it back: git branch {wish.source} <commit>",
        )
    if not is_ancestor(site, wish.base, source):
        raise RepositoryError(
            f"{wish.source} does not come from {wish.base[:12]}, where its run started",
            hint=f"put it back: git branch -f {wish.source} <commit>",
        )
    git = site.git
    if is_ancestor(site, source, at):
        return Standing(at=at, source=source, fork=at, since=source, left=(), whole=True)
    theirs = commits_since(git, at, wish.base)
    squashed = {c.oid: found for c in theirs if (found := _squashed(site, c, source))}
    since = _latest(site, list(squashed.values()), wish.base)
    ours = commits_since(git, source, wish.base)
    held = {c.key for c in theirs}
    plain = [c for c in ours if len(c.parents) < 2]
    left = tuple(c for c in plain if c.key not in held and not is_ancestor(site, c.oid, since))
    return Standing(
        at=at,
        source=source,
        fork=_fork(at, theirs, ours, squashed),
        since=since,
        left=left,
        whole=since == source or (bool(plain) and not left),
    )


def _squashed(site: Site, commit: RawCommit, source: str) -> str | None:
    """Return the commit of the source that a commit of the target is a squash of, if it is one."""
    found = _SOURCE.search(commit.message)
    oid = found[1].decode() if found else ""
    return oid if oid and is_ancestor(site, oid, source) else None


def _latest(site: Site, candidates: list[str], base: str) -> str:
    latest = base
    for oid in candidates:
        latest = oid if is_ancestor(site, latest, oid) else latest
    return latest


def _fork(
    at: str,
    theirs: tuple[RawCommit, ...],
    ours: tuple[RawCommit, ...],
    squashed: Mapping[str, str],
) -> str:
    """Go back over what was handed over earlier, and return the commit before it."""
    known = {commit.oid: commit for commit in theirs}
    keys, oids = {commit.key for commit in ours}, {commit.oid for commit in ours}
    while (commit := known.get(at)) is not None:
        merged = len(commit.parents) == 2 and commit.parents[1] in oids
        if not (merged or commit.oid in squashed or commit.key in keys) or not commit.parents:
            break
        at = commit.parents[0]
    return at


# -- may it be done --------------------------------------------------------------------------
def _require_ready(site: Site, wish: Wish, standing: Standing) -> bool:
    """Raise RepositoryError unless the target may move; tell whether it is checked out here."""
    if standing.fork != wish.base and not wish.allow_moved:
        count = site.git.line("rev-list", "--count", standing.fork, f"^{wish.base}")
        commits = "1 commit" if count == "1" else f"{count} commits"
        raise RepositoryError(
            f"{wish.target} has moved since the run started: it is at {standing.fork[:12]},"
            f" {commits} after {wish.base[:12]}",
            hint="--allow-moved hands over all the same; the tree that comes of it is then another"
            " than the one that was checked",
        )
    is_merge = wish.strategy is HandoverStrategy.MERGE
    if is_merge and not is_ancestor(site, wish.base, standing.at):
        raise RepositoryError(
            f"{wish.target} does not hold {wish.base[:12]}, where the run started; a merge would"
            " bring along more than the run's own work",
            hint="--strategy squash or rebase takes the run's own work only",
        )
    return checkout.require_free(site, wish.target, update=wish.update_checkout)


# -- making it -------------------------------------------------------------------------------
def _merge(site: Site, wish: Wish, standing: Standing) -> str:
    merged = _fitting(wish, merge_trees(site, standing.at, standing.source))
    links = Commit(merged.tree, (standing.at, standing.source))
    return record(site, links, _text(wish, standing), site.identity)


def _squash(site: Site, wish: Wish, standing: Standing) -> str:
    merged = _fitting(wish, _whole(site, standing))
    if merged.tree == tree_of(site, standing.at):
        return standing.at
    links = Commit(merged.tree, (standing.at,))
    return record(site, links, _text(wish, standing), site.identity)


def _rebase(site: Site, wish: Wish, standing: Standing) -> str:
    tip = replay(site, standing.at, standing.left)
    merged = _whole(site, standing)
    if not merged.conflicts and merged.tree != tree_of(site, tip):
        raise HandoverConflictError(
            f"the commits of {wish.source}, one after the other, do not give its tree, because a"
            " merge between them holds changes of its own",
            hint="--strategy merge or squash takes the whole result at once",
        )
    return tip


_STRATEGIES: Mapping[HandoverStrategy, Callable[[Site, Wish, Standing], str]] = {
    HandoverStrategy.MERGE: _merge,
    HandoverStrategy.SQUASH: _squash,
    HandoverStrategy.REBASE: _rebase,
}


def _whole(site: Site, standing: Standing) -> Merged:
    """Apply all that is not in the target yet to it, at once."""
    return three_way(site, base=standing.since, ours=standing.at, theirs=standing.source)


def _fitting(wish: Wish, merged: Merged) -> Merged:
    if merged.conflicts:
        raise HandoverConflictError(
            f"{wish.source} conflicts with {wish.target} in {names(merged.conflicts)};"
            " nothing was changed",
            hint=f"merge by hand: git switch {wish.target} && git merge {wish.source}",
        )
    return merged


def _text(wish: Wish, standing: Standing) -> str:
    return message(wish.message, {**wish.trailers, SOURCE_TRAILER: standing.source})


# -- saying it -------------------------------------------------------------------------------
def _already(site: Site, wish: Wish, standing: Standing) -> Handover:
    return Handover(
        commit=standing.at,
        previous=standing.at,
        source=standing.source,
        strategy=wish.strategy,
        already=True,
        as_checked=tree_of(site, standing.at) == tree_of(site, standing.source),
    )


def _told(site: Site, wish: Wish, standing: Standing, tip: str, *, here: bool) -> Handover:
    safe = ("--no-ext-diff", "--no-textconv", "--no-color")
    args = ("diff-tree", "-r", "-M", "--stat", *safe, standing.at, tip, "--")
    made = standing.left
    if wish.strategy is HandoverStrategy.REBASE:
        made = commits_since(site.git, tip, standing.at)
    return Handover(
        commit=tip,
        previous=standing.at,
        source=standing.source,
        strategy=wish.strategy,
        commits=tuple(HandedCommit(commit=c.oid, subject=c.title) for c in made),
        stat=site.git.run(*args, reading=True).decode("utf-8", "replace"),
        checkout_updated=here,
        as_checked=tree_of(site, tip) == tree_of(site, standing.source),
    )
