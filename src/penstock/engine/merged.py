"""Is the work of a workstream safe without its worktree?"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.engine.handover import handovers_of
from penstock.errors import GitError
from penstock.model.records import Run, Workstream
from penstock.model.states import WorkstreamState
from penstock.store.api import Journal
from penstock.worktrees.api import Repository

ENDED = frozenset(
    {
        WorkstreamState.PENDING,
        WorkstreamState.DONE,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.CANCELED,
    }
)


def why_nothing_is_lost(
    journal: Journal, repository: Repository, run: Run, row: Workstream
) -> str | None:
    """Return why all work of a workstream would still be there without its worktree, else None.

    Either there is none, or a branch holds its commit (by history, which the journal's record of a
    handover may vouch for), or a branch has each file that it changed just as it left it, which is
    how a squash or a rebase brings work in.
    """
    if row.status not in ENDED:
        return None
    if row.head_commit is None or row.head_commit == row.base_commit:
        return "it holds no commit of its own"
    handed = handovers_of(journal, row)
    for name, commit in _places(repository, run, [into for _, into in handed]):
        if repository.is_ancestor(row.head_commit, commit):
            return f"it is merged into {name}"
        if any(into == name and repository.is_ancestor(one, commit) for one, into in handed):
            return f"it was handed over to {name}"
        if row.base_commit and _holds(repository, row.base_commit, row.head_commit, commit):
            return f"{name} has all of its changes"
    return None


def _places(repository: Repository, run: Run, handed: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the branches that may hold the work, each with its commit."""
    for name in dict.fromkeys(filter(None, (run.integration_branch, "HEAD", *handed))):
        commit = repository.resolve(name)
        if commit is not None:
            yield name, commit


def _holds(repository: Repository, base: str, commit: str, place: str) -> bool:
    """Tell whether `place` has the changes; a commit that is gone from git proves nothing."""
    try:
        return repository.holds(base, commit, place)
    except GitError:
        return False
