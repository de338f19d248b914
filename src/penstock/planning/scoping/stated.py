"""Paths that fields made for paths state, checked against what there is."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping.api import Guess, Refused, Rung, Unresolved
from penstock.planning.scoping.bounds import outside
from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.ground import MAX_CANDIDATES, Found, Ground, Match
from penstock.planning.scoping.mentions import cleaned, spelt_out
from penstock.planning.sources.api import StatedPath, Use
from penstock.schedule.glob import WILDCARD

_FOUND_OTHERWISE = {Match.CASE, Match.TAIL, Match.NAME, Match.PLAN}


def stated_evidence(paths: Iterable[StatedPath], ground: Ground, confidence: float) -> Evidence:
    """Return what fields state: to create only what is not there and said to be new."""
    found = Evidence()
    for stated in paths:
        for text in spelt_out(cleaned(stated.path.strip().strip("`"))):
            if text:
                _take(text, stated, ground, confidence, found)
    return found


def _take(
    text: str, stated: StatedPath, ground: Ground, confidence: float, found: Evidence
) -> None:
    if why := outside(text, ground):
        found.misses += stated.use is not Use.READ
        found.refused.append(Refused(path=text, place=stated.place, why=why[0], near=why[1]))
        return
    there = ground.find(text)
    words = f"stated in {stated.field}"
    if stated.use is Use.CREATE and not ground.has(text):
        if not WILDCARD.search(text) or "[" in text:
            found.guesses.append(_guess(text, Use.CREATE, confidence, f"{words} as new", stated))
            return
    elif stated.use is Use.CREATE and there.match is Match.FILE:
        found.existing.append(Unresolved(path=text, place=stated.place))
        words += " as new, yet it is there"
    _take_present(text, there, stated, confidence, words, found)


def _take_present(
    text: str,
    there: Found,
    stated: StatedPath,
    confidence: float,
    words: str,
    found: Evidence,
) -> None:
    use = Use.READ if stated.use is Use.READ else Use.MODIFY
    if there.match is Match.NONE:
        found.misses += use is not Use.READ
        found.unresolved.append(Unresolved(path=text, place=stated.place))
    elif there.match is Match.SEVERAL:
        confidence = min(confidence, sure.ONE_OF_SEVERAL)
        words += f", one of {len(there.paths)} paths that {text} may mean"
        found.guesses += [
            _guess(path, use, confidence, words, stated) for path in there.paths[:MAX_CANDIDATES]
        ]
    else:
        if there.match in _FOUND_OTHERWISE:
            confidence = min(confidence, sure.NAMED[there.match] + sure.IN_CODE)
            words += f" as {text}"
        found.guesses.append(_guess(there.path, use, confidence, words, stated))


def _guess(path: str, use: Use, confidence: float, words: str, stated: StatedPath) -> Guess:
    return Guess(
        path=path,
        use=use,
        rung=Rung.STATED,
        confidence=sure.rounded(confidence),
        evidence=words,
        place=stated.place,
    )
