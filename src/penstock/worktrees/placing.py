"""What a worktree gets beside git's files: copies, symlinks, and the work of set-up commands."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from penstock.errors import EnvironmentProblem, RepositoryError
from penstock.process.api import Command, End
from penstock.process.environment import child_environment
from penstock.process.run import run
from penstock.worktrees.diff import parse_status
from penstock.worktrees.git import Git, join_z, split_z
from penstock.worktrees.names import is_inside
from penstock.worktrees.paths import batches
from penstock.worktrees.site import Site
from penstock.worktrees.slots import Slot, remove

INCLUDE_FILE = ".worktreeinclude"
SETUP_LIMIT_S = 1800.0
_TAIL = 15


def place(site: Site, slot: Slot) -> tuple[str, ...]:
    """Copy and link into the tree what the settings and `.worktreeinclude` say; return the paths.

    Only paths that the user's checkout ignores are copied: what git tracks is there already, and
    what it would track must not come into a commit by this road. Raises RepositoryError for a path
    that leads out of the checkout or the tree.
    """
    copies = _ignored(site, (*_included(site), *_matching(site, site.settings.copy)))
    links = _matching(site, site.settings.symlink)
    tracked = _tracked(site.git_for(slot), (*copies, *links))
    copies, links = (tuple(p for p in some if p not in tracked) for some in (copies, links))
    for path in copies:
        _copy(_source(site, path), _target(slot, path))
    for path in links:
        _link(_source(site, path), _target(slot, path))
    return tuple(dict.fromkeys((*copies, *links)))


def _matching(site: Site, patterns: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for pattern in patterns:
        pure = PurePosixPath(pattern)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in pattern:
            raise RepositoryError(
                f"worktree.copy and worktree.symlink take paths in the repository, not {pattern!r}",
                hint="write them relative to the top of the repository, without ..",
            )
        for match in sorted(site.root.glob(str(pure))):
            found[match.relative_to(site.root).as_posix()] = None
    return tuple(path for path in found if PurePosixPath(path).parts[:1] not in ((".git",), ()))


def _included(site: Site) -> tuple[str, ...]:
    rules = site.root / INCLUDE_FILE
    if not rules.is_file():
        return ()
    args = ("ls-files", "--others", "--ignored", "-z", f"--exclude-from={rules}")
    return tuple(split_z(site.git.run(*args, reading=True)))


def _ignored(site: Site, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that the user's checkout ignores, our own folders apart."""
    asked = [p for p in dict.fromkeys(paths) if PurePosixPath(p).parts[0] != site.home.name]
    if not asked:
        return ()
    done = site.git.call("check-ignore", "-z", "--stdin", stdin=join_z(asked), reading=True)
    ignored = set(split_z(done.stdout))
    return tuple(path for path in asked if path in ignored)


def _tracked(git: Git, paths: Sequence[str]) -> frozenset[str]:
    """Return the paths that are tracked in a tree, or that have tracked files below them."""
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    names: list[str] = []
    for some in batches(paths):
        names += split_z(git.run("ls-files", "-z", "--", *some, reading=True, env=literal))
    above = {str(folder) for name in names for folder in (name, *PurePosixPath(name).parents)}
    return frozenset(path for path in paths if path in above)


def _source(site: Site, path: str) -> Path:
    source = site.root / path
    if not is_inside(source, site.root):
        raise RepositoryError(
            f"{path} leads out of the repository, to {source.resolve()}; it is not brought along",
            hint="put a copy into the repository's folder, or take it off the list",
        )
    return source


def _target(slot: Slot, path: str) -> Path:
    target = slot.path / path
    if not is_inside(target.parent, slot.path):
        raise RepositoryError(f"{path} would be written outside the worktree, through a symlink")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _copy(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`, whatever it was; unchanged files are left alone."""
    if source.is_dir():
        _copy_folder(source, target)
    elif not _is_same(source, target):
        remove(target)
        shutil.copy2(source, target)


def _copy_folder(source: Path, target: Path) -> None:
    if target.is_symlink() or not target.is_dir():
        remove(target)
        target.mkdir()
    with os.scandir(source) as entries:
        names = {entry.name: Path(entry.path) for entry in entries}
    for left in list(target.iterdir()):
        if left.name not in names:
            remove(left)
    for name, inner in names.items():
        if inner.is_symlink():
            remove(target / name)
            (target / name).symlink_to(inner.readlink())
        elif inner.is_dir() or inner.is_file():
            _copy(inner, target / name)


def _is_same(source: Path, target: Path) -> bool:
    if target.is_symlink() or not target.is_file():
        return False
    ours, theirs = source.stat(), target.stat()
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _link(source: Path, target: Path) -> None:
    if target.is_symlink() and target.readlink() == source:
        return
    remove(target)
    target.symlink_to(source)


def set_up(site: Site, slot: Slot, placed: Sequence[str]) -> tuple[str, ...]:
    """Run the set-up commands in a worktree made anew; return the ignored paths that they made.

    These stay when the slot is cleaned, so the commands need not run again. Raises
    EnvironmentProblem with the command and its log when one fails.
    """
    for number, command in enumerate(site.settings.setup, start=1):
        log = site.root / "logs" / "setup" / f"{slot.name}-{number}.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _run(slot, command, log)
    if not site.settings.setup:
        return ()
    args = ("status", "--porcelain=v2", "-z", "--ignored=traditional")
    status = parse_status(site.git_for(slot).run(*args, reading=True))
    made = (name.rstrip("/") for name in status.ignored)
    return tuple(name for name in made if name not in placed)


def _run(slot: Slot, text: str, log: Path) -> None:
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise EnvironmentProblem(f"worktree.setup: cannot read {text!r}: {error}") from error
    if not argv:
        return
    outcome = run(
        Command(
            argv=argv,
            cwd=slot.path,
            env=child_environment(),
            log=log,
            wall_s=SETUP_LIMIT_S,
            marker=f"setup-{slot.name}",
            sweep_cwd=slot.path,
        )
    )
    if outcome.end is End.EXITED and outcome.exit_code == 0:
        return
    why = outcome.error or f"{outcome.end.value}, exit code {outcome.exit_code}"
    tail = "\n".join((outcome.text + outcome.error_text).splitlines()[-_TAIL:])
    raise EnvironmentProblem(
        f"the set-up command {text!r} of the worktree failed ({why}); log: {log}\n{tail}".rstrip(),
        hint="mend the command in worktree.setup of config/pipeline.yaml, then resume",
    )
