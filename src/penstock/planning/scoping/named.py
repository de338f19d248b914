"""Paths that a text names, resolved among those that there are."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping.api import Guess, Refused, Rung, Unresolved
from penstock.planning.scoping.bounds import is_no_path, outside
from penstock.planning.scoping.cues import Cue, continues, cue
from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.ground import MAX_CANDIDATES, Found, Ground, Match
from penstock.planning.scoping.mentions import Mention, Quoting, mentions
from penstock.planning.sources.api import Place, Use
from penstock.schedule.glob import WILDCARD

_SHORTEST_FOLDER: Final = 4
"""`w/` is a word, `src/` a folder."""
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_SAME: Final = (Match.FILE, Match.CASE, Match.TAIL)
"""What is called new and found so is there already."""
_HOW: Final = {
    Match.FILE: "named as {0}",
    Match.FOLDER: "the folder is named as {0}",
    Match.GLOB: "named as {0}, which files match",
    Match.CASE: "named as {0}; capitals differ",
    Match.TAIL: "named as {0}, the only path that ends so",
    Match.NAME: "named as {0}, the only file of that name",
    Match.PLAN: "named as {0}, which is a part of the plan",
}


def lines_of(
    text: str, first: Place, *, numbered: bool = True
) -> Iterator[tuple[str, Place, bool]]:
    """Yield lines with their places, and whether each stands in a code fence.

    Without `numbered` all stand at the first place: text out of JSON has no lines of its own.
    """
    fenced = False
    for offset, line in enumerate(text.splitlines()):
        place = Place(first.file, first.line + offset) if numbered else first
        mark = _FENCE.match(line) is not None
        yield line, place, fenced or mark
        fenced ^= mark


class Namer:
    """Finds what texts name in a repository."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def read(self, text: str, first: Place, *, numbered: bool = True) -> Evidence:
        """Return what a text names, with a new file put into the one folder it is named with."""
        found = Evidence()
        for line, place, fenced in lines_of(text, first, numbered=numbered):
            self.read_line(line, place, found, fenced=fenced)
        return found

    def read_line(self, line: str, place: Place, found: Evidence, *, fenced: bool = False) -> None:
        """Add what a line names; in a code fence only what is there counts."""
        before: tuple[int, Cue] | None = None
        for mention in mentions(line):
            said = cue(line, mention.start, mention.end)
            if (
                said in (Cue.NONE, Cue.MAKING)
                and before
                and continues(line[before[0] : mention.start])
            ):
                said = before[1]
            before = (mention.end, said)
            if fenced:
                mention = mention._replace(quoting=Quoting.COMMAND)
            self._resolve(mention, said, place, found)

    def _resolve(self, mention: Mention, said: Cue, place: Place, found: Evidence) -> None:
        text = mention.text
        if is_no_path(text):
            return
        beyond = text.startswith(("/", "~"))
        there = Found(Match.NONE) if beyond else self.ground.find(text)
        known = there.match is not Match.NONE
        claimed = known or beyond or mention.has_extension
        if claimed and (why := outside(text, self.ground)):
            if mention.quoting is not Quoting.COMMAND:
                found.misses += said is not Cue.READ
                found.refused.append(Refused(path=text, place=place, why=why[0], near=why[1]))
        elif mention.quoting is Quoting.COMMAND:
            self._in_command(text, there, place, found)
        elif said is Cue.NEW and there.match in (Match.NAME, Match.SEVERAL):
            # one more of a name that others elsewhere have
            found.guesses.append(_new(text, sure.NEW_WITHOUT_FOLDER, place))
        elif there.match is Match.SEVERAL:
            self._one_of_several(text, there, said, place, found)
        elif known:
            self._present(mention, there, said, place, found)
        else:
            self._absent(mention, said, place, found)

    def _in_command(self, text: str, there: Found, place: Place, found: Evidence) -> None:
        """A command reads its files; what is not there is the command's own affair."""
        if there.match in (Match.FILE, Match.FOLDER) and "/" in text:
            words = f"stands in a command or in code: {text}"
            found.guesses.append(_guess(there.path, Use.READ, sure.IN_COMMAND, words, place))

    def _present(
        self, mention: Mention, there: Found, said: Cue, place: Place, found: Evidence
    ) -> None:
        """A path that is there is changed, whatever is said of it, unless it is only read."""
        confidence = sure.NAMED[there.match] + sure.IN_CODE * (mention.quoting is Quoting.CODE)
        words = _HOW[there.match].format(_shown(mention))
        use = Use.MODIFY
        if said is Cue.READ or there.match is Match.PLAN:
            use, words = Use.READ, f"{words}, to be read"
        elif said is Cue.NEW and there.match in _SAME:
            found.existing.append(Unresolved(path=there.path, place=place))
            words = f"{words}; said to be new, yet it is there"
        found.guesses.append(_guess(there.path, use, confidence, words, place))

    def _one_of_several(
        self, text: str, there: Found, said: Cue, place: Place, found: Evidence
    ) -> None:
        """A name of several files is doubtful."""
        use = Use.READ if said is Cue.READ else Use.MODIFY
        words = f"one of {len(there.paths)} paths that {text} may mean"
        found.guesses += [
            _guess(path, use, sure.ONE_OF_SEVERAL, words, place)
            for path in there.paths[:MAX_CANDIDATES]
        ]

    def _absent(self, mention: Mention, said: Cue, place: Place, found: Evidence) -> None:
        """A path that is not there is made when the plan says so, and reported when it does not."""
        text, quoted = mention.text, mention.quoting is Quoting.CODE
        creatable = not WILDCARD.search(text) or "[" in text
        if not self._is_claimed(mention):
            return
        if creatable and said in (Cue.NEW, Cue.MAKING):
            found.guesses.append(_new(text, self._newness(text, said, quoted=quoted), place))
        else:
            found.misses += said is not Cue.READ
            found.unresolved.append(Unresolved(path=text, place=place))

    def _is_claimed(self, mention: Mention) -> bool:
        """Tell whether a mention that is not there is a path all the same: it has an extension, is
        written as a folder, or begins with a folder that is there."""
        text = mention.text
        if mention.has_extension:
            return True
        if text.endswith("/"):
            return len(text) >= _SHORTEST_FOLDER
        return "/" in text and text.partition("/")[0] in self.ground.folders

    def _newness(self, text: str, said: Cue, *, quoted: bool) -> float:
        if "/" not in text.rstrip("/"):
            return sure.NEW_WITHOUT_FOLDER
        plain = sure.NAMED_NEW if said is Cue.NEW else sure.NAMED_NEW_PLACE
        return plain + sure.IN_CODE * quoted


