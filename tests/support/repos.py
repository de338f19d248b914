"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from penstock.model.settings import WorktreeSettings
from penstock.worktrees.repository import GitRepository, open_repository

FILES: Mapping[str, str] = {
    "README.md": "a repository\n",
    "src/a.py": "A = 1\n",
    "src/b.py": "B = 1\n",
    "docs/long.md": "".join(f"line {n}\n" for n in range(40)),
    ".gitignore": "*.log\n.env\nbuild/\nnode_modules/\n",
}


def git(path: Path, *args: str, stdin: str | None = None, ok: bool = True) -> str:
    """Run git in `path` with an environment of its own; return its output without the last newline."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(path.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["git", *args], cwd=path, env=env, input=stdin, capture_output=True, text=True, check=False
    )
    assert not ok or done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout.removesuffix("\n")


def write(root: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write files below `root`; None deletes one."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def make_repo(path: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """Make a git repository with one commit that holds `files` (default FILES), on branch main."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    git(path, "config", "user.name", "Una User")
    git(path, "config", "user.email", "una@example.org")
    write(path, FILES if files is None else files)
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message=first")
    return path.resolve()


def opened(path: Path, **settings: object) -> GitRepository:
    """Open a repository with worktree settings given by name."""
    return open_repository(path, WorktreeSettings(**settings))  # type: ignore[arg-type]


OURS = (".git/", ".worktrees/", "state/", "logs/", ".AIM_ai-tools-registry/AIM_audit/")


def state_of(root: Path) -> dict[str, bytes]:
    """Every byte of the user's checkout and of what git keeps for it: files, HEAD, index, config.

    What penstock keeps in folders of its own is left out.
    """
    kept = {
        name: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if not (name := path.relative_to(root).as_posix()).startswith(OURS)
        and path.is_file()
        and not path.is_symlink()
    }
    own = ("HEAD", "index", "config", "refs/heads/main")
    return kept | {name: (root / ".git" / name).read_bytes() for name in own}
