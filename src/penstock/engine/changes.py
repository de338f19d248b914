"""What a FIX turn is told of the check before: what is new since then, still there, and fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import msgspec

from penstock.model.finding import Finding, Severity
from penstock.model.fingerprint import compare
from penstock.typed import typed

Says = tuple[str | None, str, str | None, str]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of a check beside those of the one before: `new` and `still` are all of it."""

    new: tuple[Finding, ...] = ()
    still: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()


def findings_of(result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return the findings that are kept of a check."""
    return tuple(typed(f, Finding) for f in result.get("findings", ()))


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes | None:
    """Compare what is kept of two checks of a step; None when that is not enough to compare.

    It is not when findings were left out of it, or were kept without fingerprints. Only what
    had the chance to be found again counts as fixed: its check ran to its end.
    """
    earlier, later = findings_of(before), findings_of(after)
    if not (_is_whole(before, earlier) and _is_whole(after, later)):
        return None
    told = compare(earlier, later)
    again = _checked_again(before, after)
    fixed = _named(told.fixed, earlier, later)
    new = _named(told.new, later, earlier)
    left = list(new)
    still = tuple(found for found in later if not _drop(left, found))
    return Changes(
        new=new,
        still=still,
        fixed=tuple(f for f in fixed if f.tool in again and f.severity is not Severity.INFO),
    )


def _is_whole(result: Mapping[str, Any], kept: Sequence[Finding]) -> bool:
    if int(result.get("findings_count") or 0) > len(kept):
        return False
    return all(found.fingerprint for found in kept)


def _named(
    chosen: Sequence[Finding], mine: Iterable[Finding], other: Iterable[Finding]
) -> tuple[Finding, ...]:
    """Return as many findings as were chosen, by what they say where that tells them apart.

    Of two failures on one line a fingerprint knows how many are left, the message which one.
    """
    known = {_says(found) for found in other}
    unsaid = tuple(found for found in mine if _says(found) not in known)
    return unsaid if len(unsaid) == len(chosen) else tuple(chosen)


def _says(found: Finding) -> Says:
    return found.path, found.tool, found.code, found.message


def _drop(left: list[Finding], found: Finding) -> bool:
    """Take a finding out of the list, False when it is not in it."""
    if found not in left:
        return False
    left.remove(found)
    return True


def _checked_again(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the names of tools whose checks of the earlier time all ran to their end later."""
    ended = {check["check_id"] for check in _checks(after) if _is_ended(check)}
    missed = {
        name
        for check in _checks(before)
        if check["check_id"] not in ended
        for name in _names(check)
    }
    return {name for check in _checks(before) for name in _names(check)} - missed


def _is_ended(check: Mapping[str, Any]) -> bool:
    code = check.get("exit_code")
    return code is not None and code >= 0 and not check.get("timed_out")


def _checks(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [check for check in result.get("checks", ()) if "check_id" in check]


def _names(check: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the findings of a check may call their tool: its profile or its program."""
    argv = check.get("argv") or ()
    return (str(check["check_id"]), *(PurePath(str(part)).name for part in argv[:1]))