def joined(found: Evidence, ground: Ground, place: Place) -> Evidence:
    """Return the evidence of an item with files that are new and named without a folder put into
    the one folder that it names."""
    folders = [
        guess for guess in found.guesses if guess.path.endswith("/") and guess.use is not Use.READ
    ]
    bare = [g for g in found.guesses if g.use is Use.CREATE and "/" not in g.path]
    if len({guess.path for guess in folders}) != 1 or not bare:
        return found
    folder = folders[0]
    placed = {guess.path: _into(guess, folder, ground) for guess in bare}
    guesses = [
        placed.get(guess.path, guess)
        for guess in found.guesses
        if guess.path != folder.path or guess.use is Use.CREATE
    ]
    there = [
        Unresolved(path=guess.path, place=guess.place or place)
        for guess in placed.values()
        if guess.use is not Use.CREATE
    ]
    return dataclasses.replace(found, guesses=guesses, existing=found.existing + there)


def _into(guess: Guess, folder: Guess, ground: Ground) -> Guess:
    path = folder.path + guess.path
    return msgspec.structs.replace(
        guess,
        path=path,
        use=Use.MODIFY if ground.has(path) else Use.CREATE,
        confidence=sure.rounded(min(sure.NAMED_NEW_PLACE, folder.confidence)),
        evidence=f"{guess.evidence}, in {folder.path}",
    )


def _new(text: str, confidence: float, place: Place) -> Guess:
    return _guess(text, Use.CREATE, confidence, f"said to be new: {text}", place)


def _shown(mention: Mention) -> str:
    return f"`{mention.text}`" if mention.quoting is Quoting.CODE else mention.text


def _guess(path: str, use: Use, confidence: float, words: str, place: Place) -> Guess:
    return Guess(
        path=path,
        use=use,
        rung=Rung.NAMED,
        confidence=sure.rounded(confidence),
        evidence=words,
        place=place,
    )
