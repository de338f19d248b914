"""A process that takes workstreams through worktrees until it is killed; tells each step on stdout.

python -m tests.campaign.worktree_worker ROOT NAME ROUNDS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from penstock.model.settings import WorktreeSettings
from penstock.worktrees.repository import GitRepository, open_repository

INTO = "integration/campaign"


def tell(**facts: str) -> None:
    """Write one line."""
    print(json.dumps(facts), flush=True)


def work(repo: GitRepository, name: str) -> None:
    """Take one workstream from its lease to its release."""
    base = repo.resolve(INTO) or repo.head()
    branch = f"workstream/{name}/r"
    tell(at="leasing", branch=branch, base=base)
    tree = repo.lease(name, "r", branch, base)
    tell(at="leased", path=str(tree.path))
    head = base
    for turn in range(2):
        (tree.path / f"{name}-{turn}.txt").write_text(f"{name} {turn}\n" * 50)
        (tree.path / "junk.log").write_text("ignored\n")
        tree.changes()
        head = tree.commit(f"{name} {turn}", {"Turn": str(turn)})
        tell(at="committed", head=head)
    repo.merge(branch, INTO, message=f"Merge {name}", trailers={})
    tell(at="merged")
    repo.release(tree)
    tell(at="released")


def main() -> None:
    """Work through the rounds."""
    root, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    repo = open_repository(root, WorktreeSettings(pool=2))
    repo.ensure_branch(INTO, repo.head())
    for number in range(rounds):
        work(repo, f"{name}-{number}")
    tell(at="done")


if __name__ == "__main__":
    main()
