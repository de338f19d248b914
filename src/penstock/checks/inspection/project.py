"""The files of a project: all of them, those that changed, those that are staged."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from penstock.checks.api import Place
from penstock.checks.inspection import gitcall
from penstock.errors import UsageError

OURS = (".worktrees", ".state")
"""Folders at the top of a tree that are always penstock's own."""
OURS_UNTRACKED = (*OURS, "state", "logs")
"""Those at the top that are penstock's own unless git tracks what lies in them."""
MAX_WALKED = 200_000
"""Files that are listed outside of git before we ask for names."""
TEMPORARY_PREFIX = ".penstock-fix-"
"""How the files begin that a fix writes beside its target for a moment; no file of a project."""
_LEFT_OUT = frozenset({"node_modules", "__pycache__"})
_ENVIRONMENT_MARK = "pyvenv.cfg"


def list_project(place: Place) -> tuple[str, ...]:
    """Return the files of the tree, sorted: what git tracks or would add, as far as it is there.

    Links to files are listed, submodules and nested repositories are not. Outside of git these are
    the files below the tree, but for hidden folders and what installers put there. Raises GitError,
    ToolMissingError; UsageError when a folder outside of git holds too many files.
    """
    if not gitcall.is_repository(place.tree):
        return tuple(sorted(walk(place.tree)))
    listed = gitcall.ask(place.tree, "ls-files", "-t", "-co", "--exclude-standard", "-z")
    found = {entry[2:] for entry in gitcall.names(listed) if _is_theirs(entry)}
    return existing(place.tree, sorted(found))


def changed_files(place: Place, ref: str | None = None) -> tuple[str, ...]:
    """Return the files that differ from a revision (None: the last commit), not yet added ones too.

    A branch is compared from where this one left it, so what others did there since does not
    count. Without any commit all files have changed. Raises UsageError for a revision that is not
    there and outside of git, GitError.
    """
    _demand_git(place, "--changed")
    base = _base(place.tree, ref)
    if base is None:
        return list_project(place)
    changed = gitcall.names(_diff(place.tree, base))
    added = gitcall.ask(place.tree, "ls-files", "-t", "-o", "--exclude-standard", "-z")
    found = {entry[2:] for entry in gitcall.names(added) if _is_theirs(entry)}
    return existing(place.tree, sorted(found | {n for n in changed if not _is_ours(n, OURS)}))


def staged_files(place: Place) -> tuple[str, ...]:
    """Return the files whose staged content differs from the last commit; deleted ones are left out.

    Honours the index that git gives to a hook. Raises UsageError outside of git, GitError.
    """
    _demand_git(place, "--staged")
    index = gitcall.index_of_the_hook(place.tree)
    staged = gitcall.names(_diff(place.tree, "--cached", index=index))
    return tuple(sorted(name for name in staged if not _is_ours(name, OURS)))


def export_index(place: Place, folder: Path) -> tuple[str, ...]:
    """Write what is staged into an empty folder, as a checkout would have it; return its files.

    Honours the index that git gives to a hook. What git ignores (environments, installed
    packages, generated code) is there as links, as tools expect to find it; what nobody has added is
    not, for a commit would not have it. Raises UsageError outside of git, GitError.
    """
    _demand_git(place, "--staged")
    index = gitcall.index_of_the_hook(place.tree)
    gitcall.ask(place.tree, "checkout-index", "-a", "-f", "-q", f"--prefix={folder}/", index=index)
    for name in _intended(place.tree, index):
        (folder / name).unlink(missing_ok=True)
    _link_ignored(place.tree, folder, index)
    tracked = gitcall.names(gitcall.ask(place.tree, "ls-files", "-c", "-z", index=index))
    kept = dict.fromkeys(name for name in tracked if not _is_ours(name, OURS))
    return existing(folder, sorted(kept))


def walk(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, relative to it, without hidden folders and installed ones.

    Raises UsageError beyond MAX_WALKED files.
    """
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_walked(place, name))
        for name in files:
            path = os.path.join(place, name)  # noqa: PTH118 - a Path for each file is slow
            if _is_file(path) and not name.startswith(TEMPORARY_PREFIX):
                count += 1
                yield os.path.relpath(path, folder).replace(os.sep, "/")
        if count > MAX_WALKED:
            raise UsageError(
                f"{folder} holds more than {MAX_WALKED:,} files and is no git repository",
                hint="name the files or folders to check",
            )


def existing(tree: Path, files: Sequence[str]) -> tuple[str, ...]:
    """Return those names at which a file lies, or a link to one."""
    top = os.fspath(tree)
    return tuple(name for name in files if _is_file(f"{top}/{name}"))


def _base(tree: Path, ref: str | None) -> str | None:
    if ref is None:
        return gitcall.commit_of(tree, "HEAD")
    other = gitcall.required_commit(tree, ref)
    done = gitcall.call(tree, "merge-base", other, "HEAD")  # none: histories of their own
    return os.fsdecode(done.stdout).strip() or other


def _diff(tree: Path, against: str, index: Path | None = None) -> bytes:
    how = ("--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=all")
    which = ("-z", "--diff-filter=d", against, "--")
    return gitcall.ask(tree, "diff", *how, *which, index=index)


def _intended(tree: Path, index: Path | None) -> list[str]:
    """Return the files that are to be added some day (`git add -N`): their content is not staged."""
    how = ("--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=all")
    return gitcall.names(
        gitcall.ask(tree, "diff", *how, "-z", "--diff-filter=A", "--", index=index)
    )


def _link_ignored(tree: Path, folder: Path, index: Path | None) -> None:
    how = ("ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z")
    for name in gitcall.names(gitcall.ask(tree, *how, index=index)):
        path = name.rstrip("/")
        if not _is_ours(path + "/.", OURS_UNTRACKED) and (folder / path).parent.is_dir():
            with suppress(FileExistsError):
                (folder / path).symlink_to(tree / path)


def _demand_git(place: Place, option: str) -> None:
    if not gitcall.is_repository(place.tree):
        raise UsageError(
            f"{option} needs a git repository, and {place.tree} is none",
            hint="name the files to check instead",
        )


def _is_theirs(entry: str) -> bool:
    """Judge an entry of `git ls-files -t`, whose first letter tells whether git tracks it."""
    tracked = not entry.startswith("?")
    name = entry[2:]
    return not name.endswith("/") and not _is_ours(name, OURS if tracked else OURS_UNTRACKED)


def _is_ours(name: str, folders: tuple[str, ...]) -> bool:
    top, _, rest = name.partition("/")
    last = name.rpartition("/")[2]
    return (bool(rest) and top in folders) or last.startswith(TEMPORARY_PREFIX)


def _is_walked(place: str, name: str) -> bool:
    if name.startswith(".") or name in _LEFT_OUT:
        return False
    return not os.path.lexists(f"{place}/{name}/{_ENVIRONMENT_MARK}")


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - a Path for each file is slow
    except (OSError, ValueError):
        return False
