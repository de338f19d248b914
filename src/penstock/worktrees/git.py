"""The one door for git: argv only, a clean environment, no hooks, no editor, no prompt.

Settings that would let a repository run programs of its own, hide changes from us or start work
in the background are overridden through GIT_CONFIG_COUNT, which needs git 2.31. Clean and smudge
filters of the user (Git LFS) do run, as they must; LFS leaves pointers as they are, because a
worktree must not depend on a network (GIT_LFS_SKIP_SMUDGE).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from penstock.errors import EnvironmentProblem, GitError, ToolMissingError
from penstock.masking import redactor
from penstock.process.capture import Completed, capture
from penstock.process.environment import child_environment, find_executable

MINIMUM = (2, 31)
MERGE_TREE_MINIMUM = (2, 38)
TIMEOUT_S = 900.0

KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
"""Variables of the user that say where git and its settings lie; all others of GIT_* are dropped."""

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.untrackedCache": "false",
        "core.splitIndex": "false",
        "core.sparseCheckout": "false",
        "core.ignoreStat": "false",
        "core.trustctime": "true",
        "core.checkStat": "default",
        "core.safecrlf": "false",
        "core.quotePath": "false",
        "core.logAllRefUpdates": "true",
        "branch.autoSetupMerge": "false",
        "branch.autoSetupRebase": "never",
        "commit.gpgSign": "false",
        "index.sparse": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "rerere.enabled": "false",
        "submodule.recurse": "false",
        "advice.addEmbeddedRepo": "false",
        "i18n.commitEncoding": "utf-8",
    }
)
FIXED: Mapping[str, str] = MappingProxyType(
    {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_EDITOR": "false",
        "GIT_SEQUENCE_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ADVICE": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
)

_VERSION = re.compile(r"(\d+)\.(\d+)")
_HINTS = (
    ("No space left on device", "free space on the disk, then resume"),
    ("Disk quota exceeded", "free space on the disk, then resume"),
    ("File too large", "raise the limit on file sizes (ulimit -f), then resume"),
    ("Permission denied", "penstock must be able to write to the repository"),
    ("Read-only file system", "penstock must be able to write to the repository"),
    ("dubious ownership", "git config --global --add safe.directory <the repository>"),
    (".lock': File exists", "when no git runs in this repository, remove the lock file it names"),
    ("bad config", "mend the file it names: git config --list --show-origin"),
    ("not a git repository", "run it inside a git repository (git init)"),
)


@dataclass(frozen=True, slots=True)
class Git:
    """git as it is called for one repository, or one worktree of it.

    `git_dir`, `common` and `work_tree` are given to each child explicitly, so that a `.git` file
    which a tool has rewritten leads nobody astray. `settings` are laid over the user's.
    """

    executable: str
    version: tuple[int, int]
    cwd: Path
    base_env: Mapping[str, str] = field(repr=False)
    git_dir: Path | None = None
    common: Path | None = None
    work_tree: Path | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS, repr=False)
    marker: str | None = None

    def at(self, git_dir: Path, work_tree: Path | None, cwd: Path | None = None) -> Git:
        """Return the same git for another worktree of the repository."""
        return replace(self, git_dir=git_dir, work_tree=work_tree, cwd=cwd or work_tree or git_dir)

    def own(self, git_dir: Path, work_tree: Path) -> Git:
        """Return the same git for a repository of its own, such as a submodule."""
        return replace(self, git_dir=git_dir, common=None, work_tree=work_tree, cwd=work_tree)

    def with_settings(self, more: Mapping[str, str]) -> Git:
        """Return the same git with more settings laid over the user's."""
        return replace(self, settings={**self.settings, **more}) if more else self

    def call(
        self,
        *args: str,
        stdin: bytes | None = None,
        reading: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_S,
    ) -> Completed:
        """Run git and return what it answered, whatever its exit code.

        `reading` keeps it from taking locks that it can do without. Raises GitError when it could
        not be started, was killed, or took longer than `timeout` (seconds).
        """
        full = self._environment(reading)
        full.update(env or {})
        argv = (self.executable, "--no-pager", *args)
        try:
            done = capture(argv, self.cwd, full, timeout=timeout, stdin=stdin, marker=self.marker)
        except EnvironmentProblem as error:
            raise GitError(f"git cannot be started: {error}", hint=error.hint) from error
        if done.timed_out:
            raise GitError(f"git {_short(args)} took longer than {timeout:g} s and was ended")
        if done.returncode < 0:  # that is no answer: nothing may be concluded from it
            raise failure(args, done)
        return done

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        reading: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_S,
    ) -> bytes:
        """Run git and return its output; raises GitError when it fails."""
        done = self.call(*args, stdin=stdin, reading=reading, env=env, timeout=timeout)
        if done.returncode != 0:
            raise failure(args, done)
        return done.stdout

    def line(self, *args: str) -> str:
        """Run a reading git and return its output without the newline at the end."""
        return os.fsdecode(self.run(*args, reading=True)).removesuffix("\n")

    def _environment(self, reading: bool) -> dict[str, str]:
        env = dict(self.base_env)
        places = {
            "GIT_DIR": self.git_dir,
            "GIT_COMMON_DIR": self.common,
            "GIT_WORK_TREE": self.work_tree,
        }
        env.update({name: str(path) for name, path in places.items() if path is not None})
        if reading:
            env["GIT_OPTIONAL_LOCKS"] = "0"
        env["GIT_CONFIG_COUNT"] = str(len(self.settings))
        for number, (name, value) in enumerate(self.settings.items()):
            env[f"GIT_CONFIG_KEY_{number}"] = name
            env[f"GIT_CONFIG_VALUE_{number}"] = value
        return env


def find_git(cwd: Path) -> Git:
    """Find git on PATH; raises ToolMissingError when it is missing or older than MINIMUM."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    env = child_environment(extra={**kept, **FIXED})
    found = find_executable("git", env)
    if found is None:
        raise ToolMissingError(
            "git is not installed", hint="install git 2.38 or later (2.31 at the least)"
        )
    git = Git(executable=str(found), version=(0, 0), cwd=cwd, base_env=env)
    text = git.line("--version")
    match = _VERSION.search(text)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < MINIMUM:
        raise ToolMissingError(
            f"{text or 'git'} is too old", hint="install git 2.38 or later (2.31 at the least)"
        )
    return replace(git, version=version)


def failure(args: Sequence[str], done: Completed) -> GitError:
    """Return the error for a git that failed: what was run, its exit code, the end of its words."""
    # it names remotes, passwords in their addresses included
    words = redactor().prose(done.stderr.decode("utf-8", "replace")).strip() or "it said nothing"
    said = "\n".join(words.splitlines()[-6:])
    hint = next((hint for sign, hint in _HINTS if sign in words), None)
    how = f"exit {done.returncode}" if done.returncode >= 0 else f"signal {-done.returncode}"
    return GitError(f"git {_short(redactor().argv(args))} failed ({how}): {said}", hint=hint)


def _short(args: Sequence[str]) -> str:
    shown = " ".join(args)
    return shown if len(shown) <= 200 else shown[:197] + "..."


def split_z(data: bytes) -> list[str]:
    """Split output that is terminated by NUL bytes into names, undecodable bytes kept."""
    return [os.fsdecode(part) for part in data.split(b"\0") if part]


def join_z(names: Sequence[str]) -> bytes:
    """Return names as input terminated by NUL bytes."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)
