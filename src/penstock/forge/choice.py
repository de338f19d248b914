"""Whether issues are told, those of which repository, and which issue a bundle belongs to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from penstock.forge.api import Issue
from penstock.typed import typed

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
_OWNER_AND_NAME: Final = re.compile(rf"{_NAME}/{_NAME}")
_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,17})")
_ADDRESS: Final = re.compile(rf"https://[^/\s]+/({_NAME}/{_NAME})/issues/([1-9][0-9]{{0,17}})/?")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: `repository` None is that of the checkout; `problem` says what is wrong
    with the request, so that nobody is told anything."""

    wanted: bool
    repository: str | None = None
    problem: str | None = None


class _Origin(msgspec.Struct, frozen=True):
    dialect: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    plan: _Origin = _Origin()


class _Told(msgspec.Struct, frozen=True):
    """What of a recorded bundle says which issue it belongs to."""

    ccpm_issue: int | str
    openspec_change: str = ""
    metadata: _Metadata = _Metadata()


class Subject(msgspec.Struct, frozen=True):
    """The issue that a workstream belongs to, and its change."""

    issue: Issue
    change: str


def choose(configured: bool, environ: Mapping[str, str] | None = None) -> Choice:
    """Return what ENABLE_GH_SYNC (else the configuration), GITHUB_OWNER and GITHUB_REPO ask for.

    GITHUB_REPO may be owner/name as well. `environ` None is the process's own.
    """
    env = os.environ if environ is None else environ
    switch = env.get("ENABLE_GH_SYNC", "").strip().lower()
    if not (switch in _TRUE if switch else configured):
        return Choice(wanted=False)
    owner, name = (env.get(key, "").strip() for key in ("GITHUB_OWNER", "GITHUB_REPO"))
    if not owner and not name:
        return Choice(wanted=True)
    full = name if "/" in name else f"{owner}/{name}"
    if not _OWNER_AND_NAME.fullmatch(full):
        given = f"GITHUB_OWNER={owner} GITHUB_REPO={name}"
        return Choice(wanted=True, problem=f"{given} name no repository: set both, or neither")
    return Choice(wanted=True, repository=full)


def subject_of(bundle: Any, repository: str | None) -> Subject | None:
    """Return the issue of a recorded bundle, None when it names none of the tracker.

    `ccpm_issue` is a number, `#12`, or the address of an issue. Of bundles that a plan made only those
    of CCPM epics name issues; the numbers of others are the plan's own. `007` names a file.
    """
    try:
        told = typed(bundle, _Told)
    except msgspec.ValidationError:
        return None
    if told.metadata.plan.dialect not in (None, "ccpm"):
        return None
    found = _issue(told.ccpm_issue, repository)
    return None if found is None else Subject(found, told.openspec_change)


def _issue(given: int | str, repository: str | None) -> Issue | None:
    if isinstance(given, int):
        return Issue(given, repository) if given > 0 else None
    number = _NUMBER.fullmatch(given.strip())
    if number:
        return Issue(int(number[1]), repository)
    address = _ADDRESS.fullmatch(given.strip())
    if not address or (repository and address[1].lower() != repository.lower()):
        return None
    return Issue(int(address[2]), repository or address[1])
