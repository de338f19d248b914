"""Files that git's history changed together with others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping.api import Guess, Rung, Terrain
from penstock.planning.sources.api import Use

MOST_FILES: Final = 40
"""A commit of more files (a move, a reformatting) says nothing of any two of them."""
LEAST_TOGETHER: Final = 3
LEAST_SHARE: Final = 0.4
MOST_PARTNERS: Final = 5
_MOST_ASKED: Final = 10


class History:
    """What changed together; the commits are read when somebody first asks."""

    def __init__(self, terrain: Terrain, known: frozenset[str]) -> None:
        self._terrain = terrain
        self._known = known
        self._commits: list[Sequence[str]] | None = None
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        self._partners: dict[str, list[Guess]] = {}

    def _read(self) -> list[Sequence[str]]:
        if self._commits is None:
            self._commits = []
            for paths in self._terrain.history():
                if 1 < len(paths) <= MOST_FILES:
                    for path in set(paths):
                        self._at[path].append(len(self._commits))
                    self._commits.append(paths)
        return self._commits

    def partners(self, paths: Iterable[str]) -> list[Guess]:
        """Return the files that mostly changed with some of these, the likeliest first."""
        asked = list(dict.fromkeys(paths))[:_MOST_ASKED]
        best: dict[str, Guess] = {}
        for path in asked:
            for guess in self._of(path):
                known = best.get(guess.path)
                if guess.path not in asked and (
                    known is None or guess.confidence > known.confidence
                ):
                    best[guess.path] = guess
        ranked = sorted(best.values(), key=lambda guess: (-guess.confidence, guess.path))
        return ranked[:MOST_PARTNERS]

    def _of(self, path: str) -> list[Guess]:
        if path not in self._partners:
            self._partners[path] = self._counted(path)
        return self._partners[path]

    def _counted(self, path: str) -> list[Guess]:
        commits = self._read()
        at = self._at.get(path, ())
        together = Counter(other for n in at for other in set(commits[n]) if other != path)
        return [
            Guess(
                path=other,
                use=Use.MODIFY,
                rung=Rung.HISTORY,
                confidence=sure.rounded(sure.HISTORY * count / len(at)),
                evidence=f"changed in {count} of the {len(at)} commits that changed {path}",
            )
            for other, count in sorted(together.items())
            if count >= LEAST_TOGETHER and count >= LEAST_SHARE * len(at) and other in self._known
        ]
