"""Where secrets are looked for: the files of a tree, what is staged, commits, the trail, logs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from penstock.environment.scan.gitblobs import Brought, Git, blobs
from penstock.environment.scan.secrets import Looker, Tally, Values
from penstock.environment.scan.texts import Text, read_texts, readable
from penstock.leaks.baseline import NAME
from penstock.leaks.found import Source

_LEFT_OUT = frozenset({".git", "node_modules", "__pycache__"})
_ENVIRONMENT_MARK = "pyvenv.cfg"


def tracked_files(git: Git, paths: Sequence[str] = ()) -> list[str]:
    """Return the files that git tracks or would add, of `paths` if there are any. Raises GitError."""
    how = ("ls-files", "-z", "-co", "--exclude-standard", "--deduplicate")
    raw = git.run(*how, "--", *(f":(literal){path}" for path in paths), reading=True)
    names = (os.fsdecode(name) for name in raw.split(b"\0") if name)
    return [name for name in names if not name.endswith("/")]


def files_below(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, relative to it; what installers put there is left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if _is_entered(place, f))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")  # noqa: PTH118 - a Path for each file is slow


def _is_entered(place: str, name: str) -> bool:
    return name not in _LEFT_OUT and not os.path.lexists(f"{place}/{name}/{_ENVIRONMENT_MARK}")


def file_texts(
    source: Source, top: Path, names: Iterable[str], tally: Tally, *, binary: bool = False
) -> Iterator[Text]:
    """Yield the texts of files below `top`; links are not followed, what cannot be read is skipped."""
    root = os.fspath(top)
    listed = list(names)
    tally.expect(len(listed))
    for name in listed:
        place = f"{root}/{name}"
        if name == NAME or os.path.islink(place):  # noqa: PTH114 - a Path for each file is slow
            continue
        try:
            yield from read_texts(source, name, place, binary=binary)
        except FileNotFoundError:
            continue  # deleted, but git has it, or gone in this moment
        except OSError as error:
            if not os.path.isdir(place):  # noqa: PTH112 - a submodule is no file
                tally.skip(name, error.strerror or str(error))


def object_texts(
    git: Git,
    source: Source,
    brought: Sequence[Brought],
    tally: Tally,
    *,
    once: bool,
) -> Iterator[Text]:
    """Yield the texts of objects. `once`: an object in a path is looked at the first time only."""
    wanted: dict[str, list[Brought]] = {}
    tally.expect(len(brought))
    for one in brought:
        if one.path == NAME:
            continue
        places = wanted.setdefault(one.oid, [])
        if not once or all(other.path != one.path for other in places):
            places.append(one)
    for blob in blobs(git, wanted):
        for one in wanted[blob.oid]:
            if blob.data is None:
                tally.skip(one.path, blob.why)
            elif (data := readable(blob.data)) is not None:
                before = () if once else one.before
                yield Text(source, one.path, data, commit=one.commit, before=before)


def values_of(git: Git, looker: Looker) -> Values:
    """Return what tells the values in an object; each is read once."""
    known: dict[str, frozenset[tuple[str, bytes]]] = {}

    def values(oid: str) -> frozenset[tuple[str, bytes]]:
        if oid not in known:
            (blob,) = blobs(git, [oid])
            text = readable(blob.data) if blob.data is not None else None
            known[oid] = looker.values(text) if text is not None else frozenset()
        return known[oid]

    return values


def evidence_files(top: Path, folders: Iterable[Path], left_out: Iterable[Path]) -> Iterator[str]:
    """Yield the files of folders below `top`, relative to it, but for those below `left_out`."""
    never = {os.fspath(folder) for folder in left_out}
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(f for f in inner if f"{place}/{f}" not in never)
            yield from (os.path.relpath(f"{place}/{name}", top) for name in sorted(names))
