"""Paths that no workstream may touch, as a plan writes them."""

from __future__ import annotations

import re
from typing import Final

from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.mentions import has_known_name
from penstock.schedule.scope import normalise, refusal

_DRIVE: Final = re.compile(r"[A-Za-z]:[/\\]")
_SYSTEM: Final = re.compile(
    r"/(?:etc|usr|var|tmp|home|root|opt|bin|sbin|dev|proc|sys|mnt|srv|boot|lib|Users|Library)(?:/|$)"
)


def outside(text: str, ground: Ground) -> tuple[str, tuple[str, ...]] | None:
    """Say why a written path leaves the repository or is not a workstream's to touch, and which
    path may be meant; None when neither is so."""
    if text.startswith("~") or _DRIVE.match(text):
        return "outside of the repository", ()
    if text.startswith("/"):
        inside = text.strip("/")
        known = ground.find(inside).paths if has_known_name(text) and "/" in inside else ()
        return "absolute; a plan names paths from the repository's top", known[:1]
    if ".." in text.split("/"):
        return "holds '..', which leads out of where it stands", ()
    try:
        plain = normalise(text).rstrip("/")
    except ValueError as error:
        return str(error), ()
    why = refusal(plain) or _below_a_file(plain, ground)
    return (why, ()) if why else None


def _below_a_file(path: str, ground: Ground) -> str | None:
    """Say which file or link a path runs through, None when there is none: a link may lead out."""
    end = path.find("/")
    while end > 0:
        if path[:end] in ground.files:
            return f"{path[:end]} is a file or a link, nothing lies below it"
        end = path.find("/", end + 1)
    return None


def is_no_path(text: str) -> bool:
    """Tell whether what begins with `/` or `~` is rather a route of a service or a remark."""
    if text.startswith("/"):
        return not (has_known_name(text) or _SYSTEM.match(text))
    home = text.startswith("~/") and (has_known_name(text) or text.count("/") > 1)
    return text.startswith("~") and not home
