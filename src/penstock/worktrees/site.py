"""What everything in this room shares about one repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.errors import RepositoryError
from penstock.model.settings import WorktreeSettings
from penstock.process.identity import ProcessIdentity
from penstock.worktrees.config import ConfigWatch
from penstock.worktrees.git import Git
from penstock.worktrees.lock import repository_lock as repository_lock
from penstock.worktrees.names import HOME, POOL, TRASH
from penstock.worktrees.objects import Identity
from penstock.worktrees.refs import Refs, read_text
from penstock.worktrees.slots import Slot, branch_of


@dataclass(frozen=True, slots=True)
class Site:
    """One repository: where it lies, how git is called for it, and what its settings are.

    `git_dir` belongs to the user's checkout at `root`, `common` is shared by all its worktrees.
    `plain_objects` tells that loose objects may be written without git's help.
    """

    root: Path
    git: Git
    git_dir: Path
    common: Path
    refs: Refs
    identity: Identity
    config: ConfigWatch
    settings: WorktreeSettings
    owner: ProcessIdentity
    submodules: bool
    plain_objects: bool

    @property
    def home(self) -> Path:
        """The folder that all our worktrees lie in."""
        return self.root / HOME

    @property
    def pool(self) -> Path:
        """The folder of the idle slots."""
        return self.home / POOL

    @property
    def trash(self) -> Path:
        """The folder of trees on their way out."""
        return self.home / TRASH

    def git_for(self, slot: Slot) -> Git:
        """Return git for a slot's tree."""
        return self.git.at(slot.admin, slot.path)

    def require_not_checked_out(self, branch: str, but: Path | None = None) -> None:
        """Raise RepositoryError when the branch is checked out in a worktree other than `but`."""
        for git_dir in (self.common, self.git_dir, *self._linked()):
            if git_dir != but and branch_of(read_text(git_dir / "HEAD") or "") == branch:
                where = self.root if git_dir == self.git_dir else _tree_of(git_dir)
                raise RepositoryError(
                    f"the branch {branch} is checked out in {where}",
                    hint=f"switch to another branch there: git -C {where} switch --detach",
                )

    def _linked(self) -> tuple[Path, ...]:
        folder = self.common / "worktrees"
        return tuple(folder.iterdir()) if folder.is_dir() else ()


def _tree_of(git_dir: Path) -> Path:
    text = read_text(git_dir / "gitdir")
    return Path(text).parent if text else git_dir.parent
