"""Paths that no workstream may touch, as a plan writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.planning.scoping.ground import Ground
from penstock.planning.scoping.mentions import has_known_name
from penstock.planning.sources.api import StatedPath
from penstock.schedule.scope import Claim, normalise, refusal

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
    why = refusal(text.rstrip("/"))
    return (why, ()) if why else None


def is_no_path(text: str) -> bool:
    """Tell whether what begins with `/` or `~` is rather a route of a service or a remark."""
    if text.startswith("/"):
        return not (has_known_name(text) or _SYSTEM.match(text))
    return text.startswith("~") and not text.startswith("~/")


class Forbidden:
    """Paths that the plan itself says must not be touched."""

    def __init__(self, paths: Iterable[StatedPath]) -> None:
        self._claims: list[tuple[Claim, StatedPath]] = []
        for stated in paths:
            try:
                self._claims.append((Claim(normalise(stated.path)), stated))
            except ValueError:  # prose, which no path can be held against
                continue

    def why(self, path: str) -> str | None:
        """Say which statement forbids a path, None when none does."""
        claim = Claim(normalise(path))
        for other, stated in self._claims:
            if other.overlaps(claim) and not (claim.is_plain and claim.contains(other)):
                return f"the plan forbids it: {stated.path} ({stated.place})"
        return None
