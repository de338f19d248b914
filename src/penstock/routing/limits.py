"""What is refused before anything starts: the security limits of the coordination rules.

Paths come resolved: relative to the repository's top, through symbolic links and `..`. They are
compared without regard to case, because a file system may not regard it either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from unicodedata import category, normalize

import msgspec

from penstock.model.capability import SecurityLimits

_WILD = frozenset("*?[")


class NamedPath(msgspec.Struct, frozen=True, kw_only=True):
    """One path that a payload names.

    `named` is how it was written; `resolved` are the forms to judge, relative with `/`, a folder
    ending in `/`. `several` is set for a folder or a glob, whose files are counted, not named.
    """

    named: str
    resolved: tuple[str, ...]
    several: bool = False


def refusal_of(
    payload_bytes: int, paths: Sequence[NamedPath], file_count: int, limits: SecurityLimits
) -> str | None:
    """Return why a payload is refused in one sentence, None when it is within the limits.

    `payload_bytes` is its size as JSON; `file_count` counts the files that it names, those of
    folders and globs included.
    """
    if payload_bytes > limits.max_payload_size_bytes:
        most = limits.max_payload_size_bytes
        return f"the payload has {payload_bytes} bytes, more than max_payload_size_bytes ({most})"
    if file_count > limits.max_file_count:
        return f"{file_count} files are named, more than max_file_count ({limits.max_file_count})"
    for path in paths:
        reason = _refused(path, limits)
        if reason is not None:
            return reason
    return None


def missing_fields(requirements: Mapping[str, Any], payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the required fields that a payload lacks or leaves empty, in the order of the rule."""
    needed = (
        name for name, wanted in requirements.items() if wanted is True or wanted == "required"
    )
    return tuple(name for name in needed if payload.get(name) in (None, "", [], (), {}))


def _refused(path: NamedPath, limits: SecurityLimits) -> str | None:
    for form in path.resolved:
        for forbidden in limits.forbidden_paths:
            if lies_under(form, forbidden):
                return f"{_told(path, form)} lies under the forbidden path {forbidden}"
    if path.several or not limits.allowed_file_patterns:
        return None
    for form in path.resolved:
        if not form.endswith("/") and not _allowed(form, limits.allowed_file_patterns):
            return f"{_told(path, form)} matches none of the allowed file patterns"
    return None


def _told(path: NamedPath, form: str) -> str:
    return path.named if form == path.named else f"{path.named} (that is {form})"


def _allowed(form: str, patterns: Sequence[str]) -> bool:
    name = folded(form.rpartition("/")[2])
    return any(fnmatchcase(name, folded(pattern)) for pattern in patterns)


def lies_under(path: str, forbidden: str) -> bool:
    """Tell whether a path has the parts of a forbidden one in a row.

    A forbidden path that ends in `/` is a folder, so a file of that name is not meant. In a path
    with wildcards a part matches a forbidden name that it spells the beginning of; as in a shell, a
    wildcard in front does not stand for a leading dot.
    """
    parts = [folded(part) for part in path.strip("/").split("/")]
    banned = [folded(part) for part in forbidden.strip("/").split("/")]
    if forbidden.endswith("/") and not path.endswith("/"):
        parts = parts[:-1] if banned != [".git"] else parts
    return any(
        all(_meets(part, name) for part, name in zip(window, banned, strict=True))
        for window in _windows(parts, len(banned))
    )


def _windows(parts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (parts[at : at + size] for at in range(len(parts) - size + 1))


def _meets(part: str, name: str) -> bool:
    if part == name:
        return True
    return part[:1] == name[:1] and not _WILD.isdisjoint(part) and fnmatchcase(name, part)


def folded(part: str) -> str:
    """Return a path part as file systems may compare it: composed, without case, without invisible
    characters and without the dots and blanks at its end that some of them drop.
    """
    visible = "".join(c for c in normalize("NFKC", part) if category(c) != "Cf")
    return visible.casefold().rstrip(" .") or part
