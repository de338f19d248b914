"""What tells one version of a tool from another without starting it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

from penstock.model.manifest import ToolSpec
from penstock.typed import typed_json

LARGEST_SCRIPT = 1 << 18
"""Bytes of a script that count as its text."""
_CLIMB = 8
_LARGEST_PACKAGE = 1 << 20
_MAX_NAMED = 32
_SITES = (
    "lib/python3*/site-packages",
    "lib64/python3*/site-packages",
    "lib/python3*/dist-packages",
    "local/lib/python3*/dist-packages",
    "Lib/site-packages",
)
_DIST = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_ABSOLUTE = re.compile(rb"(?:^|[\s\"'=`])(/[^\s\"'`$;|&()<>*?]+)")
_SELECTING = (".python-version", ".tool-versions", "mise.toml", ".mise.toml", ".node-version")
_MANAGERS = frozenset({"mise", "rtx", "asdf", "proto-shim", "volta-shim"})


class Traces(msgspec.Struct, frozen=True):
    """What was seen of a tool: `lines` make its identity. `version` is None where it has to be
    asked; `opaque` says that it is chosen anew at each start by something that we cannot see."""

    lines: tuple[str, ...]
    version: str | None = None
    opaque: bool = False
    broken: str = ""


class _Package(msgspec.Struct):
    """The part of a package.json that counts."""

    name: str = ""
    version: str = ""


def traces_of(executable: Path, tool: ToolSpec, tree: Path) -> Traces:
    """Collect what identifies a tool. Starts nothing. Raises OSError for what is no file."""
    resolved = executable.resolve()
    if not resolved.is_file():  # a FIFO would hang us
        raise OSError("it is no file")
    text = _script_text(resolved)
    # its name, for a version manager may stand behind many; not its folder, which may be a link
    lines = [executable.name, *_stat_line(resolved)]
    if text is not None:
        lines += _script_lines(text)
    runs = _interpreter_of(text)
    if runs is not None and not runs.exists():
        broken = f"the interpreter {runs} that {executable} names in its first line is missing"
        return Traces(tuple(lines), broken=broken)
    if runs is not None:
        lines += _stat_line(runs)
    if _is_shim(executable, resolved):
        chosen = list(_shim_lines(executable, tree))
        return Traces((*lines, *chosen), opaque=not chosen)
    version, source = _stated_version(executable, resolved, runs, tool)
    return Traces((*lines, *source), version)


def _stat_line(path: Path) -> list[str]:
    """Describe a file or folder by its place, size and time; nothing when it is not there."""
    try:
        resolved = os.path.realpath(path)
        status = os.stat(resolved)  # noqa: PTH116 - a hundred of them, paths cost
    except OSError:
        return []
    return [f"{resolved} {status.st_size} {status.st_mtime_ns} {status.st_ino}"]


# -- scripts -------------------------------------------------------------------------------------
def _script_text(path: Path) -> bytes | None:
    """Return the text of a script, None for any other program. Raises OSError."""
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
            return start + stream.read(LARGEST_SCRIPT) if start == b"#!" else None
    except PermissionError:
        return None  # which may be started all the same


def _script_lines(text: bytes) -> Iterator[str]:
    """Yield a digest of a script, and the programs that it names by an absolute path."""
    from hashlib import blake2b

    yield blake2b(text, digest_size=16).hexdigest()
    if len(text) > LARGEST_SCRIPT // 16:
        return  # a program of its own, no wrapper
    for named in _ABSOLUTE.findall(text)[:_MAX_NAMED]:
        path = Path(os.fsdecode(named))
        if path.is_file():
            yield from _stat_line(path)


def _interpreter_of(text: bytes | None) -> Path | None:
    """Return the interpreter that a script names by its path; `env` and `sh` are none."""
    if text is None:
        return None
    words = text[2:].split(b"\n", 1)[0].split()
    path = Path(os.fsdecode(words[0])) if words else Path()
    return path if path.is_absolute() and path.name != "env" else None


# -- shims of version managers -------------------------------------------------------------------
def _is_shim(executable: Path, resolved: Path) -> bool:
    return executable.parent.name == "shims" or resolved.stem in _MANAGERS


def _shim_lines(executable: Path, tree: Path) -> Iterator[str]:
    """Yield what a version manager chooses from, and the files that tell it what to choose."""
    base, name = executable.parent.parent, executable.name
    installed = [*base.glob(f"versions/*/bin/{name}"), *base.glob(f"installs/*/*/bin/{name}")]
    if not installed:
        return
    for path in sorted(installed):
        yield from _stat_line(path)
    choosing = [folder / file for folder in (tree, *tree.parents) for file in _SELECTING]
    for path in (*choosing, base / "version", Path.home() / ".tool-versions"):
        yield from _stat_line(path)


# -- stated versions -----------------------------------------------------------------------------
def _stated_version(
    executable: Path, resolved: Path, runs: Path | None, tool: ToolSpec
) -> tuple[str | None, list[str]]:
    """Return the version that the tool's package states, and where that stands."""
    if tool.distribution is not None:
        prefixes = [resolved.parent.parent, executable.parent.parent]
        if runs is not None:
            prefixes.append(runs.parent.parent)
        for prefix in dict.fromkeys(prefixes):
            found = _distributions(prefix, _plain(tool.distribution))
            if found:
                return _agreed(found)
    if tool.package is not None:
        for folder in _package_folders(executable, resolved, tool.package):
            version = _package_version(folder / "package.json", tool.package)
            if version:
                return version, _stat_line(folder / "package.json")
    return None, []


def _agreed(found: list[tuple[str, Path]]) -> tuple[str | None, list[str]]:
    """Return the version, unless several Pythons below one prefix have different ones."""
    versions = {version for version, _ in found}
    lines = [line for _, path in found for line in (str(path), *_stat_line(path / "RECORD"))]
    return (versions.pop() if len(versions) == 1 else None), lines


def _distributions(prefix: Path, wanted: str) -> list[tuple[str, Path]]:
    """Return the installed versions of a distribution below a prefix, with their metadata."""
    found = []
    for pattern in _SITES:
        for site in sorted(prefix.glob(pattern)):
            version, name = _installed(site).get(wanted, ("", ""))
            if version:
                found.append((version, site / name))
    return found


def _installed(site: Path) -> Mapping[str, tuple[str, str]]:
    """Return the distributions in a folder: plain name -> version and name of its metadata."""
    try:
        return _listed(str(site), site.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=64)  # all tools of an environment share it; its time changes with an upgrade
def _listed(site: str, _mtime_ns: int) -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    with os.scandir(site) as entries:
        for entry in entries:
            match = _DIST.fullmatch(entry.name)
            if match is not None:
                found[_plain(match["name"])] = match["version"], entry.name
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _package_folders(executable: Path, resolved: Path, package: str) -> Iterator[Path]:
    """Yield where the package.json of a program may be: above it, or beside its `.bin`."""
    yield from list(resolved.parents)[:_CLIMB]
    if executable.parent.name == ".bin":
        yield executable.parent.parent / PurePosixPath(package)


def _package_version(path: Path, package: str) -> str:
    """Return the version that a package.json states, if it is the one of this package."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as stream:
            stated = typed_json(stream.read(_LARGEST_PACKAGE), _Package)
    except (OSError, msgspec.DecodeError):
        return ""
    return stated.version if stated.name == package else ""
