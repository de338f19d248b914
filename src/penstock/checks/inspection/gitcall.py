"""git, asked about the files of a tree: with a clean environment, and nothing of a repository run.

Reads only: no lock is taken that can be done without, no hook and no file system monitor is started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import GitError, ToolMissingError, UsageError
from penstock.masking import redactor
from penstock.process.capture import Completed, capture
from penstock.process.environment import child_environment, find_executable

TIMEOUT_S = 300.0
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("diff.relative", "false"),
    ("checkout.workers", "0"),  # as many as there are cores, where many files are written
    ("advice.statusHints", "false"),
)
_FIXED = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_LFS_SKIP_SMUDGE": "1",
}


def is_repository(tree: Path) -> bool:
    """Tell whether a folder is the top of a git checkout, a linked worktree included."""
    return os.path.lexists(tree / ".git")


def ask(tree: Path, *args: str, index: Path | None = None, stdin: bytes | None = None) -> bytes:
    """Run git in a tree and return its output; `index` is the index file instead of the usual one.

    Raises ToolMissingError when git is not installed and GitError when it fails.
    """
    done = call(tree, *args, index=index, stdin=stdin)
    if done.returncode != 0:
        raise _failure(args, done)
    return done.stdout


def call(
    tree: Path, *args: str, index: Path | None = None, stdin: bytes | None = None
) -> Completed:
    """Run git in a tree and return what it answered, whatever its exit code."""
    env = _environment(index)
    found = find_executable("git", env)
    if found is None:
        raise ToolMissingError("git is not installed", hint="install git 2.31 or later")
    done = capture((str(found), *args), tree, env, timeout=TIMEOUT_S, stdin=stdin)
    if done.timed_out:
        raise GitError(f"git {args[0]} took longer than {TIMEOUT_S:g} s and was ended")
    return done


def names(output: bytes) -> list[str]:
    """Split output that NUL bytes end into names; bytes that are no UTF-8 are kept as surrogates."""
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def index_of_the_hook(tree: Path, source: Mapping[str, str] | None = None) -> Path | None:
    """Return the index that git gave to its hook: `git commit -a` and `git commit PATH` use their own.

    It is relative to the top of the checkout, where git starts its hooks. None outside of a hook.
    """
    given = (os.environ if source is None else source).get("GIT_INDEX_FILE")
    return tree / given if given else None


def commit_of(tree: Path, ref: str) -> str | None:
    """Return the id of the commit that a revision names, None when it names none."""
    spec = f"{ref}^{{commit}}"
    if "\0" in ref:
        return None
    done = call(tree, "rev-parse", "--verify", "--quiet", "--end-of-options", spec)
    return os.fsdecode(done.stdout).strip() or None if done.returncode == 0 else None


def required_commit(tree: Path, ref: str) -> str:
    """Return the id of the commit that a revision names; raises UsageError when it names none."""
    found = commit_of(tree, ref)
    if found is None:
        raise UsageError(
            f"there is no revision {ref!r} in this repository",
            hint="name a branch, a tag or a commit: git log --oneline",
        )
    return found


def _environment(index: Path | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env = child_environment(extra={**kept, **_FIXED})
    if index is not None:
        env["GIT_INDEX_FILE"] = str(index)
    env["GIT_CONFIG_COUNT"] = str(len(_SETTINGS))
    for number, (name, value) in enumerate(_SETTINGS):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _failure(args: tuple[str, ...], done: Completed) -> GitError:
    words = redactor().prose(done.stderr.decode("utf-8", "replace")).strip() or "it said nothing"
    said = "\n".join(words.splitlines()[-6:])
    hint = "git config --global --add safe.directory <the repository>"
    return GitError(
        f"git {args[0]} failed (exit {done.returncode}): {said}",
        hint=hint if "dubious ownership" in words else None,
    )
