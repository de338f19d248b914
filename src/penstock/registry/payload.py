"""The payload of a capability held against the security limits, its paths resolved before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.capability import SecurityLimits
from penstock.routing.limits import NamedPath, refusal_of

CountTracked = Callable[[Sequence[str]], int]
"""Counts the files that git tracks below folders or in globs."""
FILE_FIELDS = ("files", "test_path")
"""Fields of a payload that name paths; a test may be named within its file (`a.py::test_b`)."""
_WILD = frozenset("*?[")


def check_payload(
    root: Path, payload: Mapping[str, Any], limits: SecurityLimits, count_tracked: CountTracked
) -> str | None:
    """Return why a payload is refused, None when it is within the limits.

    `root` is the tree that its paths count from. Paths are resolved through symbolic links and
    `..`; one that leads out of the tree is refused, whatever the limits are. Folders and globs
    count with their tracked files.
    """
    try:
        size = len(msgspec.json.encode(payload))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        return f"the payload cannot be written as JSON: {error}"
    named = _named(payload)
    if isinstance(named, str):
        return named
    top = Path(os.path.realpath(root))
    paths: list[NamedPath] = []
    for text in named:
        path = resolve(top, text)
        if isinstance(path, str):
            return path
        paths.append(path)
    single = sum(not path.several for path in paths)
    several = [path.resolved[0] for path in paths if path.several]
    too_big = refusal_of(size, (), single, limits)
    if too_big is not None:
        return too_big
    return refusal_of(size, paths, single + (count_tracked(several) if several else 0), limits)


def _named(payload: Mapping[str, Any]) -> list[str] | str:
    """Return the paths that a payload names, each once; or what is wrong with a field."""
    found: list[str] = []
    for field in FILE_FIELDS:
        value = payload.get(field)
        listed = [value] if isinstance(value, str) else value or []
        if not isinstance(listed, (list, tuple)) or not all(isinstance(x, str) for x in listed):
            return f"{field} of the payload is no list of paths"
        found += [text.partition("::")[0] for text in listed]
    return list(dict.fromkeys(found))


def resolve(top: Path, text: str) -> NamedPath | str:
    """Return a named path with the forms to judge: as it is written, and where it leads.

    `top` is resolved already. A text in place of a path says why it is refused.
    """
    plain = text.replace("\\", "/")
    if not plain.strip() or "\0" in plain:
        return f"{text!r} is no path"
    literal, wild = (plain, "") if os.path.lexists(top / plain) else _split(plain)
    written = Path(os.path.normpath(top / literal))
    real = Path(os.path.realpath(top / literal))
    for form in (written, real):
        if not form.is_relative_to(top):
            return f"{text} leads out of the repository"
    folder = bool(wild) or real.is_dir()
    forms = (_form(top, form, wild, folder=folder) for form in (written, real))
    return NamedPath(named=text, resolved=tuple(dict.fromkeys(forms)), several=folder)


def _split(text: str) -> tuple[str, str]:
    """Return the folders before the first part with a wildcard, and the rest."""
    parts = text.split("/")
    at = next((i for i, part in enumerate(parts) if not _WILD.isdisjoint(part)), len(parts))
    return "/".join(parts[:at]) or ("/" if text.startswith("/") else "."), "/".join(parts[at:])


def _form(top: Path, path: Path, wild: str, *, folder: bool) -> str:
    relative = path.relative_to(top).as_posix()
    base = "" if relative == "." else relative
    if wild:
        return f"{base}/{wild}".lstrip("/")
    return f"{base}/" if folder else base
